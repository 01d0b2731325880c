import assert from "node:assert/strict";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import type { Connection } from "../../../src/core/database/connection/connection.ts";
import { openConnection } from "../../../src/core/database/connection/open_connection.ts";
import {
  Pool,
  type PoolLimits,
} from "../../../src/core/database/connection/pool.ts";
import { serverAddress } from "../../../src/core/database/connection/server_address.ts";
import {
  type ScratchDatabase,
  scratchDatabase,
} from "../../support/postgres.ts";

Deno.test("acquire() opens no more than the maximum and serves who waits in turn", async () => {
  await using scratch = await scratchDatabase();
  await using pool = poolOf(scratch, { maxConnections: 2 });
  const [first, second] = [await pool.acquire(), await pool.acquire()];
  const order: string[] = [];
  const third = pool.acquire().then((connection) => {
    order.push("third");
    return connection;
  });
  const fourth = pool.acquire().then((connection) => {
    order.push("fourth");
    return connection;
  });
  assert.deepEqual(pool.counts, { max: 2, open: 2, idle: 0, waiting: 2 });
  pool.release(second);
  assert.equal(await third, second);
  pool.release(first);
  assert.equal(await fourth, first);
  assert.deepEqual(order, ["third", "fourth"]);
  pool.release(first);
  pool.release(second);
  assert.deepEqual(pool.counts, { max: 2, open: 2, idle: 2, waiting: 0 });
});

Deno.test("acquire() gives up after the acquisition timeout and says so", async () => {
  await using scratch = await scratchDatabase();
  await using pool = poolOf(scratch, {
    maxConnections: 1,
    acquisitionTimeoutMs: 500,
  });
  const only = await pool.acquire();
  await assert.rejects(pool.acquire(), {
    fault: "exhausted",
    message:
      "Cannot get a database connection within 500 ms (pool.acquisitionTimeoutMs): all 1 are in use (pool.maxConnections)",
  });
  pool.release(only);
  pool.release(await pool.acquire());
});

Deno.test("acquire() leaves the line when its signal aborts", async () => {
  await using scratch = await scratchDatabase();
  await using pool = poolOf(scratch, { maxConnections: 1 });
  const only = await pool.acquire();
  const stop = new AbortController();
  const waiting = pool.acquire(stop.signal);
  const next = pool.acquire();
  stop.abort(new Error("no longer"));
  await assert.rejects(waiting, /no longer/);
  pool.release(only);
  assert.equal(await next, only);
  pool.release(only);
});

Deno.test("acquire() gives a connection that idled and answers no more to nobody", async () => {
  await using scratch = await scratchDatabase();
  await using pool = poolOf(scratch, {
    healthCheckIdleSeconds: 0,
    healthCheckTimeoutMs: 200,
  });
  const frozen = await pool.acquire();
  const pid = await pidOf(frozen);
  pool.release(frozen);
  // As after a lost network: the connection is open, and nothing will ever come.
  Deno.kill(pid, "SIGSTOP");
  try {
    const healthy = await pool.acquire();
    assert.notEqual(await pidOf(healthy), pid);
    pool.release(healthy);
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
});

Deno.test("acquire() notices a connection that the server closed while it was idle", async () => {
  await using scratch = await scratchDatabase();
  await using pool = poolOf(scratch, { healthCheckIdleSeconds: 3_600 });
  const connection = await pool.acquire();
  const pid = await pidOf(connection);
  pool.release(connection);
  await scratch.sql`select pg_terminate_backend(${pid}, 5000)`;
  await connection.ended;
  const fresh = await pool.acquire();
  assert.notEqual(await pidOf(fresh), pid);
  pool.release(fresh);
});

Deno.test("a connection is replaced after so many uses, and when it is old", async () => {
  await using scratch = await scratchDatabase();
  await using byUses = poolOf(scratch, { maxUses: 3 });
  const pids = [];
  for (let use = 0; use < 6; use++) {
    const connection = await byUses.acquire();
    pids.push(await pidOf(connection));
    byUses.release(connection);
  }
  assert.equal(new Set(pids.slice(0, 3)).size, 1);
  assert.equal(new Set(pids).size, 2);

  await using byAge = poolOf(scratch, { maxLifetimeSeconds: 0 });
  const old = await byAge.acquire();
  const oldPid = await pidOf(old);
  byAge.release(old);
  const young = await byAge.acquire();
  assert.notEqual(await pidOf(young), oldPid);
  byAge.release(young);
});

Deno.test("retire() replaces every connection, handed out or idle or just being opened", async () => {
  await using scratch = await scratchDatabase();
  await using pool = poolOf(scratch, { maxConnections: 3 });
  const [used, idle] = [await pool.acquire(), await pool.acquire()];
  pool.release(idle);
  const opening = [pool.acquire(), pool.acquire()];
  pool.retire();
  pool.release(used);
  const old = new Set([used, idle]);
  for (const connection of await Promise.all(opening)) {
    old.add(connection);
    pool.release(connection);
  }
  assert.equal(pool.counts.idle, 0, "none of them is kept");
  const next = await Promise.all([1, 2, 3].map(() => pool.acquire()));
  assert.ok(next.every((connection) => !old.has(connection)));
  for (const connection of next) pool.release(connection);
});

Deno.test("idle connections above the minimum are closed after the idle time", async () => {
  await using scratch = await scratchDatabase();
  await using pool = poolOf(scratch, {
    minConnections: 1,
    idleTimeoutSeconds: 0.05,
  });
  const connections = await Promise.all([1, 2, 3].map(() => pool.acquire()));
  for (const connection of connections) pool.release(connection);
  assert.equal(pool.counts.open, 3);
  // The one that was given back last is the one that is kept.
  await Promise.all(connections.slice(0, 2).map(({ ended }) => ended));
  assert.equal(connections[2]?.alive, true);
});

Deno.test("fill() opens the minimum", async () => {
  await using scratch = await scratchDatabase();
  await using pool = poolOf(scratch, { minConnections: 3 });
  await pool.fill(new AbortController().signal);
  assert.deepEqual(pool.counts, { max: 10, open: 3, idle: 3, waiting: 0 });
});

Deno.test("a connection that cannot be opened leaves its place to the next", async () => {
  await using scratch = await scratchDatabase();
  let fails = true;
  const { limits, open } = optionsOf(scratch, { maxConnections: 1 });
  await using pool = new Pool({
    limits,
    open: (signal) =>
      fails ? Promise.reject(new Error("not now")) : open(signal),
  });
  await assert.rejects(pool.acquire(), /not now/);
  assert.equal(pool.counts.open, 0);
  fails = false;
  pool.release(await pool.acquire());
});

Deno.test("disposal waits for what is handed out, and refuses who still waits", async () => {
  await using scratch = await scratchDatabase();
  const pool = poolOf(scratch, { maxConnections: 1 });
  const only = await pool.acquire();
  const waiting = pool.acquire();
  waiting.catch(() => {});
  const disposed = pool[Symbol.asyncDispose]();
  await assert.rejects(waiting, { fault: "closed" });
  await assert.rejects(pool.acquire(), { fault: "closed" });
  const [row] = await only.sql`select 1 as n`;
  assert.equal(row?.n, 1);
  pool.release(only);
  await disposed;
  assert.equal(only.alive, false);
  assert.equal(pool.counts.open, 0);
});

function poolOf(scratch: ScratchDatabase, limits: Partial<PoolLimits>): Pool {
  return new Pool(optionsOf(scratch, limits));
}

function optionsOf(scratch: ScratchDatabase, limits: Partial<PoolLimits>) {
  const config = brotrConfig.parse({ database: { url: scratch.url } });
  const address = serverAddress(config.database);
  assert.ok(address);
  return {
    limits: { ...config.pool, ...limits },
    open: (signal: AbortSignal) =>
      openConnection({
        mustWrite: false,
        address,
        connectMs: 5_000,
        applicationName: "pool test",
        timezone: "UTC",
        statementTimeoutMs: 0,
        lockTimeoutMs: 0,
      }, signal),
  };
}

async function pidOf({ sql }: Connection): Promise<number> {
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return row?.pid ?? 0;
}
