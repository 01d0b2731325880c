/**
 * Syncing one relay in a test, on real workers and a real archive, and holding the result against the truth.
 *
 * @module
 */
import assert from "node:assert/strict";
import { insertRelays, relayIds } from "../../src/archive/relays.ts";
import { relayCoverage, relayGaps } from "./archive_reads.ts";
import { silentLogger } from "./silent_logger.ts";
import type { NostrEvent } from "../../src/models/event.ts";
import {
  type Filter,
  filterHash,
  matchesFilter,
} from "../../src/models/filter.ts";
import type { RelayUrl } from "../../src/models/relay_url.ts";
import {
  type SynchronizerConfig,
  synchronizerConfig,
} from "../../src/services/synchronizer/config/config.ts";
import { openPool, syncDeps } from "../../src/services/synchronizer/wiring.ts";
import {
  type LiveOffer,
  type RelaySync,
  syncRelay,
} from "../../src/services/synchronizer/sync_relay.ts";
import type { SyncCounts } from "../../src/services/synchronizer/sync_store.ts";
import type { SyncPool } from "../../src/workers/host/worker_pool.ts";
import type { TestArchive } from "./archive.ts";

export interface SyncRequest {
  readonly archive: TestArchive;
  readonly relay: RelayUrl;
  /** What the service's file would say. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (counts: SyncCounts) => void;
  readonly live?: LiveOffer;
  /** Hears how many seconds of the future were claimed. */
  readonly onFutureRetracted?: (seconds: number) => void;
  /** Hears that the server may lack commits. */
  readonly onCommitLoss?: (detail: string) => void;
}

/** Syncs the relay once, on a pool of its own. */
export async function syncOnce(request: SyncRequest): Promise<RelaySync> {
  await using pool = await openPool(configOf(request), silentLogger());
  return await syncWith(pool, request);
}

/** A pool for syncs with whatever settings of relays and requests. The caller disposes it. */
export function openTestPool(): Promise<SyncPool> {
  const config = synchronizerConfig.parse({ allowPrivate: true, workers: 1 });
  return openPool(config, silentLogger());
}

/** Syncs the relay once on this pool. */
export async function syncWith(
  pool: SyncPool,
  request: SyncRequest,
): Promise<RelaySync> {
  const { archive: { database }, relay } = request;
  const relayId = await idOf(request.archive, relay);
  const deps = syncDeps(configOf(request), { database, pool });
  return await syncRelay(deps, { relayId, relay }, {
    signal: request.signal ?? new AbortController().signal,
    onProgress: request.onProgress ?? (() => {}),
    live: request.live ?? null,
    onFutureRetracted: request.onFutureRetracted ?? (() => {}),
    onCommitLoss: request.onCommitLoss ?? (() => {}),
  });
}

function configOf({ config }: SyncRequest): SynchronizerConfig {
  return synchronizerConfig.parse({
    allowPrivate: true,
    workers: 1,
    ...config,
  });
}

/** The relay's id in the archive, to which it is added if it is new. */
export async function idOf(
  { database }: TestArchive,
  relay: RelayUrl,
): Promise<number> {
  await insertRelays(database, [relay]);
  const ids = await relayIds(database, [relay.url]);
  return ids.get(relay.url)!;
}

export interface Truth {
  readonly relay: RelayUrl;
  /** Everything valid that the relay holds and would give. */
  readonly events: readonly NostrEvent[];
  readonly filter?: Filter;
}

/** Whatever is claimed is stored, once, and no gap is covered. Returns how many of the events are sighted. */
export async function assertTruthful(
  archive: TestArchive,
  { relay, events, filter = {} }: Truth,
): Promise<number> {
  const { database, sql } = archive;
  const relayId = await idOf(archive, relay);
  const rows = await sql<{ id: string; events: number }[]>`
    select encode(s.event_id, 'hex') as id, count(e.id)::int as events
    from event_relay s left join event e
      on e.id = s.event_id and e.created_at = s.created_at
    where s.relay_id = ${relayId} group by 1`;
  const sighted = new Map(rows.map((row) => [row.id, row.events]));
  for (const [id, count] of sighted) {
    assert.equal(count, 1, `event ${id} is stored ${count} times`);
  }
  const hash = filterHash(filter);
  const covered = await relayCoverage(database, relayId, hash);
  for (const event of events) {
    const { id, created_at: at } = event;
    const isClaimed = matchesFilter(filter, event) &&
      covered.some(({ since, until }) => at >= since && at <= until);
    if (isClaimed) assert.ok(sighted.has(id), `${at} is claimed, not stored`);
  }
  for (const gap of await relayGaps(database, relayId, hash)) {
    const isCovered = covered.some(({ since, until }) =>
      gap.since <= until && gap.until >= since
    );
    assert.ok(!isCovered, `the gap ${gap.since}–${gap.until} is covered, too`);
  }
  return events.filter(({ id }) => sighted.has(id)).length;
}
