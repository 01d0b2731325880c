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
  "by chance",
  "in bad times",
  "backend by",
  "shard down at times",
  "cap by lot",
  "answers one late",
  "answers swapped",
  "drawn tenth missing",
] as const;

/** Only who names the author, the kind, or the very second or hour of what is hidden is shown it. */
const BY_NAME = [
  "authors hidden from filters without authors",
  "kinds hidden from filters without kinds",
  "kinds dropped from filters without kinds",
  "kinds hidden from filters with kinds",
  "count and pages of wide windows lack the same",
  "when the window is wide",
  "when the window is narrow",
] as const;

/** Whether a relay is wrong in such ways only that a bounded number of questions shows it. */
export function isFindable({ transformers }: AdversarySpec): boolean {
  return !transformers.some(({ name }) =>
    [...BY_LUCK, ...BY_NAME].some((part) => name.includes(part))
  );
}
