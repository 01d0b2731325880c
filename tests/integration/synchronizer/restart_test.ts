/**
 * Syncs that PostgreSQL leaves in the middle, and comes back to.
 *
 * @module
 */
import assert from "node:assert/strict";
import { insertEvents } from "../../../src/archive/events.ts";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../../src/core/database/connect.ts";
import { migrate } from "../../../src/core/database/migrate.ts";
import { createLogger } from "../../../src/core/log/logger.ts";
import { encodeEvents } from "../../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import type { TestArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import type { StopMode } from "../../support/postgres_cluster.ts";
import {
  type PrivatePostgres,
  privatePostgres,
} from "../../support/private_postgres.ts";
import { assertTruthful, syncOnce } from "../../support/sync.ts";
import { testRelay } from "../../support/test_relay.ts";
import type { RelayScript } from "../../support/test_relay_script.ts";

const factory = eventFactory("restart");
const FIRST = 1_700_000_000;
const EVENTS: readonly NostrEvent[] = Array.from(
  { length: 1_500 },
  (_, i) => factory.sign({ createdAt: FIRST + i * 10, author: i % 5 }),
);

/** Batches as small as may be, so that there is much to lose. */
const CONFIG = { batchSize: 100, requests: { limit: 100 } };

/** When PostgreSQL goes: before so many events are stored, and how. */
type Moment = readonly [stored: number, mode: StopMode];

const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;

/** Five moments anywhere in the sync, by the seed. */
const ANYWHERE: readonly Moment[] = [7, 11, 13, 17, 19].map((prime, i) => [
  (seed % (prime * 1_009)) % 1_400,
  i % 2 === 0 ? "immediate" : "fast",
]);

const SCRIPTS: Readonly<Record<string, RelayScript>> = {
  paging: { events: EVENTS, maxLimit: 100 },
  "NIP-77": { events: EVENTS, maxLimit: 100, negentropy: {} },
};

for (const [name, script] of Object.entries(SCRIPTS)) {
  Deno.test(`a sync by ${name} is complete although PostgreSQL restarts under way (seed ${seed})`, async () => {
    await using server = await durableServer();
    await using archive = await archiveOn(server);
    // So that sightings are stored without a download, too.
    await insertEvents(
      archive.database,
      encodeEvents(EVENTS.filter((_, i) => i % 3 === 0)),
    );
    await using relay = await testRelay(script);
    const moments = [
      ...[[0, "fast"], [400, "immediate"], [1_000, "fast"]] as const,
      ...ANYWHERE,
    ].toSorted(([a], [b]) => a - b);
    const count = moments.length;
    let restarts = 0;
    let isOver = false;
    let underWay = 0;
    let restarting = Promise.resolve();
    const result = await syncOnce({
      archive,
      relay: relay.relay,
      config: CONFIG,
      onProgress: ({ stored, known }) => {
        while (stored + known >= (moments[0]?.[0] ?? Infinity)) {
          const [, mode] = moments.shift()!;
          restarts += 1;
          restarting = restarting.then(async () => {
            underWay += isOver ? 0 : 1;
            await server.restart(mode);
          });
        }
      },
    });
    isOver = true;
    await restarting;
    assert.equal(restarts, count);
    assert.ok(underWay >= 3, `${underWay} of ${count} under way`);
    assert.deepEqual(result.failure, null);
    assert.equal(result.complete, true);
    const truth = { relay: relay.relay, events: EVENTS };
    assert.equal(await assertTruthful(archive, truth), EVENTS.length);
    assert.equal(await archive.count("event"), EVENTS.length);
  });
}

Deno.test("a sync outlives an outage of some seconds, which is said once when it begins and once when it is over", async () => {
  await using server = await durableServer();
  const log: Record<string, unknown>[] = [];
  await using archive = await archiveOn(server, log);
  await using relay = await testRelay(SCRIPTS["paging"]);
  let outage: Promise<void> | undefined;
  let seconds = 0;
  const result = await syncOnce({
    archive,
    relay: relay.relay,
    config: CONFIG,
    onProgress: ({ stored }) => {
      if (stored < 500 || outage !== undefined) return;
      outage = server.restart("immediate", async () => {
        const startedAt = performance.now();
        // Each takes a moment: longer than a few quick tries would last.
        for (let asked = 0; asked < 12; asked++) {
          assert.equal((await archive.database.health()).ok, false);
        }
        seconds = (performance.now() - startedAt) / 1_000;
      });
    },
  });
  await outage;
  assert.ok(seconds > 4, `away for ${seconds} s`);
  assert.equal(result.complete, true);
  const truth = { relay: relay.relay, events: EVENTS };
  assert.equal(await assertTruthful(archive, truth), EVENTS.length);
  assert.deepEqual(log.map(({ level, message }) => [level, message]), [
    ["warn", "database lost, work waits for it"],
    ["info", "database is back"],
  ]);
  assert.ok(Number(log[1]?.["seconds"]) > 4);
});

/** One whose commits survive when it is stopped at once. */
function durableServer(): Promise<PrivatePostgres> {
  return privatePostgres({ settings: "synchronous_commit = on" });
}

async function archiveOn(
  { url, sql }: PrivatePostgres,
  lines: Record<string, unknown>[] = [],
): Promise<TestArchive> {
  const log = createLogger({
    ...{ level: "info", format: "json", time: "iso", service: "test" } as const,
    sink: {
      write: (line) => void lines.push(JSON.parse(line)),
      [Symbol.dispose]: () => {},
    },
  });
  const config = brotrConfig.parse({ database: { url } });
  const { signal } = new AbortController();
  const database = await connectDatabase(config, { log, signal });
  await migrate(database, { edition: "full" });
  return {
    database,
    sql,
    url,
    async count(from) {
      const [row] = await sql.unsafe(`select count(*)::int as n from ${from}`);
      return Number(row?.["n"]);
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
