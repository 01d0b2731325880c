import assert from "node:assert/strict";
import { insertEvents } from "../../../src/archive/events.ts";
import { scanArchive, startOfSecond } from "../../../src/archive/event_scan.ts";
import { encodeEvents } from "../../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../../src/models/event.ts";
import { finder } from "../../../src/services/finder/mod.ts";
import {
  runOnce,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";

const LONG_AGO = 1_700_000_000;

Deno.test("finder finds the relays that archived events mention", async () => {
  await using archive = await testArchive();
  await insertEvents(
    archive.database,
    encodeEvents([
      event(1, {
        kind: 10002,
        tags: [["r", "wss://Nos.lol/"], ["r", "wss://10.1.2.3"]],
      }),
      event(2, { kind: 1, tags: [["e", "00", "wss://relay.damus.io"]] }),
      event(3, { kind: 3, content: `{"wss://eden.nostr.land":{"read":true}}` }),
      event(4, { kind: 2, content: "wss://nostr.mom" }),
      event(5, {
        kind: 1,
        content: "see wss://not.nostr.band",
        tags: [["t", "x"]],
      }),
      event(6, { kind: 10050, tags: [["relay", "wss://inbox.nostr.wine"]] }),
    ]),
  );
  await runOnce(finder, archive.database, config());
  assert.deepEqual(await candidates(archive), [
    "wss://eden.nostr.land",
    "wss://inbox.nostr.wine",
    "wss://nos.lol",
    "wss://nostr.mom",
    "wss://relay.damus.io",
  ]);
});

Deno.test("finder reads every archived event once, whatever the seconds they arrived in", async () => {
  await using archive = await testArchive();
  // Seconds with none, one, a page, and far more than a page of 10.
  const arrivals = [0, 0, 1, 5, 5, 5, 3_600, 1_000_000, 90_000_000].flatMap(
    (offset, i) =>
      Array.from(
        { length: [1, 35, 10, 3][i % 4] ?? 0 },
        () => LONG_AGO + offset,
      ),
  );
  await archiveMentions(archive, arrivals);
  const { log } = await runOnce(
    finder,
    archive.database,
    config({ pageSize: 10 }),
  );

  assert.equal(await archive.count("candidate"), arrivals.length);
  assert.deepEqual(await mentions(archive), new Set([1]));
  const [searched] = log.filter(({ message }) =>
    message === "archive searched"
  );
  assert.equal(searched?.events, arrivals.length);
});

Deno.test("finder goes on after an abort between two pages where it was", async () => {
  await using archive = await testArchive();
  const arrivals = Array.from({ length: 600 }, (_, i) => LONG_AGO + (i >> 4));
  await archiveMentions(archive, arrivals);
  // The database itself says when the fifth page is stored.
  await archive.sql.unsafe(`
    create function tell() returns trigger language plpgsql as $$
    begin perform pg_notify('page', new.state_key); return new; end $$;
    create trigger tell after insert or update on service_state
    for each row when (new.state_type = 'cursor') execute function tell()`);
  const stop = new AbortController();
  let pages = 0;
  const listening = await archive.sql.listen("page", () => {
    if (++pages === 5) stop.abort();
  });
  await runOnce(finder, archive.database, {
    ...config({ pageSize: 10 }),
    signal: stop.signal,
  });
  const found = await archive.count("candidate");
  assert.ok(found >= 40 && found < 600, `${found} candidates when stopped`);

  await runOnce(finder, archive.database, config({ pageSize: 10 }));
  await listening.unlisten();
  assert.equal(await archive.count("candidate"), 600);
  assert.deepEqual(
    await mentions(archive),
    new Set([1]),
    "no page was read twice",
  );
});

Deno.test("finder stores the candidates of a page and its position together or not at all", async () => {
  await using archive = await testArchive();
  await archiveMentions(
    archive,
    Array.from({ length: 30 }, (_, i) => LONG_AGO + i),
  );
  await archive.sql`
    alter table candidate add check (url <> 'wss://r15.nostr.band')`;
  await assert.rejects(
    runOnce(finder, archive.database, config({ pageSize: 10 })),
    /violates check constraint/,
  );
  const stored = await archive.count("candidate");
  assert.ok(stored <= 15, `${stored} candidates`);

  await archive.sql`alter table candidate drop constraint candidate_url_check1`;
  await runOnce(finder, archive.database, config({ pageSize: 10 }));
  assert.deepEqual(await mentions(archive), new Set([1]));
  assert.equal(await archive.count("candidate"), 30);
});

Deno.test("finder searches what is new in its next cycle, and the last seconds again", async () => {
  await using archive = await testArchive();
  await archiveMentions(archive, [LONG_AGO]);
  await runOnce(finder, archive.database, config());
  // Arrived just now: within the settling time, and so read in both cycles.
  await insertEvents(
    archive.database,
    encodeEvents([
      event(1_000, { tags: [["r", "wss://late.nostr.band"]] }),
    ]),
  );
  await runOnce(finder, archive.database, config());
  await runOnce(finder, archive.database, config());
  const rows = await archive.sql`select url, hints from candidate order by url`;
  assert.deepEqual([...rows], [
    { url: "wss://late.nostr.band", hints: { "r-tag": 2 } },
    { url: "wss://r0.nostr.band", hints: { "r-tag": 1 } },
  ]);
});

Deno.test("finder stops at the time budget of a cycle and goes on in the next", async () => {
  await using archive = await testArchive();
  await archiveMentions(
    archive,
    Array.from({ length: 3_000 }, (_, i) => LONG_AGO + i),
  );
  // Each page takes a tenth of a second, so that a second is not enough for all.
  await archive.sql.unsafe(`
    create function slow() returns trigger language plpgsql as $$
    begin perform pg_sleep(0.1); return new; end $$;
    create trigger slow before insert or update on service_state
    for each row when (new.state_type = 'cursor') execute function slow()`);
  const settings = config({ pageSize: 100, maxSecondsPerCycle: 1 });
  await runOnce(finder, archive.database, settings);
  const found = await archive.count("candidate");
  assert.ok(found > 0 && found < 3_000, `${found} after one cycle`);
  await archive.sql`drop trigger slow on service_state`;
  await runOnce(finder, archive.database, settings);
  assert.ok(await archive.count("candidate") > found);
});

Deno.test("finder lets no single author fill the archive with candidates", async () => {
  await using archive = await testArchive();
  const flood = Array.from({ length: 40 }, (_, i) =>
    event(i, {
      kind: 10002,
      pubkey: "aa".repeat(32),
      tags: Array.from({ length: 10 }, (_, j) => ["r", `wss://a${i}x${j}.dev`]),
    }));
  const honest = event(99, { tags: [["r", "wss://nos.lol"]] });
  await insertEvents(archive.database, encodeEvents([...flood, honest]));
  await runOnce(finder, archive.database, {
    config: { ...config().config, budgets: { maxPerAuthor: 25 } },
  });
  assert.equal(await archive.count("candidate"), 26);
  assert.ok((await candidates(archive)).includes("wss://nos.lol"));
});

Deno.test("finder has nothing to search in a lite archive", async () => {
  await using archive = await testArchive({ edition: "lite" });
  await insertEvents(
    archive.database,
    encodeEvents([
      event(1, { tags: [["r", "wss://nos.lol"]] }),
    ]),
  );
  const { log } = await runOnce(finder, archive.database, config());
  assert.equal(await archive.count("candidate"), 0);
  assert.ok(
    log.some(({ message }) => String(message).includes("lite archive")),
  );
});

Deno.test("scanArchive() gives pages of at most the size asked for, the last one with no next", async () => {
  await using archive = await testArchive();
  await archiveMentions(
    archive,
    Array.from({ length: 95 }, (_, i) => LONG_AGO + (i % 3)),
  );
  const sizes: number[] = [];
  let next: unknown;
  for await (
    const page of scanArchive(archive.database, {
      from: startOfSecond(0),
      until: LONG_AGO + 2,
      pageSize: 10,
      find: ({ tags }) => tags,
      signal: new AbortController().signal,
    })
  ) {
    sizes.push(page.events);
    next = page.next;
  }
  assert.equal(sizes.reduce((sum, size) => sum + size), 95);
  assert.ok(sizes.every((size) => size <= 10));
  assert.equal(next, null);
});

/** Events that mention `wss://r<n>.nostr.band` each, arrived at the given moments. */
async function archiveMentions(
  { database, sql }: TestArchive,
  arrivals: readonly number[],
): Promise<void> {
  const events = arrivals.map((_, i) =>
    event(i, { tags: [["r", `wss://r${i}.nostr.band`]] })
  );
  await insertEvents(database, encodeEvents(events));
  await sql`
    update event set seen_at = arrival.at
    from unnest(${events.map(({ id }) => id)}::text[], ${[...arrivals]}::int8[])
      as arrival (id, at)
    where event.id = decode(arrival.id, 'hex')`;
}

/** An event nobody signed: by the time it is archived nobody looks at that. */
function event(n: number, parts: Partial<NostrEvent>): NostrEvent {
  return {
    id: n.toString(16).padStart(64, "0"),
    pubkey: n.toString(16).padStart(64, "b"),
    created_at: LONG_AGO + n % 7,
    kind: 1,
    tags: [],
    content: "",
    sig: "cc".repeat(64),
    ...parts,
  };
}

function config(archive: Readonly<Record<string, unknown>> = {}) {
  return {
    config: {
      api: { enabled: false },
      archive,
      budgets: { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 },
    },
  };
}

async function candidates({ sql }: TestArchive): Promise<string[]> {
  const rows = await sql<{ url: string }[]>`
    select url from candidate order by url`;
  return rows.map(({ url }) => url);
}

/** How often candidates were mentioned, each number once. */
async function mentions({ sql }: TestArchive): Promise<Set<number>> {
  const rows = await sql<{ mentions: number }[]>`
    select distinct (hints ->> 'r-tag')::int as mentions from candidate`;
  return new Set(rows.map((row) => row.mentions));
}
