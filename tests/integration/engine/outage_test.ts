import assert from "node:assert/strict";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../../src/core/database/connect.ts";
import type { Database } from "../../../src/core/database/connection/database.ts";
import { silentLogger } from "../../support/silent_logger.ts";
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
    retry: { maxAttempts: 20, initialDelayMs: 10, maxDelayMs: 50 },
    breaker: { failureThreshold: 100 },
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
    retry: { maxAttempts: 1 },
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
): Promise<Database> {
  return connectDatabase(
    brotrConfig.parse({
      ...config,
      database: { host: "127.0.0.1", port, database: name },
    }),
    { log: silentLogger(), signal: new AbortController().signal },
  );
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!await holds());
}
