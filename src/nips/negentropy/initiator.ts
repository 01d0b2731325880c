/**
 * The side that asks in negentropy: finds out which events the other side holds that this one does not.
 *
 * It only ever sends fingerprints, never ids of its own: the responder has no use for them, and an answer to a
 * fingerprint is never long, sixteen fingerprints or at most 31 ids. So what comes back is bounded by how much is asked
 * at once, even where this side holds nothing at all. What was asked and not answered (the other side's frame was full)
 * is asked again; nothing is taken for equal because of the sum that fills the rest of such a frame. In the end one
 * fingerprint of everything, as it must be by what was learned, has the other side confirm it.
 *
 * @module
 */
import { compareBounds, higherOf, HIGHEST, lowerOf, LOWEST } from "./bound.ts";
import { bucketEnds } from "./buckets.ts";
import { Differences, type OwnRange } from "./differences.ts";
import type { Dialogue, FrameBounds } from "./dialogue.ts";
import type { NegentropyFault } from "./fault.ts";
import { isSameFingerprint } from "./id_sum.ts";
import { type MessageRange, parseMessage } from "./message_reader.ts";
import { MessageWriter } from "./message_writer.ts";
import type { SortedKeys } from "./sorted_keys.ts";

/** The longest answer to one fingerprint, 31 ids or 16 fingerprints with their bounds; and what is always reckoned with. */
const MAX_RANGE_ANSWER = 1_100;
const MIN_RANGE_ANSWER = MAX_RANGE_ANSWER / 4;

/** A fingerprint and two bounds in a message, their prefixes aside. */
const BOUNDS_BYTES = 40;

/** Ranges found different and not asked about yet. Honest answers to bounded questions never make so many. */
const MAX_OPEN = 100_000;

export class Initiator implements Dialogue {
  /** Differences found so far. */
  readonly differences: Differences;
  readonly #keys: SortedKeys;
  readonly #bounds: FrameBounds;
  readonly #maxIds: number;
  /** To be asked, ascending: the newest are asked about first. */
  readonly #open: OwnRange[];
  /** Asked in the last message, the lowest first. */
  #asked: OwnRange[] = [];
  #stage: "asking" | "confirming" | "done" = "asking";
  #isConfirmed = false;
  /** Bytes that the answer to one fingerprint is expected to take. */
  #rangeAnswer = MAX_RANGE_ANSWER;

  /** More ids to fetch than `maxIds` are a fault. */
  constructor(
    keys: SortedKeys,
    { maxIds, ...bounds }: FrameBounds & { readonly maxIds: number },
  ) {
    this.differences = new Differences(keys);
    this.#keys = keys;
    this.#bounds = bounds;
    this.#maxIds = maxIds;
    this.#open = [{ lower: LOWEST, upper: HIGHEST, from: 0, to: keys.size }];
  }

  /** Whether the other side has confirmed that with these differences both hold the same. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  next(): Uint8Array | null {
    if (this.#stage === "done") return null;
    if (this.#open.length > 0) return this.#ask();
    if (this.differences.isEmpty) {
      this.#stage = "done";
      this.#isConfirmed = true;
      return null;
    }
    this.#stage = "confirming";
    const writer = new MessageWriter();
    writer.fingerprint(HIGHEST, this.differences.fingerprintOfOther());
    return writer.message();
  }

  take(message: Uint8Array): NegentropyFault | null {
    const ranges = parseMessage(message);
    if (!ranges.ok) return ranges.failure;
    if (this.#stage === "confirming") {
      this.#stage = "done";
      this.#isConfirmed = ranges.value.every((it) =>
        it.content.mode === "skip"
      );
      return null;
    }
    this.#expect(message.length / this.#asked.length);
    const left = this.#digest(ranges.value);
    if (left === null) return idle("nothing that was asked about is answered");
    for (const span of left) this.#open.push(span);
    if (this.#open.length > MAX_OPEN) {
      return idle("questions are answered by ever more questions");
    }
    return this.differences.need.size > this.#maxIds
      ? { code: "excess", detail: `more than ${this.#maxIds} ids to fetch` }
      : null;
  }

  #ask(): Uint8Array {
    this.#asked = this.#chosen();
    const writer = new MessageWriter();
    let lower = LOWEST;
    for (const span of this.#asked) {
      if (compareBounds(lower, span.lower) < 0) writer.skip(span.lower);
      const { upper, from, to } = span;
      writer.fingerprint(upper, this.#keys.fingerprint(from, to));
      lower = upper;
    }
    return writer.message();
  }

  /** The newest of what is open, cut into parts, as much as there is room for; ascending. */
  #chosen(): OwnRange[] {
    const chosen: OwnRange[] = [];
    let bytes = 1;
    let span = this.#open.at(-1);
    while (span !== undefined) {
      const parts = this.#parts(span);
      for (const { lower, upper } of parts) {
        bytes += BOUNDS_BYTES + lower.prefix.length + upper.prefix.length;
      }
      const isFull = bytes > this.#bounds.frameBytes ||
        chosen.length + parts.length >
          this.#bounds.answerBytes / this.#rangeAnswer;
      if (isFull && chosen.length > 0) break;
      chosen.push(...parts.reverse());
      this.#open.pop();
      span = this.#open.at(-1);
    }
    return chosen.reverse();
  }

  /** Lowers the expectation slowly and raises it at once. */
  #expect(bytes: number): void {
    const expected = Math.max(bytes * 1.25, this.#rangeAnswer / 2);
    this.#rangeAnswer = Math.min(
      MAX_RANGE_ANSWER,
      Math.max(MIN_RANGE_ANSWER, expected),
    );
  }

  #parts(span: OwnRange): OwnRange[] {
    const ends = bucketEnds(span.from, span.to);
    if (ends === null) return [span];
    let { lower, from } = span;
    return ends.map((to) => {
      const upper = to === span.to ? span.upper : this.#keys.boundAt(to);
      const part = { lower, upper, from, to };
      lower = upper;
      from = to;
      return part;
    });
  }

  /** The spans still to be asked about, ascending; null when the answer says nothing about any that was asked. */
  #digest(ranges: readonly MessageRange[]): OwnRange[] | null {
    const left: OwnRange[] = [];
    let tells = false;
    let first = 0;
    for (const range of ranges) {
      if (compareBounds(range.lower, range.upper) === 0) continue;
      for (let i = first; i < this.#asked.length; i++) {
        const span = this.#asked[i]!;
        if (compareBounds(span.lower, range.upper) >= 0) break;
        const part = this.#clip(span, range);
        const outcome = this.#classify(part, span, range);
        if (outcome !== "resolved") left.push(part);
        if (outcome !== "untold") tells = true;
        if (compareBounds(span.upper, range.upper) <= 0) first = i + 1;
      }
    }
    return tells ? left : null;
  }

  /** Classifies what a range says about its part of a span. */
  #classify(
    { from, to }: OwnRange,
    span: OwnRange,
    { lower, upper, content }: MessageRange,
  ): "resolved" | "narrowed" | "untold" {
    if (content.mode === "skip") return "resolved";
    const fromLower = compareBounds(lower, span.lower);
    const fromUpper = compareBounds(upper, span.upper);
    if (fromLower < 0 || fromUpper > 0) return "untold";
    if (content.mode === "ids") {
      this.differences.compare({ lower, upper, from, to }, content.ids);
      return "resolved";
    }
    // Had it been equal as a whole, it would have been skipped.
    if (fromLower === 0 && fromUpper === 0) return "untold";
    // No honest responder cuts out a part in which there is nothing.
    const isEqual = from < to &&
      isSameFingerprint(this.#keys.fingerprint(from, to), content.fingerprint);
    return isEqual ? "resolved" : "narrowed";
  }

  #clip(span: OwnRange, range: MessageRange): OwnRange {
    const lower = higherOf(span.lower, range.lower);
    const upper = lowerOf(span.upper, range.upper);
    const from = this.#keys.indexOf(lower, span.from);
    return { lower, upper, from, to: this.#keys.indexOf(upper, from) };
  }
}

function idle(detail: string): NegentropyFault {
  return { code: "idle", detail };
}
