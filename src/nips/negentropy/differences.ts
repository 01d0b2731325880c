/**
 * Differences found between two sides.
 *
 * @module
 */
import type { EventKeys } from "../../models/encoded_events.ts";
import type { Window } from "../../models/window.ts";
import { type Bound, ID_BYTES } from "./bound.ts";
import { IdSet } from "./id_set.ts";
import { fingerprintOf, IdSum } from "./id_sum.ts";
import type { SortedKeys } from "./sorted_keys.ts";

/** A range, and the events of ours in it. */
export interface OwnRange {
  readonly lower: Bound;
  /** Not included. */
  readonly upper: Bound;
  readonly from: number;
  /** Not included. */
  readonly to: number;
}

export class Differences {
  /** Ids that only the other side holds, each once however often it was named. */
  readonly need = new IdSet();
  readonly #keys: SortedKeys;
  /** For each id needed, the seconds between which its event lies. */
  readonly #since: number[] = [];
  readonly #until: number[] = [];
  /** Numbers of the events that only this side holds. */
  readonly #have: number[] = [];

  constructor(keys: SortedKeys) {
    this.#keys = keys;
  }

  /** Events that only this side holds. */
  get haveCount(): number {
    return this.#have.length;
  }

  get isEmpty(): boolean {
    return this.haveCount === 0 && this.need.size === 0;
  }

  /** The keys of the events that only this side holds. */
  have(): EventKeys {
    return this.#keys.select(this.#have);
  }

  /** The seconds between which the event with id number `number` of `need` lies, if the other side is to be believed. */
  windowOf(number: number): Window {
    return { since: this.#since[number]!, until: this.#until[number]! };
  }

  /** Compares our events of a range with all that the other side holds there. Each of ours only once. */
  compare({ lower, upper, from, to }: OwnRange, theirs: Uint8Array): void {
    const words = new Uint32Array(theirs.slice().buffer);
    const listed = new IdSet();
    for (let i = 0; i < theirs.length / ID_BYTES; i++) listed.add(words, i);
    const isShared = new Uint8Array(listed.size);
    for (let i = from; i < to; i++) {
      const number = listed.indexOf(this.#keys.words, i);
      if (number >= 0) isShared[number] = 1;
      else this.#have.push(i);
    }
    const isWithin = upper.prefix.some((byte) => byte > 0);
    const until = isWithin ? upper.timestamp : upper.timestamp - 1;
    for (let i = 0; i < listed.size; i++) {
      if (isShared[i] === 1 || !this.need.add(listed.words, i)) continue;
      this.#since.push(lower.timestamp);
      this.#until.push(until);
    }
  }

  /** The fingerprint of everything the other side holds, if these are all differences. */
  fingerprintOfOther(): Uint8Array {
    const { words, size } = this.#keys;
    const have = new IdSum();
    for (const i of this.#have) have.add(words, i, i + 1);
    const sum = this.#keys.sum(0, size)
      .add(this.need.words, 0, this.need.size)
      .subtract(have.words(), 0, 1);
    return fingerprintOf(sum, size + this.need.size - this.haveCount);
  }
}
