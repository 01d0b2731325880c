/**
 * Reporting of syncs: the outcome of each relay and each cycle, in the log and the metrics.
 *
 * @module
 */
import { weakestStrength } from "../../archive/sync/sync_coverage.ts";
import type { Context } from "../../core/lifecycle/service.ts";
import type { Network } from "../../models/network.ts";
import { failureText } from "../../transport/failure.ts";
import type { SynchronizerConfig } from "./config/config.ts";
import type { RelaySync } from "./sync_relay.ts";

/** The consequence of clocks that differ by too much. */
export const CONSEQUENCE =
  "events are archived, but nothing is proven complete until the clocks agree";

/** The line of the log about a relay of which the future was proven. */
export const FUTURE_RETRACTED =
  "proven time lay in the future and was taken back: a clock was wrong";

/** The line of the log about a server that may lack what another, or it before, had committed. */
export const COMMITS_LOST =
  "the database may have lost its last commits, walks begin again from coverage";

/** Adds up one cycle. */
export interface CycleStats {
  add(
    relay: { readonly url: string; readonly network: Network },
    result: RelaySync,
  ): void;
  /** Logs the cycle in one line, if a relay was synced, and sets its gauges. */
  summarize(): void;
}

export function startCycleStats(
  { log, metrics }: Pick<Context<SynchronizerConfig>, "log" | "metrics">,
): CycleStats {
  const counters = countersOf(metrics);
  const total = { relays: 0, failed: 0, incomplete: 0, stored: 0, known: 0 };
  /** Relays of which nothing was proven as the clocks differ, and by how much they differed last. */
  const clock = { relays: 0, skewSeconds: 0 };
  return {
    add({ url, network }, result) {
      total.relays += 1;
      total.stored += result.stored;
      total.known += result.known;
      if (result.failure !== null) total.failed += 1;
      else if (!result.complete) total.incomplete += 1;
      if (result.clock.isWrong) {
        clock.relays += 1;
        clock.skewSeconds = result.clock.skewSeconds;
      }
      counters(network, result);
      logOutcome(log, url, result);
    },
    summarize() {
      metrics.setGauge("relays_synced", total.relays);
      metrics.setGauge("relays_incomplete", total.incomplete);
      if (total.relays > 0) log.info("relays synced", total);
      if (clock.relays > 0) {
        log.warn("nothing proven of these relays: the clocks differ", clock);
      }
    },
  };
}

function countersOf(metrics: Context["metrics"]) {
  const relays = metrics.counter(
    "sync_relays_total",
    "Syncs of single relays, by how they ended; one failure that prevails is ours: proxy, DNS or network",
    ["network", "outcome"],
  );
  const events = metrics.counter(
    "sync_events_total",
    "Events received, by what became of them: stored, known, or why refused",
    ["network", "result"],
  );
  const requests = metrics.counter(
    "sync_requests_total",
    "REQs sent to relays; beside sync_events_total they say what an event costs",
    ["network"],
  );
  const gaps = metrics.counter(
    "sync_gaps_total",
    "Windows that were not proven complete, by reason; clock means that this machine's or the database's clock is wrong",
    ["network", "reason"],
  );
  const questions = metrics.counter(
    "sync_audit_questions_total",
    "Audit questions about windows that were proven, by what the answers said; contradicted: `status` names the relay",
    ["network", "outcome"],
  );
  const retractions = metrics.counter(
    "sync_retractions_total",
    "Proofs taken back, by what contradicted them (sync_contradiction)",
    ["network", "kind"],
  );
  return (network: Network, result: RelaySync) => {
    const proven = result.complete ? "complete" : "incomplete";
    relays.inc({ network, outcome: result.failure?.code ?? proven });
    requests.inc({ network }, result.requests);
    events.inc({ network, result: "stored" }, result.stored);
    events.inc({ network, result: "known" }, result.known);
    for (const [reason, count] of Object.entries(result.rejected)) {
      events.inc({ network, result: reason }, count);
    }
    for (const { reason } of result.gaps) gaps.inc({ network, reason });
    const { asked, confirmed, contradicted } = result.audit;
    const open = Math.max(0, asked - confirmed - contradicted);
    questions.inc({ network, outcome: "confirmed" }, confirmed);
    questions.inc({ network, outcome: "contradicted" }, contradicted);
    questions.inc({ network, outcome: "unanswered" }, open);
    for (const [kind, count] of Object.entries(result.audit.retractions)) {
      retractions.inc({ network, kind }, count);
    }
  };
}

/** Relays with nothing new are the rule, and not worth a line. */
function logOutcome(
  log: Context["log"],
  relay: string,
  relaySync: RelaySync,
): void {
  const { failure, gaps, proof, audit, clock: _clock, ...rest } = relaySync;
  const { until: _until, doing: _doing, work: _work, ...others } = rest;
  const { live: _live, review: _review, ...result } = others;
  const strength = weakestStrength(proof);
  const fields = { relay, ...result, strength, gaps: gaps.length };
  if (audit.retracted > 0) {
    log.warn("proven time taken back", {
      relay,
      contradicted: audit.contradicted,
      seconds: audit.retractedSeconds,
      kinds: Object.keys(audit.retractions).join(),
    });
  }
  if (failure !== null) {
    log.info("relay not synced", { ...fields, failure: failureText(failure) });
  } else if (result.stored > 0) log.info("relay synced", fields);
  else log.debug("relay synced", fields);
}
