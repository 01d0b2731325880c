import assert from "node:assert/strict";
import { Adversary } from "../../support/adversary/adversary.ts";
import { isEvent, type WireItem } from "../../support/adversary/answer.ts";
import { transformerNamed } from "../../support/adversary/catalogue.ts";
import {
  askPlain,
  BEGAN_AT,
  DAY,
  NOW_MS,
  plainRelay,
  plainSpec,
} from "../../support/adversary/plain.ts";
import type {
  AdversarySpec,
  ParameterValues,
} from "../../support/adversary/spec.ts";

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
      const { length } = askPlain(relay, {}).items;
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
      const page = askPlain(relay, { until, kinds: [7] });
      assert.deepEqual(page.items, sevens);
    },
  },
  {
    name: "kinds dropped after the limit",
    parameters: { kinds: 0 },
    does: (relay, honest) => {
      const page = askPlain(honest, { limit: 20 }).items.filter(isEvent);
      const given = page.filter(({ kind }) => kind !== 4);
      assert.ok(given.length < 20);
      assert.deepEqual(askPlain(relay, { limit: 20 }).items, given);
      assert.deepEqual(askPlain(relay, { kinds: [4] }).items, []);
    },
  },
  {
    name: "kinds hidden from filters without kinds",
    parameters: { kinds: 0 },
    does: (relay, honest) => {
      const hasPrivate = (items: readonly WireItem[]) =>
        items.filter(isEvent).some(({ kind }) => kind === 4);
      assert.equal(hasPrivate(askPlain(relay, {}).items), false);
      const wanted = { kinds: [4] };
      assert.deepEqual(askPlain(relay, wanted), askPlain(honest, wanted));
    },
  },
  {
    name: "bounds shifted",
    parameters: { sinceSeconds: 1, untilSeconds: -1 },
    does: (relay, honest) => {
      const [since, until] = [BEGAN_AT - 140, BEGAN_AT - 120];
      const inside = { since: since + 1, until: until - 1 };
      assert.deepEqual(
        askPlain(relay, { since, until }).items,
        askPlain(honest, inside).items,
      );
    },
  },
  {
    name: "window clamped below until",
    parameters: { days: 1 },
    does: (relay) => {
      const oldest = relay.held.all.at(-1)!.created_at;
      assert.deepEqual(
        askPlain(relay, { until: BEGAN_AT - 2 * DAY }).items,
        [],
      );
      assert.ok(askPlain(relay, { until: oldest }).items.length > 0);
    },
  },
  {
    name: "empty when tired",
    parameters: { threshold: 2 },
    does: (relay) => {
      const connection = relay.connect();
      const sizes = [1, 2, 3].map(() =>
        askPlain(relay, {}, connection).items.length
      );
      assert.deepEqual(sizes, [50, 50, 0]);
      assert.equal(askPlain(relay, {}).items.length, 50);
    },
  },
  {
    name: "empty when the window is wide",
    parameters: { threshold: DAY },
    does: (relay) => {
      const until = BEGAN_AT;
      assert.deepEqual(askPlain(relay, { since: 0, until }).items, []);
      const narrow = { since: until - DAY, until };
      assert.equal(askPlain(relay, narrow).items.length, 50);
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
      assert.deepEqual(first.answer(), askPlain(honest, other));
      assert.deepEqual(second.answer(), askPlain(honest, one));
    },
  },
  {
    name: "backend by connection",
    parameters: { stores: 2, lackPercent: 100 },
    does: (relay) => {
      const answers = [1, 2].map(() => idsOf(askPlain(relay, {}).items));
      const all = new Set(answers.flat());
      assert.equal(all.size, 100, "two halves have nothing in common");
    },
  },
  {
    name: "cache by shape of filter",
    parameters: { questions: 2 },
    does: (relay, honest) => {
      const first = askPlain(honest, {});
      const older = { until: BEGAN_AT - 100 * DAY };
      assert.deepEqual(askPlain(relay, {}), first);
      assert.deepEqual(askPlain(relay, older), first);
      assert.deepEqual(askPlain(relay, older), first);
      assert.deepEqual(askPlain(relay, older), askPlain(honest, older));
    },
  },
  {
    name: "oldest event pinned",
    parameters: { first: 0 },
    does: (relay, honest) => {
      assert.deepEqual(askPlain(relay, { limit: 5 }).items, [
        ...askPlain(honest, { limit: 5 }).items,
        honest.held.all.at(-1),
      ]);
    },
  },
  {
    name: "end late when by chance",
    parameters: { threshold: 100 },
    does: (relay, honest) => {
      const { items, end, afterEnd } = askPlain(relay, { limit: 9 });
      assert.deepEqual([items.length, afterEnd.length], [6, 3]);
      assert.deepEqual(end, { type: "eose", hint: undefined });
      assert.deepEqual(
        [...items, ...afterEnd],
        askPlain(honest, { limit: 9 }).items,
      );
    },
  },
  {
    name: "disconnected when tired",
    parameters: { threshold: 1 },
    does: (relay) => {
      const connection = relay.connect();
      const ends = [1, 2, 3].map(() =>
        askPlain(relay, {}, connection).end.type
      );
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
      const { length } = askPlain(relay, { ids }).items;
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
    does(plainRelay(name, parameters), new Adversary(plainSpec([])));
  });
}

Deno.test("transformers apply in the order of the spec", () => {
  const pin = { name: "oldest event pinned", parameters: { first: 0 } };
  const turn = { name: "newest taken, oldest first", parameters: {} };
  const oldestAt = (transformers: AdversarySpec["transformers"]) => {
    const relay = new Adversary(plainSpec(transformers));
    const ids = idsOf(askPlain(relay, { limit: 5 }).items);
    return ids.indexOf(relay.held.all.at(-1)!.id);
  };
  assert.deepEqual([oldestAt([pin, turn]), oldestAt([turn, pin])], [0, 5]);
});

Deno.test("a transformer says which of its parameters is missing", () => {
  assert.throws(() => plainRelay("cap by count"), /cap by count/);
  assert.throws(() => transformerNamed("none such"), /none such/);
});

function idsOf(items: readonly WireItem[]): string[] {
  return items.filter(isEvent).map(({ id }) => id);
}
