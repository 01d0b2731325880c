import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { NostrEvent } from "../../../../src/models/event.ts";
import { Unread } from "../../../../src/nips/client/unread.ts";
import { PageReader } from "../../../../src/workers/worker/page_reader.ts";
import type { Hole, Query } from "../../../../src/workers/walk/page.ts";
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

Deno.test("PageReader makes a hole of the second that an unread event names, if that was asked for", () => {
  const unread = [150, 99, 201].map((createdAt) =>
    new Unread("too-large", {
      id: "ab".repeat(32),
      createdAt,
    }, true)
  );
  const { page, rejected } = read(unread);
  assert.deepEqual(page.unread, [hole(150, 150, "too-large")]);
  assert.equal(page.size, 3);
  assert.deepEqual(rejected, Array(3).fill("too-large"));
});

Deno.test("PageReader makes a hole between the events around what could not be read", () => {
  const first = read([
    GARBLED,
    at(180),
    GARBLED,
    GARBLED,
    at(170),
    at(120),
    GARBLED,
  ]);
  assert.deepEqual(first.page.unread, [
    hole(180, 200),
    hole(170, 180),
    hole(100, 120),
  ]);
  assert.deepEqual(first.rejected, Array(4).fill("unread"));
  assert.deepEqual(read([GARBLED]).page.unread, [hole(100, 200)]);
  const unsorted = read([at(120), GARBLED, at(180)]);
  assert.deepEqual(
    unsorted.page.unread,
    [hole(100, 200)],
    "no order, no place",
  );
});

Deno.test("PageReader believes a garbled second only where it agrees with the events around it", () => {
  const garbled = (createdAt: number) =>
    new Unread("garbled", { createdAt }, true);
  const { page } = read([at(180), garbled(175), at(170), garbled(9), at(160)]);
  assert.deepEqual(page.unread, [hole(175, 175), hole(160, 170)]);
});

Deno.test("PageReader takes an event of a broken shape for unread, but not what never was an event", () => {
  const event = at(150);
  const { sig: _sig, ...unsigned } = at(155);
  const numbered = { ...at(140), tags: [["expiration", 5]] };
  const { pubkey, created_at, kind, tags, content } = numbered;
  const signed = JSON.stringify([0, pubkey, created_at, kind, tags, content]);
  const id = createHash("sha256").update(signed).digest("hex");
  const { page, rejected } = read([
    at(160),
    unsigned,
    { ...numbered, id },
    ["EVENT"],
    { content: "nothing" },
    { ...event, content: 7 },
  ]);
  assert.deepEqual(page.unread, [hole(155, 155), hole(150, 150)]);
  assert.deepEqual(rejected, Array(5).fill("shape"));
});

Deno.test("PageReader makes one hole of all that was asked for when there are too many", () => {
  const many = Array.from({ length: 1_001 }, (_, i) => [
    new Unread("garbled", { createdAt: 2_000 - i }, true),
  ]).flat();
  const window = { since: 0, until: 5_000 };
  const { page } = read(many, { ...QUERY, window });
  assert.deepEqual(page.unread, [{ ...window, reason: "unread" }]);
});

Deno.test("PageReader leaves no hole where events are asked for by their ids, as one that lacks is found missing", () => {
  const query = { ...QUERY, match: { kinds: [1] } };
  const { page, rejected } = read([at(180), GARBLED, at(170)], query);
  assert.deepEqual([page.unread, rejected], [[], ["unread"]]);
});

Deno.test("PageReader keeps apart what matches an extra filter only", () => {
  const both = at(150);
  const extra = at(50);
  const other = factory.sign({ createdAt: 150, kind: 3 });
  const stranger = factory.sign({ createdAt: 40, kind: 2 });
  const query = {
    ...QUERY,
    extraFilters: [{ kinds: [1], until: 60 }, { kinds: [3], limit: 1 }],
  };
  const { page, accepted, rejected } = read(
    [both, extra, other, extra, stranger, { ...extra, content: "x" }],
    query,
  );
  assert.deepEqual(page.extra.map(({ id }) => id), [extra.id, other.id]);
  assert.deepEqual(page.events.map(({ id }) => id), [both.id]);
  assert.deepEqual(accepted, [both]);
  assert.deepEqual(rejected, ["filter", "id"]);
  assert.deepEqual([page.size, page.newer, page.older], [3, 0, 1]);
});

const GARBLED = new Unread("garbled", {}, true);

function at(createdAt: number) {
  return factory.sign({ createdAt });
}

function hole(since: number, until: number, reason: Hole["reason"] = "unread") {
  return { since, until, reason };
}

function read(raw: readonly unknown[], query = QUERY) {
  const accepted: NostrEvent[] = [];
  const rejected: string[] = [];
  const reader = new PageReader(query, {
    accept: (event) => void accepted.push(event),
    reject: (reason) => void rejected.push(reason),
  });
  for (const one of raw) reader.take(one);
  return { page: reader.page({ type: "eose" }), accepted, rejected };
}
