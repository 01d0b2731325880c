/**
 * Witnesses: events that a relay was seen to hold, and so has to show again; an answer without them proves nothing.
 *
 * @module
 */
import type { EventKeys } from "../../models/encoded_events.ts";
import type { Filter } from "../../models/filter.ts";
import { storableJson } from "../../models/storable_text.ts";
import type { Window } from "../../models/window.ts";
import {
  type Executor,
  onConnection,
} from "../../core/database/connection/executor.ts";
import type { Listing } from "./relay_listing.ts";

/** Keys of sightings, ascending: all there are between the first and the last. */
export interface NearSightings extends EventKeys {
  /** A byte for each key: 1 for events that an honest relay still has. */
  readonly stable: Uint8Array;
}

export interface WitnessQuery extends Listing {
  /** Without `since`, `until` and `limit`. */
  readonly filter: Filter;
  /** Unix seconds. */
  readonly at: number;
  /** As many as these of the newest at `at` or before it, and of the oldest after it. */
  readonly below: number;
  readonly above: number;
}

/**
 * Events next to a moment that the relay gave, ascending and without a hole between them, less those recorded as gone; and
 * which of them an honest relay still has: none that are replaceable, ephemeral, expiring or deleted by their author.
 * 5,000 sightings each way are looked at, so of a rare kind or author there may be fewer than the archive knows. Null
 * when the archive cannot tell what the filter selects: ids, a search, tags in a `lite` archive.
 */
export function sightingsNear(
  db: Executor,
  { relayId, filterHash, filter, at, below, above }: WitnessQuery,
): Promise<NearSightings | null> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ near: string | null }[]>`
      select event_relay_near(${relayId}::int, ${filterHash}::text,
        ${storableJson(filter)}::text::jsonb, ${at}::int8, ${below}::int,
        ${above}::int) as near`;
    const { near } = row!;
    return near === null ? null : unpack(Uint8Array.fromBase64(near));
  }, { kind: "batch" });
}

const ROW_BYTES = 8 + 32 + 1;

function unpack(rows: Uint8Array): NearSightings {
  const size = rows.length / ROW_BYTES;
  const view = new DataView(rows.buffer, rows.byteOffset);
  const ids = new Uint8Array(32 * size);
  const createdAt = new Float64Array(size);
  const stable = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    const at = i * ROW_BYTES;
    createdAt[i] = Number(view.getBigInt64(at));
    ids.set(rows.subarray(at + 8, at + 40), 32 * i);
    stable[i] = rows[at + 40]!;
  }
  return { ids, createdAt, stable };
}

export interface SightingsQuery extends Listing {
  /** Without `since`, `until` and `limit`. */
  readonly filter: Filter;
  readonly window: Window;
}

/**
 * How many events of a window the relay was seen to hold, less those recorded as gone. Null when the archive cannot tell:
 * as for witnesses, and where a filter would have it look at more than 100,000 sightings.
 */
export function relaySightings(
  db: Executor,
  { relayId, filterHash, filter, window }: SightingsQuery,
): Promise<number | null> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ sighted: string | null }[]>`
      select event_relay_sighted(${relayId}::int, ${filterHash}::text,
        ${storableJson(filter)}::text::jsonb, ${window.since}::int8,
        ${window.until}::int8) as sighted`;
    const { sighted } = row!;
    return sighted === null ? null : Number(sighted);
  }, { kind: "batch" });
}

/**
 * Public keys of the authors of what the relay was seen to hold in a window, the most frequent first: by them a saturated
 * second is split. The newest 20,000 sightings of the window are looked at.
 */
export function relayAuthors(
  db: Executor,
  { relayId, window, kind, limit }: {
    readonly relayId: number;
    readonly window: Window;
    /** Null for all kinds. */
    readonly kind: number | null;
    readonly limit: number;
  },
): Promise<string[]> {
  return onConnection(db, async (sql) => {
    const rows = await sql<{ pubkey: string }[]>`
      select pubkey from event_relay_authors(${relayId}::int,
        ${window.since}::int8, ${window.until}::int8, ${kind}::int,
        ${limit}::int)`;
    return rows.map(({ pubkey }) => pubkey);
  }, { kind: "batch" });
}
