/**
 * Everything about an adversary as JSON: printed, it is all that is needed to play it again.
 *
 * @module
 */
import type { Filter } from "../../../src/models/filter.ts";

/** Longer events (in characters of content) are more than clients in tests are to read: where they lie is a gap. */
export const MAX_READABLE_LENGTH = 32_768;

/** A relay: what it holds, what it offers, and what it does wrong. */
export interface AdversarySpec {
  readonly seed: number;
  /** Unix seconds at which the first sync begins; the dates of the corpus follow from it. */
  readonly beganAt: number;
  readonly corpus: readonly CorpusPart[];
  /** Most events it gives for one filter, whatever was asked. */
  readonly cap: number;
  /** NIP-67: EOSE says `finish` or `more`. */
  readonly hasHints: boolean;
  /** NIP-45: COUNT is answered. */
  readonly hasCount: boolean;
  /** NIP-77: lists its ids. */
  readonly hasNegentropy: boolean;
  /** What is wanted of it, without `since`, `until` and `limit`. */
  readonly filter: Filter;
  /** Applied in this order. */
  readonly transformers: readonly TransformerSpec[];
}

/** A transformer of the catalogue with its parameters. */
export interface TransformerSpec {
  readonly name: string;
  readonly parameters: ParameterValues;
}

export type ParameterValues = Readonly<Record<string, number>>;

/** Events of one sort: a steady stream, a burst, or, within a span of 0, a crowd in one second. */
export interface CorpusPart {
  readonly count: number;
  /** Seconds from the newest of them to `beganAt`; negative for the future. */
  readonly endsAgo: number;
  /** Unix seconds of the newest instead, for dates that have nothing to do with now. */
  readonly endsAt?: number;
  /** Seconds from the oldest to the newest. */
  readonly span: number;
  /** Dates are multiples of so many seconds, by which events share one. */
  readonly grain: number;
  /** Drawn from; a kind that is listed twice is drawn twice as often. */
  readonly kinds: readonly number[];
  readonly authors: number;
  /** Most characters of content; each event has some between 0 and this. */
  readonly bytes: number;
  /** When they are stored, if not before the first sync. */
  readonly arrives?: Arrival;
}

/** In the pause after the nth sync (from 1), or right before the nth question of all (from 1). */
export type Arrival =
  | { readonly afterSync: number }
  | { readonly beforeQuestion: number };
