import assert from "node:assert/strict";
import {
  runOnce,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import {
  addRelay,
  monitorDeps,
  monitorWith,
  reply,
  visitAgain,
} from "../../support/monitor.ts";
import { testRelay } from "../../support/test_relay.ts";
import type { RelayScript } from "../../support/test_relay_script.ts";

const CONFIG = {
  allowPrivate: true,
  networks: { clearnet: { maxConnections: 10, timeoutMs: 2_000 } },
};

async function capabilitiesOf({ sql }: TestArchive, relayId: number) {
  const rows = await sql<
    { capability: string; value: boolean; judged_by: string }[]
  >`select capability, value, judged_by from relay_capability
    where relay_id = ${relayId} order by capability`;
  return Object.fromEntries(
    rows.map(({ capability, value, judged_by }) => [
      capability,
      `${value ? "yes" : "no"}, by ${judged_by}`,
    ]),
  );
}

/** What is found of a relay that behaves so, by a monitor with a key. */
async function judged(archive: TestArchive, script: RelayScript) {
  await using relay = await testRelay(script);
  const id = await addRelay(archive, relay.url);
  const deps = monitorDeps({ secretKey: new Uint8Array(32).fill(7) });
  await runOnce(monitorWith(deps), archive.database, { config: CONFIG });
  return await capabilitiesOf(archive, id);
}

const refuses = (reason: string): RelayScript => ({
  onEvent: () => [false, reason],
});

Deno.test("monitor judges capabilities by what the relay answers, not by NIP-11 alone", async () => {
  await using archive = await testArchive();
  const read = { read: "yes, by read" };
  const open = {
    ...read,
    auth: "no, by write",
    payment: "no, by write",
    pow: "no, by write",
    write: "yes, by write",
    writes: "no, by write",
  };
  assert.deepEqual(await judged(archive, {}), open);
  // It says that it wants money and takes what is written for nothing.
  const limitation = { payment_required: true, restricted_writes: true };
  assert.deepEqual(
    await judged(archive, { http: reply({ limitation }) }),
    open,
  );
  assert.deepEqual(await judged(archive, refuses("blocked: not you")), {
    ...read,
    write: "no, by write",
    writes: "yes, by write",
  });
  assert.deepEqual(await judged(archive, refuses("pow: 20 bits")), {
    ...read,
    write: "no, by write",
    pow: "yes, by write",
  });
  assert.deepEqual(await judged(archive, refuses("rate-limited: slow")), read);
  assert.deepEqual(await judged(archive, { onEvent: () => null }), read);
  const demands = await judged(archive, { authRequired: "all" });
  assert.deepEqual([demands["auth"], demands["read"], demands["write"]], [
    "yes, by read",
    "no, by read",
    "no, by write",
  ]);
});

Deno.test("monitor remembers since when a capability is so, and what NIP-11 said while it is not read", async () => {
  await using archive = await testArchive();
  let reason = "error: something";
  const limitation = { restricted_writes: true };
  await using relay = await testRelay({
    http: reply({ limitation }),
    onEvent: () => [reason === "", reason],
  });
  const id = await addRelay(archive, relay.url);
  const deps = monitorDeps({ secretKey: new Uint8Array(32).fill(7) });
  const visit = async () => {
    await runOnce(monitorWith(deps), archive.database, { config: CONFIG });
    await visitAgain(archive);
    return (await capabilitiesOf(archive, id))["writes"];
  };
  assert.equal(await visit(), "yes, by nip11");
  await archive.sql`update relay_capability set since = 1000`;
  assert.equal(await visit(), "yes, by nip11", "remembered, not read again");
  const isOld = "relay_capability where capability = 'writes' and since = 1000";
  assert.equal(await archive.count(isOld), 1);
  const plain = relay.requests.filter(({ headers }) => !headers["upgrade"]);
  assert.equal(plain.length, 1);
  reason = "";
  assert.equal(await visit(), "no, by write");
  assert.equal(await archive.count(isOld), 0);
});

Deno.test("monitor does the work that NIP-11 named at an earlier visit", async () => {
  await using archive = await testArchive();
  const limitation = { min_pow_difficulty: 6 };
  await using relay = await testRelay({ http: reply({ limitation }) });
  await addRelay(archive, relay.url);
  const deps = monitorDeps({ secretKey: new Uint8Array(32).fill(7) });
  for (const nth of [1, 2]) {
    await runOnce(monitorWith(deps), archive.database, { config: CONFIG });
    await visitAgain(archive);
    const [, event] = await relay.received("EVENT", nth);
    const nonce = Object(event).tags.find(([name]: string[]) =>
      name === "nonce"
    );
    assert.equal(nonce?.[2], "6");
  }
});
