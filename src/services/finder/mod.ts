/**
 * Finder: looks for relays not yet known, in lists that others publish and in what is archived.
 *
 * Events of the synchronizer give their hints when they are archived; the search here finds those of all others.
 *
 * @module
 */
import { OPT_OUT_KEYS, optedOutHosts } from "../../core/config/opt_out.ts";
import { liveOptOut } from "../../core/lifecycle/reload.ts";
import { repeat } from "../../core/lifecycle/repeat.ts";
import type { Context, Service } from "../../core/lifecycle/service.ts";
import type { Networks } from "../../models/network.ts";
import { createDialer } from "../../transport/dialer.ts";
import { limiterOf, Politeness } from "../../transport/politeness.ts";
import { userAgent } from "../../transport/user_agent.ts";
import { askSources, type SourceDeps } from "./api_sources.ts";
import { searchArchive } from "./archive_search.ts";
import { type FinderConfig, finderConfig } from "./config.ts";

export const finder: Service<FinderConfig> = {
  name: "finder",
  summary: "Finds candidates in published lists and in archived events",
  config: finderConfig,
  reloaded: OPT_OUT_KEYS,
  readNamed: (config) => void optedOutHosts(config),
  run: (ctx) => {
    const own = new Politeness({});
    const shared = Politeness.of(ctx.politeness);
    const dialer = createDialer({
      ...ctx.config,
      networks: unpaced(ctx.config.networks),
      userAgent: userAgent(ctx.config.contact),
      optOut: liveOptOut(ctx),
      limiter: limiterOf(own, shared),
    });
    const { slots } = shared ?? own;
    return repeat(ctx, (cycle) => findCandidates(cycle, { dialer, slots }));
  },
};

/** The dialer's form; each source has a deadline of its own, and they are asked one after the other. */
function unpaced(
  { clearnet, tor, i2p, loki }: FinderConfig["networks"],
): Networks {
  const bounds = { maxConnections: 1, timeoutMs: 30_000 };
  return {
    clearnet: { ...clearnet, ...bounds },
    tor: { ...tor, ...bounds },
    i2p: { ...i2p, ...bounds },
    loki: { ...loki, ...bounds },
  };
}

async function findCandidates(
  ctx: Context<FinderConfig>,
  deps: SourceDeps,
): Promise<void> {
  if (ctx.config.api.enabled) await askSources(ctx, deps);
  if (ctx.config.archive.enabled) await searchArchive(ctx);
}
