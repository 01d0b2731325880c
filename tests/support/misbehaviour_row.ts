/**
 * The table of misbehaviours: one sync of a relay that does what it should not, held against the truth.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { NostrEvent } from "../../src/models/event.ts";
import type { Filter } from "../../src/models/filter.ts";
import type { RelaySync } from "../../src/services/synchronizer/sync_relay.ts";
import type { RelayUrl } from "../../src/models/relay_url.ts";
import type { SyncPool } from "../../src/workers/host/worker_pool.ts";
import { type TestArchive, testArchive } from "./archive.ts";
import { EVENTS } from "./misbehaviour.ts";
import {
  type MisbehavingRelay,
  misbehavingRelays,
} from "./misbehaving_relay.ts";
import { assertTruthful, openTestPool, syncWith } from "./sync.ts";
import type { RelayScript } from "./test_relay_script.ts";

/** A row of the table: what the relay does, what must be had of it, what may be claimed and what it may cost. */
export interface Misbehaviour {
  readonly promise: string;
  readonly script: RelayScript;
  /** What it holds and would give, if not everything. */
  readonly truth?: readonly NostrEvent[];
  /** Events that must be obtained. */
  readonly stored: number;
  readonly complete: boolean;
  /** One of these explains each gap; without them there must be none. */
  readonly reasons?: readonly string[];
  readonly method?: RelaySync["method"];
  readonly rejected?: Readonly<Record<string, number>>;
  readonly maxRequests?: number;
  /** Most EVENT messages it may take. */
  readonly maxReceived?: number;
  /** What is walked. Default: kinds 1 and 4. */
  readonly filter?: Filter;
  /** Further settings of requests. */
  readonly requests?: Readonly<Record<string, number>>;
  /** Small where the relay is silent and has to be waited for. */
  readonly idleTimeoutMs?: number;
}

/** Declares the tests of a table in `misbehaviours/`: one test, with a step for each row. */
export function testMisbehaviours(
  table: string,
  rows: readonly Misbehaviour[],
): void {
  testRows(table, rows, async ({ relay, pool }, misbehaviour) => {
    await using archive = await testArchive();
    await syncAndJudge({ archive, relay: relay.relay, pool }, misbehaviour);
  });
}

/** The parts of a row's test. */
export interface RowParts {
  readonly relay: MisbehavingRelay;
  /** Shared by all rows, as its threads take longer to start than most rows take. */
  readonly pool: SyncPool;
}

/** Declares a test with a step for each row of a table. What the rows share is checked for leaks at its end. */
export function testRows<R extends { readonly promise: string }>(
  table: string,
  rows: readonly R[],
  judge: (parts: RowParts, row: R) => Promise<void>,
): void {
  Deno.test(`syncRelay() and relays that misbehave: ${table}`, async (test) => {
    await using relays = misbehavingRelays(table);
    await using pool = await openTestPool();
    for (const [number, row] of rows.entries()) {
      await test.step({
        name: `syncRelay() ${row.promise}`,
        async fn() {
          await using relay = await relays.start(number);
          await judge({ relay, pool }, row);
        },
        sanitizeOps: false,
        sanitizeResources: false,
      });
    }
  });
}

async function syncAndJudge(
  { archive, relay, pool }: {
    readonly archive: TestArchive;
    readonly relay: RelayUrl;
    readonly pool: SyncPool;
  },
  misbehaviour: Misbehaviour,
): Promise<void> {
  const { script, filter = { kinds: [1, 4] } } = misbehaviour;
  const result = await syncWith(pool, {
    archive,
    relay,
    config: {
      requests: {
        limit: 500,
        idleTimeoutMs: misbehaviour.idleTimeoutMs ?? 5_000,
        ...misbehaviour.requests,
      },
      filters: [filter],
    },
  });
  expect(result, misbehaviour);
  const withheld = script.withheldKinds ?? [];
  await assertTruthful(archive, {
    relay,
    events: misbehaviour.truth ??
      (script.events ?? EVENTS)
        .filter(({ kind }) => !withheld.includes(kind)),
    filter,
  });
  assert.equal(await archive.count("event"), misbehaviour.stored);
}

function expect(result: RelaySync, misbehaviour: Misbehaviour): void {
  const { stored, complete, method = "paging" } = misbehaviour;
  assert.deepEqual(
    { stored: result.stored, complete: result.complete, method: result.method },
    { stored, complete, method },
    JSON.stringify(result),
  );
  const { reasons = [] } = misbehaviour;
  assert.equal(result.gaps.length > 0, reasons.length > 0);
  for (const { reason } of result.gaps) {
    assert.ok(reasons.includes(reason), `a gap for ${reason}`);
  }
  if (misbehaviour.rejected !== undefined) {
    assert.deepEqual(result.rejected, misbehaviour.rejected);
  }
  // One more asks whether the relay knows NIP-77.
  const { maxRequests = 60, maxReceived = Infinity } = misbehaviour;
  assert.ok(result.requests <= 1 + maxRequests, `${result.requests} requests`);
  assert.ok(result.received <= maxReceived, `${result.received} received`);
}
