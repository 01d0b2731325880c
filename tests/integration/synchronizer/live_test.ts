import assert from "node:assert/strict";
import { relayProofs } from "../../../src/core/database/sync_coverage.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import { type Filter, filterHash } from "../../../src/models/filter.ts";
import type { Window } from "../../../src/models/window.ts";
import { synchronizer } from "../../../src/services/synchronizer/mod.ts";
import {
  type RunningService,
  startService,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { assertTruthful, idOf } from "../../support/sync.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";
import { until } from "../../support/until.ts";

const factory = eventFactory("live");
const STORED = Array.from({ length: 50 }, () => factory.sign());

Deno.test("what a live relay gets is archived within seconds, and the upper edge of coverage moves with it", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: STORED });
  await idOf(archive, relay.relay);
  await using service = start(archive);
  await live(service, 1);
  const one = eventOfNow();
  relay.add([one]);
  const addedAt = performance.now();
  await archived(archive, [one]);
  const seconds = (performance.now() - addedAt) / 1_000;
  assert.ok(seconds < 15, `archived after ${seconds} s`);

  const late = factory.sign({ createdAt: STORED[0]!.created_at - 1_000 });
  relay.add([late]);
  await archived(archive, [late]);
  const edge = await liveEdge(archive, relay);
  const another = eventOfNow();
  relay.add([another]);
  await until(
    "the edge has moved beyond the event",
    async () => await liveEdge(archive, relay) > another.created_at,
  );
  assert.ok(await liveEdge(archive, relay) > edge);
  const events = [...STORED, one, late, another];
  assert.equal(await truth(archive, relay, events), events.length);
  await until("both are counted", async () => await came(service) === 3);
  await service.stop();
  assert.equal(await relay.open, 0);
  assert.equal(await archive.count("relay_lease where claimed_until > 0"), 0);
  assert.equal(await ends(service, "stopped"), 1);
});

/** A service that claims as often as it can. */
function start(
  archive: TestArchive,
  { live, ...config }: Readonly<Record<string, unknown>> = {},
): RunningService {
  return startService(synchronizer, archive.database, {
    config: {
      allowPrivate: true,
      workers: 1,
      intervalSeconds: 1,
      live: {
        ...{ claimEverySeconds: 1, settlingSeconds: 1 },
        ...(typeof live === "object" ? live : {}),
      },
      ...config,
    },
  });
}

function live(service: RunningService, relays: number): Promise<void> {
  const series = { network: "clearnet" };
  return until(
    `${relays} relays are live`,
    async () =>
      await service.metric("sync_live_connections", series) === relays,
  );
}

function came(service: RunningService): Promise<number> {
  const series = { network: "clearnet", result: "stored" };
  return service.metric("sync_live_events_total", series);
}

function ends(service: RunningService, reason: string): Promise<number> {
  const series = { network: "clearnet", reason };
  return service.metric("sync_live_ends_total", series);
}

function eventOfNow(draft: { readonly kind?: number } = {}): NostrEvent {
  return factory.sign({ ...draft, createdAt: unixNow() });
}

function unixNow(): number {
  return Math.floor(Date.now() / 1_000);
}

async function archived(
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

/** What the open subscription has proven. */
async function liveProofs(
  archive: TestArchive,
  { relay }: TestRelay,
  filter: Filter = {},
): Promise<Window[]> {
  const relayId = await idOf(archive, relay);
  const hash = filterHash(filter);
  const proofs = await relayProofs(archive.database, relayId, hash);
  return proofs.filter(({ method }) => method === "live");
}

async function liveEdge(
  archive: TestArchive,
  relay: TestRelay,
  filter: Filter = {},
): Promise<number> {
  return (await liveProofs(archive, relay, filter)).at(-1)?.until ?? 0;
}

function truth(
  archive: TestArchive,
  { relay }: TestRelay,
  events: readonly NostrEvent[],
): Promise<number> {
  return assertTruthful(archive, { relay, events });
}
