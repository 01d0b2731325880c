/**
 * The authors of what is being folded, each once.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Sql } from "../../core/database/connection/database.ts";
import { integersOf } from "../sql_array.ts";
import { sketchEntry } from "./distinct_sketch.ts";

const KEY_BYTES = 32;

/** Gives each public key a place; the numbers of `author` are asked for once for all of them. */
export class Authors {
  readonly #places = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #entries: number[] = [];

  /** The place of the key at `offset`, from 0 on. */
  place(keys: Buffer, offset: number): number {
    const key = keys.toString("latin1", offset, offset + KEY_BYTES);
    const found = this.#places.get(key);
    if (found !== undefined) return found;
    const place = this.#keys.length;
    this.#places.set(key, place);
    this.#keys.push(key);
    this.#entries.push(sketchEntry(keys, offset));
    return place;
  }

  /** What the author at a place is in a sketch. */
  entry(place: number): number {
    return this.#entries[place]!;
  }

  /** `author.id` of each place; authors that are new get theirs. */
  async numbers(sql: Sql): Promise<readonly number[]> {
    if (this.#keys.length === 0) return [];
    const packed = Buffer.from(this.#keys.join(""), "latin1");
    const [row] = await sql<{ numbers: string }[]>`
      select array_to_string(author_numbers(${packed}::bytea), ',') as numbers`;
    return integersOf(row!.numbers);
  }
}
