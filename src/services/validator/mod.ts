/**
 * Validator: tries each candidate and makes relays of those that speak Nostr.
 *
 * @module
 */
import { OPT_OUT_KEYS, optedOutHosts } from "../../core/config/opt_out.ts";
import { liveOptOut } from "../../core/lifecycle/reload.ts";
import { dropCandidates, releaseCandidates } from "../../archive/candidates.ts";
import { newHolder } from "../../core/lifecycle/holder.ts";
import { workInQueues } from "../../core/lifecycle/queues.ts";
import { repeat } from "../../core/lifecycle/repeat.ts";
import type { Context, Service } from "../../core/lifecycle/service.ts";
import { slotsOf } from "../../models/network.ts";
import { createDialer } from "../../transport/dialer.ts";
import { limiterOf, Politeness } from "../../transport/politeness.ts";
import { userAgent } from "../../transport/user_agent.ts";
import { claim } from "./claims.ts";
import { type ValidatorConfig, validatorConfig } from "./config.ts";
import { startTrials, type TrialDeps, tryClaim } from "./trials.ts";

export const validator: Service<ValidatorConfig> = {
  name: "validator",
  summary: "Tries candidates and makes relays of those that speak Nostr",
  config: validatorConfig,
  reloaded: OPT_OUT_KEYS,
  readNamed: (config) => void optedOutHosts(config),
  run: (ctx) => {
    const { config } = ctx;
    const own = new Politeness(config);
    const shared = Politeness.of(ctx.politeness);
    const dialer = createDialer({
      ...config,
      userAgent: userAgent(config.contact),
      optOut: liveOptOut(ctx),
      limiter: limiterOf(own, shared),
    });
    const { slots } = shared ?? own;
    const holder = newHolder();
    return repeat(
      ctx,
      (cycle) => validateDueCandidates(cycle, { dialer, slots }, holder),
    );
  },
};

/** Works until no candidate is due; what becomes due meanwhile is taken along. */
async function validateDueCandidates(
  ctx: Context<ValidatorConfig>,
  deps: TrialDeps,
  holder: string,
): Promise<void> {
  const { config, database, log, signal } = ctx;
  const dropped = await dropCandidates(database, config);
  const trials = startTrials(ctx, deps);
  const untouched = await workInQueues({
    slots: slotsOf(config.networks),
    askAgainMs: config.intervalSeconds * 1_000,
    take: async (network, count) =>
      trials.pauses.has(network)
        ? []
        : await claim(ctx, deps.slots, { network, count, holder }),
    work: (claimed, stop) => tryClaim(trials, claimed, stop),
  }, signal);
  const urls = untouched.map(({ candidate }) => candidate.url);
  await releaseCandidates(database, urls);
  const { promoted, failed } = trials.stats;
  if (promoted + failed + dropped === 0) return;
  log.info("candidates tried", { promoted, failed, dropped });
}
