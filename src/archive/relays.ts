/**
 * Relays: validated peers. Every other table refers to their 4-byte id, never to the URL.
 *
 * @module
 */
import type { Network } from "../models/network.ts";
import { storableJson } from "../models/storable_text.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";

export interface NewRelay {
  /** Normalised, as `parseRelayUrl` gives it. */
  readonly url: string;
  readonly network: Network;
  /** Registrable domain, counted against the budget of its candidates; default: the host. */
  readonly domain?: string | undefined;
}

export interface StoredRelay {
  readonly id: number;
  readonly url: string;
  readonly network: Network;
  /** Unix seconds. */
  readonly discoveredAt: number;
}

/** Stores relays that are not there yet; gives the number of new ones. */
export function insertRelays(
  db: Executor,
  relays: readonly NewRelay[],
): Promise<number> {
  if (relays.length === 0) return Promise.resolve(0);
  const rows = storableJson(
    relays.map(({ url, network, domain }) => ({ url, network, domain })),
  );
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ inserted: number }[]>`
      select relay_insert(${rows}::text::jsonb) as inserted`;
    return row!.inserted;
  }, { kind: "batch" });
}

/** The relays of these networks and URLs (either left out: all), by id. */
export function findRelays(
  db: Executor,
  wanted: {
    readonly networks?: readonly Network[];
    readonly urls?: readonly string[];
  },
): Promise<StoredRelay[]> {
  const networks = wanted.networks ? storableJson(wanted.networks) : null;
  const urls = wanted.urls ? storableJson(wanted.urls) : null;
  return onConnection(db, async (sql) => {
    const rows = await sql<(Omit<StoredRelay, "discoveredAt"> & Dated)[]>`
      select id, url, network, discovered_at
      from relay_find(${networks}::text::jsonb, ${urls}::text::jsonb)`;
    return rows.map(({ id, url, network, discovered_at }) => ({
      id,
      url,
      network,
      discoveredAt: Number(discovered_at),
    }));
  });
}

/** The id of each URL that is a relay; URLs that are none are missing. */
export async function relayIds(
  db: Executor,
  urls: readonly string[],
): Promise<Map<string, number>> {
  const relays = await findRelays(db, { urls });
  return new Map(relays.map(({ url, id }) => [url, id]));
}

/** postgres.js gives int8 as text. */
interface Dated {
  readonly discovered_at: string;
}
