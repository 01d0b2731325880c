import assert from "node:assert/strict";
import { ConfigError } from "../../../src/core/config/config_error.ts";
import { insertChecks } from "../../../src/archive/checks.ts";
import { leaseRelays } from "../../../src/archive/leases.ts";
import { monitor } from "../../../src/services/monitor/mod.ts";
import { latestMetadata, relayChecks } from "../../support/archive_reads.ts";
import {
  runOnce,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { addRelay, unusedPort } from "../../support/monitor.ts";
import { socksProxy } from "../../support/socks.ts";
import { testRelay } from "../../support/test_relay.ts";
import type { HttpReply } from "../../support/test_relay_script.ts";

const NIP11: HttpReply = {
  status: 200,
  headers: { "content-type": "application/nostr+json" },
  body: JSON.stringify({ name: "A relay", supported_nips: [1, 11, 42] }),
};

Deno.test("monitor stores a check and the information document of a relay that is up", async () => {
  await using archive = await testArchive();
  const event = eventFactory("monitor").sign();
  await using relay = await testRelay({ http: NIP11, events: [event] });
  const id = await addRelay(archive, relay.url);
  const { metric } = await runOnce(monitor, archive.database, config());

  const [check] = await checksOf(archive, id);
  assert.equal(check?.online, true);
  assert.equal(check?.failure, null);
  assert.equal(check?.writeMs, null, "nothing is written without a key");
  assert.ok((check?.openMs ?? -1) >= 0 && (check?.readMs ?? -1) >= 0);
  const [document] = await latestMetadata(archive.database, id);
  assert.equal(document?.type, "nip11_info");
  assert.deepEqual(document?.data, {
    data: { name: "A relay", supported_nips: [1, 11, 42] },
    logs: { success: true },
  });
  const online = { network: "clearnet", outcome: "online" };
  assert.equal(await metric("monitor_relays_checked_total", online), 1);
});

Deno.test("monitor shows how many relays are online, offline, and down after having been up", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay();
  await addRelay(archive, relay.url);
  const gone = await addRelay(
    archive,
    `ws://127.0.0.1:${await unusedPort()}`,
  );
  await addRelay(archive, `ws://127.0.0.1:${await unusedPort()}`);
  const before = { relayId: gone, checkedAt: 1_000, online: true };
  await insertChecks(archive.database, [before]);
  const { metric } = await runOnce(monitor, archive.database, config());
  const network = "clearnet";
  assert.equal(await metric("monitor_relays", { network, state: "online" }), 1);
  const offline = { network, state: "offline" };
  assert.equal(await metric("monitor_relays", offline), 2);
  assert.equal(await metric("monitor_outages_open", { network }), 1);
});

Deno.test("monitor stores an unchanged document once and each check of it", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ http: NIP11 });
  const id = await addRelay(archive, relay.url);
  for (let round = 0; round < 3; round++) {
    await runOnce(monitor, archive.database, config());
    await archive.sql`update relay_lease set due_at = 0, memory = '{}'`;
    // Checks and documents have seconds for keys.
    await archive.sql`update relay_check set checked_at = checked_at - 100`;
    await archive.sql`update relay_state
      set last_checked_at = last_checked_at - 100`;
    await archive
      .sql`update relay_metadata set generated_at = generated_at - 100`;
  }
  assert.equal((await checksOf(archive, id)).length, 3);
  for (const type of ["nip11_info", "nip66_http"]) {
    const where = (name: string) => `where ${name} = '${type}'`;
    const kept = `relay_metadata ${where("metadata_type")}`;
    assert.equal(await archive.count(kept), 3);
    assert.equal(await archive.count(`metadata ${where("type")}`), 1);
  }
});

Deno.test("monitor deletes what is too old once a day, but not the newest of a relay", async () => {
  await using archive = await testArchive();
  const id = await addRelay(archive, "ws://127.0.0.1:1");
  const now = Math.floor(Date.now() / 1_000);
  const check = (days: number) => ({
    relayId: id,
    checkedAt: now - days * 86_400,
    online: false,
  });
  await insertChecks(archive.database, [check(9), check(8), check(0.1)]);
  const retention = { checkDays: 1, metadataDays: 1, rejectedDays: 1 };
  const networks = { clearnet: { enabled: false } };
  const settings = { config: { retention, networks } };
  await runOnce(monitor, archive.database, settings);
  assert.equal((await checksOf(archive, id)).length, 1);
  // Shortly after midnight the youngest check is of a day that has ended, too.
  const days = `relay_check_rollup where seconds = 86400 and failures = 1
    and starts_at < ${now - 7 * 86_400}`;
  assert.equal(await archive.count(days), 2, "what they said is kept");
  await archive.sql`insert into relay_check (relay_id, checked_at, online)
    values (${id}, ${now - 9 * 86_400}, false)`;
  await archive.sql`update relay_state set checks_since = 0`;
  await runOnce(monitor, archive.database, settings);
  assert.equal((await checksOf(archive, id)).length, 2, "not again today");
});

Deno.test("monitor finds a relay online that refuses to read, and says what it said", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({
    onReq: (req) => req.closed("restricted: members only"),
  });
  const id = await addRelay(archive, relay.url);
  await runOnce(monitor, archive.database, config());
  const [check] = await checksOf(archive, id);
  assert.equal(check?.online, true);
  assert.equal(check?.readMs, null);
  assert.match(check?.failure ?? "", /members only/);
  // It has no NIP-11 document, which is known now, too.
  const [document] = await latestMetadata(archive.database, id);
  assert.match(JSON.stringify(document?.data), /"success":false/);
});

Deno.test("monitor finds offline what does not open, does not speak, or is no relay, with the reason", async () => {
  await using archive = await testArchive();
  await using silent = await testRelay({ http: NIP11, onReq: () => {} });
  await using garbage = await testRelay({ upgrade: "garbage" });
  await using hangsUp = await testRelay({ onReq: (req) => req.disconnect() });
  const expected = new Map([
    [silent.url, /^timeout: /],
    [garbage.url, /^protocol: /],
    [hangsUp.url, /^closed /],
    [`ws://127.0.0.1:${await unusedPort()}`, /^refused: /],
  ]);
  const ids = new Map<string, number>();
  for (const url of expected.keys()) ids.set(url, await addRelay(archive, url));
  await runOnce(monitor, archive.database, config({ timeoutMs: 500 }));
  for (const [url, reason] of expected) {
    const [check] = await checksOf(archive, ids.get(url) ?? 0);
    assert.equal(check?.online, false, url);
    assert.match(check?.failure ?? "", reason, url);
  }
  assert.equal(await archive.count("relay_metadata"), 0);
});

Deno.test("monitor leaves those alone who opted out, and calls them neither online nor offline", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ http: NIP11 });
  const id = await addRelay(archive, relay.url);
  const { metric } = await runOnce(
    monitor,
    archive.database,
    config({ optOut: ["127.0.0.1"] }),
  );
  assert.equal(relay.requests.length, 0);
  assert.deepEqual(await checksOf(archive, id), []);
  const later =
    "relay_lease where failures = 0 and due_at > unix_now() + 80000";
  assert.equal(await archive.count(later), 1);
  const left = { network: "clearnet", outcome: "opted-out" };
  assert.equal(await metric("monitor_relays_checked_total", left), 1);
});

Deno.test("monitor tests writing with a key, and the OK is what counts", async () => {
  await using archive = await testArchive();
  await using takes = await testRelay();
  await using refuses = await testRelay({
    onEvent: () => [false, "blocked: not you"],
  });
  const taken = await addRelay(archive, takes.url);
  const refused = await addRelay(archive, refuses.url);
  await using key = await keyFile();
  await runOnce(monitor, archive.database, {
    config: { ...config().config, keys: { secretKeyFile: key.path } },
  });
  const [write] = await checksOf(archive, taken);
  assert.ok((write?.writeMs ?? -1) >= 0);
  assert.equal(write?.failure, null);
  const [noWrite] = await checksOf(archive, refused);
  assert.equal(noWrite?.online, true);
  assert.equal(noWrite?.writeMs, null);
  assert.match(noWrite?.failure ?? "", /not you/);
  const [, sent] = await takes.received("EVENT");
  assert.equal(Object(sent).kind, 22_456);
});

Deno.test("monitor writes nothing when told not to", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay();
  await addRelay(archive, relay.url);
  await using key = await keyFile();
  await runOnce(monitor, archive.database, {
    config: {
      ...config().config,
      keys: { secretKeyFile: key.path },
      checks: {
        rtt: { write: false },
        nip11: { enabled: false },
        http: { enabled: false },
      },
    },
  });
  assert.equal(relay.count("EVENT"), 0);
  assert.equal(
    relay.requests.length,
    1,
    "no information document was asked for",
  );
});

Deno.test("monitor names a key it cannot use", async () => {
  await using archive = await testArchive();
  await assert.rejects(
    runOnce(monitor, archive.database, {
      config: { keys: { secretKeyFile: "/no/such/key" } },
    }),
    (error: unknown) =>
      error instanceof ConfigError && /no such file/.test(error.message),
  );
});

Deno.test("monitor checks a relay again when it is due, and one that is offline ever more rarely", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay();
  await addRelay(archive, relay.url);
  await addRelay(archive, `ws://127.0.0.1:${await unusedPort()}`);
  const waits = async () => {
    const rows = await archive.sql<{ failures: number; wait: number }[]>`
      select failures, (due_at - unix_now())::int as wait from relay_lease order by failures`;
    return rows.map((
      { failures, wait },
    ) => [failures, Math.round(wait / 10) * 10]);
  };
  const settings = config({
    schedule: { everySeconds: 3_600, retrySeconds: 600, jitter: 0 },
  });
  await runOnce(monitor, archive.database, settings);
  assert.deepEqual(await waits(), [[0, 3_600], [1, 600]]);
  await runOnce(monitor, archive.database, settings);
  assert.deepEqual(await waits(), [[0, 3_600], [1, 600]], "nothing was due");
  await archive.sql`update relay_lease set due_at = 0`;
  await runOnce(monitor, archive.database, settings);
  assert.deepEqual(await waits(), [[0, 3_600], [2, 1_200]]);
});

Deno.test("monitor leaves alone what another monitor has leased", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay();
  await addRelay(archive, relay.url);
  await leaseRelays(archive.database, {
    service: "monitor",
    holder: "another",
    networks: ["clearnet"],
    limit: 1,
    leaseSeconds: 60,
  });
  await runOnce(monitor, archive.database, config());
  assert.equal(relay.requests.length, 0);
});

Deno.test("monitor gives its leases back when it is stopped, and calls nobody offline", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ onReq: () => {} });
  for (let i = 0; i < 6; i++) await addRelay(archive, `${relay.url}/${i}`);
  const stop = new AbortController();
  const run = runOnce(monitor, archive.database, {
    ...config({ slots: 2, timeoutMs: 50_000 }),
    signal: stop.signal,
  });
  await relay.received("REQ");
  stop.abort();
  await run;
  assert.equal(await archive.count("relay_check"), 0);
  assert.equal(
    await archive.count("relay_lease where claimed_until > 0 or failures > 0"),
    0,
  );
});

Deno.test("monitor lets a relay that never answers delay no other", async () => {
  await using archive = await testArchive();
  await using slow = await testRelay({ upgrade: "never" });
  let answered = 0;
  let slowWasOpen = 0;
  await using quick = await testRelay({
    onReq: async (req) => {
      if (++answered === 30) slowWasOpen = slow.open;
      await req.serve();
    },
  });
  await addRelay(archive, slow.url);
  for (let i = 0; i < 30; i++) await addRelay(archive, `${quick.url}/${i}`);
  await runOnce(
    monitor,
    archive.database,
    config({ slots: 2, timeoutMs: 4_000 }),
  );
  assert.equal(slowWasOpen, 1, "the slow one was still waited for");
  assert.equal(await archive.count("relay_check where online"), 30);
});

Deno.test("monitor checks overlay relays through their proxy, and blames no relay for a proxy that is down", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ http: NIP11 });
  await using proxy = await socksProxy({ names: [ONION] });
  const id = await addRelay(archive, `ws://${ONION}:${relay.port}`);
  const tor = (proxyUrl: string) => ({
    config: {
      networks: { tor: { enabled: true, proxyUrl, timeoutMs: 5_000 } },
    },
  });
  await runOnce(
    monitor,
    archive.database,
    tor(`socks5://127.0.0.1:${await unusedPort()}`),
  );
  assert.deepEqual(await checksOf(archive, id), []);
  await runOnce(monitor, archive.database, tor(proxy.url));
  const [check] = await checksOf(archive, id);
  assert.equal(check?.online, true);
  const documents = await latestMetadata(archive.database, id);
  assert.deepEqual(
    documents.map(({ type }) => type),
    ["nip11_info", "nip66_http", "nip66_rtt"],
    "what needs addresses is not asked",
  );
});

const ONION = "oxtrdevav64z64yb7x6rjg4ntzqjhedm5b5zjqulugknhzr46ny2qbad.onion";

interface Settings {
  readonly slots?: number;
  readonly timeoutMs?: number;
  readonly [key: string]: unknown;
}

function config({ slots = 10, timeoutMs = 2_000, ...rest }: Settings = {}) {
  const clearnet = { maxConnections: slots, timeoutMs };
  return { config: { allowPrivate: true, networks: { clearnet }, ...rest } };
}

async function checksOf({ database }: TestArchive, relayId: number) {
  return await relayChecks(database, { relayId, since: 0, limit: 10 });
}

async function keyFile() {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, `${"17".repeat(32)}\n`);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}
