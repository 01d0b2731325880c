/**
 * Evidence as data: what supports a claim, how strong it is, and what contradicted one. Plain data, both threads.
 *
 * @module
 */
import type { Window } from "../../models/window.ts";

/** How strong the support of a claim is, strongest first. */
export const STRENGTHS = [
  /** NIP-77: both sides hold the same ids, and a REQ that could have shown otherwise did not. */
  "reconciled",
  /** Paged, and an exact COUNT (NIP-45) says that the relay has no more than the archive knows of it. */
  "counted",
  /** Every answer overlapped what was known, in order, and the audit of the session found nothing. */
  "paged",
  /** Nothing contradicted it. */
  "weak",
] as const;

export type Strength = (typeof STRENGTHS)[number];

/** What a claim rests on. */
export interface Support {
  /** Answers that agreed, and any of which could have shown otherwise. */
  readonly questions: number;
  /** The id of an event that had to be in one of these answers, and was; null when the relay has shown none. */
  readonly witness: string | null;
  /** An exact COUNT and what the archive knows of the relay in the same window; null where there was none. */
  readonly counts: { readonly relay: number; readonly archive: number } | null;
}

/** A window that is proven, by what, and what that rests on. */
export interface Proof extends Window {
  readonly method: WalkProof;
  readonly support: Support;
}

/** How an answer was found to be wrong. */
export type ContradictionKind =
  /** An answer to a narrower question showed events that the walk had not been given. */
  | "hidden"
  /** An answer lacked events that the relay gives by their ids. */
  | "omitted"
  /** A REQ showed events that the relay's NIP-77 does not list. */
  | "unlisted"
  /** Events of a page came after its EOSE. */
  | "late"
  /** An exact COUNT is larger than what was given. */
  | "count";

/** One contradiction: a window that was claimed, and the events that should have been known or shown. */
export interface Contradiction extends Window {
  readonly filterHash: string;
  readonly kind: ContradictionKind;
  /** The question that showed it, in one word: `silence`, `sample`, `ids`, `page`, `count`. */
  readonly question: string;
  /** Up to 10 ids. */
  readonly eventIds: readonly string[];
}

/** What the audit of a session came to. */
export interface AuditReport {
  readonly asked: number;
  readonly confirmed: number;
  /** Questions that got no answer. */
  readonly unanswered: number;
  readonly contradictions: readonly Contradiction[];
  /** Events that had come to the relay since it was asked: its claims there are out of date, not wrong. */
  readonly late: readonly Contradiction[];
}

/** An audit that asked nothing. */
export const NO_AUDIT: AuditReport = {
  asked: 0,
  confirmed: 0,
  unanswered: 0,
  contradictions: [],
  late: [],
};

/** Claims taken back, of this session or earlier ones. */
export interface Retraction extends Window {
  readonly filterHash: string;
  /** What contradicted them. */
  readonly cause: Contradiction;
}

/** What proved a window complete (`PROOFS` of the database says what each is worth). */
export type WalkProof =
  | "negentropy"
  | "finish"
  | "count"
  | "paging"
  | "split"
  | "empty-page"
  | "live";
