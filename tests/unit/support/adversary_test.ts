import assert from "node:assert/strict";
import fc from "fast-check";
import type { NostrEvent } from "../../../src/models/event.ts";
import type { Filter } from "../../../src/models/filter.ts";
import { Adversary } from "../../support/adversary/adversary.ts";
import {
  type Answer,
  isEvent,
  type WireItem,
} from "../../support/adversary/answer.ts";
import {
  CATALOGUE,
  transformerNamed,
} from "../../support/adversary/catalogue.ts";
import { drawSpec, singleSpecs } from "../../support/adversary/generate.ts";
import { judge, whatShows } from "../../support/adversary/judge.ts";
import { Random } from "../../support/adversary/random.ts";
import { smallest } from "../../support/adversary/shrink.ts";
import type {
  AdversarySpec,
  CorpusPart,
  ParameterValues,
} from "../../support/adversary/spec.ts";

const BEGAN_AT = 1_750_000_000;
const NOW_MS = BEGAN_AT * 1_000;
const DAY = 86_400;

const PART: CorpusPart = {
  count: 60,
  endsAgo: 100,
  span: 59,
  grain: 1,
  kinds: [1, 7, 4],
  authors: 5,
  bytes: 20,
};

function specWith(
  transformers: AdversarySpec["transformers"],
  more: Partial<AdversarySpec> = {},
): AdversarySpec {
  return {
    seed: 5,
    beganAt: BEGAN_AT,
    corpus: [PART, { ...PART, count: 200, endsAgo: 100 * DAY, span: 90 * DAY }],
    cap: 50,
    hasHints: false,
    hasCount: true,
    hasNegentropy: true,
    filter: {},
    transformers,
    ...more,
  };
}

function relayWith(
  name: string,
  parameters: ParameterValues = {},
  more: Partial<AdversarySpec> = {},
): Adversary {
  return new Adversary(specWith([{ name, parameters }], more));
}

function asked(
  relay: Adversary,
  filter: Filter,
  connection = relay.connect(),
): Answer {
  return relay.ask(connection, { filters: [filter], nowMs: NOW_MS });
}

function idsOf(items: readonly WireItem[]): string[] {
  return items.filter(isEvent).map(({ id }) => id);
}

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

/** As slowly and plainly as the NIP says it. */
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
  const relay = new Adversary(specWith([], { corpus: [PART] }));
  const tagged: NostrEvent = {
    ...relay.held.all[0]!,
    id: "f".repeat(64),
    tags: [["t", "a", "b"], ["p"]],
  };
  relay.publish([tagged]);
  assert.deepEqual(asked(relay, { "#t": ["x", "a"] }).items, [tagged]);
  assert.deepEqual(asked(relay, { "#t": ["b"] }).items, []);
  assert.deepEqual(asked(relay, { "#t": ["a"], "#p": ["a"] }).items, []);
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
  const relay = relayWith("kinds hidden always", { kinds: 0 });
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
  const relay = new Adversary(specWith([], { corpus }));
  const covered = [{ since: 0, until: BEGAN_AT }];
  const stored = new Set(relay.held.all.map(({ id }) => id));
  const falseClaims = () =>
    judge(relay, { stored, covered, nowMs: NOW_MS }).falseClaims.length;
  asked(relay, {});
  asked(relay, {});
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

/** What a transformer does to the answer of a relay of 260 events behind a cap of 50. */
const DEEDS: readonly {
  readonly name: string;
  readonly parameters?: ParameterValues;
  readonly does: (relay: Adversary, honest: Adversary) => void;
}[] = [
  {
    name: "cap by bytes",
    parameters: { bytes: 3_400 },
    does: (relay) => {
      const { length } = asked(relay, {}).items;
      assert.ok(length >= 9 && length <= 10);
    },
  },
  {
    name: "scan budget",
    parameters: { events: 60 },
    does: (relay, honest) => {
      const until = BEGAN_AT - 100 * DAY;
      const seen = honest.held.all.filter(({ created_at }) =>
        created_at <= until
      ).slice(0, 60);
      const sevens = seen.filter(({ kind }) => kind === 7);
      const page = asked(relay, { until, kinds: [7] });
      assert.deepEqual(page.items, sevens);
    },
  },
  {
    name: "kinds dropped after the limit",
    parameters: { kinds: 0 },
    does: (relay, honest) => {
      const page = asked(honest, { limit: 20 }).items.filter(isEvent);
      const given = page.filter(({ kind }) => kind !== 4);
      assert.ok(given.length < 20);
      assert.deepEqual(asked(relay, { limit: 20 }).items, given);
      assert.deepEqual(asked(relay, { kinds: [4] }).items, []);
    },
  },
  {
    name: "kinds hidden from filters without kinds",
    parameters: { kinds: 0 },
    does: (relay, honest) => {
      const hasPrivate = (items: readonly WireItem[]) =>
        items.filter(isEvent).some(({ kind }) => kind === 4);
      assert.equal(hasPrivate(asked(relay, {}).items), false);
      const wanted = { kinds: [4] };
      assert.deepEqual(asked(relay, wanted), asked(honest, wanted));
    },
  },
  {
    name: "bounds shifted",
    parameters: { sinceSeconds: 1, untilSeconds: -1 },
    does: (relay, honest) => {
      const [since, until] = [BEGAN_AT - 140, BEGAN_AT - 120];
      const inside = { since: since + 1, until: until - 1 };
      assert.deepEqual(
        asked(relay, { since, until }).items,
        asked(honest, inside).items,
      );
    },
  },
  {
    name: "window clamped below until",
    parameters: { days: 1 },
    does: (relay) => {
      const oldest = relay.held.all.at(-1)!.created_at;
      assert.deepEqual(asked(relay, { until: BEGAN_AT - 2 * DAY }).items, []);
      assert.ok(asked(relay, { until: oldest }).items.length > 0);
    },
  },
  {
    name: "empty when tired",
    parameters: { threshold: 2 },
    does: (relay) => {
      const connection = relay.connect();
      const sizes = [1, 2, 3].map(() =>
        asked(relay, {}, connection).items.length
      );
      assert.deepEqual(sizes, [50, 50, 0]);
      assert.equal(asked(relay, {}).items.length, 50);
    },
  },
  {
    name: "empty when the window is wide",
    parameters: { threshold: DAY },
    does: (relay) => {
      const until = BEGAN_AT;
      assert.deepEqual(asked(relay, { since: 0, until }).items, []);
      const narrow = { since: until - DAY, until };
      assert.equal(asked(relay, narrow).items.length, 50);
    },
  },
  {
    name: "empty when crowded",
    parameters: { threshold: 1 },
    does: (relay) => {
      const connection = relay.connect();
      const ask = { filters: [{}], nowMs: NOW_MS };
      const first = relay.open(connection, ask);
      const second = relay.open(connection, ask);
      assert.equal(first.answer().items.length, 50);
      assert.equal(second.answer().items.length, 0);
      first.close();
      second.close();
      assert.equal(relay.ask(connection, ask).items.length, 50);
    },
  },
  {
    name: "answers swapped",
    parameters: { percent: 100 },
    does: (relay, honest) => {
      const connection = relay.connect();
      const [one, other] = [{ limit: 3 }, { until: BEGAN_AT - 100 * DAY }];
      const first = relay.open(connection, { filters: [one], nowMs: NOW_MS });
      const second = relay.open(connection, {
        filters: [other],
        nowMs: NOW_MS,
      });
      assert.deepEqual(first.answer(), asked(honest, other));
      assert.deepEqual(second.answer(), asked(honest, one));
    },
  },
  {
    name: "backend by connection",
    parameters: { stores: 2, lackPercent: 100 },
    does: (relay) => {
      const answers = [1, 2].map(() => idsOf(asked(relay, {}).items));
      const all = new Set(answers.flat());
      assert.equal(all.size, 100, "two halves have nothing in common");
    },
  },
  {
    name: "cache by shape of filter",
    parameters: { questions: 2 },
    does: (relay, honest) => {
      const first = asked(honest, {});
      const older = { until: BEGAN_AT - 100 * DAY };
      assert.deepEqual(asked(relay, {}), first);
      assert.deepEqual(asked(relay, older), first);
      assert.deepEqual(asked(relay, older), first);
      assert.deepEqual(asked(relay, older), asked(honest, older));
    },
  },
  {
    name: "oldest event pinned",
    parameters: { first: 0 },
    does: (relay, honest) => {
      assert.deepEqual(asked(relay, { limit: 5 }).items, [
        ...asked(honest, { limit: 5 }).items,
        honest.held.all.at(-1),
      ]);
    },
  },
  {
    name: "end late when by chance",
    parameters: { threshold: 100 },
    does: (relay, honest) => {
      const { items, end, afterEnd } = asked(relay, { limit: 9 });
      assert.deepEqual([items.length, afterEnd.length], [6, 3]);
      assert.deepEqual(end, { type: "eose", hint: undefined });
      assert.deepEqual(
        [...items, ...afterEnd],
        asked(honest, { limit: 9 }).items,
      );
    },
  },
  {
    name: "disconnected when tired",
    parameters: { threshold: 1 },
    does: (relay) => {
      const connection = relay.connect();
      const ends = [1, 2, 3].map(() => asked(relay, {}, connection).end.type);
      assert.deepEqual(ends, ["eose", "disconnected", "disconnected"]);
    },
  },
  {
    name: "ids listed and not given",
    parameters: { percent: 50 },
    does: (relay) => {
      const listed = relay.list(relay.connect(), {}, NOW_MS)!;
      assert.equal(listed.length, 260);
      const ids = listed.slice(0, 40).map(({ id }) => id);
      const { length } = asked(relay, { ids }).items;
      assert.ok(length > 5 && length < 35);
    },
  },
  {
    name: "count capped",
    does: (relay, honest) => {
      const counts = [relay, honest].map((relay) =>
        relay.count(relay.connect(), {}, NOW_MS)?.count
      );
      assert.deepEqual(counts, [50, 260]);
    },
  },
  {
    name: "oldest forgotten between syncs",
    parameters: { percent: 50 },
    does: (relay, honest) => {
      relay.elapse();
      assert.deepEqual(relay.held.all, honest.held.all.slice(0, 130));
    },
  },
];

for (const { name, parameters = {}, does } of DEEDS) {
  Deno.test(`the transformer "${name}" does what it says`, () => {
    does(relayWith(name, parameters), new Adversary(specWith([])));
  });
}

Deno.test("transformers apply in the order of the spec", () => {
  const pin = { name: "oldest event pinned", parameters: { first: 0 } };
  const turn = { name: "newest taken, oldest first", parameters: {} };
  const oldestAt = (transformers: AdversarySpec["transformers"]) => {
    const relay = new Adversary(specWith(transformers));
    const ids = idsOf(asked(relay, { limit: 5 }).items);
    return ids.indexOf(relay.held.all.at(-1)!.id);
  };
  assert.deepEqual([oldestAt([pin, turn]), oldestAt([turn, pin])], [0, 5]);
});

Deno.test("a transformer says which of its parameters is missing", () => {
  assert.throws(() => relayWith("cap by count"), /cap by count/);
  assert.throws(() => transformerNamed("none such"), /none such/);
});
