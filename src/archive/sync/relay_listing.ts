/**
 * The list that a relay is known to have, for NIP-77: its sightings, straight from their pages, with the few exceptions.
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

/** The list of a relay, as far as a filter shows it. */
export interface Listing {
  readonly relayId: number;
  readonly filterHash: string;
}

/** A place in the order of keys. */
export interface Place {
  readonly createdAt: number;
  /** 64 hex digits. */
  readonly id: string;
}

export interface VectorQuery extends Listing {
  /** Without `since`, `until` and `limit`. */
  readonly filter: Filter;
  readonly window: Window;
  /** Only what comes before it; null for no bound. */
  readonly before: Place | null;
  /** Sightings looked at, at most. */
  readonly limit: number;
  /** Events found withheld before it (Unix seconds) are left out, and so come up again. */
  readonly withheldSince: number;
}

/** A chunk of a list. */
export interface Vector {
  /** Ascending. */
  readonly keys: EventKeys;
  /** There may be more before it; null when there is not. */
  readonly next: Place | null;
}

/**
 * A chunk of what a relay is known to list, the newest first: chunk by chunk, it is the vector of NIP-77. Null when the
 * archive cannot tell what the filter selects: tags in a `lite` archive, ids, a search.
 */
export function relayVector(
  db: Executor,
  { relayId, filterHash, filter, window, before, ...rest }: VectorQuery,
): Promise<Vector | null> {
  const { ids, search, since: _since, until: _until, ...selection } = filter;
  if (ids !== undefined || search !== undefined) return Promise.resolve(null);
  const { createdAt, id } = before ?? LAST;
  return onConnection(db, async (sql) => {
    const [row] = await sql<VectorRow[]>`
      select vector, next_created_at, next_id
      from event_relay_vector(${relayId}::int, ${filterHash}::text,
        ${storableJson(selection)}::text::jsonb, ${window.since}::int8,
        ${window.until}::int8, ${createdAt}::int8, decode(${id}, 'hex'),
        ${rest.limit}::int, ${rest.withheldSince}::int8)`;
    const { vector, next_created_at: at, next_id } = row!;
    if (vector === null) return null;
    const next = next_id === null
      ? null
      : { createdAt: Number(at), id: next_id };
    return { keys: unpackKeys(Uint8Array.fromBase64(vector)), next };
  }, { kind: "batch" });
}

interface VectorRow {
  readonly vector: string | null;
  /** postgres.js gives int8 as text. */
  readonly next_created_at: string | null;
  readonly next_id: string | null;
}

/**
 * When the events that a relay lists were created, as far as they are archived; `NaN` for the others, in the order of
 * the ids (32 bytes each). Events recorded as gone count as not archived.
 */
export function findListed(
  db: Executor,
  { relayId, filterHash }: Listing,
  ids: Uint8Array,
): Promise<Float64Array> {
  if (ids.length === 0) return Promise.resolve(new Float64Array());
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ times: string }[]>`
      select event_relay_find(${relayId}::int, ${filterHash}::text,
        ${`\\x${ids.toHex()}`}::text::bytea) as times`;
    const times = row!.times.split(",");
    return Float64Array.from(times, (time) => time === "" ? NaN : Number(time));
  }, { kind: "batch" });
}

/**
 * Records events that a relay lists and gives to nobody, or gave once and lists no more. The seconds of the withheld ones
 * become gaps, in at most 200 ranges a filter: nothing covers them until the relay gives the events, or lists them no more.
 */
export function recordListing(
  db: Executor,
  { relayId, filterHash }: Listing,
  { state, keys }: {
    readonly state: "withheld" | "gone";
    readonly keys: EventKeys;
  },
): Promise<void> {
  if (keys.createdAt.length === 0) return Promise.resolve();
  return onConnection(db, async (sql) => {
    await sql`select relay_listing_note(${relayId}::int, ${filterHash}::text,
      ${state}::text, ${`{${keys.createdAt.join()}}`}::text::int8[],
      ${`\\x${keys.ids.toHex()}`}::text::bytea)`;
  }, { kind: "batch" });
}

/** An event that a relay lists and gives to nobody. */
export interface WithheldEvent {
  readonly eventId: string;
  /** The second that the relay lists it under. */
  readonly createdAt: number;
  /** The filter of the list it was found in; null when nothing else is known of that. */
  readonly filter: Filter | null;
  /** Unix seconds: when it was last asked for. */
  readonly notedAt: number;
}

/** The events that the relay of a URL withholds, newest first; of each filter 100,000 are known at most. */
export function withheldEvents(
  db: Executor,
  url: string,
): Promise<WithheldEvent[]> {
  return onConnection(db, async (sql) => {
    const rows = await sql<WithheldRow[]>`
      select filter, created_at, event_id, noted_at
      from relay_listing_get(${url}::text)`;
    return rows.map((row) => ({
      eventId: row.event_id,
      createdAt: Number(row.created_at),
      filter: row.filter,
      notedAt: Number(row.noted_at),
    }));
  }, { kind: "batch" });
}

/** postgres.js gives int8 as text. */
interface WithheldRow {
  readonly filter: Filter | null;
  readonly created_at: string;
  readonly event_id: string;
  readonly noted_at: string;
}

/** After every key there can be. */
const LAST = { createdAt: Number.MAX_SAFE_INTEGER, id: "ff".repeat(33) };

const KEY_BYTES = 8 + 32;

/** Packed keys, 8 bytes of `created_at` and 32 of id each. */
function unpackKeys(packed: Uint8Array): EventKeys {
  const size = packed.length / KEY_BYTES;
  const view = new DataView(packed.buffer, packed.byteOffset);
  const ids = new Uint8Array(32 * size);
  const createdAt = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const at = i * KEY_BYTES;
    createdAt[i] = Number(view.getBigInt64(at));
    ids.set(packed.subarray(at + 8, at + KEY_BYTES), 32 * i);
  }
  return { ids, createdAt };
}
