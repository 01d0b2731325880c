import assert from "node:assert/strict";
import fc from "fast-check";
import { synchronizerConfig } from "../../../../../src/services/synchronizer/config/config.ts";
import {
  dueAgain,
  longestWaitSeconds,
  rankedInterval,
} from "../../../../../src/services/synchronizer/scheduling/due.ts";
import { MAX_ASKED_WAIT_SECONDS } from "../../../../../src/transport/failure.ts";
import { DialPacer } from "../../../../../src/services/synchronizer/scheduling/dial_pacer.ts";

const CONFIG = synchronizerConfig.parse({});

const RELAY = {
  relayId: 1,
  url: "wss://relay.damus.io",
  network: "clearnet",
  failures: 0,
  dueAt: 0,
  intervalSeconds: null,
  yield: 0,
  memory: {},
  interval: null,
  now: () => 1_000,
} as const;

Deno.test("rankedInterval() shortens while a relay yields and lengthens while it is silent, within its bounds", () => {
  let relay = { intervalSeconds: null as number | null, yield: 0 };
  const look = (newEvents: number) => {
    const intervalSeconds = rankedInterval(CONFIG, relay, newEvents);
    relay = { intervalSeconds, yield: (relay.yield + newEvents) / 2 };
    return intervalSeconds;
  };
  assert.deepEqual([20, 20, 20].map(look), [900, 450, 300]);
  // It has earned a few more looks; then they get rarer.
  const silent = Array.from({ length: 12 }, () => look(0));
  assert.deepEqual(silent.slice(0, 5), [300, 300, 300, 300, 450]);
  assert.equal(silent.at(-1), 3_600);
  assert.equal(look(1), 3_600, "one new event is no reason to hurry");
  assert.equal(look(40), 1_800);
});

Deno.test("dueAgain() leaves a relay that failed more than once alone for five minutes, whatever is configured", () => {
  const retry = { ...CONFIG.retry, initialSeconds: 1 };
  const failure = { code: "timeout", detail: "silence" } as const;
  const waits = [0, 1, 2, 20].map((failures) => {
    const relay = { ...RELAY, failures };
    const result = { failure, stored: 0 };
    const again = dueAgain({ ...CONFIG, retry }, relay, result);
    return again.nextDueInSeconds;
  });
  const [first = 0, second = 0, third = 0, last = 0] = waits;
  assert.ok(first <= 2, `${first} s after the first failure`);
  assert.ok(second >= 299 && third >= 299, `${second} s, ${third} s`);
  assert.ok(last > 60_000, `${last} s after twenty`);
});

Deno.test("dueAgain() keeps a pace that is given, and scatters those that came together", () => {
  const due = new Set(
    Array.from({ length: 50 }, () => {
      const relay = { ...RELAY, interval: 1_000 };
      const result = { failure: null, stored: 3 };
      const again = dueAgain(CONFIG, relay, result);
      assert.equal(again.intervalSeconds, 1_000);
      assert.equal(again.newEvents, 3);
      return again.nextDueInSeconds;
    }),
  );
  assert.ok(due.size > 5, `${due.size} different moments`);
});

Deno.test("dueAgain() gives a sync that was cut short back as it was, and counts a success as the end of all failures", () => {
  const relay = { ...RELAY, failures: 3 };
  const aborted = { failure: { code: "aborted" }, stored: 5 } as const;
  assert.deepEqual(dueAgain(CONFIG, relay, aborted), { relayId: 1 });
  const again = dueAgain(CONFIG, relay, { failure: null, stored: 5 });
  assert.equal(again.failures, 0);
});

Deno.test("longestWaitSeconds() is no shorter than any wait that dueAgain() gives", () => {
  fc.assert(
    fc.property(
      fc.record({
        interval: fc.option(fc.constantFrom(1, 60, 90_000, 2_592_000)),
        maxSeconds: fc.constantFrom(300, 86_400, 2_592_000),
        failures: fc.nat(40),
        failure: fc.constantFrom(null, TIMEOUT, ASKED_TO_WAIT, OPTED_OUT),
        intervalSeconds: fc.option(fc.integer({ min: 1, max: 3_600 })),
      }),
      ({ interval, maxSeconds, failures, failure, intervalSeconds }) => {
        const config = synchronizerConfig.parse({
          retry: { maxSeconds },
          relays: interval === null
            ? []
            : [{ url: RELAY.url, intervalSeconds: interval }],
        });
        const relay = { ...RELAY, interval, failures, intervalSeconds };
        const again = dueAgain(config, relay, { failure, stored: 0 });
        const wait = again.nextDueInSeconds ?? Infinity;
        return wait > 0 && wait <= longestWaitSeconds(config);
      },
    ),
  );
});

const TIMEOUT = { code: "timeout", detail: "silence" } as const;
const ASKED_TO_WAIT = {
  ...{ code: "http", status: 429, detail: "slow down" } as const,
  retryAfterSeconds: MAX_ASKED_WAIT_SECONDS,
};
const OPTED_OUT = { code: "opted-out", detail: "relay.damus.io" } as const;

Deno.test("Starts lets one begin after the other at an even pace, the higher ranks first", async () => {
  const dialPacer = new DialPacer(3_000);
  const { signal } = new AbortController();
  const startedAt = performance.now();
  const order: number[] = [];
  await Promise.all([3, 3, 0, 1, 3, 0].map(async (rank) => {
    await dialPacer.wait(rank, signal);
    order.push(rank);
  }));
  assert.deepEqual(order, [0, 0, 1, 3, 3, 3]);
  assert.ok(performance.now() - startedAt >= 5 * 20 - 50);
});

Deno.test("Starts lets go of whoever is told to stop, and of nobody else", async () => {
  const dialPacer = new DialPacer(1);
  const { signal } = new AbortController();
  await dialPacer.wait(0, signal);
  const stop = new AbortController();
  const waiting = dialPacer.wait(0, stop.signal);
  stop.abort();
  await waiting;
  await dialPacer.wait(0, AbortSignal.abort());
});
