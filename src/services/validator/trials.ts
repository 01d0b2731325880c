/**
 * Trials of one cycle: each claimed candidate is tried and its outcome stored; a network without its proxy is left alone.
 *
 * @module
 */
import type { Candidate } from "../../archive/candidates.ts";
import { gatherWrites } from "../../base/gather_writes.ts";
import { Pauses } from "../../core/lifecycle/pauses.ts";
import type { Context } from "../../core/lifecycle/service.ts";
import { untilMoment } from "../../core/lifecycle/time_limit.ts";
import type { Network } from "../../models/network.ts";
import type { Result } from "../../models/result.ts";
import type { Dialer } from "../../transport/dialer.ts";
import {
  countsAgainstRelay,
  failureText,
  type RelayFailure,
} from "../../transport/failure.ts";
import { type AddressSlots, authorityIn } from "../../transport/politeness.ts";
import type { Claim } from "./claims.ts";
import type { ValidatorConfig } from "./config.ts";
import { type Outcome, storeOutcomes } from "./outcomes.ts";
import { type Answer, tryCandidate } from "./try_candidate.ts";

/** What trials work with. */
export interface TrialDeps {
  readonly dialer: Dialer;
  /** The slots that the dialer takes. */
  readonly slots: AddressSlots;
}

/** Context that the trials of one cycle share. */
export interface Trials extends TrialDeps {
  readonly ctx: Context<ValidatorConfig>;
  /** Networks whose proxy is down: nothing is claimed or tried there for a while. */
  readonly pauses: Pauses<Network>;
  readonly stats: { promoted: number; failed: number };
  /** Resolves when the outcome is stored. */
  readonly store: (outcome: Outcome) => Promise<void>;
}

/** Outcomes in one transaction. */
const MAX_OUTCOMES = 500;

export function startTrials(
  ctx: Context<ValidatorConfig>,
  deps: TrialDeps,
): Trials {
  const { config, database } = ctx;
  return {
    ...deps,
    ctx,
    pauses: new Pauses(),
    stats: { promoted: 0, failed: 0 },
    store: gatherWrites(
      (outcomes) => storeOutcomes(database, outcomes, config.retry),
      { maxItems: MAX_OUTCOMES },
    ),
  };
}

/** Tries a claimed candidate and stores the outcome. */
export async function tryClaim(
  trials: Trials,
  claim: Claim,
  signal: AbortSignal,
): Promise<void> {
  const { ctx, dialer, slots } = trials;
  const { url, network } = claim.candidate;
  if (trials.pauses.has(network) || slots.isFull(authorityIn(url))) {
    return await trials.store({ type: "released", url });
  }
  const { allowPrivate, networks } = ctx.config;
  const { timeoutMs } = networks[network];
  const trial = await untilMoment(claim.endsAtMs, signal, (signal) => {
    const options = { allowPrivate, timeoutMs, signal };
    return tryCandidate(dialer, { url }, options);
  });
  if (!trial.ok && trial.failure.code === "proxy") pause(trials, network);
  if (!trial.ok && trial.failure.code === "opted-out") {
    countOptOut(trials, claim.candidate);
  }
  const outcome = outcomeOf(url, trial, signal);
  if (outcome === null) return;
  count(trials, claim, outcome);
  await trials.store(outcome);
}

/** A proxy that is down is our own problem, which must not cost the candidates behind it. */
function pause({ ctx, pauses }: Trials, network: Network): void {
  const { intervalSeconds: seconds } = ctx.config;
  if (!pauses.begin(network, seconds * 1_000)) return;
  ctx.log.warn("proxy down, network left alone", { network, seconds });
}

/** The claim is left to run out: the candidate is claimed again, and found on the list again, once in `claimSeconds`. */
function countOptOut({ ctx }: Trials, { url, network }: Candidate): void {
  triedCounter(ctx).inc({ network, outcome: "opted-out" });
  ctx.log.debug("candidate left alone, opted out", { candidate: url });
}

/** The outcome of a trial; null when the claim is to run out, so that the candidate comes again later. */
function outcomeOf(
  url: string,
  trial: Result<Answer, RelayFailure>,
  signal: AbortSignal,
): Outcome | null {
  if (trial.ok) return { type: "promoted", url, answer: trial.value };
  const { failure } = trial;
  if (countsAgainstRelay(failure)) return { type: "failed", url, failure };
  // Who finds no slot at his address is put back at once, for others to be tried.
  const isOurs = signal.aborted || failure.code === "proxy" ||
    failure.code === "busy";
  return isOurs ? { type: "released", url } : null;
}

function count(
  { ctx, stats }: Trials,
  { candidate: { url, network } }: Claim,
  outcome: Outcome,
): void {
  if (outcome.type === "released") return;
  const { log } = ctx;
  const tried = triedCounter(ctx);
  if (outcome.type === "promoted") {
    const { relay, openMs } = outcome.answer;
    stats.promoted += 1;
    tried.inc({ network, outcome: "promoted" });
    log.info("relay found", { relay: relay.url, openMs });
  } else {
    stats.failed += 1;
    tried.inc({ network, outcome: outcome.failure.code });
    const reason = failureText(outcome.failure);
    log.debug("candidate failed", { candidate: url, reason });
  }
}

function triedCounter({ metrics }: Trials["ctx"]) {
  return metrics.counter(
    "validator_candidates_total",
    "Candidates tried, by network and outcome: promoted, or why not; proxy: that network's proxy is down",
    ["network", "outcome"],
  );
}
