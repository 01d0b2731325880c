import assert from "node:assert/strict";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../../src/core/database/connect.ts";
import type { Database } from "../../../src/core/database/connection/database.ts";
import { createLogger } from "../../../src/core/log/logger.ts";
import {
  type CuttableLine,
  cuttableLine,
} from "../../support/cuttable_line.ts";
import {
  type ScratchDatabase,
  scratchDatabase,
} from "../../support/postgres.ts";

Deno.test("work that meets an outage is done when the server is back", async () => {
  await using scratch = await scratchDatabase();
  await using line = lineTo(scratch);
  await using database = await connect(scratch, line, {
    retry: { maxAttempts: 1, initialDelayMs: 10, maxDelayMs: 50 },
  });
  let tries = 0;
  const work = database.run(async (sql) => {
    if (++tries === 1) line.cut();
    const [row] = await sql`select 7 as n`;
    return row?.n;
  });
  while (line.attempts < 3) await database.health();
  line.mend();
  assert.equal(await work, 7);
});

Deno.test("an outage that opens the circuit ends none of the work that meets it, however much that is", async () => {
  await using scratch = await scratchDatabase();
  await using line = lineTo(scratch);
  const log: unknown[] = [];
  await using database = await connect(scratch, line, {
    retry: { maxAttempts: 2, initialDelayMs: 10, maxDelayMs: 50 },
    breaker: { failureThreshold: 3, resetMs: 100 },
  }, { log });
  line.cut();
  const before = line.attempts;
  const work = Array.from(
    { length: 30 },
    (_, n) =>
      database.run(async (sql) => {
        const [row] = await sql<{ n: number }[]>`select ${n}::int as n`;
        return row?.n;
      }),
  );
  // More often than any of it would be tried because of a conflict.
  const dialled = () => line.attempts - before;
  while (dialled() < 12) await database.health(AbortSignal.timeout(50));
  line.mend();
  assert.deepEqual(await Promise.all(work), work.map((_, n) => n));
  assert.deepEqual(log, [
    "database lost, work waits for it",
    "database is back",
  ]);
});

Deno.test("work fails when the server stays away for longer than it is told to wait", async () => {
  await using scratch = await scratchDatabase();
  await using line = lineTo(scratch);
  await using database = await connect(scratch, line, {
    retry: { outageSeconds: 1, initialDelayMs: 50 },
    breaker: { failureThreshold: 3, resetMs: 60_000 },
  });
  line.cut();
  const startedAt = performance.now();
  // What the circuit refuses waits no longer than the others.
  const ends = await Promise.allSettled(
    Array.from({ length: 10 }, () => database.run((sql) => sql`select 1`)),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  assert.ok(ends.every(({ status }) => status === "rejected"));
  assert.ok(seconds >= 1 && seconds < 10, `${seconds} s`);
});

Deno.test("who is patient waits for longer than that, and says once when it began and once when it is over", async () => {
  await using scratch = await scratchDatabase();
  await using line = lineTo(scratch);
  const log: unknown[] = [];
  await using database = await connect(scratch, line, {
    ...QUICK,
    retry: { ...QUICK.retry, outageSeconds: 0 },
  }, { log, isPatient: true });
  line.cut();
  const before = line.attempts;
  const work = [1, 2, 3].map((n) =>
    database.run((sql) => sql`select ${n}::int as n`)
  );
  await until(() => Promise.resolve(line.attempts - before >= 12));
  assert.equal(database.isAway, true);
  line.mend();
  assert.deepEqual((await Promise.all(work)).map(([row]) => row?.n), [1, 2, 3]);
  assert.equal(database.isAway, false);
  assert.deepEqual(log, [
    "database lost, work waits for it",
    "database is back",
  ]);
});

Deno.test("a process that is to stop waits a moment only, patient or not", async () => {
  await using scratch = await scratchDatabase();
  await using line = lineTo(scratch);
  const stop = new AbortController();
  await using database = await connect(scratch, line, QUICK, {
    isPatient: true,
    signal: stop.signal,
  });
  line.cut();
  const work = database.run((sql) => sql`select 1`);
  const failed = assert.rejects(work, { fault: "unreachable" });
  stop.abort();
  await failed;
});

Deno.test("a server that vanishes without a word is away, and not too slow or too busy", async () => {
  await using scratch = await scratchDatabase();
  await using line = lineTo(scratch);
  await using database = await connect(scratch, line, {
    ...QUICK,
    pool: {
      maxConnections: 2,
      acquisitionTimeoutMs: 300,
      healthCheckTimeoutMs: 300,
    },
    timeouts: { connectMs: 1_000, queryMs: 500 },
  }, { isPatient: true });
  let tries = 0;
  const work = Array.from({ length: 6 }, () =>
    database.run(async (sql) => {
      if (++tries === 1) line.freeze();
      await sql`select 1`;
    }));
  await until(() => Promise.resolve(database.isAway));
  // Longer than the acquisition takes, which the third and the fourth would fail by.
  const before = line.attempts;
  await until(() => Promise.resolve(line.attempts - before >= 4));
  line.mend();
  await Promise.all(work);
});

Deno.test("a database that is closed does not wait for a server that is away", async () => {
  await using scratch = await scratchDatabase();
  await using line = lineTo(scratch);
  const database = await connect(scratch, line, {
    retry: { outageSeconds: 3_600, initialDelayMs: 60_000, maxDelayMs: 60_000 },
  });
  line.cut();
  const work = database.run((sql) => sql`select 1`);
  const failed = assert.rejects(work, { fault: "unreachable" });
  await database[Symbol.asyncDispose]();
  await failed;
});

Deno.test("health() is false during an outage and says why, and true after it", async () => {
  await using scratch = await scratchDatabase();
  await using line = lineTo(scratch);
  await using database = await connect(scratch, line, {
    pool: { healthCheckAttempts: 2 },
  });
  line.cut();
  const during = await database.health();
  assert.equal(during.ok, false);
  assert.match(`${during.detail}`, /PostgreSQL at 127\.0\.0\.1:\d+/);
  line.mend();
  assert.equal((await database.health()).ok, true);
});

Deno.test("the circuit opens after repeated failures, and closes when the server is back", async () => {
  await using scratch = await scratchDatabase();
  await using line = lineTo(scratch);
  await using database = await connect(scratch, line, {
    retry: { outageSeconds: 0 },
    breaker: { failureThreshold: 3, resetMs: 1_000 },
  });
  line.cut();
  const ask = () => database.run((sql) => sql`select 1`);
  for (let failure = 0; failure < 3; failure++) {
    await assert.rejects(ask(), {
      name: "DatabaseError",
      fault: "unreachable",
    });
  }
  const before = line.attempts;
  for (let refused = 0; refused < 5; refused++) {
    await assert.rejects(ask(), { name: "CircuitOpen" });
  }
  assert.equal(line.attempts, before, "the server is left alone");
  line.mend();
  await until(() => ask().then(() => true, () => false));
});

Deno.test("an error of a statement does not open the circuit", async () => {
  await using scratch = await scratchDatabase();
  await using database = await scratch.open({
    breaker: { failureThreshold: 2, resetMs: 60_000 },
  });
  for (let failure = 0; failure < 4; failure++) {
    await assert.rejects(database.run((sql) => sql`select 1 / 0`), {
      code: "22012",
    });
  }
  await database.run((sql) => sql`select 1`);
});

function lineTo({ cluster }: ScratchDatabase): CuttableLine {
  return cuttableLine(`${cluster.socketDirectory}/.s.PGSQL.${cluster.port}`);
}

function connect(
  { name }: ScratchDatabase,
  { port }: CuttableLine,
  config: Record<string, unknown>,
  { log: said = [], isPatient = false, signal = NEVER }: {
    readonly log?: unknown[];
    readonly isPatient?: boolean;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Database> {
  const log = createLogger({
    ...{ level: "info", format: "json", time: "iso", service: "test" } as const,
    sink: {
      write: (line) => void said.push(JSON.parse(line).message),
      [Symbol.dispose]: () => {},
    },
  });
  return connectDatabase(
    brotrConfig.parse({
      ...config,
      database: { host: "127.0.0.1", port, database: name },
    }),
    { log, signal, isPatient },
  );
}

const NEVER = new AbortController().signal;

const QUICK = {
  retry: { initialDelayMs: 10, maxDelayMs: 50 },
  breaker: { failureThreshold: 1_000, resetMs: 100 },
};

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve));
}
