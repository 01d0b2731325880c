/**
 * Import and export on a real archive: what goes in comes out, what is refused is explained.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Database } from "../../../src/core/database/connection/database.ts";
import { matchesFilter } from "../../../src/models/filter.ts";
import { loadVerifier } from "../../../src/nips/verify/verifier.ts";
import { exportEvents } from "../../../src/transfer/export.ts";
import {
  type ImportContext,
  type ImportCounts,
  importSource,
  MAX_LINE_BYTES,
} from "../../../src/transfer/import.ts";
import { findSource } from "../../../src/transfer/source.ts";
import { relayRejections } from "../../support/archive_reads.ts";
import { testArchive } from "../../support/archive.ts";
import { communityEvents } from "../../support/community.ts";
import { edgeCaseEvents } from "../../support/edge_case_events.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const FIXTURES = `${import.meta.dirname}/../../fixtures`;

/** A little more than two blocks. */
const MANY = communityEvents(eventFactory("many"), {
  count: 4000,
  authors: 20,
  relays: ["wss://relay.example.com"],
  since: 1_700_000_000,
  spanSeconds: 2000,
});

Deno.test("importSource() and exportEvents() give back every edge case as it was signed", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const cases = edgeCaseEvents(eventFactory("edges"));
  const path = await writeLines(folder.path, Object.values(cases));

  const counts = await importFile(path, archive.database);
  assert.deepEqual(counts.samples, []);
  assert.equal(counts.stored, Object.keys(cases).length);

  const exported = await exportAll(archive.database);
  for (const [name, event] of Object.entries(cases)) {
    const line = exported.find((line) => line.includes(event.id));
    assert.equal(line, JSON.stringify(event), name);
  }
});

Deno.test("importSource() archives real events from a gzip, and knows them the second time", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const lines = (await Deno.readTextFile(`${FIXTURES}/events.jsonl`)).trim();
  const path = join(folder.path, "events.jsonl.gz");
  await Deno.writeFile(path, gzipSync(lines));
  const count = lines.split("\n").length;

  const first = await importFile(path, archive.database);
  assert.deepEqual(
    [first.stored, first.known, first.rejected, first.complete],
    [count, 0, {}, true],
  );
  const again = await importFile(path, archive.database, { restart: true });
  assert.deepEqual([again.stored, again.known], [0, count]);
  assert.equal((await exportAll(archive.database)).length, count);
});

Deno.test("importSource() rejects what is no event, says where and why, and goes on", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const { sign } = eventFactory("rejects");
  const good = sign();
  const forged = { ...sign(), sig: good.sig };
  const lines = [
    JSON.stringify(good),
    "{ not json",
    JSON.stringify({ ...good, kind: 65_536 }),
    JSON.stringify({ ...good, created_at: -1 }),
    JSON.stringify({ ...good, content: "changed" }),
    JSON.stringify(forged),
    JSON.stringify({ ...good, tags: "none" }),
    "",
    JSON.stringify(sign({ content: "x".repeat(5000) })),
    JSON.stringify(good),
    JSON.stringify(sign()),
  ];
  const path = join(folder.path, "mixed.jsonl");
  await Deno.writeTextFile(path, lines.join("\n"));

  const counts = await importFile(path, archive.database, {
    maxLineBytes: 4000,
  });
  assert.deepEqual([counts.stored, counts.known], [2, 1]);
  assert.deepEqual(counts.samples.map(({ line, reason }) => [line, reason]), [
    [2, "json"],
    [3, "kind"],
    [4, "created-at"],
    [5, "id"],
    [6, "signature"],
    [7, "shape"],
    [9, "too-large"],
  ]);
  const kept = await relayRejections(archive.database, null, 100);
  assert.equal(kept.length, 7);
  const signature = kept.find(({ reason }) => reason === "signature");
  assert.match(signature?.detail ?? "", /mixed\.jsonl, line 6: The signature/);
  assert.equal(signature?.eventId, forged.id);
  assert.equal(signature?.raw, JSON.stringify(forged));
});

Deno.test("importSource() refuses the events of the fixtures that are not valid, each for its reason", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const text = await Deno.readTextFile(`${FIXTURES}/invalid_events.jsonl`);
  const cases: { code: string; event: unknown }[] = text.trim().split("\n")
    .map((line) => JSON.parse(line));
  const path = await writeLines(folder.path, cases.map(({ event }) => event));
  const counts = await importFile(path, archive.database);
  assert.equal(counts.stored, 0);
  assert.deepEqual(
    counts.samples.map(({ reason }) => reason),
    cases.map(({ code }) => code),
  );
});

Deno.test("importSource() that was stopped goes on after the last block that is stored", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const path = await writeLines(folder.path, MANY);
  const stop = new AbortController();
  const stopped = await importFile(path, archive.database, {
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  assert.equal(stopped.complete, false);
  assert.equal(await countEvents(archive.database), stopped.stored);

  const rest = await importFile(path, archive.database);
  assert.equal(rest.firstLine, stopped.stored + 1);
  assert.equal(rest.known, 0);
  assert.equal(stopped.stored + rest.stored, MANY.length);
  const ids = (await exportAll(archive.database)).map((line) =>
    JSON.parse(line).id
  );
  assert.deepEqual(ids.sort(), MANY.map(({ id }) => id).sort());
});

Deno.test("importSource() reads only what is new in a file that has grown, all of one that was replaced", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const { sign } = eventFactory("growth");
  const events = Array.from({ length: 30 }, () => sign());
  const path = await writeLines(folder.path, events.slice(0, 10));
  await importFile(path, archive.database);

  await writeLines(folder.path, events.slice(0, 25));
  const grown = await importFile(path, archive.database);
  assert.deepEqual([grown.firstLine, grown.stored, grown.known], [11, 15, 0]);

  const nothing = await importFile(path, archive.database);
  assert.deepEqual([nothing.firstLine, nothing.stored], [26, 0]);

  await writeLines(folder.path, events.toReversed());
  const replaced = await importFile(path, archive.database);
  assert.deepEqual(
    [replaced.firstLine, replaced.stored, replaced.known],
    [1, 5, 25],
  );
});

Deno.test("importSource() sets apart the one event that the database refuses", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const { sign } = eventFactory("refused");
  const events = Array.from({ length: 50 }, () => sign());
  const unwanted = events[31]!;
  await archive.sql.unsafe(
    `alter table event add check (encode(id, 'hex') <> '${unwanted.id}')`,
  );
  const path = await writeLines(folder.path, events);
  const counts = await importFile(path, archive.database);
  assert.equal(counts.stored, 49);
  assert.equal(counts.known, 0);
  assert.deepEqual(counts.rejected, { database: 1 });
  assert.equal(counts.samples[0]?.line, 32);
  const [kept] = await relayRejections(archive.database, null, 10);
  assert.equal(kept?.eventId, unwanted.id);
  const again = await importFile(path, archive.database);
  assert.equal(again.firstLine, 51);
});

Deno.test("importSource() keeps what it read of a file that ends in the middle of a gzip", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const events = [...MANY];
  const packed = gzipSync(events.map(toLine).join(""));
  const path = join(folder.path, "cut.jsonl.gz");
  await Deno.writeFile(path, packed.subarray(0, packed.length * 0.9));
  const counts = await importFile(path, archive.database);
  assert.match(counts.unreadable ?? "", /cut\.jsonl\.gz/);
  assert.equal(counts.complete, false);
  assert.ok(counts.stored > 0 && counts.stored < events.length);
  assert.equal(await countEvents(archive.database), counts.stored);

  await Deno.writeFile(path, packed);
  const whole = await importFile(path, archive.database);
  assert.ok(whole.firstLine > 1);
  assert.equal(counts.stored + whole.stored, events.length);
});

Deno.test("importSource() reads arrays of events, and lines as relays send them", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const { sign } = eventFactory("shapes");
  const [a, b, c, d] = [sign(), sign({ content: `]},{"` }), sign(), sign()];
  const path = join(folder.path, "array.json");
  await Deno.writeTextFile(
    path,
    `\ufeff${JSON.stringify([a, b, { id: 1 }], null, 2)}\n`,
  );
  const array = await importFile(path, archive.database);
  assert.deepEqual([array.stored, array.complete], [2, true]);
  assert.deepEqual(array.samples.map(({ line, reason }) => [line, reason]), [
    [3, "shape"],
  ]);
  const messages = join(folder.path, "messages.jsonl");
  await Deno.writeTextFile(
    messages,
    toLine(["EVENT", "sub", c]) + toLine(["EVENT", d]) +
      toLine(["EOSE", "sub"]),
  );
  const lines = await importFile(messages, archive.database);
  assert.deepEqual([lines.stored, lines.rejected], [2, { shape: 1 }]);
});

Deno.test("importSource() keeps every whole line before the damage of a small file", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const events = MANY.slice(0, 5);
  const packed = gzipSync(events.map(toLine).join(""));
  const path = join(folder.path, "junk.jsonl.gz");
  await Deno.writeFile(path, Uint8Array.from([...packed, 1, 2, 3]));
  const counts = await importFile(path, archive.database);
  assert.deepEqual([counts.stored, counts.complete], [5, false]);
  assert.match(counts.unreadable ?? "", /junk\.jsonl\.gz: it goes on behind/);
});

Deno.test("a file of which nothing can be imported is not complete, an empty one is", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const path = join(folder.path, "page.html");
  await Deno.writeTextFile(path, "<html>\n<h1>502 Bad Gateway</h1>\n");
  const page = await importFile(path, archive.database);
  assert.deepEqual([page.rejected, page.complete], [{ json: 2 }, false]);
  assert.match(page.unreadable ?? "", /^Nothing of .*page\.html can be import/);
  const again = await importFile(path, archive.database);
  assert.deepEqual(again, page, "a second try is no better");
  await Deno.writeTextFile(path, "\n");
  const empty = await importFile(path, archive.database, { restart: true });
  assert.deepEqual([empty.unreadable, empty.complete], [null, true]);
});

Deno.test("exportEvents() gives the events of a filter, newest first, as many as asked for", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const events = [...MANY];
  await importFile(await writeLines(folder.path, events), archive.database);
  const author = events[0]!.pubkey;
  const filters = [
    {},
    { kinds: [1, 10002] },
    { authors: [author] },
    { "#p": [author] },
    { since: 1_700_000_500, until: 1_700_001_000 },
    { kinds: [7], limit: 3 },
    { limit: 0 },
  ];
  for (const filter of filters) {
    const wanted = events.filter((event) => matchesFilter(filter, event))
      .sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1))
      .slice(0, filter.limit ?? Infinity);
    const lines = await exportAll(archive.database, filter);
    assert.deepEqual(lines.map((line) => JSON.parse(line)), wanted);
  }
});

async function importFile(
  path: string,
  database: Database,
  options: Partial<ImportContext> = {},
): Promise<ImportCounts> {
  return await importSource(await findSource(path), {
    database,
    verifier: await loadVerifier(),
    restart: false,
    maxLineBytes: MAX_LINE_BYTES,
    onProgress: () => {},
    signal: new AbortController().signal,
    ...options,
  });
}

async function exportAll(database: Database, filter = {}): Promise<string[]> {
  let text = "";
  await exportEvents(database, filter, {
    write: (lines) => void (text += lines),
    signal: new AbortController().signal,
  });
  return text.split("\n").slice(0, -1);
}

async function countEvents(database: Database): Promise<number> {
  return (await exportAll(database)).length;
}

async function writeLines(
  folder: string,
  events: readonly unknown[],
): Promise<string> {
  const path = join(folder, "events.jsonl");
  await Deno.writeTextFile(path, events.map(toLine).join(""));
  return path;
}

function toLine(event: unknown): string {
  return `${JSON.stringify(event)}\n`;
}
