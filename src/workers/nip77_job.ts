/**
 * What the host and a session say to each other about NIP-77: part of the protocol.
 *
 * @module
 */
import type { EventKeys } from "../models/encoded_events.ts";
import type { Filter } from "../models/filter.ts";
import type { Window } from "../models/window.ts";

/** Reconcile with the relay (NIP-77) before asking it for pages. */
export interface NegentropyJob {
  readonly support: NegentropySupport;
  /** The longest list of the relay that was shown to be whole, in events; -1 for none. */
  readonly wholeList: number;
  /** Silence by which a relay shows that it does not know it, ms. */
  readonly probeTimeoutMs: number;
}

/** Whether a relay knows NIP-77. */
export type NegentropySupport = "supported" | "unsupported" | "unknown";

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

/** A stretch that was proven, and turned out to lack events that could not be had. */
export interface DoubtedStretch extends Window {
  readonly filterHash: string;
}
