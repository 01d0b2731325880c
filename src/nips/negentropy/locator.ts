/**
 * Finds out the seconds of events of which only the ids are known, because the other side lists them and gives them
 * to no client. With its second an id can be counted among what is known, and is not found missing ever again.
 *
 * The other side is asked for the ids of ever shorter windows, all events at once: sixteen times shorter each time,
 * so that a day takes five messages.
 *
 * @module
 */
import type { EventKeys } from "../../models/encoded_events.ts";
import type { Window } from "../../models/window.ts";
import { type Bound, compareBounds, ID_BYTES, LOWEST } from "./bound.ts";
import type { Dialogue, FrameBounds } from "./dialogue.ts";
import type { NegentropyFault } from "./fault.ts";
import { type MessageRange, parseMessage } from "./message_reader.ts";
import { MessageWriter } from "./message_writer.ts";

/** An id, and the seconds between which its event lies. `until` may be `Infinity`. */
export interface Hidden extends Window {
  /** 64 hex digits. */
  readonly id: string;
}

/** Parts a window is cut into. */
const PARTS = 16;

/** Bytes that the ids of one window may take: it held at most 31 when it was found. */
const WINDOW_ANSWER_BYTES = 1_100;

/** A window to ask about in a message, its bounds included. */
const WINDOW_BYTES = PARTS * 16;

/** Seconds in which hidden events lie that cannot be told apart yet. */
interface HiddenWindow extends Window {
  readonly ids: ReadonlySet<string>;
}

export class Locator implements Dialogue {
  readonly #maxWindows: number;
  readonly #createdAt = new Map<string, number>();
  /** Ascending, none overlapping another. */
  #open: HiddenWindow[];
  #asked: HiddenWindow[] = [];

  constructor(
    hidden: readonly Hidden[],
    { frameBytes, answerBytes }: FrameBounds,
  ) {
    this.#maxWindows = Math.floor(
      Math.min(frameBytes / WINDOW_BYTES, answerBytes / WINDOW_ANSWER_BYTES),
    );
    this.#open = this.#record(
      hidden.map(({ id, ...window }) => ({ ...window, ids: new Set([id]) })),
    );
  }

  /** Seconds found so far, by id. Ids that the other side does not list any more are missing. */
  located(): EventKeys {
    return {
      ids: Uint8Array.fromHex([...this.#createdAt.keys()].join("")),
      createdAt: Float64Array.from(this.#createdAt.values()),
    };
  }

  next(): Uint8Array | null {
    if (this.#open.length === 0) return null;
    this.#asked = this.#open.splice(0, this.#maxWindows);
    const writer = new MessageWriter();
    let lower = LOWEST;
    for (const part of this.#asked.flatMap(cut)) {
      const { start, end } = boundsOf(part);
      if (compareBounds(lower, start) < 0) writer.skip(start);
      writer.ids(end, new Uint8Array());
      lower = end;
    }
    return writer.message();
  }

  take(message: Uint8Array): NegentropyFault | null {
    const ranges = parseMessage(message);
    if (!ranges.ok) return ranges.failure;
    const listing = new Listing(ranges.value);
    const left: HiddenWindow[] = [];
    let tells = false;
    for (const window of this.#asked) {
      const unsaid: Window[] = [];
      let ids = window.ids;
      for (const part of cut(window)) {
        const { listed, isWhole } = listing.of(part);
        const found = ids.intersection(listed);
        if (found.size > 0) left.push({ ...part, ids: found });
        ids = ids.difference(found);
        if (isWhole) tells = true;
        else unsaid.push(part);
      }
      const [first] = unsaid;
      const last = unsaid.at(-1);
      if (ids.size === 0 || first === undefined || last === undefined) continue;
      left.push({ since: first.since, until: last.until, ids });
    }
    this.#open = this.#record([...left, ...this.#open]);
    return tells
      ? null
      : { code: "idle", detail: "no window that was asked about is answered" };
  }

  /** Records what is located; returns the other windows, with one for those that overlap. */
  #record(windows: readonly HiddenWindow[]): HiddenWindow[] {
    const remaining: HiddenWindow[] = [];
    const sorted = [...windows].sort((a, b) => a.since - b.since);
    for (const window of sorted) {
      const last = remaining.at(-1);
      if (window.since >= window.until) {
        for (const id of window.ids) this.#createdAt.set(id, window.since);
      } else if (last === undefined || last.until < window.since) {
        remaining.push(window);
      } else {
        remaining[remaining.length - 1] = {
          since: last.since,
          until: Math.max(last.until, window.until),
          ids: last.ids.union(window.ids),
        };
      }
    }
    return remaining;
  }
}

/** The ids of an answer, asked for in ascending order. */
class Listing {
  readonly #ranges: readonly MessageRange[];
  #at = 0;

  constructor(ranges: readonly MessageRange[]) {
    this.#ranges = ranges;
  }

  /** The ids listed in a window, and whether they are all. A range that is skipped says nothing. */
  of(window: Window): { listed: Set<string>; isWhole: boolean } {
    const { start, end } = boundsOf(window);
    const listed = new Set<string>();
    let isWhole = true;
    for (; this.#at < this.#ranges.length; this.#at++) {
      const { lower, upper, content } = this.#ranges[this.#at]!;
      if (compareBounds(lower, end) >= 0) break;
      if (compareBounds(upper, start) <= 0) continue;
      const isInside = compareBounds(lower, start) >= 0 &&
        compareBounds(upper, end) <= 0;
      if (content.mode === "ids" && isInside) {
        for (const id of hexIds(content.ids)) listed.add(id);
      } else isWhole = false;
      if (compareBounds(upper, end) > 0) break;
    }
    return { listed, isWhole };
  }
}

/** Up to sixteen parts of whole seconds, ascending. What is open to the top is cut ever more coarsely. */
function cut({ since, until }: Window): Window[] {
  const seconds = until - since + 1;
  const dialPacer = new Set<number>();
  for (let i = 0; i < PARTS; i++) {
    dialPacer.add(
      since +
        (until === Infinity ? 8 ** i - 1 : Math.floor(seconds * i / PARTS)),
    );
  }
  const sorted = [...dialPacer];
  return sorted.map((start, i) => ({
    since: start,
    until: (sorted[i + 1] ?? until + 1) - 1,
  }));
}

function boundsOf({ since, until }: Window): { start: Bound; end: Bound } {
  const prefix = new Uint8Array();
  return {
    start: { timestamp: since, prefix },
    end: { timestamp: until + 1, prefix },
  };
}

function* hexIds(ids: Uint8Array): Generator<string> {
  for (let at = 0; at < ids.length; at += ID_BYTES) {
    yield ids.subarray(at, at + ID_BYTES).toHex();
  }
}
