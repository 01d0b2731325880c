import assert from "node:assert/strict";
import type { NostrEvent } from "../../../../src/models/event.ts";
import { PageReader } from "../../../../src/workers/worker/page_reader.ts";
import type { Query } from "../../../../src/workers/walk/page.ts";
import { eventFactory } from "../../../support/event_factory.ts";

const factory = eventFactory("page reader");
const QUERY: Query = {
  filter: { kinds: [1], since: 100, until: 200, limit: 10 },
  window: { since: 100, until: 200 },
  limit: 10,
  evidenceOnly: false,
};

Deno.test("PageReader hands on what was asked for, and says why not the rest", () => {
  const good = factory.sign({ createdAt: 150 });
  const { page, accepted, rejected } = read([
    good,
    factory.sign({ createdAt: 201 }),
    factory.sign({ createdAt: 99 }),
    factory.sign({ createdAt: 150, kind: 2 }),
    { ...factory.sign({ createdAt: 150 }), content: "other" },
    { ...good, kind: 70_000 },
    { ...good, created_at: -1 },
    null,
    "EVENT",
  ]);
  assert.deepEqual(accepted, [good]);
  assert.deepEqual(page.accepted.map(({ id }) => id), [good.id]);
  assert.deepEqual(rejected, [
    "filter",
    "filter",
    "filter",
    "id",
    "kind",
    "created-at",
    "shape",
    "shape",
  ]);
  assert.deepEqual([page.newer, page.older, page.size], [1, 1, 9]);
});

Deno.test("PageReader takes a repetition once, but not a forgery for the original", () => {
  const event = factory.sign({ createdAt: 150 });
  const forged = { ...event, sig: "0".repeat(128) };
  const altered = { ...event, content: "something else" };
  const { accepted, rejected } = read([altered, forged, event, event]);
  assert.deepEqual(accepted, [forged, event], "signatures are looked at later");
  assert.deepEqual(rejected, ["id"]);
});

Deno.test("PageReader tells by strangers how far down a page went, unless they stand out of line", () => {
  const at = (createdAt: number, kind = 1) => factory.sign({ createdAt, kind });
  const inLine = read([at(180), at(170, 7), at(160, 7)]).page;
  assert.deepEqual(inLine.events.map(({ createdAt }) => createdAt), [
    180,
    170,
    160,
  ]);
  const astray = read([at(110, 7), at(180), at(170)]).page;
  assert.deepEqual(astray.events.map(({ createdAt }) => createdAt), [
    180,
    170,
  ]);
});

Deno.test("PageReader says when what is too long was created, if it can be known and was asked for", () => {
  const rejected: string[] = [];
  const reader = new PageReader(QUERY, {
    accept: () => {},
    reject: (reason) => void rejected.push(reason),
  });
  for (const createdAt of [150, 99, 201]) {
    reader.skip({ id: "ab".repeat(32), createdAt });
  }
  reader.skip(null);
  const page = reader.page({ type: "eose" });
  assert.deepEqual([page.unread, page.size], [[150, null], 4]);
  assert.deepEqual(rejected, Array(4).fill("too-large"));
});

function read(raw: readonly unknown[]) {
  const accepted: NostrEvent[] = [];
  const rejected: string[] = [];
  const reader = new PageReader(QUERY, {
    accept: (event) => void accepted.push(event),
    reject: (reason) => void rejected.push(reason),
  });
  for (const one of raw) reader.take(one);
  return { page: reader.page({ type: "eose" }), accepted, rejected };
}
