/**
 * Responder: the side of a relay in negentropy. It keeps nothing between two messages.
 *
 * @module
 */
import { ok, type Result } from "../../src/models/result.ts";
import {
  type Bound,
  HIGHEST,
  ID_BYTES,
} from "../../src/nips/negentropy/bound.ts";
import { bucketEnds } from "../../src/nips/negentropy/buckets.ts";
import type { NegentropyFault } from "../../src/nips/negentropy/fault.ts";
import { isSameFingerprint } from "../../src/nips/negentropy/id_sum.ts";
import {
  type MessageRange,
  parseMessage,
} from "../../src/nips/negentropy/message_reader.ts";
import { MessageWriter } from "../../src/nips/negentropy/message_writer.ts";
import type { SortedKeys } from "../../src/nips/negentropy/sorted_keys.ts";

/** A fingerprint and the bound of its range take no more than this, and the bound of a range to skip before it. */
const MAX_RANGE_BYTES = 128;

/** Smaller frames could not hold the answer to one range. */
const MIN_FRAME_BYTES = 4_096;

/**
 * Answers a message about the events in `keys`: with what differs, or, to another version, with the version
 * it speaks. No answer is longer than `frameBytes` (at least 4096, or `Infinity`): what does not fit is summed up in one
 * last range, about which the initiator asks again.
 */
export function respond(
  keys: SortedKeys,
  message: Uint8Array,
  frameBytes: number,
): Result<Uint8Array, NegentropyFault> {
  if (frameBytes < MIN_FRAME_BYTES) {
    throw new RangeError(
      `Cannot respond as "frameBytes" must be >= ${MIN_FRAME_BYTES}: current value is ${frameBytes}`,
    );
  }
  const ranges = parseMessage(message);
  const answer = new Answer(keys, frameBytes);
  if (ranges.ok) answer.toRanges(ranges.value);
  else if (ranges.failure.code !== "version") return ranges;
  return ok(answer.message());
}

/** A range of the relay's events. */
interface Part {
  readonly from: number;
  /** Not included. */
  readonly to: number;
  readonly upper: Bound;
}

class Answer {
  readonly #keys: SortedKeys;
  readonly #maxBytes: number;
  readonly #writer = new MessageWriter();

  constructor(keys: SortedKeys, frameBytes: number) {
    this.#keys = keys;
    this.#maxBytes = frameBytes - MAX_RANGE_BYTES;
  }

  message(): Uint8Array {
    return this.#writer.message();
  }

  toRanges(ranges: readonly MessageRange[]): void {
    let from = 0;
    for (const range of ranges) {
      const mark = this.#writer.mark();
      const to = this.#keys.indexOf(range.upper, from);
      const answered = this.#toRange(range, from, to);
      if (this.#writer.length > this.#maxBytes) {
        this.#writer.goBack(mark);
        return this.#sumUp(from);
      }
      if (answered < to) return this.#sumUp(answered);
      from = to;
    }
  }

  /** Answers one range; returns the number of the first event it says nothing about. */
  #toRange({ upper, content }: MessageRange, from: number, to: number): number {
    switch (content.mode) {
      case "skip":
        this.#writer.skip(upper);
        return to;
      case "fingerprint": {
        const own = this.#keys.fingerprint(from, to);
        if (isSameFingerprint(own, content.fingerprint)) {
          this.#writer.skip(upper);
        } else this.#tellMore({ from, to, upper });
        return to;
      }
      case "ids":
        // Only the initiator has to learn what differs, and it can tell from the ids.
        return this.#nameIds({ from, to, upper });
    }
  }

  #tellMore({ from, to, upper }: Part): void {
    const ends = bucketEnds(from, to);
    if (ends === null) {
      this.#writer.ids(upper, this.#keys.ids(from, to));
      return;
    }
    let start = from;
    for (const end of ends) {
      const bound = end === to ? upper : this.#keys.boundAt(end);
      this.#writer.fingerprint(bound, this.#keys.fingerprint(start, end));
      start = end;
    }
  }

  #nameIds({ from, to, upper }: Part): number {
    const room = this.#maxBytes - this.#writer.length - 2 * MAX_RANGE_BYTES;
    const fitting = Math.max(0, Math.floor(room / ID_BYTES));
    if (to - from <= fitting) {
      this.#writer.ids(upper, this.#keys.ids(from, to));
      return to;
    }
    const end = from + fitting;
    if (fitting > 0) {
      this.#writer.ids(this.#keys.boundAt(end), this.#keys.ids(from, end));
    }
    return end;
  }

  #sumUp(from: number): void {
    const { size } = this.#keys;
    this.#writer.fingerprint(HIGHEST, this.#keys.fingerprint(from, size));
  }
}
