/**
 * The interval after which a relay is due again: of its tier, of its override, or by how much it brings.
 *
 * @module
 */
import type { LeasedRelay, ReleasedRelay } from "../../../archive/leases.ts";
import { backoffMs } from "../../../base/backoff.ts";
import {
  askedWaitSeconds,
  countsAgainstRelay,
  MAX_ASKED_WAIT_SECONDS,
} from "../../../transport/failure.ts";
import type { SynchronizerConfig } from "../config/config.ts";
import type { RelaySync } from "../sync_relay.ts";

/** The fixed interval of a relay, seconds; null for a relay that is ranked by what it brings. */
export type Interval = number | null;

type Rhythm = Pick<
  SynchronizerConfig,
  | "relayIntervalSeconds"
  | "minRelayIntervalSeconds"
  | "maxRelayIntervalSeconds"
  | "retry"
>;

/** The lease as it is given back after a sync; a null result is that of a relay that could not be tried. */
export function dueAgain(
  config: Rhythm,
  relay: LeasedRelay & { readonly interval: Interval },
  result: Pick<RelaySync, "failure" | "stored"> | null,
): ReleasedRelay {
  const { relayId, failures } = relay;
  const failure = result?.failure ?? null;
  // The fault is ours: what we stopped, or an address to which as many sockets are open as we allow ourselves.
  if (failure?.code === "aborted" || failure?.code === "busy") {
    return { relayId };
  }
  if (failure?.code === "opted-out") {
    return { relayId, nextDueInSeconds: config.retry.maxSeconds };
  }
  if (failure !== null) {
    const counted = failures + (countsAgainstRelay(failure) ? 1 : 0);
    const wait = Math.max(
      waitAfterFailures(config, counted),
      askedWaitSeconds(failure),
    );
    return { relayId, nextDueInSeconds: wait, failures: counted };
  }
  const newEvents = result?.stored ?? 0;
  const intervalSeconds = relay.interval ??
    rankedInterval(config, relay, newEvents);
  // Scattered, so that relays that are due together now are not for ever.
  const wait = Math.ceil(intervalSeconds * (1 + SCATTER * Math.random()));
  return {
    relayId,
    nextDueInSeconds: wait,
    failures: 0,
    intervalSeconds,
    newEvents,
  };
}

/** The share of its interval by which a relay may be due later. */
const SCATTER = 0.1;

/** The longest wait between syncs that succeed, of a relay with this interval; both in seconds. */
export function longestOf(intervalSeconds: number): number {
  return Math.ceil(intervalSeconds * (1 + SCATTER));
}

/** The longest wait that a relay is ever given back with: a relay due later was put off by a wrong clock. */
export function longestWaitSeconds(
  { retry, maxRelayIntervalSeconds, tiers, relays }:
    & Pick<Rhythm, "retry" | "maxRelayIntervalSeconds">
    & Pick<SynchronizerConfig, "tiers" | "relays">,
): number {
  const longest = Math.max(
    maxRelayIntervalSeconds,
    ...Object.values(tiers).map(({ intervalSeconds }) => intervalSeconds),
    ...relays.map(({ intervalSeconds = 0 }) => intervalSeconds),
  );
  return Math.max(
    longestOf(longest),
    retry.maxSeconds,
    MAX_ASKED_WAIT_SECONDS,
  );
}

/**
 * The interval by freshness and yield: a relay that has something new, or had lately, is visited twice as often as
 * before; one that has not is visited ever more seldom.
 */
export function rankedInterval(
  { relayIntervalSeconds, minRelayIntervalSeconds, maxRelayIntervalSeconds }:
    Rhythm,
  { intervalSeconds, yield: before }: Pick<
    LeasedRelay,
    "intervalSeconds" | "yield"
  >,
  newEvents: number,
): number {
  if (intervalSeconds === null) return relayIntervalSeconds;
  const lately = (before + newEvents) / 2;
  const factor = lately >= WORTH_A_VISIT ? 0.5 : newEvents > 0 ? 1 : 1.5;
  return Math.round(Math.min(
    maxRelayIntervalSeconds,
    Math.max(minRelayIntervalSeconds, intervalSeconds * factor),
  ));
}

/** New events of a visit lately, from which on more visits pay. */
const WORTH_A_VISIT = 1;

/** A relay that has failed more than once is left alone for at least so long, whatever the configuration says. */
const REPEATED_FAILURE_SECONDS = 300;

function waitAfterFailures({ retry }: Rhythm, failures: number): number {
  const waitMs = backoffMs(Math.max(1, failures), {
    initialMs: retry.initialSeconds * 1_000,
    maxMs: retry.maxSeconds * 1_000,
    jitter: 0.2,
  });
  const wait = Math.ceil(waitMs / 1_000);
  return failures > 1 ? Math.max(wait, REPEATED_FAILURE_SECONDS) : wait;
}
