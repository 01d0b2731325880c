/**
 * The walk through a relay that does not keep the order of NIP-01: the window is cut in two until no part comes near
 * to filling a page.
 *
 * Both halves of a cut share a second in which an event is known, and each answer has to show all that is known of its
 * part: so each is evidence by itself.
 *
 * @module
 */
import {
  BEGINNING,
  OPEN_END,
  subtractWindows,
  type Window,
} from "../../models/window.ts";
import type { GapReason } from "../protocol/report.ts";
import { ask, type Asking, type NoPage, type Walk } from "./ask.ts";
import { narrowed } from "./kinds_only.ts";
import { hintOf, type Page, type PageEvent } from "./page.ts";
import { walkSecond } from "./second.ts";
import { mayBeLocal } from "./skip.ts";
import { isStable } from "./witnesses.ts";

/** What is dated so far ahead of the database's clock is asked for apart, so that it hides nothing, seconds. */
export const CLOCK_SLACK = 900;

/** Walks what remains, newest part first; `shown` came of it just now, and has to come again. Returns what broke it off. */
export function* walkInParts(
  walk: Walk,
  shown: readonly PageEvent[] = [],
): Asking<NoPage | null> {
  const { remaining } = walk;
  const { since, until } = remaining;
  const known = shown.filter(({ createdAt }) =>
    createdAt >= since && createdAt <= until
  );
  const parts: Part[] = [{ since, until, known }];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    remaining.until = part.until;
    remaining.doing = "splitting-window";
    const answer = yield* askPart(walk, part);
    if (!answer.ok) {
      const narrower = narrowed(walk, answer.failure);
      if (narrower !== null) return yield* walkInParts(narrower);
      if (goesAround(walk, answer.failure)) {
        if (part.since < part.until) parts.push(...suspects(part));
        else leave(walk, [part], answer.failure);
        continue;
      }
      leave(walk, [part, ...parts], answer.failure);
      return answer.failure;
    }
    const page = answer.value;
    if (page.newer + page.older > page.events.length) {
      // Dates beyond all numbers are no reason to leave what lies below them.
      const soon = walk.now + CLOCK_SLACK;
      if (part.until === OPEN_END && part.since <= soon && page.older === 0) {
        leave(walk, [{ ...part, since: soon + 1 }], "bounds-ignored");
        parts.push({ ...part, until: soon });
        continue;
      }
      leave(walk, [part, ...parts], "bounds-ignored");
      return null;
    }
    if (mayBeWhole(walk, part, page)) {
      yield* settle(walk, part, page);
    } else if (part.since < part.until) {
      parts.push(...cut(part, page));
    } else {
      remaining.doing = "splitting-second";
      const failure = yield* walkSecond(walk, part.since, page);
      if (failure === null) continue;
      leave(walk, [part], failure);
      if (goesAround(walk, failure)) continue;
      leave(walk, parts, failure);
      return failure;
    }
  }
  return null;
}

/** A part of the window, with the events that were seen in it when more was asked for. */
interface Part extends Window {
  readonly known: readonly PageEvent[];
  /** A larger one failed. */
  readonly isSuspect?: boolean;
}

/** Asks for a part, with a witness beside it where nothing is known to lie within. */
function askPart(walk: Walk, part: Part) {
  const { profile, witnesses } = walk;
  // No more than leave an answer far from full; where that is none, they are asked for afterwards.
  const room = profile.mostAtOnce >> 2;
  const ids = part.known.length > 0 || profile.manyFilters === "no"
    ? []
    : witnesses.pick().slice(0, room).map(({ id }) => id);
  return ask(walk, {
    window: windowOf(part),
    ...(ids.length > 0 && { extraFilters: [{ ids, limit: ids.length }] }),
    ...(part.isSuspect && { purpose: "probe" as const }),
  });
}

/** Whether a page may hold all there is of a part: it is far from full, or as short as a second can be. */
function mayBeWhole({ profile }: Walk, part: Part, page: Page): boolean {
  if (hintOf(page) === "more") return false;
  if (profile.isEmpty(page) || profile.isFarFromFull(page)) return true;
  return part.since === part.until && profile.isShort(page);
}

/**
 * Records what a page far from full proves: nothing where it lacks what the relay has shown before, nor where something
 * came that was not read, as no page follows that would show it. The only event of a relay that is out of order
 * nevertheless is one that it adds to any answer, and so no witness.
 */
function* settle(
  walk: Walk,
  part: Part,
  page: Page,
): Asking<void> {
  const { findings, profile } = walk;
  const window = windowOf(part);
  const came = new Set([...page.events, ...page.extra].map(({ id }) => id));
  const lacking = part.known.filter(({ id }) => !came.has(id));
  if (lacking.length > 0) {
    const eventIds = lacking.slice(0, 10).map(({ id }) => id);
    if (lacking.some(({ kind }) => isStable(kind))) {
      findings.contradict({
        since: window.since,
        until: window.until,
        kind: "omitted",
        question: "page",
        eventIds,
      });
    }
    findings.gap(window, "contradicted");
    return;
  }
  const witness = part.known[0]?.id ?? page.extra[0]?.id ??
    page.accepted[0]?.id ?? null;
  if (witness === null) {
    const shown = yield* showsWitness(walk);
    if (!shown) {
      findings.gap(window, "unconfirmed");
      return;
    }
  } else if (page.extra.length > 0) profile.manyFilters = "yes";
  const support = {
    questions: 1,
    witness: profile.mostAtOnce > 1 ? witness : null,
    counts: null,
  };
  for (const read of subtractWindows(window, page.unread)) {
    findings.prove(read, "split", support);
  }
  for (const { since, until, reason } of page.unread) {
    findings.gap({ since, until }, reason);
  }
}

/** Whether the relay shows an event that it has given, where it was not asked for beside the part; true when there is none. */
function* showsWitness(walk: Walk): Asking<boolean> {
  const witnesses = walk.witnesses.pick();
  if (witnesses.length === 0) return true;
  const answer = yield* ask(walk, {
    window: { since: 0, until: OPEN_END },
    filter: { ids: witnesses.map(({ id }) => id) },
    purpose: "evidence",
  });
  if (!answer.ok) return false;
  const isShown = answer.value.events.length > 0;
  if (isShown && walk.profile.manyFilters === "unknown") {
    walk.profile.manyFilters = "no";
  }
  return isShown;
}

function goesAround({ policy }: Walk, failure: NoPage): boolean {
  return mayBeLocal(failure) && policy.hasSucceeded && policy.mayCut();
}

/** The halves of a part at which the relay failed. */
function suspects(part: Part): Part[] {
  return cut(part, null).map((half) => ({ ...half, isSuspect: true }));
}

function leave(
  { findings }: Walk,
  parts: readonly Part[],
  reason: GapReason | "aborted",
): void {
  if (reason === "aborted") return;
  for (const part of parts) findings.gap(windowOf(part), reason);
}

/**
 * Cuts at an event, so that half of what came lies on either side: the older half, and the newer one, which is walked
 * first. Both keep the second of the cut, as far as both become smaller.
 */
function cut(part: Part, page: Page | null): [Part, Part] {
  const { since, until } = part;
  const events = [...page?.events ?? [], ...part.known];
  const times = events.map(({ createdAt }) => createdAt).sort((a, b) => a - b);
  const last = until === OPEN_END
    ? Math.max(since, BEGINNING) + 2 ** 30
    : until;
  const halfway = since + Math.floor((last - since) / 2);
  const median = times[(times.length - 1) >> 1] ?? halfway;
  const middle = Math.min(Math.max(median, since), until - 1);
  const newerSince = middle === median && middle > since ? middle : middle + 1;
  const known = [...new Map(events.map((one) => [one.id, one])).values()];
  return [
    {
      since,
      until: middle,
      known: known.filter(({ createdAt }) => createdAt <= middle),
    },
    {
      since: newerSince,
      until,
      known: known.filter(({ createdAt }) => createdAt >= newerSince),
    },
  ];
}

function windowOf({ since, until }: Part): Window {
  return { since, until };
}
