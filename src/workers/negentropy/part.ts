/**
 * A part of a window that is compared at once, and how it is cut when it is too much.
 *
 * @module
 */
import type { EventKeys } from "../../models/encoded_events.ts";
import type { Filter } from "../../models/filter.ts";
import { BEGINNING, OPEN_END, type Window } from "../../models/window.ts";

import { keysIn } from "./key_list.ts";

export interface Part {
  readonly window: Window;
  /** What the relay is known to list there, ascending; null when it has to be read. */
  readonly keys: EventKeys | null;
}

/** A part of which everything known is at hand. */
export interface ReadPart extends Part {
  readonly keys: EventKeys;
}

/** Fewer events say nothing about where the others are. */
const TELLING_EVENTS = 100;

/** The filter of a walk within a window. */
export function boundedFilter(
  { filter }: { readonly filter: Filter },
  { since, until }: Window,
): Filter {
  return {
    ...filter,
    ...(since > 0 && { since }),
    ...(until < OPEN_END && { until }),
  };
}

/** The older and the newer part, or null for a single second. `now`: Unix seconds; little is dated later. */
export function cutPart(
  { window, keys }: ReadPart,
  now: number,
): [older: ReadPart, newer: ReadPart] | null {
  const { since, until } = window;
  if (since >= until) return null;
  const { createdAt } = keys;
  const wanted = createdAt.length >= TELLING_EVENTS
    ? createdAt[createdAt.length >> 1]!
    : halfway(window, now);
  const start = Math.min(Math.max(wanted, since + 1), until);
  const older = { since, until: start - 1 };
  const newer = { since: start, until };
  return [
    { window: older, keys: keysIn(keys, older) },
    { window: newer, keys: keysIn(keys, newer) },
  ];
}

/** Halfway through what of the window has events, as a rule. */
function halfway({ since, until }: Window, now: number): number {
  const first = until > BEGINNING ? Math.max(since, BEGINNING) : since;
  const last = until > now && now > first ? now : until;
  // What is dated later than all we know is halved away from its lower end.
  if (last === OPEN_END) return since + 2 ** 32;
  return first + Math.ceil((last - first) / 2);
}
