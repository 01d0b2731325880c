/**
 * A synchronizer whose relays go live, and what is to be seen of them.
 *
 * @module
 */
import { relayProofs } from "../../src/archive/sync/sync_coverage.ts";
import { type Filter, filterHash } from "../../src/models/filter.ts";
import type { RelayUrl } from "../../src/models/relay_url.ts";
import type { Window } from "../../src/models/window.ts";
import type { NostrEvent } from "../../src/models/event.ts";
import { synchronizer } from "../../src/services/synchronizer/mod.ts";
import { relayCoverage } from "./archive_reads.ts";
import {
  type RunningService,
  startService,
  type TestArchive,
} from "./archive.ts";
import { idOf } from "./sync.ts";
import type { TestReq } from "./test_relay_script.ts";
import { until } from "./until.ts";

/** A service that claims as often as it can, and looks at each relay all the time. `live` is what its section says. */
export function startLive(
  { database }: TestArchive,
  live: Readonly<Record<string, unknown>> = {},
  config: Readonly<Record<string, unknown>> = {},
): RunningService {
  return startService(synchronizer, database, {
    config: {
      ...liveConfig(live),
      ...config,
    },
  });
}

/** What its file says. */
export function liveConfig(live: Readonly<Record<string, unknown>> = {}) {
  return {
    allowPrivate: true,
    workers: 1,
    intervalSeconds: 1,
    relayIntervalSeconds: 1,
    minRelayIntervalSeconds: 1,
    maxRelayIntervalSeconds: 1,
    leaseSeconds: 3,
    retry: { initialSeconds: 1 },
    live: { proveEverySeconds: 1, settlingSeconds: 1, ...live },
  };
}

/** The tail asks for one stored event and does not say until when. */
export function isLive({ filters: [filter] }: Pick<TestReq, "filters">) {
  return filter?.limit === 1 && filter.until === undefined &&
    filter.since === undefined;
}

/** Waits until so many relays are live. */
export function liveRelays(
  service: RunningService,
  relays: number,
): Promise<void> {
  const series = { network: "clearnet" };
  return until(
    `${relays} relays are live`,
    async () =>
      await service.metric("sync_live_connections", series) === relays,
  );
}

/** Events that came live and were new. */
export function cameLive(service: RunningService): Promise<number> {
  const series = { network: "clearnet", result: "stored" };
  return service.metric("sync_live_events_total", series);
}

/** How often a relay was live no more, for this reason. */
export function endsOf(
  service: RunningService,
  reason: string,
): Promise<number> {
  const series = { network: "clearnet", reason };
  return service.metric("sync_live_ends_total", series);
}

/** Waits until these are in the archive. */
export async function archived(
  { sql }: TestArchive,
  events: readonly NostrEvent[],
): Promise<void> {
  const ids = events.map(({ id }) => id);
  await until(`${ids.length} events are archived`, async () => {
    const rows = await sql`
      select from event where encode(id, 'hex') = any (${ids})`;
    return rows.length === ids.length;
  });
}

/** What open subscriptions have proven. */
export async function liveProofs(
  archive: TestArchive,
  relay: RelayUrl,
  filter: Filter = {},
): Promise<Window[]> {
  const relayId = await idOf(archive, relay);
  const hash = filterHash(filter);
  const proofs = await relayProofs(archive.database, relayId, hash);
  return proofs.filter(({ method }) => method === "live");
}

/** The last second they have proven; 0 for none. */
export async function liveEdge(
  archive: TestArchive,
  relay: RelayUrl,
  filter: Filter = {},
): Promise<number> {
  return (await liveProofs(archive, relay, filter)).at(-1)?.until ?? 0;
}

/** Whether this second is proven complete, by whatever. */
export async function isCovered(
  archive: TestArchive,
  relay: RelayUrl,
  second: number,
): Promise<boolean> {
  const relayId = await idOf(archive, relay);
  const covered = await relayCoverage(
    archive.database,
    relayId,
    filterHash({}),
  );
  return covered.some(({ since, until }) => since <= second && second <= until);
}

export function unixNow(): number {
  return Math.floor(Date.now() / 1_000);
}
