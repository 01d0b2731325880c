/**
 * What the host gives a worker to do: one relay, its walks, and the bounds. Plain data.
 *
 * @module
 */
import type { Proof } from "./evidence.ts";
import type { Window } from "../../models/window.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import type { NegentropySupport, RelayTraits } from "./report.ts";
import type { Filter } from "../../models/filter.ts";

/** Sync one relay. */
export interface SyncJob {
  readonly relay: RelayUrl;
  readonly walks: readonly WalkJob[];
  /** Unix seconds at planning, by the database's clock. */
  readonly now: number;
  /** As found earlier. */
  readonly traits: RelayTraits;
  /** Questions about what is claimed already, in this sync. */
  readonly auditQuestions: number;
  /** Null where the relay is not to be reconciled with. */
  readonly negentropy: NegentropyJob | null;
  /** Null where the session ends when the walks are done. */
  readonly live: LiveJob | null;
  readonly bounds: SyncBounds;
  /** Hints to private addresses are worth keeping. */
  readonly allowPrivate: boolean;
}

/** One filter, and the windows of it that are wanted. */
export interface WalkJob {
  /** Without `since`, `until` and `limit`. */
  readonly filter: Filter;
  readonly filterHash: string;
  /** What is archived of the filter at all: nothing outside of it is, whatever comes. */
  readonly wanted: Window;
  /** Newest first; the topmost may end in `OPEN_END`. */
  readonly windows: readonly Window[];
  /** Proven windows to compare once more by NIP-77, and by nothing else. */
  readonly repairs: readonly Window[];
  /**
   * Nothing above this second is claimed, however it was proven: Unix seconds by the database's clock; null where
   * nothing can be claimed at all, as our clock is wrong.
   */
  readonly provenUntil: number | null;
  /** Claims of earlier sessions that no audit has looked at. */
  readonly weak: readonly Proof[];
  /** All that is claimed already, for the audit. */
  readonly covered: readonly Window[];
}

/** How much of everything. */
export interface SyncBounds {
  /** Events asked for at once. */
  readonly limit: number;
  readonly batchEvents: number;
  readonly batchBytes: number;
  readonly connectTimeoutMs: number;
  /** How long the first connection waits for a slot at the address, ms; then the session ends as `busy`. */
  readonly firstSlotTimeoutMs: number;
  /** Silence after which a request has failed. */
  readonly idleTimeoutMs: number;
  /** Duration after which a request has failed. */
  readonly requestTimeoutMs: number;
  readonly maxEventBytes: number;
  /** Bytes of one page. */
  readonly maxPageBytes: number;
}

/** Reconcile with the relay (NIP-77) before asking it for pages. */
export interface NegentropyJob {
  readonly support: NegentropySupport;
  /** The longest list of the relay that was shown to be whole, in events; -1 for none. */
  readonly wholeList: number;
  /** Silence by which a relay shows that it does not know it, ms. */
  readonly probeTimeoutMs: number;
}

/** Stay with the relay once everything wanted is proven, and take what comes. */
export interface LiveJob {
  /** Oldest `created_at` that is archived, Unix seconds. */
  readonly since: number;
  /** What was created less long ago may still be on its way to the relay, and is not claimed yet. */
  readonly settlingSeconds: number;
  /** How often the relay is asked for a sign of life, and what came before is claimed, ms. */
  readonly proveEveryMs: number;
  /** Then the session ends, so that the recent past is looked at again, ms. */
  readonly endAfterMs: number;
}
