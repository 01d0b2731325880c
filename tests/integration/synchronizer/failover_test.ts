/**
 * A standby takes over that lacks the last commits: who rests on them notices, and begins again from what there is.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../../src/core/database/connect.ts";
import { migrate } from "../../../src/core/database/migrate.ts";
import { loadVerifier } from "../../../src/nips/verify/verifier.ts";
import { importSource, MAX_LINE_BYTES } from "../../../src/transfer/import.ts";
import { findSource, type Source } from "../../../src/transfer/source.ts";
import type { TestArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { unless } from "../../support/installed.ts";
import { debianBinaries } from "../../support/postgres_cluster.ts";
import { privatePostgres } from "../../support/private_postgres.ts";
import { silentLogger } from "../../support/silent_logger.ts";
import { REPLICATED, type Standby, standbyOf } from "../../support/standby.ts";
import { assertTruthful, syncOnce } from "../../support/sync.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { testRelay } from "../../support/test_relay.ts";

/** The embedded PostgreSQL has no receiver of the log. */
const REASON = await debianBinaries() === null
  ? "no /usr/lib/postgresql/*/bin"
  : null;

const factory = eventFactory("failover");
const FIRST = 1_700_000_000;
const EVENTS = Array.from(
  { length: 1_000 },
  (_, i) => factory.sign({ createdAt: FIRST + i * 10, author: i % 5 }),
);

Deno.test({
  ...unless(
    REASON,
    "a sync whose server is replaced by a standby that lags begins again from coverage, and misses nothing",
  ),
  async fn() {
    await using replicated = await replicatedArchive();
    const { archive, standby } = replicated;
    let requests = 0;
    let failover = Promise.resolve();
    await using relay = await testRelay({
      events: EVENTS,
      maxLimit: 50,
      onReq: async (req) => {
        requests += 1;
        if (requests === 6) failover = standby.detach();
        if (requests === 13) failover = standby.takeOver();
        await failover;
        await req.serve();
      },
    });
    const losses: string[] = [];
    const { complete, failure } = await syncOnce({
      archive,
      relay: relay.relay,
      config: { batchSize: 100, requests: { limit: 50 } },
      onCommitLoss: (detail) => losses.push(detail),
    });
    assert.deepEqual([complete, failure], [true, null]);
    const truth = { relay: relay.relay, events: EVENTS };
    assert.equal(await assertTruthful(archive, truth), EVENTS.length);
    assert.equal(losses.length, 1);
    assert.match(
      losses[0]!,
      /its log is at \d+ 00000002 .* was at \d+ 00000001 /,
    );
  },
});

Deno.test({
  ...unless(
    REASON,
    "an import whose server is replaced by a standby that lags says so, and goes on from what there is",
  ),
  async fn() {
    await using replicated = await replicatedArchive();
    const { archive, standby } = replicated;
    await using folder = await temporaryDirectory();
    const path = join(folder.path, "events.jsonl");
    // Of three blocks.
    const events = Array.from(
      { length: 3_000 },
      (_, i) =>
        factory.sign({ createdAt: FIRST + i, content: "x".repeat(700) }),
    );
    const lines = events.map((event) => `${JSON.stringify(event)}\n`);
    await Deno.writeTextFile(path, lines.join(""));
    using verifier = await loadVerifier();
    const context = {
      database: archive.database,
      verifier,
      restart: false,
      maxLineBytes: MAX_LINE_BYTES,
      onProgress: () => {},
      signal: new AbortController().signal,
    };
    const source = await findSource(path);
    let bytes = 0;
    const slow: Source = {
      name: source.name,
      path: source.path,
      sizeBytes: source.sizeBytes,
      takenBytes: () => source.takenBytes(),
      async *open(offset) {
        for await (const chunk of source.open(offset)) {
          if (bytes === 0) await standby.detach();
          if (bytes < 2.5 * MiB && bytes + chunk.length >= 2.5 * MiB) {
            await standby.takeOver();
          }
          bytes += chunk.length;
          yield chunk;
        }
      },
    };
    const first = await importSource(slow, context);
    assert.match(first.unreadable ?? "", /may have lost events of .*import it/);
    assert.equal(first.complete, false);
    const rest = await importSource(await findSource(path), context);
    assert.deepEqual([rest.complete, rest.unreadable], [true, null]);
    assert.equal(await archive.count("event"), events.length);
  },
});

const MiB = 1_024 * 1_024;

interface ReplicatedArchive extends AsyncDisposable {
  /** At the address of the primary; seen behind the scenes, the standby. */
  readonly archive: TestArchive;
  readonly standby: Standby;
}

/** An archive with a standby; the connection waits for whoever takes over as a service would. */
async function replicatedArchive(): Promise<ReplicatedArchive> {
  await using stack = new AsyncDisposableStack();
  const primary = stack.use(
    await privatePostgres({ version: "debian", settings: REPLICATED }),
  );
  const url = `postgresql://bigbrotr@127.0.0.1:${primary.port}/postgres`;
  const database = stack.use(
    await connectDatabase(
      brotrConfig.parse({
        database: { url },
        pool: { maxConnections: 6 },
        retry: { initialDelayMs: 10, maxDelayMs: 50 },
        breaker: { failureThreshold: 1_000, resetMs: 100 },
      }),
      {
        log: silentLogger(),
        signal: new AbortController().signal,
        mustWrite: true,
        isPatient: true,
      },
    ),
  );
  await migrate(database, { edition: "full" });
  const standby = stack.use(await standbyOf(primary));
  const owned = stack.move();
  return {
    archive: {
      database,
      get sql() {
        return standby.sql;
      },
      url,
      async count(from) {
        const [row] = await standby.sql.unsafe(
          `select count(*)::int as count from ${from}`,
        );
        return Number(row?.["count"]);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    standby,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
