/**
 * One question of a walk: asked again, with less, while that may help.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import { fail, ok, type Result } from "../../models/result.ts";
import { OPEN_END, type Window } from "../../models/window.ts";
import { isBroad } from "./kinds_only.ts";
import type { Pace } from "./relay_profile.ts";
import type {
  FailureReason,
  GapReason,
  WalkProof,
} from "../protocol/report.ts";
import type { Page, Query } from "./page.ts";

/** A walk is a coroutine: it yields queries, and is resumed with the page each of them brought. */
export type Asking<T> = Generator<Query, T, Page>;

/** What a walk walks, and where it writes what it found. */
export interface Walk {
  /** Without `since`, `until` and `limit`. */
  readonly filter: Filter;
  /** What is left of it, newest first. */
  readonly stretch: Stretch;
  /** Unix seconds: what is younger may still be arriving, and is no evidence of anything. */
  readonly settledBefore: number;
  readonly pace: Pace;
  readonly ledger: Ledger;
}

/** A window on its way to nothing: `until` comes down, `since` may be raised when the older part is given away. */
export interface Stretch {
  since: number;
  /** May be `OPEN_END`. */
  until: number;
}

/** Takes the findings of a walk, in the order in which they follow from the pages. */
export interface Ledger {
  /** Everything of this window has come. */
  prove(window: Window, proof: WalkProof): void;
  /** It could not be proven. */
  gap(window: Window, reason: GapReason): void;
}

/** Why there is no page: the relay's doing, or ours. */
export type NoPage = FailureReason | "aborted";

export interface Question {
  readonly window: Window;
  /** Default: the filter of the walk. */
  readonly filter?: Filter;
  readonly evidenceOnly?: boolean;
  /** A filter of our own making: when the relay refuses it, that says nothing about what else it bears. */
  readonly isSpecial?: boolean;
  /** Asked where the relay is expected to fail: once is enough. */
  readonly isProbe?: boolean;
}

/** Asks, and asks again as long as the failure is one that may pass. */
export function* ask(
  walk: Walk,
  question: Question,
): Asking<Result<Page, NoPage>> {
  const { pace } = walk;
  let crowded = 0;
  for (let failures = 1;; failures++) {
    const page = yield toQuery(walk, question);
    const reason = failureOf(page);
    if (reason === "aborted") return fail(reason);
    if (reason === null) {
      pace.succeeded(page);
      if (isBroad(question.filter ?? walk.filter)) pace.broadFilters = "borne";
      return ok(page);
    }
    if (page.isShared && mayBeCrowd(reason) && crowded < MAX_CROWDED) {
      crowded += 1;
      failures -= 1;
      continue;
    }
    if (reason === "refused" && question.isSpecial) return fail(reason);
    if (reason === "refused" && question.isProbe) return fail(reason);
    pace.failed(reason, page.size);
    if (question.isProbe || failures >= ATTEMPTS[reason]) return fail(reason);
  }
}

/** Failures of one question that are put down to others being under way. */
const MAX_CROWDED = 6;

/** Whether a relay that is asked several things at once fails so. */
function mayBeCrowd(reason: FailureReason): boolean {
  return reason !== "auth-required" && reason !== "over-budget";
}

/** How often a question is asked in all, by what went wrong. */
const ATTEMPTS: Readonly<Record<FailureReason, number>> = {
  timeout: 2,
  disconnected: 6,
  "rate-limited": 5,
  "auth-required": 1,
  restricted: 1,
  refused: 4,
  "over-budget": 6,
};

function toQuery(walk: Walk, question: Question): Query {
  const { window, filter = walk.filter, evidenceOnly = false } = question;
  const limit = walk.pace.limit;
  return {
    filter: {
      ...filter,
      ...(window.since > 0 && { since: window.since }),
      ...(window.until < OPEN_END && { until: window.until }),
      limit,
    },
    window,
    limit,
    evidenceOnly,
  };
}

/** A page that we cut is as good as one the relay cut, when it is at least as long as asked for. */
function failureOf(page: Page): NoPage | null {
  switch (page.end.type) {
    case "eose":
      return null;
    case "cut":
      return page.size >= page.limit ? null : "over-budget";
    case "failed":
      return page.end.reason;
    case "aborted":
      return "aborted";
  }
}
