/**
 * Sums of the list that a relay is known to have, part by part of time: what NIP-77 makes fingerprints of, without reading
 * the list.
 *
 * @module
 */
import type { Window } from "../../models/window.ts";
import {
  type Executor,
  onConnection,
} from "../../core/database/connection/executor.ts";
import type { Listing } from "./relay_listing.ts";

export interface SumsQuery extends Listing {
  readonly window: Window;
  /** Length of a part: a day, as a rule. */
  readonly seconds: number;
  /** As in a `VectorQuery`. */
  readonly withheldSince: number;
}

/** A part of the time of a window. */
export interface ListingSum {
  /** Its first second. */
  readonly since: number;
  /** How many events of it are listed: 1 or more. */
  readonly events: number;
  /** The sum of their ids modulo 2^256, in words of 32 bits, the lowest first: in the form of an id, little endian. */
  readonly sum: Uint32Array;
}

const WORD_BITS = 32n;
const WORD = (1n << WORD_BITS) - 1n;

/**
 * The sums of all parts that have events, ascending, of what `relayVector` gives for the filter `{}`. It costs a row for 96
 * events.
 */
export function listingSums(
  db: Executor,
  { relayId, filterHash, window, seconds, withheldSince }: SumsQuery,
): Promise<ListingSum[]> {
  return onConnection(db, async (sql) => {
    const rows = await sql<
      { since: string; events: string; sums: string }[]
    >`select since, events, sums from event_relay_sums(${relayId}::int,
        ${filterHash}::text, ${window.since}::int8, ${window.until}::int8,
        ${seconds}::int8, ${withheldSince}::int8)`;
    return rows.map(({ since, events, sums }) => ({
      since: Number(since),
      events: Number(events),
      sum: carried(sums.split(",")),
    }));
  }, { kind: "batch" });
}

/** Words that are sums, each of more than 32 bits, as one number. */
function carried(sums: readonly string[]): Uint32Array {
  let carry = 0n;
  return Uint32Array.from(sums, (sum) => {
    const word = BigInt(sum) + carry;
    carry = word >> WORD_BITS;
    return Number(word & WORD);
  });
}
