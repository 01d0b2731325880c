/**
 * What a monitor finds out about somebody else's relay, published there and read back by somebody who knows the NIP only.
 *
 * @module
 */
import assert from "node:assert/strict";
import { finalizeEvent, getPublicKey, verifyEvent } from "nostr-tools/pure";
import { connectRelay } from "../../../../src/nips/client/connect_relay.ts";
import {
  discoveryEvent,
  type EventDraft,
} from "../../../../src/nips/nip66/discovery_event.ts";
import { checkRelay } from "../../../../src/services/monitor/check_relay.ts";
import { CHECK_NAMES } from "../../../../src/services/monitor/checks/check.ts";
import { monitorConfig } from "../../../../src/services/monitor/config.ts";
import {
  announcementEvent,
  profileEvent,
  relayListEvent,
} from "../../../../src/nips/nip66/monitor_events.ts";
import { parseEvent } from "../../../../src/models/event.ts";
import {
  never,
  relayAt,
  testDialer,
  valueOf,
} from "../../../support/dialing.ts";
import {
  readAnnouncement,
  readDiscovery,
} from "../../../support/nip66_reader.ts";
import { relayProcess } from "../../../support/relay_process.ts";
import { scriptedDnsServer } from "../../../support/scripted_dns_server.ts";

const secretKey = new Uint8Array(32).fill(9);
const options = { signal: never, timeoutMs: 20_000 };

Deno.test("What is found out about a relay can be published there, and is understood by who reads it back", async () => {
  await using relay = await relayProcess({ name: "somebody else's" });
  await using server = await scriptedDnsServer(3);
  const missing = { ok: false, failure: { detail: "no file" } } as const;
  const at = relayAt(relay.url);
  const findings = await checkRelay({
    relay: at,
    dialer: testDialer(),
    config: monitorConfig.parse({}),
    signal: never,
    secretKey,
    dnsServers: [server],
    databases: { city: () => missing, asn: () => missing },
  }, {
    checkedAt: Math.floor(Date.now() / 1_000),
    checks: new Set(CHECK_NAMES),
    regardless: true,
  });
  assert.equal(findings.rtt.failure, null);
  const discovery = discoveryEvent({ relay: at, ...findings });
  assert(discovery !== null);
  const now = findings.checkedAt;
  const announcement = announcementEvent({
    createdAt: now,
    frequencySeconds: 3_600,
    timeoutsMs: new Map([["open", 10_000], ["ssl", 5_000]]),
    networks: ["clearnet"],
  });
  const found = await publishAndRead(at, [
    discovery,
    announcement,
    relayListEvent([at], now),
    profileEvent({ name: "Monitor" }, now),
  ]);

  const read = readDiscovery(found.get(30_166)!);
  assert.deepEqual([read.url, read.network], [`${relay.url}/`, "clearnet"]);
  assert.deepEqual(Object.keys(read.rtt), ["open", "read", "write"]);
  assert.deepEqual(read.nips, [1, 2, 11]);
  assert.deepEqual(read.types, ["PublicInbox"]);
  assert.deepEqual(read.requirements, {
    auth: false,
    payment: false,
    writes: false,
    pow: false,
  });
  assert.equal(read.seenAt, now);
  assert.deepEqual(readAnnouncement(found.get(10_166)!).checks, [
    "open",
    "ssl",
  ]);
  assert.deepEqual(found.get(10_002)?.tags, [["r", `${relay.url}/`, "write"]]);
  assert.equal(found.get(0)?.content, `{"name":"Monitor"}`);
});

/** The events as the relay has them, by kind; all of them verify. */
async function publishAndRead(
  at: ReturnType<typeof relayAt>,
  drafts: readonly EventDraft[],
) {
  await using client = valueOf(await connectRelay(testDialer(), at, options));
  for (const draft of drafts) {
    const tags = draft.tags.map((tag) => [...tag]);
    const event = finalizeEvent({ ...draft, tags }, secretKey);
    const answer = valueOf(await client.publish(event, options));
    assert.deepEqual([answer.accepted, answer.message], [true, ""]);
  }
  const { events } = await client.fetchPage({
    authors: [getPublicKey(secretKey)],
  }, {
    signal: never,
    idleTimeoutMs: 20_000,
    totalTimeoutMs: 20_000,
    maxEvents: 100,
    maxBytes: 1_000_000,
  });
  return new Map(events.map((value) => {
    const parsed = parseEvent(value);
    assert(parsed.ok);
    const tags = parsed.value.tags.map((tag) => [...tag]);
    assert(verifyEvent({ ...parsed.value, tags }));
    return [parsed.value.kind, parsed.value];
  }));
}
