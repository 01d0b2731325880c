import assert from "node:assert/strict";
import { insertCandidates } from "../../../src/archive/candidates.ts";
import { insertRelays } from "../../../src/archive/relays.ts";
import { monitor } from "../../../src/services/monitor/mod.ts";
import { synchronizer } from "../../../src/services/synchronizer/mod.ts";
import { validator } from "../../../src/services/validator/mod.ts";
import {
  runOnce,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import { testRelay } from "../../support/test_relay.ts";

/** Longer than any wait of our own after a first failure. */
const WAIT = 40_000;
const REFUSAL = {
  status: 429,
  headers: { "retry-after": String(WAIT) },
} as const;
const CONFIG = { config: { allowPrivate: true } };

Deno.test("validator tries a candidate that asks for patience no sooner than it asks", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ upgrade: REFUSAL });
  const { url, network, host } = relay.relay;
  await insertCandidates(
    archive.database,
    [{ url, network, host, domain: host, source: "seed" }],
    { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 },
  );
  await runOnce(validator, archive.database, CONFIG);
  await assertPatient(archive, "candidate");
});

Deno.test("synchronizer syncs a relay that asks for patience no sooner than it asks", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ upgrade: REFUSAL });
  await insertRelays(archive.database, [relay.relay]);
  await runOnce(synchronizer, archive.database, CONFIG);
  await assertPatient(archive, "relay_lease");
  assert.equal(relay.requests.length, 1);
});

for (const script of [{ upgrade: REFUSAL }, { http: REFUSAL }]) {
  const [where] = Object.keys(script);
  Deno.test(`monitor checks a relay that asks for patience no sooner than it asks (${where})`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay(script);
    await insertRelays(archive.database, [relay.relay]);
    await runOnce(monitor, archive.database, CONFIG);
    await assertPatient(archive, "relay_lease");
  });
}

async function assertPatient(
  { sql }: TestArchive,
  table: "candidate" | "relay_lease",
): Promise<void> {
  const [row] = await sql`
    select (due_at - unix_now())::int as wait from ${sql(table)}`;
  const wait = Number(row!["wait"]);
  assert(wait > WAIT - 60 && wait <= WAIT, `due again in ${wait} s`);
}
