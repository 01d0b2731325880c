import assert from "node:assert/strict";
import type {
  Page,
  PageEvent,
  Query,
} from "../../../../src/workers/walk/page.ts";
import { SpotSample } from "../../../../src/workers/walk/spot_sample.ts";

const WALK = { filter: {}, filterHash: "00", settledBefore: 2_000 };
const QUERY: Query = {
  filter: { until: 1_100, limit: 100 },
  window: { since: 0, until: 1_100 },
  limit: 100,
  evidenceOnly: false,
};

function eventsAt(times: readonly number[]): PageEvent[] {
  return times.map((createdAt) => ({
    id: `id ${createdAt}`,
    createdAt,
    kind: 1,
    pubkey: "",
    sig: "",
  }));
}

/** 1100, 1098, … 1002. */
const SHOWN = eventsAt(Array.from({ length: 50 }, (_, i) => 1_100 - 2 * i));

function page(events: readonly PageEvent[], end: Page["end"] = EOSE): Page {
  return {
    events,
    accepted: events,
    size: events.length,
    newer: 0,
    older: 0,
    unread: [],
    extra: [],
    isShared: false,
    backpressured: false,
    limit: 100,
    end,
  };
}
const EOSE: Page["end"] = { type: "eose" };

/** Seen, and proven down to `provenSince`. */
function sampled(provenSince = 1_003): SpotSample {
  const sample = new SpotSample(() => 0.5);
  sample.see(WALK, QUERY, page(SHOWN));
  const window = { since: provenSince, until: 1_100 };
  sample.proved({ ...window, filterHash: "00", method: "paging" });
  return sample;
}

function within({ window: { since, until } }: Query, events: PageEvent[]) {
  return page(
    events.filter(({ createdAt: at }) => at >= since && at <= until),
  );
}

/** Whether something was found, and what was asked for it. */
function look(
  sample: SpotSample,
  answer: (query: Query, nth: number) => Page,
): { isHidden: boolean; asked: Query[] } {
  const asked: Query[] = [];
  const asking = sample.findsHidden();
  let step = asking.next();
  while (!step.done) {
    asked.push(step.value);
    step = asking.next(answer(step.value, asked.length));
  }
  return { isHidden: step.value, asked };
}

const HIDDEN = eventsAt(Array.from({ length: 48 }, (_, i) => 1_099 - 2 * i));

Deno.test("SpotSample asks once for a part of a page, and believes the same answer", () => {
  const { isHidden, asked } = look(sampled(), (query) => within(query, SHOWN));
  assert.equal(isHidden, false);
  assert.equal(asked.length, 1);
  const { window, filter, evidenceOnly } = asked[0]!;
  assert.ok(window.since > 1_002 && window.until <= 1_100);
  assert.equal((window.until - window.since) / 2 + 1, 13, "a quarter");
  assert.deepEqual(filter, { ...window, limit: 100 });
  assert.equal(evidenceOnly, true);
});

Deno.test("SpotSample finds what only a narrow window shows", () => {
  const { isHidden, asked } = look(
    sampled(),
    (query, nth) => within(query, nth === 1 ? [...SHOWN, ...HIDDEN] : SHOWN),
  );
  assert.equal(isHidden, true);
  assert.deepEqual(asked[1], { ...QUERY, evidenceOnly: true });
});

Deno.test("SpotSample holds nothing against a relay to which an event came late", () => {
  const { isHidden } = look(
    sampled(),
    (query) => within(query, [...SHOWN, ...HIDDEN]),
  );
  assert.equal(isHidden, false);
});

Deno.test("SpotSample holds nothing against a relay whose second answer ends above the event", () => {
  const { isHidden } = look(
    sampled(),
    (query, nth) =>
      nth === 1
        ? within(query, [...SHOWN, ...HIDDEN])
        : page(SHOWN.slice(0, 1)),
  );
  assert.equal(isHidden, false);
});

Deno.test("SpotSample asks nothing where the page was not proven, or too little came", () => {
  const unproven = new SpotSample(() => 0.5);
  unproven.see(WALK, QUERY, page(SHOWN));
  const few = new SpotSample(() => 0.5);
  few.see(WALK, QUERY, page(SHOWN.slice(0, 10)));
  const failed = new SpotSample(() => 0.5);
  failed.see(WALK, QUERY, page(SHOWN, { type: "failed", reason: "timeout" }));
  const proof = { since: 0, until: 1_100, filterHash: "00" };
  few.proved({ ...proof, method: "paging" });
  failed.proved({ ...proof, method: "paging" });
  for (const sample of [unproven, few, failed, sampled(1_060)]) {
    assert.equal(look(sample, () => page([])).asked.length, 0);
  }
});

Deno.test("SpotSample.proven is what relied on the order, and nothing else", () => {
  const sample = sampled();
  const proof = { filterHash: "00", since: 0, until: 1_002 };
  sample.proved({ ...proof, method: "empty-page" });
  sample.proved({ ...proof, filterHash: "01", method: "split" });
  sample.proved({ ...proof, filterHash: "02", method: "finish" });
  assert.deepEqual(sample.proven, [
    { filterHash: "00", since: 0, until: 1_100 },
  ]);
});
