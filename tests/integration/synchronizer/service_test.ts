import assert from "node:assert/strict";
import { join } from "node:path";
import { insertRelays } from "../../../src/archive/relays.ts";
import { synchronizer } from "../../../src/services/synchronizer/mod.ts";
import {
  runOnce,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { SOURCE, startProgram } from "../../support/program.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { testRelay } from "../../support/test_relay.ts";
import { until } from "../../support/until.ts";

const factory = eventFactory("service");
const EVENTS = Array.from({ length: 200 }, () => factory.sign());

Deno.test("synchronizer archives what is due, counts it, and says when it is due again", async () => {
  await using archive = await testArchive();
  await using one = await testRelay({ events: EVENTS.slice(0, 120) });
  await using two = await testRelay({ events: EVENTS.slice(80) });
  await using gone = await testRelay();
  const goneUrl = gone.url;
  await gone[Symbol.asyncDispose]();
  await addRelays(archive, [one.url, two.url, goneUrl]);
  const config = { allowPrivate: true, relayIntervalSeconds: 1_000 };
  const run = await runOnce(synchronizer, archive.database, { config });

  assert.equal(await archive.count("event"), 200);
  assert.equal(await archive.count("event_relay"), 240);
  const stored = { network: "clearnet", result: "stored" };
  assert.equal(await run.metric("sync_events_total", stored), 200);
  const outcome = (outcome: string) =>
    run.metric("sync_relays_total", { network: "clearnet", outcome });
  assert.deepEqual([await outcome("complete"), await outcome("refused")], [
    2,
    1,
  ]);
  const said = run.log.find(({ message }) => message === "relay not synced");
  assert.match(String(said?.["failure"]), /^refused: /);

  const leases = await archive.sql`
    select url, failures, due_at - unix_now() as seconds, claimed_until
    from relay_lease join relay on relay.id = relay_id order by failures`;
  assert.deepEqual(leases.map((row) => row["failures"]), [0, 0, 1]);
  for (const { url, seconds } of leases) {
    const least = url === goneUrl ? 240 : 990;
    assert.ok(Number(seconds) >= least, `${url} is due in ${seconds} s`);
  }
  assert.ok(leases.every((row) => Number(row["claimed_until"]) === 0));

  const again = await runOnce(synchronizer, archive.database, { config });
  assert.equal(await again.metric("sync_requests_total"), 0);
});

Deno.test("synchronizer leaves those alone who opted out, and says so", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS });
  await addRelays(archive, [relay.url]);
  const config = { allowPrivate: true, optOut: ["127.0.0.1"] };
  const run = await runOnce(synchronizer, archive.database, { config });
  assert.equal(relay.requests.length, 0);
  const said = run.log.find(({ message }) => message === "relay not synced");
  assert.match(String(said?.["failure"]), /^opted-out: 127\.0\.0\.1 /);
  const left = { network: "clearnet", outcome: "opted-out" };
  assert.equal(await run.metric("sync_relays_total", left), 1);
  const later =
    "relay_lease where failures = 0 and due_at > unix_now() + 80000";
  assert.equal(await archive.count(later), 1);
});

Deno.test("synchronizers in two processes share the relays, and none is synced twice", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const bothWork = Promise.withResolvers<void>();
  // Nobody is answered before both processes work.
  await using relay = await testRelay({
    events: EVENTS,
    onReq: async (req) => {
      if (agents().size === 2) bothWork.resolve();
      await bothWork.promise;
      await req.serve();
    },
  });
  const agents = () =>
    new Set(relay.requests.map(({ headers }) => headers["user-agent"]));
  await addRelays(
    archive,
    Array.from({ length: 20 }, (_, i) => `${relay.url}/${i}`),
  );
  const run = async (contact: string) => {
    const config = await writeConfig(folder.path, contact, { clearnet: 3 });
    await using program = startProgram(SOURCE, [
      "synchronizer",
      "--once",
      "--config",
      config,
      "--database",
      archive.url,
    ], { cwd: folder.path });
    return await program.end();
  };
  for (const { code, stderr } of await Promise.all([run("one"), run("two")])) {
    assert.equal(code, 0, stderr);
  }
  const visits = new Set(
    relay.requests.map(({ path, headers }) =>
      `${path} ${headers["user-agent"]}`
    ),
  );
  const dialled = [...visits].map((visit) => visit.split(" ")[0]).sort();
  const paths = Array.from({ length: 20 }, (_, i) => `/${i}`).sort();
  assert.deepEqual(dialled, paths);
  assert.equal(await archive.count("event_relay"), 20 * EVENTS.length);
});

Deno.test("the relays of a synchronizer that was killed are taken over when its leases have ended", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  let isAnswering = false;
  await using relay = await testRelay({
    events: EVENTS,
    onReq: async (req) => {
      if (isAnswering) await req.serve();
    },
  });
  await addRelays(archive, [relay.url]);
  const start = async (contact: string) => {
    const config = await writeConfig(folder.path, contact, { clearnet: 3 });
    return startProgram(SOURCE, [
      "synchronizer",
      "--config",
      config,
      "--database",
      archive.url,
    ], { cwd: folder.path });
  };
  {
    await using first = await start("first");
    await Promise.race([relay.received("REQ"), first.end()]);
    await first.stop("SIGKILL");
  }
  isAnswering = true;
  await using second = await start("second");
  await until(
    "the second has archived everything",
    async () => await archive.count("event_relay") === EVENTS.length,
  );
  const { code, stderr } = await second.stop("SIGTERM");
  assert.equal(code, 0, stderr);
});

Deno.test("a synchronizer that is stopped keeps what it has and gives its relays back", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({
    events: EVENTS,
    maxLimit: 20,
    onReq: async (req) => {
      if (req.nth === 5) stop.abort();
      await req.serve();
    },
  });
  const stop = new AbortController();
  await addRelays(archive, [relay.url]);
  const config = { allowPrivate: true, requests: { limit: 20 } };
  const { signal } = stop;
  await runOnce(synchronizer, archive.database, { config, signal });
  const stored = await archive.count("event");
  // The first page was whole before the others were asked for, several at once.
  assert.ok(stored >= 20 && stored < 200, `${stored} stored`);
  const free = "relay_lease where claimed_until = 0 and due_at <= unix_now()";
  assert.equal(await archive.count(free), 1);
  await runOnce(synchronizer, archive.database, { config });
  assert.equal(await archive.count("event"), 200);
});

function addRelays(
  { database }: TestArchive,
  urls: readonly string[],
): Promise<number> {
  return insertRelays(
    database,
    urls.map((url) => ({ url, network: "clearnet" })),
  );
}

async function writeConfig(
  folder: string,
  contact: string,
  { clearnet }: { clearnet: number },
): Promise<string> {
  const path = join(folder, `${contact}.yaml`);
  await Deno.writeTextFile(
    path,
    `
allowPrivate: true
contact: ${contact}
intervalSeconds: 1
leaseSeconds: 3
networks: { clearnet: { maxConnections: ${clearnet}, timeoutMs: 60000 } }
`,
  );
  return path;
}
