import assert from "node:assert/strict";
import { monitor } from "../../../src/services/monitor/mod.ts";
import { runOnce, testArchive } from "../../support/archive.ts";
import {
  addRelay,
  documentsOf,
  monitorDeps,
  monitorWith,
  reply,
  visitAgain,
} from "../../support/monitor.ts";
import { testRelay } from "../../support/test_relay.ts";

const BASE = {
  allowPrivate: true,
  networks: { clearnet: { maxConnections: 4, timeoutMs: 5_000 } },
  schedule: { everySeconds: 600, jitter: 0 },
};

/** How often each check was made in one cycle of a monitor that has just been started. */
async function made(
  archive: Awaited<ReturnType<typeof testArchive>>,
  checks: Readonly<Record<string, unknown>>,
) {
  const config = { ...BASE, checks };
  const service = monitorWith(monitorDeps());
  const { metric } = await runOnce(service, archive.database, { config });
  const labels = { network: "clearnet", outcome: "ok" };
  const count = (check: string) =>
    metric("monitor_checks_total", { check, ...labels });
  return [await count("rtt"), await count("nip11"), await count("http")];
}

Deno.test("monitor makes each document in its own interval, whoever made the one before", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ http: reply({ name: "A relay" }) });
  await addRelay(archive, relay.url);
  const checks = {
    nip11: { everySeconds: 1_200 },
    http: { everySeconds: 86_400 },
  };
  /** As if so much time had passed. */
  const later = async (seconds: number) => {
    await visitAgain(archive);
    for (const name of ["nip11", "http"]) {
      const path = `{checks,${name},dueAt}`;
      await archive
        .sql`update relay_lease set memory = jsonb_set(memory, ${path}::text::text[],
        to_jsonb((memory #>> ${path}::text::text[])::int8 - ${seconds}::int8))`;
    }
  };
  assert.deepEqual(await made(archive, checks), [1, 1, 1]);
  assert.deepEqual(await made(archive, checks), [0, 0, 0], "nothing is due");
  await later(600);
  assert.deepEqual(await made(archive, checks), [1, 0, 0]);
  await later(600);
  assert.deepEqual(await made(archive, checks), [1, 1, 0]);
  await later(86_400 - 1_200 - 200);
  assert.deepEqual(await made(archive, checks), [1, 1, 1], "nearest visit");
});

Deno.test("monitor asks again at the next visit for a document that could not be had, then ever more rarely", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ http: { status: 404 } });
  await addRelay(archive, relay.url);
  const due = async () => {
    const [row] = await archive.sql<{ failures: number; wait: number }[]>`
      select (memory #>> '{checks,nip11,failures}')::int as failures,
        ((memory #>> '{checks,nip11,dueAt}')::int8 - unix_now())::int as wait
      from relay_lease`;
    return [row?.failures, Math.round((row?.wait ?? 0) / 100) * 100];
  };
  const config = { ...BASE, checks: { nip11: { everySeconds: 3_000 } } };
  const service = monitorWith(monitorDeps());
  for (const expected of [[1, 600], [2, 1_200], [3, 2_400], [4, 3_000]]) {
    await runOnce(service, archive.database, { config });
    assert.deepEqual(await due(), expected);
    await visitAgain(archive);
    await archive.sql`update relay_lease
      set memory = jsonb_set(memory, '{checks,nip11,dueAt}', '0')`;
  }
});

Deno.test("monitor has the documents of a relay that is offline made when it is back", async () => {
  await using archive = await testArchive();
  let isUp = false;
  await using relay = await testRelay({
    http: reply({ name: "A relay" }),
    onReq: (req) => isUp ? req.serve() : req.disconnect(),
  });
  const id = await addRelay(archive, relay.url);
  assert.deepEqual(await made(archive, {}), [0, 0, 0]);
  assert.equal((await documentsOf(archive, id)).size, 1);
  isUp = true;
  await visitAgain(archive);
  assert.deepEqual(await made(archive, {}), [1, 1, 1]);
});

Deno.test("two monitors share the relays: each is checked once, and both have work", async () => {
  await using archive = await testArchive();
  // Nobody is answered before both have asked.
  const both = Promise.withResolvers<void>();
  const agents = new Set<string | undefined>();
  await using relay = await testRelay({
    onReq: async (req) => {
      for (const { headers } of relay.requests) {
        agents.add(headers["user-agent"]);
      }
      if (agents.size === 2) both.resolve();
      await both.promise;
      await req.serve();
    },
  });
  for (let i = 0; i < 40; i++) await addRelay(archive, `${relay.url}/${i}`);
  const run = (contact: string) =>
    runOnce(monitor, archive.database, {
      config: {
        ...BASE,
        contact,
        checks: { nip11: { enabled: false } },
        networks: { clearnet: { maxConnections: 2, timeoutMs: 30_000 } },
      },
    });
  const runs = await Promise.all([run("one@a.test"), run("two@a.test")]);
  assert.equal(await archive.count("relay_check"), 40);
  assert.equal(relay.count("REQ"), 40);
  const labels = { network: "clearnet", outcome: "online" };
  const shares = await Promise.all(
    runs.map(({ metric }) => metric("monitor_relays_checked_total", labels)),
  );
  assert.equal(shares.reduce((sum, share) => sum + share, 0), 40);
  assert(shares.every((share) => share > 0), `${shares}`);
});

Deno.test("monitor tells how late the relay is that has been due longest", async () => {
  await using archive = await testArchive();
  let whenAsked = async () => {};
  await using relay = await testRelay({
    onReq: async (req) => {
      await whenAsked();
      await req.serve();
    },
  });
  await addRelay(archive, relay.url);
  const lag = async () => {
    const service = monitorWith(monitorDeps());
    const { metric } = await runOnce(service, archive.database, {
      config: BASE,
    });
    return await metric("monitor_lag_seconds", { network: "clearnet" });
  };
  assert.equal(await lag(), 0, "a new relay is not late");
  await archive.sql`update relay_lease set due_at = unix_now() - 500`;
  // What is left in the end is that nobody is due any more, so it is looked at while the relay is being checked.
  const during: number[] = [];
  const service = monitorWith(monitorDeps());
  const watched: typeof service = {
    ...service,
    run: async (ctx) => {
      const read = async () => {
        const gauge = ctx.metrics.registry.getSingleMetric(
          "bigbrotr_monitor_lag_seconds",
        );
        const [series] = (await gauge?.get())?.values ?? [];
        during.push(series?.value ?? 0);
      };
      whenAsked = read;
      await service.run(ctx);
    },
  };
  await runOnce(watched, archive.database, { config: BASE });
  assert(during.some((late) => late >= 500 && late < 560), `${during}`);
});
