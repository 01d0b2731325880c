/**
 * What the host and its workers say to each other: the only file both sides import.
 *
 * Plain data only, every message with the id of its session. A worker never sends a batch it has no credit for, so a
 * fast relay cannot outrun the database; it asks which events are archived before it verifies any signature.
 *
 * @module
 */
import type { SyncProgress, SyncReport, WorkerBatch } from "./report.ts";
import type { SyncJob } from "./job.ts";
import type { EventKeys } from "../../models/encoded_events.ts";
import type { Filter } from "../../models/filter.ts";
import type { Networks } from "../../models/network.ts";
import type { Result } from "../../models/result.ts";
import type { Window } from "../../models/window.ts";
import type { SignatureBatch } from "../../nips/verify/signature_batch.ts";
import type { RelayFailure } from "../../transport/failure.ts";

/** Host to worker. */
export type ToWorker =
  | { readonly type: "init"; readonly options: WorkerOptions }
  | { readonly type: "sync"; readonly session: number; readonly job: SyncJob }
  /** From now on these hosts are neither looked up nor dialled, and no others. */
  | { readonly type: "opt-out"; readonly hosts: readonly string[] }
  /** One byte an event, 1 when it is archived, in the order asked. */
  | {
    readonly type: "known";
    readonly session: number;
    readonly request: number;
    readonly known: Uint8Array;
  }
  /** One byte a signature, 1 when it is the author's, in the order asked; null when no other thread had time for it. */
  | {
    readonly type: "verified";
    readonly session: number;
    readonly request: number;
    readonly valid: Uint8Array | null;
  }
  /** Signatures of a session of another worker, to be checked between what this one does for its own. */
  | {
    readonly type: "verify";
    readonly request: number;
    readonly signatures: SignatureBatch;
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
  /** The sightings of the relay next to a moment, ascending; null when the archive cannot tell what the filter selects. */
  | {
    readonly type: "near";
    readonly session: number;
    readonly request: number;
    readonly keys: NearKeys | null;
  }
  /** Authors whose events the relay was seen to hold, the most frequent first. */
  | {
    readonly type: "authors";
    readonly session: number;
    readonly request: number;
    readonly authors: readonly string[];
  }
  /** How many events the relay was seen to hold; null when the archive cannot tell what the filter selects. */
  | {
    readonly type: "sighted";
    readonly session: number;
    readonly request: number;
    readonly count: number | null;
  }
  | LiveAnswer
  /** One more batch may be sent. */
  | { readonly type: "credit"; readonly session: number }
  /** Ask no more, hand in what has come, and be done. */
  | { readonly type: "cancel"; readonly session: number }
  /** Drop everything: nobody takes batches of this session any more. */
  | { readonly type: "abandon"; readonly session: number }
  /** A connection may be made after so long. */
  | {
    readonly type: "connection-reserved";
    readonly request: number;
    readonly waitMs: number;
  }
  /** The seats that were had, or why none was. */
  | {
    readonly type: "slots";
    readonly request: number;
    readonly taken: Result<readonly string[], RelayFailure>;
  }
  | { readonly type: "ping"; readonly number: number };

/** What a worker asks before it connects to a relay: the host keeps the books for all threads. */
export type ToLimiter =
  | { readonly type: "reserve-connection"; readonly request: number }
  | {
    readonly type: "acquire-slots";
    readonly request: number;
    readonly addresses: readonly string[];
    readonly timeoutMs: number;
    readonly authority?: string | undefined;
  }
  /** Whoever asked for these seats does not want them any more. */
  | { readonly type: "cancel-slots"; readonly request: number }
  | { readonly type: "release-slots"; readonly addresses: readonly string[] };

/** Worker to host. */
export type FromWorker =
  | { readonly type: "ready"; readonly verifier: VerifierInfo }
  | { readonly type: "unfit"; readonly detail: string }
  | {
    readonly type: "ask-known";
    readonly session: number;
    readonly request: number;
    readonly keys: EventKeys;
    /** Whether what was sent before is to be stored first. */
    readonly isInOrder: boolean;
  }
  /** Signatures that another thread may check, if one is idle. */
  | {
    readonly type: "ask-verified";
    readonly session: number;
    readonly request: number;
    readonly signatures: SignatureBatch;
  }
  /** Answers `verify`: one byte a signature, 1 when it is the author's. */
  | {
    readonly type: "verified";
    readonly request: number;
    readonly valid: Uint8Array;
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
  /** Which events the relay was seen to hold next to a moment: its witnesses. */
  | {
    readonly type: "ask-near";
    readonly session: number;
    readonly request: number;
    readonly query: NearQuery;
  }
  /** Whose events the relay was seen to hold, around a moment (Unix seconds) first. */
  | {
    readonly type: "ask-authors";
    readonly session: number;
    readonly request: number;
    readonly at: number;
  }
  /** How many events of a window the relay was seen to hold, in all syncs so far. */
  | {
    readonly type: "ask-sighted";
    readonly session: number;
    readonly request: number;
    readonly query: SightedQuery;
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
  | ToLimiter
  | { readonly type: "pong"; readonly number: number };

/** What a worker needs to dial and to verify. */
export interface WorkerOptions {
  readonly networks: Networks;
  readonly allowPrivate: boolean;
  readonly allowInsecureTls: boolean;
  readonly userAgent: string;
  /** Hosts that are neither looked up nor dialled, until an `opt-out` names others. */
  readonly optOut: readonly string[];
  /** One Int32: the session whose messages the worker took up last; 0 before the first. Shared, as one that hangs says nothing. */
  readonly running: SharedArrayBuffer;
  /** What its sessions together may hold of each sort between socket and database, bytes. */
  readonly bufferedBytes: number;
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

/** A chunk of what a relay is known to list: the newest, or those before a place. */
export interface VectorQuery {
  readonly filter: Filter;
  readonly filterHash: string;
  readonly window: Window;
  readonly before: KeyPlace | null;
}

/** A place in the order of keys. */
export interface KeyPlace {
  readonly createdAt: number;
  /** 64 hex digits. */
  readonly id: string;
}

/** A part of what a relay is known to list. */
export interface VectorChunk {
  /** Ascending. */
  readonly keys: EventKeys;
  /** There is more before it; null when there is not. */
  readonly next: KeyPlace | null;
}

/** Events that a relay lists and gives to nobody, or gave once and lists no more. */
export interface ListingNote {
  readonly filterHash: string;
  readonly state: "withheld" | "gone";
  readonly keys: EventKeys;
}

/** Worker to host: all that was wanted is done and handed in. May the session stay open for what is to come? */
export interface AskLive {
  readonly type: "ask-live";
  readonly session: number;
  readonly request: number;
  readonly question: LiveQuestion;
}

/** Host to worker. */
export interface LiveAnswer {
  readonly type: "live";
  readonly session: number;
  readonly request: number;
  readonly granted: boolean;
}

/** What is to be known of a session that may go live. */
export interface LiveQuestion {
  readonly report: SyncReport;
  /** The IP address it is connected to; null behind a proxy. */
  readonly address: string | null;
}

/** Keys of sightings, ascending: all there are between the first and the last. */
export interface NearKeys extends EventKeys {
  /** One byte each: 1 for events that an honest relay keeps, as they are neither replaceable nor expire. */
  readonly stable: Uint8Array;
}

/** Sightings of a relay next to a moment. */
export interface NearQuery {
  readonly filter: Filter;
  readonly filterHash: string;
  /** Unix seconds. */
  readonly at: number;
  /** As many as these of the newest at `at` or before it, and of the oldest after it. */
  readonly below: number;
  readonly above: number;
}

/** Sightings of a relay in a window. */
export interface SightedQuery {
  readonly filter: Filter;
  readonly filterHash: string;
  readonly window: Window;
}
