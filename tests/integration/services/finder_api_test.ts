import assert from "node:assert/strict";
import { getState } from "../../../src/archive/service_state.ts";
import { finder } from "../../../src/services/finder/mod.ts";
import {
  runOnce,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import { Politeness } from "../../../src/transport/politeness.ts";
import { never } from "../../support/dialing.ts";
import { shiftClock } from "../../support/shifted_clock.ts";

Deno.test("finder makes candidates of a published list and asks again only after its cooldown", async () => {
  await using archive = await testArchive();
  await using api = apiServer(() => ({
    relays: [
      { url: "wss://Relay.Damus.io/" },
      { url: "wss://relay.damus.io" },
      {
        url:
          "wss://filter.nostr.wine/npub1dergggklka99wwrs92yz8wdjs952h2ux2ha2ed598ngwu9w7a6fsh9xzpc",
      },
      {
        url:
          "ws://oxtrdevav64z64yb7x6rjg4ntzqjhedm5b5zjqulugknhzr46ny2qbad.onion",
      },
      { url: "nonsense" },
    ],
  }));
  const source = { url: api.url, expression: "relays[*].url" };
  const { log } = await runOnce(finder, archive.database, config([source]));

  assert.deepEqual(await candidates(archive), [
    "ws://oxtrdevav64z64yb7x6rjg4ntzqjhedm5b5zjqulugknhzr46ny2qbad.onion",
    "wss://filter.nostr.wine",
    "wss://relay.damus.io",
  ]);
  const [asked] = log.filter(({ message }) => message === "source asked");
  assert.equal(asked?.inserted, 3);
  assert.equal(asked?.malformed, 1);
  assert.deepEqual(await states(archive, "checkpoint"), [api.url]);

  await runOnce(finder, archive.database, config([source]));
  assert.equal(api.requests.length, 1);
});

Deno.test("finder asks the others first when as many sockets are open to the address of a source as we allow ourselves", async () => {
  await using archive = await testArchive();
  const politeness = new Politeness({ maxSocketsPerAddress: 1 });
  const { slots } = politeness;
  const asked: string[] = [];
  await using crowded = apiServer(() => {
    asked.push("crowded");
    return [];
  });
  const address = [`127.0.0.1 port ${new URL(crowded.url).port}`];
  await using other = apiServer(() => {
    asked.push("other");
    slots.release(address);
    return [];
  });
  await slots.acquire(address, { timeoutMs: 0, signal: never });
  const sources = [crowded, other].map(({ url }) => ({ url }));
  const run = { politeness, ...config(sources) };
  const { metric } = await runOnce(finder, archive.database, run);
  assert.deepEqual(asked, ["other", "crowded"]);
  const name = "finder_api_answers_total";
  assert.equal(await metric(name, { outcome: "list" }), 2);
  assert.equal(await metric(name, { outcome: "busy" }), 0);
});

Deno.test("finder logs no query of a source, as it may be a key", async () => {
  await using archive = await testArchive();
  await using api = apiServer(() => []);
  await using other = apiServer(() => new Response("no", { status: 403 }));
  const sources = [api, other].map(({ url }) => ({ url: `${url}?k=secret` }));
  const { log } = await runOnce(finder, archive.database, config(sources));
  const lines = log.filter(({ source }) => source !== undefined);
  assert.deepEqual(
    lines.map(({ source }) => source),
    [api, other].map(({ url }) => `${url}?…`),
  );
  assert(!JSON.stringify(log).includes("secret"));
});

Deno.test("finder asks by the database's clock, and again what a wrong clock has put off", async () => {
  await using archive = await testArchive();
  await using api = apiServer(() => []);
  const source = { url: api.url, cooldownSeconds: 3_600 };
  const run = () => runOnce(finder, archive.database, config([source]));
  {
    using _clock = shiftClock(30 * 86_400);
    await run();
    await run();
    assert.equal(api.requests.length, 1, "asked once");
  }
  await run();
  assert.equal(api.requests.length, 1, "the cooldown is not over");
  const putOff = async (seconds: number) => {
    await archive.sql`update service_state
      set state_value = jsonb_set(state_value, '{timestamp}',
        to_jsonb(unix_now() + ${seconds}::int8))
      where state_type = 'checkpoint'`;
    await run();
    return api.requests.length;
  };
  assert.equal(await putOff(-60), 1);
  assert.equal(await putOff(30 * 86_400), 2);
  assert.equal(await putOff(-3_600), 3);
});

Deno.test("finder introduces itself and asks for JSON", async () => {
  await using archive = await testArchive();
  await using api = apiServer(() => []);
  await runOnce(finder, archive.database, {
    config: { ...config([{ url: api.url }]).config, contact: "ops@nostr.band" },
  });
  const [headers] = api.requests;
  assert.match(
    headers?.get("user-agent") ?? "",
    /^BigBrotr\/.*ops@nostr\.band/,
  );
  assert.equal(headers?.get("accept"), "application/json");
});

const HOSTILE: Readonly<Record<string, readonly [string, () => Response]>> = {
  "HTML": ["http", () => html("<html>")],
  "HTML called JSON": ["protocol", () => json("<html>")],
  "invalid UTF-8": ["protocol", () => json(Uint8Array.of(0x5b, 0xff, 0x5d))],
  "a document the expression does not fit": ["expression", () => json("{}")],
  "a list of numbers": ["expression", () => json("[1,2]")],
  "nesting without end": ["expression", () => json(nested(5_000))],
  "a body larger than its bound": ["too-large", () => json(spaces(20_000))],
  "a body without an end": ["timeout", () => json(endless())],
  "an error": ["http", () => new Response("no", { status: 500 })],
  "a redirect to another host": ["http", () => redirect()],
};

Deno.test("finder counts what hostile sources answer, remembers none of it, and goes on with the next", async () => {
  await using archive = await testArchive();
  await using servers = new AsyncDisposableStack();
  const sources = Object.values(HOSTILE).map(([, answer]) => ({
    url: servers.use(apiServer(answer)).url,
    maxBytes: 10_000,
    timeoutMs: 500,
  }));
  const good = servers.use(apiServer(() => ["wss://relay.damus.io"]));
  const run = await runOnce(
    finder,
    archive.database,
    config([...sources, { url: good.url }]),
  );

  const failed = run.log.filter(({ message }) => message === "source failed");
  assert.equal(failed.length, sources.length);
  const expected = new Map<string, number>();
  for (const [outcome] of Object.values(HOSTILE)) {
    expected.set(outcome, (expected.get(outcome) ?? 0) + 1);
  }
  for (const [outcome, count] of expected) {
    const counted = await run.metric("finder_api_answers_total", { outcome });
    assert.equal(counted, count, outcome);
  }
  assert.deepEqual(await states(archive, "checkpoint"), [good.url]);
  assert.equal((await states(archive, "failure")).length, sources.length);
  assert.deepEqual(await candidates(archive), ["wss://relay.damus.io"]);
});

Deno.test("finder leaves a source that failed alone for a while", async () => {
  await using archive = await testArchive();
  await using api = apiServer(() => new Response("no", { status: 503 }));
  await runOnce(finder, archive.database, config([{ url: api.url }]));
  await runOnce(finder, archive.database, config([{ url: api.url }]));
  assert.equal(api.requests.length, 1);
});

Deno.test("finder stores candidates and checkpoint of a source together or not at all", async () => {
  await using archive = await testArchive();
  await archive.sql`
    alter table candidate add check (url <> 'wss://refused.nostr.band')`;
  await using api = apiServer(() => [
    "wss://relay.damus.io",
    "wss://refused.nostr.band",
  ]);
  await assert.rejects(
    runOnce(finder, archive.database, config([{ url: api.url }])),
    /violates check constraint/,
  );
  assert.deepEqual(await candidates(archive), []);
  assert.deepEqual(await states(archive, "checkpoint"), []);
});

Deno.test("finder forgets sources that are no longer configured", async () => {
  await using archive = await testArchive();
  await using kept = apiServer(() => ["wss://relay.damus.io"]);
  await using removed = apiServer(() => ["wss://nos.lol"]);
  await using failing = apiServer(() => new Response("no", { status: 500 }));
  const sources = [kept, removed, failing].map(({ url }) => ({ url }));
  await runOnce(finder, archive.database, config(sources));
  await runOnce(finder, archive.database, config([{ url: kept.url }]));
  assert.deepEqual(await states(archive, "checkpoint"), [kept.url]);
  assert.deepEqual(await states(archive, "failure"), []);
});

Deno.test("finder asks no disabled source, but keeps its checkpoint", async () => {
  await using archive = await testArchive();
  await using api = apiServer(() => ["wss://relay.damus.io"]);
  await runOnce(finder, archive.database, config([{ url: api.url }]));
  const disabled = { url: api.url, enabled: false, cooldownSeconds: 1 };
  await runOnce(finder, archive.database, config([disabled]));
  assert.deepEqual(await states(archive, "checkpoint"), [api.url]);
  assert.equal(api.requests.length, 1);
});

Deno.test("finder keeps a flood within the budgets of host and domain", async () => {
  await using archive = await testArchive();
  const paths = Array.from(
    { length: 50 },
    (_, i) => `wss://one.nostr.band/p${i}`,
  );
  const hosts = Array.from({ length: 50 }, (_, i) => `wss://h${i}.nostr1.com`);
  await using api = apiServer(() => [...paths, ...hosts, "wss://nos.lol"]);
  const { log } = await runOnce(finder, archive.database, {
    config: {
      ...config([{ url: api.url }]).config,
      budgets: { maxPerHost: 5, maxPerDomain: 20 },
    },
  });
  assert.equal(
    await archive.count("candidate where host = 'one.nostr.band'"),
    5,
  );
  assert.equal(
    await archive.count("candidate where domain = 'nostr1.com'"),
    20,
  );
  assert.equal(await archive.count("candidate where host = 'nos.lol'"), 1);
  const [asked] = log.filter(({ message }) => message === "source asked");
  assert.equal(asked?.overBudget, 45 + 30);
});

Deno.test("finder refuses an expression that is none when it is configured", () => {
  const checked = finder.config.safeParse({
    api: { sources: [{ url: "https://nostr.band/x", expression: "[*" }] },
  });
  assert.match(String(checked.error), /JMESPath/);
});

function config(sources: readonly object[]) {
  return {
    config: {
      allowPrivate: true,
      api: { sources, requestDelayMs: 0 },
      archive: { enabled: false },
    },
  };
}

async function candidates({ sql }: TestArchive): Promise<string[]> {
  const rows = await sql<{ url: string }[]>`
    select url from candidate order by url`;
  return rows.map(({ url }) => url);
}

async function states(
  { database }: TestArchive,
  stateType: string,
): Promise<string[]> {
  const found = await getState(database, { serviceName: "finder", stateType });
  return found.map(({ stateKey }) => stateKey);
}

/** A server on a free port; what is no `Response` is sent as JSON. */
function apiServer(answer: () => unknown) {
  const requests: Headers[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ headers }) => {
      requests.push(headers);
      const given = answer();
      return given instanceof Response ? given : Response.json(given);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/relays`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function json(
  body: string | Uint8Array<ArrayBuffer> | ReadableStream,
): Response {
  return new Response(body, {
    headers: { "content-type": "application/json" },
  });
}

function html(body: string): Response {
  return new Response(body, { headers: { "content-type": "text/html" } });
}

function redirect(): Response {
  const location = "http://169.254.169.254/latest/meta-data";
  return new Response(null, { status: 302, headers: { location } });
}

function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

function spaces(count: number): string {
  return `[${" ".repeat(count)}]`;
}

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode("[")),
  });
}
