/**
 * Metrics of live relays: how many are open, what comes, and how they end.
 *
 * @module
 */
import type { ServiceMetrics } from "../../../core/metrics/metrics.ts";
import type { Network } from "../../../models/network.ts";
import type { LiveEndReason } from "../../../workers/protocol/report.ts";

import type { LiveReview } from "./review.ts";

/** Counts of what came so far. */
export interface LiveCounts {
  readonly stored: number;
  readonly known: number;
}

export class LiveMetrics {
  readonly #open = new Map<Network, number>();
  readonly #connections;
  readonly #events;
  readonly #ends;
  readonly #missed;
  readonly #withholding;

  constructor(metrics: ServiceMetrics) {
    this.#connections = metrics.gauge(
      "sync_live_connections",
      "Relays whose live subscriptions are open",
      ["network"],
    );
    this.#events = metrics.counter(
      "sync_live_events_total",
      "Events that came live, by what became of them",
      ["network", "result"],
    );
    this.#ends = metrics.counter(
      "sync_live_ends_total",
      "Ends of live connections, by reason; many of one reason in one network: look at its proxy, or our own network",
      ["network", "reason"],
    );
    this.#missed = metrics.counter(
      "sync_live_missed_total",
      "Events of windows proven live that only the next sync brought; such a window is taken back",
      ["network"],
    );
    this.#withholding = metrics.counter(
      "sync_live_withholding_total",
      "Times that a relay was found to have kept back more than it sent live",
      ["network"],
    );
  }

  opened(network: Network): void {
    this.#change(network, 1);
  }

  came(network: Network, { stored, known }: LiveCounts): void {
    if (stored > 0) this.#events.inc({ network, result: "stored" }, stored);
    if (known > 0) this.#events.inc({ network, result: "known" }, known);
  }

  closed(network: Network, reason: LiveEndReason | "failed"): void {
    this.#change(network, -1);
    this.#ends.inc({ network, reason });
  }

  reviewed(network: Network, { missed, isWithholding }: LiveReview): void {
    if (missed > 0) this.#missed.inc({ network }, missed);
    if (isWithholding) this.#withholding.inc({ network });
  }

  #change(network: Network, by: number): void {
    const open = (this.#open.get(network) ?? 0) + by;
    this.#open.set(network, open);
    this.#connections.set({ network }, open);
  }
}

/** Counts the events of one relay, from the moment it is live. */
export class LiveCount {
  readonly #network: Network;
  readonly #metrics: LiveMetrics;
  #last: LiveCounts | null = null;

  constructor(network: Network, metrics: LiveMetrics) {
    this.#network = network;
    this.#metrics = metrics;
  }

  /** Begins: the relay is live, and these events had come before. */
  begin({ stored, known }: LiveCounts): void {
    this.#last = { stored, known };
    this.#metrics.opened(this.#network);
  }

  /** Counts what has come since the last call; the counts given are those of the whole sync. */
  progress({ stored, known }: LiveCounts): void {
    const last = this.#last;
    if (last === null) return;
    this.#last = { stored, known };
    this.#metrics.came(this.#network, {
      stored: stored - last.stored,
      known: known - last.known,
    });
  }

  end(reason: LiveEndReason | "failed"): void {
    this.#metrics.closed(this.#network, reason);
  }
}
