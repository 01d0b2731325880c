/**
 * Where a page may lack an event because something in it could not be read.
 *
 * Events come in order, so that one that was not read lies between the event before it and the one after it.
 *
 * @module
 */
import type { Window } from "../../models/window.ts";
import type { Unread } from "../../nips/client/unread.ts";
import type { Hole, PageEvent } from "../walk/page.ts";

/** With more of them, the page shows nothing at all. */
const MAX_HOLES = 1_000;

/** What could not be read, and how many events had come before it. */
export interface Mark {
  readonly unread: Unread;
  readonly place: number;
}

/** The holes that the marks leave in a page of these events, in the order of the marks. */
export function holesOf(
  marks: readonly Mark[],
  events: readonly PageEvent[],
  window: Window,
): readonly Hole[] {
  const inOrder = isInOrder(events);
  const holes = new Map<string, Hole>();
  for (const { unread, place } of marks) {
    const around = inOrder ? between(events, place, window) : window;
    const hole = secondOf(unread, window, around) ?? around;
    if (hole === "elsewhere") continue;
    const reason = unread.cause === "too-large" ? unread.cause : "unread";
    const { since, until } = hole;
    holes.set(`${since} ${until} ${reason}`, { since, until, reason });
    if (holes.size > MAX_HOLES) return [{ ...window, reason: "unread" }];
  }
  return [...holes.values()];
}

/** Whether the events came newest first. */
export function isInOrder(events: readonly PageEvent[]): boolean {
  return events.every(({ createdAt }, i) =>
    i === 0 || createdAt <= events[i - 1]!.createdAt
  );
}

function between(
  events: readonly PageEvent[],
  place: number,
  window: Window,
): Window {
  return {
    since: events[place]?.createdAt ?? window.since,
    until: events[place - 1]?.createdAt ?? window.until,
  };
}

/**
 * The second that the unread event names. One that is outside of the window was not asked for; but of a garbled one the
 * number may be damaged, too, and counts only where it agrees with the events around it.
 */
function secondOf(
  { cause, head }: Unread,
  window: Window,
  around: Window,
): Window | "elsewhere" | null {
  const at = head.createdAt;
  if (at === undefined) return null;
  if (isWithin(cause === "garbled" ? around : window, at)) {
    return { since: at, until: at };
  }
  return cause === "garbled" ? null : "elsewhere";
}

function isWithin({ since, until }: Window, at: number): boolean {
  return at >= since && at <= until;
}
