/**
 * The progress of a walk in words: for the log, the bars of `sync` and `status --relay`.
 *
 * @module
 */
import type { Logger } from "../../core/log/logger.ts";
import type { SyncCounts } from "./sync_store.ts";

/** `paging ×4, confirming end`: the states of the ranges of a walk, in order of their first range; "" for none. */
export function statesText(states: readonly string[]): string {
  const counts = Map.groupBy(states, (state) => state);
  return [...counts].map(([state, { length }]) =>
    `${state.replaceAll("-", " ")}${length > 1 ? ` ×${length}` : ""}`
  ).join(", ");
}

/** Lines of one relay are at least so far apart: a walk may change its state with each page. */
const MIN_INTERVAL_MS = 1_000;

/**
 * Logs at level debug what the walk of a relay does: a line when that is not what the last line said, one a second at
 * most. `nowMs` is a monotonic clock.
 */
export function progressLog(
  log: Pick<Logger, "debug">,
  relay: string,
  nowMs: () => number = () => performance.now(),
): (counts: SyncCounts) => void {
  let logged = "";
  let loggedAtMs = -Infinity;
  return ({ doing, until, requests, received }) => {
    const states = statesText(doing);
    if (states === logged || nowMs() - loggedAtMs < MIN_INTERVAL_MS) return;
    logged = states;
    loggedAtMs = nowMs();
    log.debug("walk goes on", {
      relay,
      doing: states,
      until,
      requests,
      received,
    });
  };
}
