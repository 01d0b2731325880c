/**
 * Which faults a client can be expected to find by a bounded number of questions. The others are known, and the README
 * says so: no number of questions finds what is shown to nobody who does not know it already, and what is lacking by
 * luck is found by luck.
 *
 * @module
 */
import type { AdversarySpec } from "./spec.ts";

/** Answers depend on luck: the same question is answered now so, now otherwise. */
const BY_LUCK = [
  "backend by",
  "shard down at times",
  "drawn tenth missing",
  "in bad times",
  "cap by lot",
  "answers one late",
  "answers swapped",
  "last page repeated",
  "stray old event",
  "ids listed by chance",
] as const;

/** Only who names the author, the kind, or the very second or hour of what is hidden is shown it. */
const BY_NAME = [
  "authors hidden from filters without authors",
  "kinds hidden from filters without kinds",
  "kinds dropped from filters without kinds",
  "kinds hidden from filters with kinds",
  "count and pages of wide windows lack the same",
] as const;

/** Answers reach over a part of the time that was asked for, or are those to another question. */
const BY_REACH = [
  "window clamped above since",
  "window clamped below until",
  "shards not joined",
  "recent without since",
  "cache by",
] as const;

/** A few events lack in some answers: questions about others do not show it. */
const BY_SAMPLE = [
  "tenth missing",
  "half missing",
  "half a page",
  "older half",
  "hole in the page",
  "ties collapsed",
  "edge missing",
  // Where all that is wanted lies in one second, or bounds mean nothing, each question of the same shape shows the same
  // half of it, and is said to be whole: one relay of 2,000 that do this. What lies lower, or belongs to some kinds or
  // authors only, is asked for.
  "finish too early when",
  "one event when",
] as const;

/** Answers are cut where nobody can see it, so that what they lack may be below the cut. */
const BY_CUT = [
  "cap by bytes",
  "shrinking cap",
  "scan budget",
  "lists truncated",
  "ids listed up to a cap",
  "kinds dropped after the limit",
] as const;

const BEYOND = [
  ...BY_LUCK,
  ...BY_NAME,
  ...BY_REACH,
  ...BY_SAMPLE,
  ...BY_CUT,
];

/** Whether a relay is wrong in such ways only that a bounded number of questions shows it. */
export function isFindable({ transformers }: AdversarySpec): boolean {
  return !transformers.some(({ name }) =>
    BEYOND.some((part) => name.includes(part))
  );
}
