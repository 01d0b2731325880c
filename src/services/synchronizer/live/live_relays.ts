/**
 * Relays that are live: caught up, their connection kept open, and out of the queues in which due relays are synced.
 *
 * Each keeps its lease, which `Leases` renews, until its session ends: then it is due again, and a sync closes the gap
 * from coverage.
 *
 * @module
 */
import type { ReleasedRelay } from "../../../archive/leases.ts";
import type { Context } from "../../../core/lifecycle/service.ts";
import { isPublicAddress } from "../../../models/address.ts";
import type { LiveEnd } from "../../../workers/protocol/report.ts";

import type { SynchronizerConfig } from "../config/config.ts";
import type { Leases, RelayLease } from "../scheduling/leases.ts";
import { LiveCount, LiveMetrics } from "./metrics.ts";
import { LiveBackoff } from "./backoff.ts";
import { isCoolingDown } from "./cooldown.ts";
import { LiveAdmission, valueOf } from "./admission.ts";
import type { LiveOffer, LivePolicy, RelaySync } from "../sync_relay.ts";
import type { SyncCounts } from "../sync_store.ts";

/** The sync of a relay that may go live; null for a relay that cannot be synced at all. */
export type LiveSync = (options: {
  readonly signal: AbortSignal;
  readonly onProgress: (counts: SyncCounts) => void;
  readonly live: LiveOffer | null;
}) => Promise<RelaySync | null>;

/** The end of a visit for its queue: the sync is over, or goes on as a live one outside the queue. */
export type VisitEnd =
  | { readonly isLive: false; readonly result: RelaySync | null }
  | { readonly isLive: true; readonly result: RelaySync };

export interface LiveRelaysDeps {
  readonly ctx: Pick<
    Context<SynchronizerConfig>,
    "config" | "log" | "metrics" | "signal" | "once"
  >;
  readonly leases: Leases;
}

/** One visit of a relay. */
export interface Visit {
  /** The position of its tier: the smaller, the earlier. */
  readonly rank: number;
  /** Ends the sync as long as it belongs to its queue. */
  readonly stop: AbortSignal;
  readonly begin: LiveSync;
  /** The lease as it is given back, unless the end of the live session says otherwise. */
  readonly dueAgain: (result: RelaySync | null) => ReleasedRelay;
}

/** The live relays of this process. Disposing ends them all, after what they have in hand. */
export class LiveRelays implements AsyncDisposable {
  readonly #deps: LiveRelaysDeps;
  readonly #policy: LivePolicy | null;
  readonly #slots: LiveAdmission;
  readonly #backoff = new LiveBackoff();
  readonly #metrics: LiveMetrics;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #kept = new Set<Promise<void>>();

  constructor(deps: LiveRelaysDeps) {
    const { ctx } = deps;
    this.#deps = deps;
    const policy = policyOf(ctx.config);
    this.#policy = ctx.config.live.enabled && !ctx.once ? policy : null;
    this.#slots = new LiveAdmission(ctx.config.live.maxConnections);
    this.#metrics = new LiveMetrics(ctx.metrics);
    this.#signal = AbortSignal.any([ctx.signal, this.#end.signal]);
  }

  /** Syncs a relay; resolves when the sync is over or the relay is live, so that its queue can go on. */
  async sync(relay: RelayLease, visit: Visit): Promise<VisitEnd> {
    const { stop, begin } = visit;
    const leave = new AbortController();
    const leaveWithQueue = () => leave.abort();
    const wentLive = Promise.withResolvers<VisitEnd>();
    const accepts = (soFar: RelaySync, address: string | null) => {
      if (leave.signal.aborted) return false;
      const isLive = this.#takeSlot(
        { relay, visit, soFar, address },
        leaveWithQueue,
      );
      if (isLive) wentLive.resolve({ isLive, result: soFar });
      return isLive;
    };
    if (stop.aborted) leave.abort();
    stop.addEventListener("abort", leaveWithQueue);
    const count = new LiveCount(relay.network, this.#metrics);
    const run = begin({
      signal: AbortSignal.any([leave.signal, relay.lost, this.#signal]),
      onProgress: (counts) => count.progress(counts),
      live: this.#policy === null ? null : { policy: this.#policy, accepts },
    });
    const over = run.then((result): VisitEnd => ({ result, isLive: false }));
    const end = await Promise.race([over, wentLive.promise])
      .finally(() => stop.removeEventListener("abort", leaveWithQueue));
    this.#report(relay, end.result);
    if (end.isLive) {
      this.#keep(relay, {
        visit,
        run,
        count,
        soFar: end.result,
      });
    }
    return end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#kept);
  }

  #takeSlot(
    { relay, visit, soFar, address }: {
      readonly relay: RelayLease;
      readonly visit: Visit;
      readonly soFar: RelaySync;
      readonly address: string | null;
    },
    leave: () => void,
  ): boolean {
    const { relayId, network, url, memory, now } = relay;
    if (soFar.failure !== null || this.#signal.aborted) return false;
    if (soFar.review?.isWithholding || isCoolingDown(memory, now())) {
      return false;
    }
    if (!this.#backoff.mayGoLive(relayId)) return false;
    const place = placeOf(url, address);
    const value = valueOf(relay, soFar);
    const { rank } = visit;
    return this.#slots.take({ relayId, network, place, rank, value }, leave);
  }

  /** Reports the review of the live session before this sync. */
  #report({ url, network }: RelayLease, result: RelaySync | null): void {
    const review = result?.review ?? null;
    if (review === null) return;
    this.#metrics.reviewed(network, review);
    const { came, missed, isWithholding } = review;
    if (!isWithholding) return;
    const { log } = this.#deps.ctx;
    log.info("relay withheld events while live", { relay: url, came, missed });
  }

  #keep(relay: RelayLease, live: LiveRun): void {
    this.#deps.ctx.log.debug("relay live", { relay: relay.url });
    live.count.begin(live.soFar);
    const kept = this.#watch(relay, live)
      .finally(() => this.#kept.delete(kept));
    this.#kept.add(kept);
  }

  /** Waits for the end of a live session, and gives the relay back. Never rejects. */
  async #watch(relay: RelayLease, live: LiveRun): Promise<void> {
    const { visit, run, count } = live;
    const { leases, ctx: { log } } = this.#deps;
    const { relayId, url } = relay;
    try {
      const [result] = await Promise.all([run, leases.goLive(relayId)]);
      const { reason, events, seconds } = result?.live ?? STOPPED;
      count.end(reason);
      log.info("relay live no more", { relay: url, reason, events, seconds });
      this.#slots.free(relayId);
      await leases.release(this.#dueAgain(relay, visit, result));
    } catch (error) {
      count.end("failed");
      log.error("live relay given up", { relay: url, error });
      this.#slots.free(relayId);
      await leases.release({ relayId, nextDueInSeconds: 0 })
        .catch((error) => log.warn("lease not released", { error }));
    }
  }

  #dueAgain(
    { relayId }: RelayLease,
    visit: Visit,
    result: RelaySync | null,
  ): ReleasedRelay {
    const usual = visit.dueAgain(result);
    const { reason, seconds } = result?.live ?? STOPPED;
    const isDisplaced = reason === "stopped" && !this.#signal.aborted;
    if (isDisplaced) return usual;
    const end = { reason, seconds };
    const longest = Math.max(1, usual.nextDueInSeconds ?? 0);
    const wait = this.#backoff.ended(relayId, end, longest);
    return { ...usual, nextDueInSeconds: Math.ceil(wait) };
  }
}

interface LiveRun {
  readonly visit: Visit;
  readonly run: Promise<RelaySync | null>;
  readonly count: LiveCount;
  readonly soFar: RelaySync;
}

const STOPPED: LiveEnd = { reason: "stopped", events: 0, seconds: 0 };

function policyOf({ live }: SynchronizerConfig): LivePolicy {
  return {
    settlingSeconds: live.settlingSeconds,
    proveEveryMs: live.proveEverySeconds * 1_000,
    endAfterMs: live.recheckSeconds * 1_000,
  };
}

/** The key that the dialer counts sockets by: on a private address each port is a relay of its own. */
function placeOf(url: string, address: string | null): string {
  return address !== null && isPublicAddress(address)
    ? address
    : new URL(url).host;
}
