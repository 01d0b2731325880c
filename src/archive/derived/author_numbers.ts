/**
 * Authors by number, as derived facts refer to them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Sql } from "../../core/database/connection/database.ts";
import { integersOf } from "../sql_array.ts";

/** `author.id` of public keys in hex; who is new gets one. */
export async function authorNumbers(
  sql: Sql,
  pubkeys: readonly string[],
): Promise<readonly number[]> {
  if (pubkeys.length === 0) return [];
  const packed = Buffer.from(pubkeys.join(""), "hex");
  const [row] = await sql<{ numbers: string }[]>`
    select array_to_string(author_numbers(${packed}::bytea), ',') as numbers`;
  return integersOf(row!.numbers);
}
