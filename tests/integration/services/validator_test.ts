import assert from "node:assert/strict";
import {
  type CandidateHint,
  insertCandidates,
} from "../../../src/archive/candidates.ts";
import {
  parseRelayUrl,
  registrableDomain,
} from "../../../src/models/relay_url.ts";
import { validator } from "../../../src/services/validator/mod.ts";
import {
  runOnce,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import { socksProxy } from "../../support/socks.ts";
import { makeCertificate } from "../../support/tls.ts";
import { testRelay } from "../../support/test_relay.ts";

Deno.test("validator makes a relay of each candidate that answers, AUTH and refusals included", async () => {
  await using archive = await testArchive();
  await using open = await testRelay();
  await using demanding = await testRelay({ authRequired: "all" });
  await using refusing = await testRelay({
    onReq: (req) => req.closed("restricted: members only"),
  });
  const urls = [open.url, demanding.url, refusing.url];
  await addCandidates(archive, urls);
  const { metric } = await runOnce(validator, archive.database, config());
  assert.deepEqual(await relays(archive), [...urls].sort());
  assert.equal(await archive.count("candidate"), 0);
  const promoted = { network: "clearnet", outcome: "promoted" };
  assert.equal(await metric("validator_candidates_total", promoted), 3);
});

Deno.test("validator keeps those that do not, with the reason, and tries them again later", async () => {
  await using archive = await testArchive();
  await using silent = await testRelay({ onReq: () => {} });
  await using garbage = await testRelay({ upgrade: "garbage" });
  await using website = await testRelay({ upgrade: { status: 200 } });
  const dead = `ws://127.0.0.1:${await unusedPort()}`;
  await addCandidates(archive, [silent.url, garbage.url, website.url, dead]);
  const { metric } = await runOnce(validator, archive.database, config());

  assert.deepEqual(await relays(archive), []);
  const rows = await archive.sql<{ url: string; failure: string }[]>`
    select url, last_failure as failure from candidate
    where failures = 1 and claimed_until = 0
      and due_at between last_tried_at + 59 and last_tried_at + 61`;
  const failures = new Map(rows.map(({ url, failure }) => [url, failure]));
  assert.match(failures.get(silent.url) ?? "", /^timeout: /);
  assert.match(failures.get(garbage.url) ?? "", /^protocol: /);
  assert.match(failures.get(website.url) ?? "", /^http 200: /);
  assert.match(failures.get(dead) ?? "", /^refused: /);
  const refused = { network: "clearnet", outcome: "refused" };
  assert.equal(await metric("validator_candidates_total", refused), 1);

  const tried = silent.requests.length;
  await runOnce(validator, archive.database, config());
  assert.equal(silent.requests.length, tried, "nothing was due");
});

Deno.test("validator drops a candidate that failed too often", async () => {
  await using archive = await testArchive();
  await addCandidates(archive, [`ws://127.0.0.1:${await unusedPort()}`]);
  for (let tries = 1; tries <= 3; tries++) {
    await runOnce(validator, archive.database, config({ maxFailures: 3 }));
    assert.equal(await archive.count(`candidate where failures = ${tries}`), 1);
    await archive.sql`update candidate set due_at = 0`;
  }
  await runOnce(validator, archive.database, config({ maxFailures: 3 }));
  assert.equal(await archive.count("candidate"), 0);
});

Deno.test("validator leaves private addresses alone unless allowed", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay();
  await addCandidates(archive, [relay.url]);
  await runOnce(validator, archive.database, config({ allowPrivate: false }));
  assert.equal(relay.requests.length, 0);
  assert.equal(
    await archive.count("candidate where last_failure like 'address: %'"),
    1,
  );
});

Deno.test("validator leaves those alone who opted out, and counts no failure", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay();
  await addCandidates(archive, [relay.url]);
  const { metric } = await runOnce(
    validator,
    archive.database,
    config({ optOut: ["127.0.0.1"] }),
  );
  assert.equal(relay.requests.length, 0);
  assert.equal(
    await archive.count(
      "candidate where failures = 0 and last_failure is null",
    ),
    1,
  );
  const left = { network: "clearnet", outcome: "opted-out" };
  assert.equal(await metric("validator_candidates_total", left), 1);
});

Deno.test("validator tries the fewest failures first, and dials nobody it has not claimed", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay();
  const urls = ["a", "b", "c", "d"].map((path) => `${relay.url}/${path}`);
  await addCandidates(archive, urls);
  await archive.sql`update candidate set failures = 2 where url like '%/a'`;
  await archive.sql`update candidate set failures = 1 where url like '%/b'`;
  await archive.sql`
    update candidate set claimed_until = unix_now() + 60 where url like '%/c'`;
  await runOnce(validator, archive.database, config({ slots: 1 }));
  assert.deepEqual(pathsOf(relay), ["/d", "/b", "/a"]);
});

Deno.test("validator lets a relay that never answers delay no other", async () => {
  await using archive = await testArchive();
  await using slow = await testRelay({ upgrade: "never" });
  let answered = 0;
  let slowWasOpen = 0;
  await using quick = await testRelay({
    onReq: async (req) => {
      answered += 1;
      if (answered === 40) slowWasOpen = slow.open;
      await req.serve();
    },
  });
  const urls = Array.from({ length: 40 }, (_, i) => `${quick.url}/${i}`);
  // Claimed first, so that it is in work before all others.
  await addCandidates(archive, [slow.url]);
  await addCandidates(archive, urls);
  await archive.sql`update candidate set failures = 1 where url <> ${slow.url}`;
  await runOnce(
    validator,
    archive.database,
    config({ slots: 2, timeoutMs: 4_000 }),
  );
  assert.equal(slowWasOpen, 1, "the slow one was still waited for");
  assert.equal((await relays(archive)).length, 40);
});

Deno.test("validator gives its claims back when it is stopped, and counts no failure", async () => {
  await using archive = await testArchive();
  await using never = await testRelay({ onReq: () => {} });
  const urls = Array.from({ length: 8 }, (_, i) => `${never.url}/${i}`);
  await addCandidates(archive, urls);
  const stop = new AbortController();
  const run = runOnce(validator, archive.database, {
    ...config({ slots: 2, timeoutMs: 60_000 }),
    signal: stop.signal,
  });
  await never.received("REQ", 2);
  assert.ok(await archive.count("candidate where claimed_until > 0") >= 2);
  stop.abort();
  await run;
  const untouched =
    "failures = 0 and claimed_until = 0 and last_failure is null";
  assert.equal(await archive.count(`candidate where ${untouched}`), 8);
});

Deno.test("validator promotes a ws URL as wss when that answers, and as ws when only that does", async () => {
  await using archive = await testArchive();
  await using plain = await testRelay();
  await using secure = await testRelay({
    certificate: await makeCertificate({ names: ["127.0.0.1"] }),
  });
  await addCandidates(archive, [plain.url, secure.url.replace("wss:", "ws:")]);
  await runOnce(
    validator,
    archive.database,
    config({ allowInsecureTls: true }),
  );
  assert.deepEqual(await relays(archive), [plain.url, secure.url].sort());
});

Deno.test("validator never tries a wss URL without TLS", async () => {
  await using archive = await testArchive();
  await using plain = await testRelay();
  await addCandidates(archive, [plain.url.replace("ws:", "wss:")]);
  await runOnce(validator, archive.database, config());
  assert.deepEqual(await relays(archive), []);
  assert.equal(plain.requests.length, 0);
});

Deno.test("validator reaches overlay candidates through their proxy, which alone sees the name", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay();
  await using proxy = await socksProxy({ names: [ONION, I2P] });
  const urls = [
    `ws://${ONION}:${relay.port}`,
    `ws://${I2P}:${relay.port}`,
    `ws://${LOKI}:${relay.port}`,
  ];
  await addCandidates(archive, urls);
  const overlay = { enabled: true, proxyUrl: proxy.url, timeoutMs: 5_000 };
  await runOnce(validator, archive.database, {
    config: { networks: { tor: overlay, i2p: overlay, loki: overlay } },
  });
  assert.deepEqual(await relays(archive), urls.slice(0, 2).sort());
  assert.deepEqual(
    [...proxy.asked].sort(),
    urls.map((url) => url.slice("ws://".length)).sort(),
  );
  const gone = "network = 'loki' and last_failure like 'unreachable: %'";
  assert.equal(await archive.count(`candidate where ${gone}`), 1);
});

Deno.test("validator claims nothing of a network that is not enabled", async () => {
  await using archive = await testArchive();
  await addCandidates(archive, [`ws://${ONION}`]);
  await runOnce(validator, archive.database, config());
  assert.equal(await archive.count("candidate where failures = 0"), 1);
});

Deno.test("validator holds a proxy that is down against no candidate", async () => {
  await using archive = await testArchive();
  const urls = Array.from({ length: 30 }, (_, i) => `ws://${ONION}/${i}`);
  await addCandidates(archive, urls);
  const proxyUrl = `socks5://127.0.0.1:${await unusedPort()}`;
  const tor = { enabled: true, proxyUrl, timeoutMs: 5_000 };
  const { log } = await runOnce(validator, archive.database, {
    config: { networks: { tor } },
  });
  const untouched =
    "failures = 0 and claimed_until = 0 and last_failure is null";
  assert.equal(await archive.count(`candidate where ${untouched}`), 30);
  const warned = log.filter(({ level }) => level === "warn");
  assert.deepEqual(warned.map(({ message, network }) => [message, network]), [
    ["proxy down, network left alone", "tor"],
  ]);
});

const ONION = "oxtrdevav64z64yb7x6rjg4ntzqjhedm5b5zjqulugknhzr46ny2qbad.onion";
const I2P = "relay.nostr.i2p";
const LOKI = "qdhh8qd7cgm3oxkxmyqzkjmsbsjqd1o4yxbc8ekzfm37dqqnjmyo.loki";

interface Settings {
  readonly slots?: number;
  readonly timeoutMs?: number;
  readonly [key: string]: unknown;
}

function config({ slots = 10, timeoutMs = 1_000, ...rest }: Settings = {}) {
  const clearnet = { maxConnections: slots, timeoutMs };
  return { config: { allowPrivate: true, networks: { clearnet }, ...rest } };
}

async function addCandidates(
  { database }: TestArchive,
  urls: readonly string[],
): Promise<void> {
  const hints = urls.map((text): CandidateHint => {
    const parsed = parseRelayUrl(text, { allowPrivate: true });
    if (!parsed.ok) throw new Error(parsed.failure.detail);
    const domain = registrableDomain(parsed.value);
    return { ...parsed.value, domain, source: "seed" };
  });
  const free = { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 };
  await insertCandidates(database, hints, free);
}

async function relays({ sql }: TestArchive): Promise<string[]> {
  const rows = await sql<{ url: string }[]>`select url from relay order by url`;
  return rows.map(({ url }) => url);
}

/** The paths that were dialled, in order. */
function pathsOf({ requests }: { requests: readonly { path: string }[] }) {
  return requests.map(({ path }) => path);
}

async function unusedPort(): Promise<number> {
  await using relay = await testRelay();
  return relay.port;
}
