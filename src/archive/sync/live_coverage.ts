/**
 * Windows that only an open subscription has proven, and what of their time a relay was seen to hold.
 *
 * @module
 */
import { storableJson } from "../../models/storable_text.ts";
import type { Window } from "../../models/window.ts";
import {
  type Executor,
  onConnection,
} from "../../core/database/connection/executor.ts";

/** By filter hash, ascending; what a sync has walked since is not among them, and hashes without any are missing. */
export function liveWindows(
  db: Executor,
  relayId: number,
  filterHashes: readonly string[],
): Promise<Map<string, Window[]>> {
  return onConnection(db, async (sql) => {
    const rows = await sql<
      { filter_hash: string; since: string; until: string }[]
    >`select filter_hash, since, until from sync_live_get(${relayId}::int,
        ${storableJson(filterHashes)}::text::jsonb)`;
    const windows = Map.groupBy(rows, ({ filter_hash }) => filter_hash);
    return new Map(
      [...windows].map(([hash, rows]) => [
        hash,
        rows.map(({ since, until }) => ({
          since: Number(since),
          until: Number(until),
        })),
      ]),
    );
  });
}

/** Events created in these windows, of which none overlap, that the relay was seen to hold. */
export function countSightings(
  db: Executor,
  relayId: number,
  windows: readonly Window[],
): Promise<number> {
  if (windows.length === 0) return Promise.resolve(0);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ sightings: string }[]>`
      select event_relay_count(${relayId}::int,
        ${storableJson(windows)}::text::jsonb) as sightings`;
    return Number(row!.sightings);
  });
}
