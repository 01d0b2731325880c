/**
 * What the monitor publishes, to real relays on loopback, read back by somebody who knows the NIP only.
 *
 * @module
 */
import assert from "node:assert/strict";
import { getPublicKey, verifyEvent } from "nostr-tools/pure";
import { countOutbox } from "../../../src/archive/outbox.ts";
import { type NostrEvent, parseEvent } from "../../../src/models/event.ts";
import { connectRelay } from "../../../src/nips/client/connect_relay.ts";
import { monitor } from "../../../src/services/monitor/mod.ts";
import { runOnce, testArchive } from "../../support/archive.ts";
import { never, relayAt, testDialer, valueOf } from "../../support/dialing.ts";
import {
  addRelay,
  againDue,
  documentsOf,
  monitorConfig,
  monitorKey,
  reply,
  unusedPort,
} from "../../support/monitor.ts";
import { readAnnouncement, readDiscovery } from "../../support/nip66_reader.ts";
import { relayProcess } from "../../support/relay_process.ts";
import { testRelay } from "../../support/test_relay.ts";
import { until } from "../../support/until.ts";

const PUBKEY = getPublicKey(monitorKey);

Deno.test("monitor publishes itself and the relays that are up, and a stranger understands it", async () => {
  await using archive = await testArchive();
  await using target = await relayProcess();
  await using relay = await testRelay({
    http: reply({ name: "A relay", supported_nips: [1, 11], tags: ["cats"] }),
  });
  await addRelay(archive, relay.url);
  await addRelay(archive, `ws://127.0.0.1:${await unusedPort()}`);
  await using config = await monitorConfig({
    relays: [target.url],
    profile: { name: "Watchman", about: "On loopback" },
    announcement: { geohash: "u0yj" },
    discovery: { everySeconds: 7_200 },
  });
  const { metric, log } = await runOnce(monitor, archive.database, config);

  const events = await held(target.url);
  assert.deepEqual(events.map(({ kind }) => kind).sort((a, b) => a - b), [
    0,
    10_002,
    10_166,
    30_166,
  ]);
  const byKind = new Map(events.map((event) => [event.kind, event]));
  assert.deepEqual(JSON.parse(byKind.get(0)?.content ?? ""), {
    name: "Watchman",
    about: "On loopback",
  });
  assert.deepEqual(byKind.get(10_002)?.tags, [
    ["r", `${target.url}/`, "write"],
  ]);
  const announcement = readAnnouncement(byKind.get(10_166)!);
  assert.deepEqual(announcement, {
    frequencySeconds: 7_200,
    checks: ["open", "read", "write", "nip11", "ssl", "dns", "http"],
    timeoutsMs: {
      open: 2_000,
      read: 2_000,
      write: 2_000,
      nip11: 2_000,
      ssl: 2_000,
      dns: 2_000,
      http: 2_000,
    },
    geohashes: ["u0yj"],
  });
  const discovery = readDiscovery(byKind.get(30_166)!);
  assert.equal(discovery.url, `${relay.url}/`);
  assert.deepEqual([discovery.nips, discovery.topics], [[1, 11], ["cats"]]);
  assert.deepEqual(Object.keys(discovery.rtt), ["open", "read", "write"]);

  for (const kind of ["0", "10002", "10166", "30166"]) {
    const labels = { kind, result: "accepted" };
    assert.equal(await metric("monitor_published_total", labels), 1, kind);
  }
  assert.equal(await metric("monitor_outbox_pending"), 0);
  const said = JSON.stringify(log);
  assert(!said.includes("17".repeat(32)) && !said.includes("nsec1"));
});

Deno.test("monitor publishes nothing without a key, without relays, or when told not to", async () => {
  await using archive = await testArchive();
  await using target = await testRelay();
  await using relay = await testRelay();
  await addRelay(archive, relay.url);
  const relays = [target.url];
  await using silent = await monitorConfig({ relays, enabled: false });
  await using nowhere = await monitorConfig({ relays: [] });
  await using keyed = await monitorConfig({ relays });
  const { keys: _, ...keyless } = keyed.config;
  for (const config of [silent.config, nowhere.config, keyless]) {
    const { log } = await runOnce(monitor, archive.database, { config });
    await againDue(archive);
    const warned = log.filter(({ level }) => level === "warn").length;
    assert.equal(warned, config === keyless ? 1 : 0);
  }
  assert.equal(await archive.count("outbox"), 0);
  assert.equal(target.requests.length, 0);
});

Deno.test("monitor publishes again what has changed or is due, and nothing else", async () => {
  await using archive = await testArchive();
  await using target = await testRelay();
  let name = "A relay";
  await using relay = await testRelay({ http: () => reply({ name }) });
  await addRelay(archive, relay.url);
  const run = async (discovery: Record<string, unknown> = {}) => {
    await using config = await monitorConfig({
      relays: [target.url],
      discovery,
    });
    const before = target.count("EVENT");
    await againDue(archive);
    await runOnce(monitor, archive.database, config);
    const sent = target.log.filter(({ message }) => message[0] === "EVENT");
    return sent.slice(before).map(({ message }) => Object(message[1]).kind)
      .sort((a, b) => a - b);
  };
  assert.deepEqual(await run(), [10_002, 10_166, 30_166]);
  assert.deepEqual(await run(), [], "round-trip times differ, no more");
  name = "Another name";
  assert.deepEqual(await run({ onChange: false }), []);
  assert.deepEqual(await run(), [30_166]);
  // The next check is in an hour: it would be too late then.
  await archive.sql`update outbox set created_at = created_at - 11000
    where kind = 30166`;
  assert.deepEqual(await run(), [30_166]);
  await archive.sql`update outbox set created_at = created_at - 86400
    where kind <> 30166`;
  assert.deepEqual(await run(), [10_002, 10_166]);
  assert.deepEqual(await run({ everySeconds: 7_200 }), [10_166]);
});

Deno.test("monitor publishes what a document said last, for a while, when it cannot be had any more", async () => {
  await using archive = await testArchive();
  await using target = await testRelay();
  let info: ReturnType<typeof reply> = reply({ supported_nips: [1, 11] });
  await using relay = await testRelay({ http: () => info });
  await addRelay(archive, relay.url);
  const nips = async (checks: Record<string, unknown> = {}) => {
    await using config = await monitorConfig({ relays: [target.url] }, {
      checks: { nip11: { retries: 0 }, ...checks },
    });
    await againDue(archive);
    await archive.sql`update outbox set created_at = created_at - 14400`;
    await runOnce(monitor, archive.database, config);
    const sent = target.log.map(({ message }) => Object(message[1]))
      .filter(({ kind }) => kind === 30_166);
    return readDiscovery(sent.at(-1)).nips;
  };
  assert.deepEqual(await nips(), [1, 11]);
  info = { status: 503 };
  assert.deepEqual(await nips(), [1, 11], "the relay is up, its page is not");
  // Three times the interval of the check, and a little.
  await archive
    .sql`update relay_metadata set generated_at = generated_at - 10800`;
  assert.deepEqual(await nips(), []);
  info = reply({ supported_nips: [1] });
  assert.deepEqual(await nips(), [1]);
});

Deno.test("monitor publishes and announces only checks that it is to publish", async () => {
  await using archive = await testArchive();
  await using target = await testRelay();
  await using relay = await testRelay({
    http: reply({ supported_nips: [1], limitation: { auth_required: true } }),
  });
  const id = await addRelay(archive, relay.url);
  const published = async (publish: boolean) => {
    await using config = await monitorConfig({ relays: [target.url] }, {
      checks: { rtt: { write: false }, nip11: { publish } },
    });
    await againDue(archive);
    await runOnce(monitor, archive.database, config);
    const event = (wanted: number) =>
      target.log.map(({ message }) => Object(message[1]))
        .findLast(({ kind }) => kind === wanted);
    const { nips, requirements } = readDiscovery(event(30_166));
    const { checks, timeoutsMs } = readAnnouncement(event(10_166));
    return {
      nips,
      requirements,
      content: event(30_166).content !== "",
      announced: checks,
      timeouts: Object.keys(timeoutsMs),
    };
  };
  const others = ["open", "read", "ssl", "dns", "http"];
  assert.deepEqual(await published(false), {
    nips: [],
    requirements: {},
    content: false,
    announced: others,
    timeouts: others,
  });
  assert((await documentsOf(archive, id)).has("nip11_info"), "it is kept");
  const all = ["open", "read", "nip11", "ssl", "dns", "http"];
  assert.deepEqual(await published(true), {
    nips: [1],
    requirements: { auth: true },
    content: true,
    announced: all,
    timeouts: all,
  });
});

Deno.test("monitor sends later what a target that is down did not get, and keeps no other waiting", async () => {
  await using archive = await testArchive();
  const port = await unusedPort();
  await using stalled = await testRelay({ upgrade: "never" });
  await using up = await testRelay();
  await using relay = await testRelay();
  await addRelay(archive, relay.url);
  const down = `ws://127.0.0.1:${port}`;
  await using config = await monitorConfig({
    relays: [stalled.url, down, up.url],
  });
  await runOnce(monitor, archive.database, config);
  assert.equal(up.count("EVENT"), 3);
  assert.equal((await countOutbox(archive.database, PUBKEY)).pending, 6);
  const refused = "outbox_delivery where reason like 'refused: %'";
  assert.equal(await archive.count(`${refused} and attempts = 1`), 3);
  const later = "outbox_target where failures = 1 and next_try_at > unix_now()";
  assert.equal(await archive.count(later), 2);
  await runOnce(monitor, archive.database, config);
  assert.equal(await archive.count(later), 2, "not tried before its time");

  await using _now = await relayProcess({ port });
  await archive.sql`update outbox_target set next_try_at = 0
    where relay_url = ${down}`;
  await runOnce(monitor, archive.database, config);
  assert.deepEqual((await held(down)).map(({ kind }) => kind).sort(), [
    10_002,
    10_166,
    30_166,
  ]);
  assert.equal(await archive.count("outbox_target where failures = 0"), 2);
  assert.equal(up.count("EVENT"), 3, "nobody got anything twice");
});

Deno.test("monitor gives up after so many attempts, and when time is over", async () => {
  await using archive = await testArchive();
  await using config = await monitorConfig({
    relays: [`ws://127.0.0.1:${await unusedPort()}`],
    retry: { maxAttempts: 2 },
    announcement: { enabled: false },
  });
  for (let round = 0; round < 3; round++) {
    await runOnce(monitor, archive.database, config);
    await archive.sql`update outbox_target set next_try_at = 0`;
  }
  const failed = "outbox_delivery where result = 'failed' and attempts = 2";
  assert.equal(await archive.count(failed), 1);
});

Deno.test("what is to be published is stored with the check it rests on, or neither is", async () => {
  await using archive = await testArchive();
  await using target = await testRelay();
  await using relay = await testRelay();
  await addRelay(archive, relay.url);
  await archive.sql`alter table outbox add check (kind <> 30166)`;
  await using config = await monitorConfig({ relays: [target.url] });
  await assert.rejects(runOnce(monitor, archive.database, config), /outbox/);
  assert.equal(await archive.count("relay_check"), 0);
  await archive.sql`alter table outbox drop constraint outbox_kind_check`;
  await againDue(archive);
  await archive.sql`update relay_lease set claimed_until = 0`;
  await runOnce(monitor, archive.database, config);
  assert.equal(await archive.count("relay_check"), 1);
  assert.equal(target.count("EVENT"), 3);
});

const ANSWERS = [
  { says: "blocked: not you", result: "refused" },
  { says: "", result: "refused" },
  { says: "duplicate: have it", result: "accepted" },
  { says: "error: disk full", result: null },
  { says: "rate-limited: slow down", result: null },
];
for (const { says, result } of ANSWERS) {
  Deno.test(`monitor takes a refusal "${says}" for ${result ?? "a reason to try again later"}`, async () => {
    await using archive = await testArchive();
    await using target = await testRelay({ onEvent: () => [false, says] });
    await using config = await monitorConfig({ relays: [target.url] });
    const { metric } = await runOnce(monitor, archive.database, config);
    const is = result === null ? "is null" : `= '${result}'`;
    assert.equal(await archive.count(`outbox_delivery where result ${is}`), 2);
    const outcome = result ?? "retried";
    const labels = { kind: "10166", result: outcome };
    assert.equal(await metric("monitor_published_total", labels), 1);
    await runOnce(monitor, archive.database, config);
    assert.equal(target.count("EVENT"), 2, "not again before its time");
  });
}

Deno.test("monitor does not wait for ever for a target that says nothing, nor forgets what another said", async () => {
  await using archive = await testArchive();
  let seen = 0;
  await using target = await testRelay({
    onEvent: () => ++seen === 1 ? [true, ""] : null,
  });
  await using relay = await testRelay();
  for (let i = 0; i < 8; i++) await addRelay(archive, `${relay.url}/${i}`);
  await using config = await monitorConfig({ relays: [target.url] }, {
    timeoutMs: 500,
  });
  await runOnce(monitor, archive.database, config);
  const { accepted, pending } = await countOutbox(archive.database, PUBKEY);
  assert.deepEqual([accepted, pending], [1, 9]);
  assert(target.count("EVENT") < 10, "the rest was kept for later");
  const later = "outbox_target where next_try_at > unix_now()";
  assert.equal(await archive.count(later), 1);
});

Deno.test("monitor says who it is where that is asked for", async () => {
  await using archive = await testArchive();
  await using target = await testRelay({ authRequired: "event" });
  await using config = await monitorConfig({ relays: [target.url] });
  await runOnce(monitor, archive.database, config);
  assert.equal((await countOutbox(archive.database, PUBKEY)).accepted, 2);
  const [, auth] = await target.received("AUTH");
  assert.equal(Object(auth).pubkey, PUBKEY);
});

Deno.test("two monitors with one key send each event once to each target", async () => {
  await using archive = await testArchive();
  await using target = await testRelay();
  await using other = await testRelay();
  await using relay = await testRelay();
  for (let i = 0; i < 40; i++) await addRelay(archive, `${relay.url}/${i}`);
  await using config = await monitorConfig({
    relays: [target.url, other.url],
  });
  const both = () => runOnce(monitor, archive.database, config);
  await Promise.all([both(), both()]);
  await both();
  for (const { log } of [target, other]) {
    const ids = log.filter(({ message }) => message[0] === "EVENT")
      .map(({ message }) => Object(message[1]).id);
    assert.equal(new Set(ids).size, ids.length);
    assert(ids.length >= 42);
  }
  assert.equal((await countOutbox(archive.database, null)).pending, 0);
});

Deno.test("monitor sends beside its checks, whatever they wait for", async () => {
  await using archive = await testArchive();
  await using target = await testRelay();
  await using slow = await testRelay({ upgrade: "never" });
  await using relay = await testRelay();
  await addRelay(archive, slow.url);
  await addRelay(archive, relay.url);
  await using config = await monitorConfig({
    relays: [target.url],
    sendSeconds: 1,
  }, { timeoutMs: 50_000 });
  const stop = new AbortController();
  const run = runOnce(monitor, archive.database, {
    ...config,
    once: false,
    signal: stop.signal,
  });
  await until(
    "everything is sent",
    () => Promise.resolve(target.count("EVENT") === 3),
  );
  assert.equal(slow.open, 1, "a check is still waiting");
  stop.abort();
  const { log } = await run;
  assert.deepEqual(log.filter(({ level }) => level === "error"), []);
  assert.equal(await archive.count("outbox_target where claimed_until > 0"), 0);
});

/** The events of this monitor that a relay holds; all of them verify. */
async function held(url: string): Promise<NostrEvent[]> {
  const options = { signal: never, timeoutMs: 20_000 };
  const opened = await connectRelay(testDialer(), relayAt(url), options);
  await using client = valueOf(opened);
  const { events } = await client.fetchPage({ authors: [PUBKEY] }, {
    signal: never,
    idleTimeoutMs: 20_000,
    totalTimeoutMs: 20_000,
    maxEvents: 100,
    maxBytes: 1_000_000,
  });
  return events.map((value) => {
    const event = parseEvent(value);
    assert(event.ok);
    const tags = event.value.tags.map((tag) => [...tag]);
    assert(verifyEvent({ ...event.value, tags }));
    return event.value;
  });
}
