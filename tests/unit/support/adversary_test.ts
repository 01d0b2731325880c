import assert from "node:assert/strict";
import fc from "fast-check";
import type { NostrEvent } from "../../../src/models/event.ts";
import type { Filter } from "../../../src/models/filter.ts";
import { Adversary } from "../../support/adversary/adversary.ts";
import { CATALOGUE } from "../../support/adversary/catalogue.ts";
import { drawSpec, singleSpecs } from "../../support/adversary/generate.ts";
import { judge, whatShows } from "../../support/adversary/judge.ts";
import {
  askPlain,
  BEGAN_AT,
  DAY,
  NOW_MS,
  PART,
  plainRelay,
  plainSpec,
} from "../../support/adversary/plain.ts";
import { Random } from "../../support/adversary/random.ts";
import { smallest } from "../../support/adversary/shrink.ts";
import type {
  AdversarySpec,
  CorpusPart,
} from "../../support/adversary/spec.ts";

/** A client that pages, narrows and hangs up, as a seed has it. */
function play(relay: Adversary, seed: number): unknown[] {
  const random = new Random(seed);
  const { held, spec } = relay;
  const transcript: unknown[] = [];
  let connection = relay.connect();
  for (let i = 0; i < 40; i++) {
    if (random.chance(15)) connection = relay.connect();
    if (i === 25) relay.elapse();
    if (i === 30) relay.publish([newerThan(held.all[0])]);
    const filters = [drawFilter(random, held.all)];
    if (random.chance(20)) filters.push(drawFilter(random, held.all));
    if (random.chance(10)) filters.unshift({ until: spec.beganAt + DAY });
    const ask = { filters, nowMs: spec.beganAt * 1_000 + i };
    const other = relay.open(connection, {
      filters: [{ limit: 3 }],
      nowMs: ask.nowMs,
    });
    const [filter] = filters;
    transcript.push(
      relay.ask(connection, ask),
      other.answer(),
      relay.count(connection, filter!, ask.nowMs),
      relay.list(connection, filter!, ask.nowMs)?.map(({ id }) => id),
    );
    if (random.chance(50)) other.close();
  }
  return transcript;
}

function newerThan(event: NostrEvent | undefined): NostrEvent {
  const id = "e".repeat(64);
  return event === undefined
    ? { id, pubkey: id, created_at: 1, kind: 1, tags: [], content: "", sig: "" }
    : { ...event, id, created_at: event.created_at + 1 };
}

function drawFilter(random: Random, events: readonly NostrEvent[]): Filter {
  const drawn = () => random.pick(events);
  if (events.length === 0) return { limit: 10 };
  const ends = [drawn().created_at, drawn().created_at].sort((a, b) => a - b);
  return {
    ...(random.chance(60) && { until: ends[1]! }),
    ...(random.chance(40) && { since: ends[0]! }),
    ...(random.chance(80) && { limit: random.spread(1, 600) }),
    ...(random.chance(25) && { kinds: [drawn().kind, drawn().kind] }),
    ...(random.chance(15) && { authors: [drawn().pubkey] }),
    ...(random.chance(10) && { ids: [drawn().id, drawn().id, "0".repeat(64)] }),
  };
}

Deno.test("an adversary without transformers answers as NIP-01 has it", () => {
  fc.assert(fc.property(fc.nat(), fc.nat(), (seed, draw) => {
    const spec = { ...drawSpec(seed, { maxEvents: 300 }), transformers: [] };
    const relay = new Adversary({ ...spec, hasHints: true });
    const random = new Random(draw);
    const filters = Array.from(
      { length: 1 + random.below(3) },
      () => drawFilter(random, relay.held.all),
    );
    const connection = relay.connect();
    const ask = { filters, nowMs: spec.beganAt * 1_000 };
    const answer = relay.ask(connection, ask);
    const pages = filters.map((filter) => naivePage(relay, filter));
    assert.deepEqual(answer.items, [
      ...new Set(pages.flatMap(({ page }) => page)),
    ]);
    const isWhole = pages.every(({ isWhole }) => isWhole);
    const hint = isWhole ? "finish" : "more";
    assert.deepEqual(answer.end, { type: "eose", hint });
  }));
});

/** The page of one filter, as slowly and plainly as the NIP says it. */
function naivePage({ held, spec }: Adversary, filter: Filter) {
  const shuffled = new Random(1).shuffle(held.all);
  const matching = shuffled.filter((event) =>
    (filter.ids === undefined || filter.ids.includes(event.id)) &&
    (filter.authors === undefined || filter.authors.includes(event.pubkey)) &&
    (filter.kinds === undefined || filter.kinds.includes(event.kind)) &&
    (filter.since === undefined || event.created_at >= filter.since) &&
    (filter.until === undefined || event.created_at <= filter.until)
  ).sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1));
  const page = matching.slice(0, filter.limit).slice(0, spec.cap);
  return { page, isWhole: page.length === matching.length };
}

Deno.test("an adversary matches tags by their first value", () => {
  const relay = new Adversary(plainSpec([], { corpus: [PART] }));
  const tagged: NostrEvent = {
    ...relay.held.all[0]!,
    id: "f".repeat(64),
    tags: [["t", "a", "b"], ["p"]],
  };
  relay.publish([tagged]);
  assert.deepEqual(askPlain(relay, { "#t": ["x", "a"] }).items, [tagged]);
  assert.deepEqual(askPlain(relay, { "#t": ["b"] }).items, []);
  assert.deepEqual(askPlain(relay, { "#t": ["a"], "#p": ["a"] }).items, []);
});

Deno.test("an adversary replays exactly, from its spec as JSON", () => {
  fc.assert(fc.property(fc.nat(), fc.nat(), (seed, moves) => {
    const spec = drawSpec(seed, { maxEvents: 300 });
    const copy: AdversarySpec = JSON.parse(JSON.stringify(spec));
    assert.deepEqual(
      play(new Adversary(copy), moves),
      play(new Adversary(spec), moves),
    );
  }));
});

Deno.test("every transformer is told from an honest relay, by what it gives, counts or lists", () => {
  const told = new Set<string>();
  for (let round = 0; told.size < CATALOGUE.size && round < 8; round++) {
    for (const single of singleSpecs(round, { maxEvents: 200 })) {
      const [{ name } = { name: "" }] = single.transformers;
      if (told.has(name)) continue;
      const future = { ...PART, count: 3, endsAgo: -5 * DAY, span: 0 };
      const spec = { ...single, corpus: [...single.corpus, future] };
      const honest = new Adversary({ ...spec, transformers: [] });
      const honestly = JSON.stringify(play(honest, round));
      const transcript = JSON.stringify(play(new Adversary(spec), round));
      if (transcript !== honestly) told.add(name);
    }
  }
  assert.deepEqual([...CATALOGUE.keys()].filter((name) => !told.has(name)), []);
});

Deno.test("what a single transformer leaves obtainable can be had", () => {
  const options = { maxEvents: 300, withArrivals: false };
  for (const spec of singleSpecs(3, options)) {
    const [{ name, parameters } = { name: "", parameters: {} }] =
      spec.transformers;
    // Ids by themselves are another store there, which no client can guess; and no connection there gets warm.
    if (parameters.stores === 3 || name === "disconnected when cold") continue;
    const relay = new Adversary(spec);
    const events = relay.obtainable();
    const random = new Random(spec.seed);
    for (let i = 0; i < Math.min(4, events.length); i++) {
      const event = random.pick(events);
      const shownBy = whatShows(relay, event, spec.beganAt * 1_000);
      assert.ok(
        shownBy !== null || !relay.held.has(event.id),
        `${event.created_at} of ${JSON.stringify(spec)}`,
      );
    }
  }
});

Deno.test("judge() tells claims from gaps, and forgives what nobody can have", () => {
  const relay = plainRelay("kinds hidden always", { kinds: 0 });
  const all = relay.obtainable();
  assert.equal(all.some(({ kind }) => kind === 4), false);
  const [newest, ...others] = all;
  const stored = new Set(others.slice(0, -1).map(({ id }) => id));
  const covered = [{ since: BEGAN_AT - DAY, until: BEGAN_AT }];
  const judgement = judge(relay, { stored, covered, nowMs: NOW_MS });
  assert.deepEqual(judgement.falseClaims.map(({ event }) => event), [newest]);
  assert.deepEqual(judgement.missing, [others.at(-1)]);
});

Deno.test("judge() expects late events of the next sync, and imports of none", () => {
  const late = { ...PART, count: 1, endsAgo: 600, span: 0 };
  const corpus: CorpusPart[] = [
    PART,
    { ...late, arrives: { beforeQuestion: 2 } },
    { ...late, endsAgo: 50 * DAY, arrives: { afterSync: 1 } },
  ];
  const relay = new Adversary(plainSpec([], { corpus }));
  const covered = [{ since: 0, until: BEGAN_AT }];
  const stored = new Set(relay.held.all.map(({ id }) => id));
  const falseClaims = () =>
    judge(relay, { stored, covered, nowMs: NOW_MS }).falseClaims.length;
  askPlain(relay, {});
  askPlain(relay, {});
  assert.equal(relay.held.all.length, 61);
  assert.equal(falseClaims(), 0);
  relay.elapse();
  assert.equal(relay.held.all.length, 62);
  assert.equal(falseClaims(), 1);
});

Deno.test("smallest() takes away whatever a failure does not need", async () => {
  const spec = drawSpec(11);
  const failing: AdversarySpec = {
    ...spec,
    corpus: [PART, ...spec.corpus],
    transformers: [...spec.transformers, {
      name: "oldest first",
      parameters: {},
    }],
  };
  const fails = ({ corpus, transformers }: AdversarySpec) =>
    corpus.some(({ count, span }) => count >= 7 && span === 59) &&
    transformers.some(({ name }) => name === "oldest first");
  const found = await smallest(failing, fails);
  assert.deepEqual(found.transformers.map(({ name }) => name), [
    "oldest first",
  ]);
  assert.deepEqual(found.corpus, [
    { ...PART, count: 7, kinds: [1], authors: 1 },
  ]);
});
