/**
 * What the host and its workers say to each other: the only file both sides import.
 *
 * Plain data only, every message with the id of its session. A worker never sends a batch it has no credit for, so a
 * fast relay cannot outrun the database; it asks which events are archived before it verifies any signature.
 *
 * @module
 */
import type { EncodedEvents, EventKeys } from "../models/encoded_events.ts";
import type { Filter } from "../models/filter.ts";
import type { Networks } from "../models/network.ts";
import type { RelayHint } from "../models/relay_hints.ts";
import type { RelayUrl } from "../models/relay_url.ts";
import type { Result } from "../models/result.ts";
import type { Window } from "../models/window.ts";
import type { RelayFailure } from "../transport/failure.ts";
import type { AskLive, LiveAnswer, LiveEnd, LiveJob } from "./live_job.ts";
import type {
  DoubtedStretch,
  ListingNote,
  NegentropyJob,
  NegentropySupport,
  VectorChunk,
  VectorQuery,
} from "./nip77_job.ts";
import type { RelayTraits } from "./walk/pace.ts";
import type { GapReason, WalkProof } from "./walk/page.ts";

/** Host to worker. */
export type ToWorker =
  | { readonly type: "init"; readonly options: WorkerOptions }
  | { readonly type: "sync"; readonly session: number; readonly job: SyncJob }
  /** One byte an event, 1 when it is archived, in the order asked. */
  | {
    readonly type: "known";
    readonly session: number;
    readonly request: number;
    readonly known: Uint8Array;
  }
  /** A chunk of what the relay is known to list; null when the archive cannot tell what the filter selects. */
  | {
    readonly type: "vector";
    readonly session: number;
    readonly request: number;
    readonly chunk: VectorChunk | null;
  }
  /** When the events asked about were created; `NaN` for those that are not archived. */
  | {
    readonly type: "found";
    readonly session: number;
    readonly request: number;
    readonly createdAt: Float64Array;
  }
  | LiveAnswer
  /** One more batch may be sent. */
  | { readonly type: "credit"; readonly session: number }
  /** Ask no more, hand in what has come, and be done. */
  | { readonly type: "cancel"; readonly session: number }
  /** Drop everything: nobody takes batches of this session any more. */
  | { readonly type: "abandon"; readonly session: number }
  /** A connection may be made after so long. */
  | { readonly type: "turn"; readonly request: number; readonly waitMs: number }
  /** The seats that were had, or why none was. */
  | {
    readonly type: "seats";
    readonly request: number;
    readonly taken: Result<readonly string[], RelayFailure>;
  }
  | { readonly type: "ping"; readonly number: number };

/** What a worker asks before it connects to a relay: the host keeps the books for all threads. */
export type ToGate =
  | { readonly type: "ask-turn"; readonly request: number }
  | {
    readonly type: "take-seats";
    readonly request: number;
    readonly addresses: readonly string[];
    readonly timeoutMs: number;
  }
  /** Whoever asked for these seats does not want them any more. */
  | { readonly type: "leave-line"; readonly request: number }
  | { readonly type: "free-seats"; readonly addresses: readonly string[] };

/** Worker to host. */
export type FromWorker =
  | { readonly type: "ready"; readonly verifier: VerifierInfo }
  | { readonly type: "unfit"; readonly detail: string }
  | {
    readonly type: "ask-known";
    readonly session: number;
    readonly request: number;
    readonly keys: EventKeys;
  }
  | {
    readonly type: "ask-vector";
    readonly session: number;
    readonly request: number;
    readonly query: VectorQuery;
  }
  /** Which of these events, listed by the relay, are archived: 32 bytes each. */
  | {
    readonly type: "ask-found";
    readonly session: number;
    readonly request: number;
    readonly filterHash: string;
    readonly ids: Uint8Array;
  }
  | AskLive
  | {
    readonly type: "listing";
    readonly session: number;
    readonly note: ListingNote;
  }
  /** A batch is ready and waits for credit. */
  | { readonly type: "want-credit"; readonly session: number }
  | {
    readonly type: "batch";
    readonly session: number;
    readonly batch: WorkerBatch;
  }
  | {
    readonly type: "progress";
    readonly session: number;
    readonly progress: SyncProgress;
  }
  | {
    readonly type: "done";
    readonly session: number;
    readonly report: SyncReport;
  }
  /** A bug of ours ended this session; the others of the worker go on. */
  | {
    readonly type: "crashed";
    readonly session: number;
    readonly detail: string;
  }
  | ToGate
  | { readonly type: "pong"; readonly number: number };

/** What a worker needs to dial and to verify. */
export interface WorkerOptions {
  readonly networks: Networks;
  readonly allowPrivate: boolean;
  readonly allowInsecureTls: boolean;
  readonly userAgent: string;
  /** Hosts that are neither looked up nor dialled. */
  readonly optOut: readonly string[];
  /** What its sessions together may hold of each sort between socket and database, bytes. */
  readonly heldBytes: number;
  /** Answers NIP-42 challenges; null for nobody. */
  readonly authKey: Uint8Array | null;
  /** The libsecp256k1 the host has chosen; null for WASM. */
  readonly library: string | null;
}

/** Which implementation verifies signatures. */
export interface VerifierInfo {
  readonly name: string;
  readonly detail: string;
}

/** Sync one relay. */
export interface SyncJob {
  readonly relay: RelayUrl;
  readonly walks: readonly WalkJob[];
  /** As found earlier. */
  readonly traits: RelayTraits;
  /** Null where the relay is not to be reconciled with. */
  readonly negentropy: NegentropyJob | null;
  /** Null where the session ends when the walks are done. */
  readonly live: LiveJob | null;
  readonly bounds: SyncBounds;
  /** Hints to private addresses are worth keeping. */
  readonly allowPrivate: boolean;
}

/** One filter, and the stretches of it that are wanted. */
export interface WalkJob {
  /** Without `since`, `until` and `limit`. */
  readonly filter: Filter;
  readonly filterHash: string;
  /** Newest first; the topmost may end in `OPEN_END`. */
  readonly windows: readonly Window[];
  /** Proven stretches to compare once more by NIP-77, and by nothing else. */
  readonly repairs: readonly Window[];
  /** Nothing above this second is claimed, however it was proven: Unix seconds at planning. */
  readonly claimUntil: number;
}

/** How much of everything. */
export interface SyncBounds {
  /** Events asked for at once. */
  readonly limit: number;
  readonly batchEvents: number;
  readonly batchBytes: number;
  readonly connectTimeoutMs: number;
  /** Silence after which a request has failed. */
  readonly idleTimeoutMs: number;
  /** Duration after which a request has failed. */
  readonly requestTimeoutMs: number;
  readonly maxEventBytes: number;
  /** Bytes of one page. */
  readonly maxPageBytes: number;
}

/** What the host stores in one transaction. */
export interface WorkerBatch {
  readonly events: EncodedEvents;
  readonly known: EventKeys;
  readonly hints: readonly RelayHint[];
  readonly rejected: readonly RejectedEvent[];
  /** More rejected events, by reason: too many to keep samples of. */
  readonly unsampled: Readonly<Record<string, number>>;
  /** Proven by everything in this batch and those before it. */
  readonly coverage: readonly ProvenStretch[];
  readonly gaps: readonly OpenStretch[];
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
  /** It was not asked for. */
  | "filter";

export interface ProvenStretch extends Window {
  readonly filterHash: string;
  readonly filter: Filter;
  readonly method: WalkProof;
}

export interface OpenStretch extends Window {
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
}

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
  readonly doubted: readonly DoubtedStretch[];
  /** Null when the session did not go live. */
  readonly live: LiveEnd | null;
}
