import assert from "node:assert/strict";
import { synchronizerConfig } from "../../../../../src/services/synchronizer/config/config.ts";
import {
  queueSlots,
  rankOf,
  RelayQueues,
} from "../../../../../src/services/synchronizer/scheduling/relay_queues.ts";
import { Tiers } from "../../../../../src/services/synchronizer/scheduling/tiers.ts";
import { silentLogger } from "../../../../support/silent_logger.ts";

const BEST = "wss://best.example";
const GOOD = "wss://good.example";
const OFF = "wss://off.example";

const CONFIG = synchronizerConfig.parse({
  tiers: {
    high: { relays: [BEST, OFF], maxConnections: 4, intervalSeconds: 60 },
    medium: { relays: [GOOD, BEST], maxConnections: 3 },
  },
  relays: [
    { url: OFF, enabled: false },
    { url: GOOD, intervalSeconds: 7_200 },
  ],
  networks: { tor: { enabled: false } },
  source: { requireOnline: true, maxCheckAgeSeconds: 3_600 },
});

const queues = new RelayQueues(CONFIG, new Tiers(CONFIG.tiers, silentLogger()));

Deno.test("queueSlots() gives each tier its own slots, beside those of the networks that are enabled", () => {
  const slots = queueSlots(CONFIG);
  assert.equal(slots.high, 4);
  assert.equal(slots.medium, 3);
  assert.equal(slots.clearnet, CONFIG.networks.clearnet.maxConnections);
  assert.equal(slots.tor ?? 0, 0);
});

Deno.test("a tier takes the relays that no higher one has, whatever their last check said, but none that is disabled", () => {
  const high = queues.selectionOf("high");
  assert.deepEqual(high?.urls, [BEST]);
  assert.equal(high?.onlineOnly, undefined);
  assert.deepEqual(high?.networks.includes("tor"), false);
  assert.deepEqual(queues.selectionOf("medium")?.urls, [GOOD]);
  assert.equal(queues.selectionOf("low"), null, "it has none");
});

Deno.test("a network takes the rest, by the last check", () => {
  const rest = queues.selectionOf("clearnet");
  assert.deepEqual(rest?.networks, ["clearnet"]);
  assert.deepEqual(new Set(rest?.exceptUrls), new Set([BEST, GOOD, OFF]));
  assert.equal(rest?.onlineOnly, true);
  assert.equal(rest?.checkedWithinSeconds, 3_600);
});

Deno.test("the interval is the relay's own before that of its tier; a network leaves it to the schedule", () => {
  assert.equal(queues.intervalOf("medium", GOOD), 7_200);
  assert.equal(queues.intervalOf("high", BEST), 60);
  assert.equal(queues.intervalOf("clearnet", "wss://other.example"), null);
});

Deno.test("tiers come before networks, the highest first", () => {
  const order = (["clearnet", "low", "high", "medium"] as const)
    .toSorted((a, b) => rankOf(a) - rankOf(b));
  assert.deepEqual(order, ["high", "medium", "low", "clearnet"]);
});
