/**
 * One question of a walk: asked again, with less, while that may help.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import { fail, ok, type Result } from "../../models/result.ts";
import { OPEN_END, type Window } from "../../models/window.ts";
import type {
  Contradiction,
  Support,
  WalkProof,
} from "../protocol/evidence.ts";
import type {
  FailureReason,
  GapReason,
  WalkState,
} from "../protocol/report.ts";
import { isBroad } from "./kinds.ts";
import type { Page, Query } from "./page.ts";
import type { RelayProfile } from "./relay_profile.ts";
import type { RequestPolicy } from "./request_policy.ts";
import type { Witness, Witnesses } from "./witnesses.ts";

/** A walk is a coroutine: it yields queries, and is resumed with the page each of them brought. */
export type Asking<T> = Generator<Query, T, Page>;

/** What a walk walks, what it knows, and where it writes what it found. */
export interface Walk {
  /** Without `since`, `until` and `limit`. */
  readonly filter: Filter;
  /** What is left of it, newest first. */
  readonly remaining: Remaining;
  /** Unix seconds: what is younger may still be arriving, and is no evidence of anything. */
  readonly settledBefore: number;
  readonly profile: RelayProfile;
  readonly policy: RequestPolicy;
  readonly witnesses: Witnesses;
  readonly findings: WalkFindings;
  /** Authors whose events the relay is known to hold, to tell a crowd apart by. */
  readonly authors: () => readonly string[];
  /** Unix seconds: the moment of planning, by the database's clock. */
  readonly now: number;
}

/** A window on its way to nothing: `until` comes down, `since` may be raised when the older part is given away. */
export interface Remaining {
  since: number;
  /** May be `OPEN_END`. */
  until: number;
  /** Events known to lie below `since`, to which pages reach down: whoever shows one has passed the floor. */
  floor: readonly Witness[];
  /** From here on pages are asked for, so that they show the floor; `since` where none is known. */
  reach: number;
  /** Events known to lie at or above `until`, from which the first page begins. */
  readonly ceiling: readonly Witness[];
  /** Events known to lie in it, the newest ones: who says that nothing is there still has to give none of them. */
  readonly within: readonly Witness[];
  /** Another range comes down to the first event of this one, which therefore claims nothing above it. */
  readonly isJoined?: boolean;
  /** Where it began; `OPEN_END` where all that is to come is wanted. */
  readonly top: number;
  /** What the walk is doing, for whoever wants to know. */
  doing: WalkState;
}

/** Takes the findings of a walk, in the order in which they follow from the pages. */
export interface WalkFindings {
  /** Everything of this window has come. */
  prove(window: Window, method: WalkProof, support: Support): void;
  /** It could not be proven. */
  gap(window: Window, reason: GapReason): void;
  /** An answer turned out to be wrong. */
  contradict(contradiction: Omit<Contradiction, "filterHash">): void;
  /** Events came where the relay had said that there are none, or they came to it meanwhile. */
  doubt(eventIds: readonly string[]): void;
}

/** Why there is no page that is worth anything: the relay's doing, or ours. */
export type NoPage = FailureReason | "unconfirmed" | "aborted";

/** What a question is for, and so how its failure is taken. */
export type Purpose =
  /** The next page of a walk. */
  | "page"
  /** Asked where the relay is expected to fail: once is enough. */
  | "probe"
  /** A filter of our own making: when the relay refuses it, that says nothing about what else it answers. */
  | "narrower"
  /** The same, and what comes is not archived. */
  | "evidence";

export interface Question {
  readonly window: Window;
  /** Default: the filter of the walk. */
  readonly filter?: Filter;
  /** Further filters of the same REQ, as they are to be sent. */
  readonly extraFilters?: readonly Filter[];
  /** Default: `page`. */
  readonly purpose?: Purpose;
  readonly isFresh?: boolean;
  /** Events asked for at most. Default: as many as the relay may be asked for. */
  readonly limit?: number;
}

/** Asks, and asks again as long as the failure is one that may pass. */
export function* ask(
  walk: Walk,
  question: Question,
): Asking<Result<Page, Exclude<NoPage, "unconfirmed">>> {
  const { profile, policy, witnesses } = walk;
  const { purpose = "page" } = question;
  let shared = 0;
  for (let failures = 1;; failures++) {
    const page = yield toQuery(walk, question);
    const reason = failureOf(page);
    if (reason === "aborted") return fail(reason);
    if (reason === null) {
      policy.onSuccess();
      if (profile.refutesOffset(page)) {
        failures -= 1;
        continue;
      }
      profile.learn(page, { isPlain: question.extraFilters === undefined });
      witnesses.add(page.accepted);
      if (isBroad(question.filter ?? walk.filter)) {
        profile.broadFilters = "answered";
      }
      return ok(page);
    }
    if (reason === "disconnected") policy.onDisconnected();
    if (page.isShared && mayBeShared(reason) && shared < MAX_SHARED) {
      shared += 1;
      failures -= 1;
      continue;
    }
    if (reason === "refused" && purpose !== "page") return fail(reason);
    policy.onFailure(reason, page.size);
    if (purpose === "probe" || failures >= ATTEMPTS[reason]) {
      return fail(reason);
    }
  }
}

/** Failures of one question that are put down to others being under way. */
const MAX_SHARED = 6;

/** Whether a relay that is asked several things at once fails so. */
function mayBeShared(reason: FailureReason): boolean {
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
  const { window, filter = walk.filter, extraFilters, isFresh } = question;
  const { limit = walk.policy.limit } = question;
  return {
    filter: { ...filter, ...boundsOf(walk, window), limit },
    window,
    limit,
    evidenceOnly: question.purpose === "evidence",
    ...(extraFilters !== undefined && { extraFilters }),
    ...(isFresh !== undefined && { isFresh }),
  };
}

/** The bounds of a window as they are sent to this relay. */
export function boundsOf(
  { profile }: Pick<Walk, "profile">,
  { since, until }: Window,
): Pick<Filter, "since" | "until"> {
  return {
    ...(since > 0 && { since }),
    ...(until < OPEN_END && { until: until + profile.untilOffset }),
  };
}

/** A page that we cut is as good as one the relay cut, when it is at least as long as asked for. */
function failureOf(page: Page): Exclude<NoPage, "unconfirmed"> | null {
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
