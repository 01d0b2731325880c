/**
 * What a worker gives back: batches with their findings, progress, and how a session ended. Plain data.
 *
 * @module
 */
import type {
  AuditReport,
  Retraction,
  Strength,
  Support,
  WalkProof,
} from "./evidence.ts";
import type { Window } from "../../models/window.ts";
import type { RelayHint } from "../../models/relay_hints.ts";
import type { RelayFailure } from "../../transport/failure.ts";
import type { Filter } from "../../models/filter.ts";
import type { EncodedEvents, EventKeys } from "../../models/encoded_events.ts";

/** Why a page failed, in one word that is counted. */
export type FailureReason =
  | "timeout"
  | "disconnected"
  | "rate-limited"
  | "auth-required"
  | "restricted"
  /** CLOSED or NOTICE for another reason. */
  | "refused"
  /** More bytes than a page may have. */
  | "over-budget";

/** Why a window could not be proven complete. */
export type GapReason =
  | FailureReason
  /** More events share this second than the relay gives at once, and they cannot be told apart. */
  | "saturated"
  /** The relay drops events after counting its limit, so what it gives here may not be all it would give. */
  | "hidden"
  /** The relay did not repeat the events of the second that two pages share. */
  | "boundary"
  /** An event there is longer than we read. */
  | "too-large"
  /** The relay refuses filters without kinds, so only the likely kinds were asked for. */
  | "kinds-only"
  /** The relay says by an exact COUNT (NIP-45) that it has more than it gave. */
  | "count-mismatch"
  /** The relay ignores `since` or `until`, so that older pages cannot be asked for. */
  | "bounds-ignored"
  /** Answers lacked events that the relay had given before, so that nothing follows from them. */
  | "unconfirmed"
  /** Something came that could not be read, and may have been an event of this window. */
  | "unread"
  /** Events came after the EOSE of their page. */
  | "late"
  /** The relay lists ids there (NIP-77) and gives the events to nobody. */
  | "withheld"
  /** A later answer showed that an earlier one had left events out. */
  | "contradicted"
  /** The relay was caught so often that nothing it says is believed for a while. */
  | "unreliable"
  /** Our clock and the database's differ by too much to claim anything. */
  | "clock";

/** The order of a relay: kept as NIP-01 has it, not kept, or not known yet. */
export type RelayOrder = "newest-first" | "unsorted" | "unknown";

/** What was found out about a relay. */
export interface RelayTraits {
  readonly order: RelayOrder;
  /** Most events it gave at once; 0 when nothing is known. */
  readonly largestPage: number;
  /** Seconds to be added to `until` so that the second meant is included. */
  readonly untilOffset: number;
  /** Whether it answers all filters of one REQ. */
  readonly manyFilters: "yes" | "no" | "unknown";
  /** How long events come after EOSE, ms; 0 where none do. */
  readonly lingerMs: number;
  /** How often its answers were shown to be wrong lately, and when last (Unix seconds). */
  readonly caught: { readonly times: number; readonly at: number };
}

/** Of a relay nothing is known about. */
export const UNKNOWN_TRAITS: RelayTraits = {
  order: "unknown",
  largestPage: 0,
  untilOffset: 0,
  manyFilters: "unknown",
  lingerMs: 0,
  caught: { times: 0, at: 0 },
};

/** What a walk is doing. */
export type WalkState =
  | "paging"
  | "checking-order"
  | "confirming-end"
  | "recovering"
  | "skipping"
  | "splitting-window"
  | "splitting-second"
  | "reconciling"
  | "counting"
  | "auditing"
  | "live";

/** What the host stores in one transaction. */
export interface WorkerBatch {
  readonly events: EncodedEvents;
  readonly known: EventKeys;
  readonly hints: readonly RelayHint[];
  readonly rejected: readonly RejectedEvent[];
  /** More rejected events, by reason: too many to keep samples of. */
  readonly unsampled: Readonly<Record<string, number>>;
  /** Proven by everything in this batch and those before it. */
  readonly coverage: readonly ProvenRange[];
  readonly gaps: readonly GapRange[];
}

export interface RejectedEvent {
  readonly reason: RejectReason;
  readonly detail: string;
  readonly eventId?: string | undefined;
  readonly raw?: string | undefined;
}

/** Why an event is not archived. */
export type RejectReason =
  | "shape"
  | "id"
  | "signature"
  | "kind"
  | "created-at"
  | "too-large"
  /** It may have been an event, and cannot be read or does not say what it is for. */
  | "unread"
  /** It was not asked for. */
  | "filter";

export interface ProvenRange extends Window {
  readonly filterHash: string;
  readonly filter: Filter;
  readonly method: WalkProof;
  readonly strength: Strength;
  readonly support: Support;
}

export interface GapRange extends Window {
  readonly filterHash: string;
  readonly reason: GapReason;
}

/** What a session has done so far. */
export interface SyncProgress {
  /** Events that came, duplicates and rejected ones included. */
  readonly received: number;
  readonly requests: number;
  readonly rejected: Readonly<Partial<Record<RejectReason, number>>>;
  /** The filter in work, and how far down its walk is. */
  readonly walk: number;
  readonly until: number;
  /** What it is doing there, newest range first. */
  readonly doing: readonly WalkState[];
}

/** Whether a relay knows NIP-77. */
export type NegentropySupport = "supported" | "unsupported" | "unknown";

/** How a session ended. */
export interface SyncReport extends SyncProgress {
  /** Why there was no connection, or none any more. */
  readonly failure: RelayFailure | null;
  readonly traits: RelayTraits;
  readonly negentropy: NegentropySupport;
  /** The longest list that was shown to be whole, in events; -1 for none. */
  readonly wholeList: number;
  /** Whether anything was proven by it. */
  readonly hasReconciled: boolean;
  readonly audits: readonly FilterAudit[];
  readonly retracted: readonly Retraction[];
  /** Null when the session did not go live. */
  readonly live: LiveEnd | null;
}

/** The audit of one filter. */
export interface FilterAudit extends AuditReport {
  readonly filterHash: string;
}

/** Why a session is live no longer. */
export type LiveEndReason =
  /** We were told to. */
  | "stopped"
  /** The worker died or hung. */
  | "lost"
  /** It is time to look at the recent past again. */
  | "recheck"
  | "disconnected"
  /** The relay ended or refused a subscription. */
  | "closed"
  /** It did not say in time that it is done with the stored events, or that it is alive. */
  | "silent"
  /** More came than any relay can have. */
  | "flood"
  /** Too much of what came was repeated, forged, or not asked for. */
  | "useless"
  /** An event came that is larger than we take, so that what follows would not be all. */
  | "too-large"
  /** Something came that may have been an event and could not be read. */
  | "unread"
  /** What was stored between the walks and the subscription could not be had. */
  | "behind";

/** How it was to be live. */
export interface LiveEnd {
  readonly reason: LiveEndReason;
  /** Events that came over the open subscriptions, whatever became of them. */
  readonly events: number;
  readonly seconds: number;
}
