/**
 * Where a walk stands, and how it leaves a place.
 *
 * @module
 */
import type { Window } from "../../models/window.ts";
import type { NoPage, Walk } from "./ask.ts";
import { hintOf, type Page, type PageEvent } from "./page.ts";
import type { Witness } from "./witnesses.ts";

/** How far down a walk has come. */
export interface Cursor {
  /** The second the next page begins with. */
  readonly until: number;
  /** Known events at that second and above: an answer that begins there has to show some. */
  readonly above: readonly Witness[];
  /** The size of the page before, if it may have been cut off by the relay. */
  readonly cutSize?: number;
  /** Whether the relay said that nothing follows the page before. */
  readonly isFinished?: boolean;
  /** The first page says where it begins: what lies above is claimed by the range that comes down to it. */
  readonly isJoined?: boolean;
  /** Whether the first page may begin lower than it was asked to: nothing above its newest event is claimed. */
  readonly isUnsure?: boolean;
  /** Whether this second is asked for with the full limit, after it filled a reduced one. */
  readonly isRaised?: boolean;
}

/** The end of a walk, and what broke it off if it was not the end of the window. */
export interface Done {
  readonly brokenBy: NoPage | null;
}

export const DONE: Done = { brokenBy: null };

/** Known events kept with a cursor: enough to overlap with, wherever the relay begins. */
const MAX_ABOVE = 500;

/** The cursor below a page. */
export function below(page: Page, until: number): Cursor {
  return {
    until,
    above: page.events.slice(-MAX_ABOVE),
    ...(page.size < page.limit && { cutSize: page.size }),
    ...(hintOf(page) === "finish" && { isFinished: true }),
  };
}

/** The events of the cursor's own second: they come again, and are nothing new. */
export function boundaryIds({ until, above }: Cursor): Set<string> {
  return new Set(
    above.filter(({ createdAt }) => createdAt <= until).map(({ id }) => id),
  );
}

/** Settled events of an answer that the walk has not seen at its cursor. */
export function unseenOf(
  { settledBefore }: Walk,
  events: readonly PageEvent[],
  cursor: Cursor,
): PageEvent[] {
  const known = new Set(cursor.above.map(({ id }) => id));
  return events.filter(({ id, createdAt }) =>
    createdAt < settledBefore && createdAt <= cursor.until && !known.has(id)
  );
}

/** Something came where the relay had said that nothing follows. */
export function refute(
  { findings }: Pick<Walk, "findings">,
  { isFinished }: Cursor,
  unseen: readonly PageEvent[],
): void {
  if (!isFinished || unseen.length === 0) return;
  findings.doubt(unseen.slice(0, MAX_NAMED_IDS).map(({ id }) => id));
}

/** Event ids that a doubt names at most. */
const MAX_NAMED_IDS = 10;

/** Whether all that is left went to a walk below, while a page was on its way. */
export function isGivenAway({ remaining }: Walk, { until }: Cursor): boolean {
  return until < remaining.since;
}

/** Records what could not be walked. */
export function breakOff(walk: Walk, rest: Window, failure: NoPage): Done {
  if (failure !== "aborted") walk.findings.gap(rest, failure);
  return { brokenBy: failure };
}

/** Leaves a second that was dealt with. `until: 0` is never asked: some relays ignore it and start over. */
export function goBelow(walk: Walk, second: number): Cursor | Done {
  const { since } = walk.remaining;
  if (second <= since) return DONE;
  if (second > 1) {
    // Nothing is known there to overlap with, and the bound alone is not believed.
    const isUnsure = walk.profile.shiftsUntil;
    return { until: second - 1, above: [], ...(isUnsure && { isUnsure }) };
  }
  walk.findings.gap({ since, until: second - 1 }, "bounds-ignored");
  return DONE;
}
