/**
 * Generated adversaries, synced three times each and audited in SQL. `ADVERSARY_SPECS` and `ADVERSARY_SEED` say how many
 * and which; `tests/support/adversary/main.ts` prints the same as a table.
 *
 * @module
 */
import assert from "node:assert/strict";
import { once } from "node:events";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { silentLogger } from "../../support/silent_logger.ts";
import { synchronizerConfig } from "../../../src/services/synchronizer/config/config.ts";
import { openPool } from "../../../src/services/synchronizer/wiring.ts";
import { adversaryRelay } from "../../support/adversary_relay.ts";
import { Adversary } from "../../support/adversary/adversary.ts";
import { isEvent, type WireItem } from "../../support/adversary/answer.ts";
import { isFindable } from "../../support/adversary/findable.ts";
import { drawSpec } from "../../support/adversary/generate.ts";
import { complaint } from "../../support/adversary/report.ts";
import {
  ADVERSARY_CONFIG,
  runAdversary,
} from "../../support/adversary_sync.ts";

const SPECS = Number(Deno.env.get("ADVERSARY_SPECS") ?? 24);
const SEED = Number(
  Deno.env.get("ADVERSARY_SEED") ?? 1,
);

Deno.test(`nothing is proven of ${SPECS} generated relays that is not stored, and no honest one accused (seed ${SEED})`, async () => {
  const config = synchronizerConfig.parse(ADVERSARY_CONFIG);
  await using pool = await openPool(config, silentLogger());
  const complaints: string[] = [];
  for (let seed = SEED; complaints.length < SPECS; seed++) {
    const spec = drawSpec(seed);
    if (!isFindable(spec)) continue;
    complaints.push(complaint(await runAdversary(spec, { pool })));
  }
  const wrong = complaints.filter((text) => text !== "");
  assert.ok(
    wrong.length === 0,
    `${wrong.length} of ${SPECS} relays, from seed ${SEED}:\n${
      wrong.join("\n")
    }`,
  );
});

for (
  const name of [
    "events doubled",
    "garbled when by chance",
    "malformed when by chance",
    "wrong subscription id when by chance",
    "no subscription id when by chance",
    "end late when by chance",
    "finish when by chance",
    "closed when by chance",
    "count too large",
  ]
) {
  Deno.test(`an adversary says on the wire what it answers: "${name}"`, async () => {
    const parameters = { percent: 50, threshold: 100, more: 3 };
    const spec = {
      ...drawSpec(5, { maxEvents: 60 }),
      transformers: [{ name, parameters }],
      hasCount: true,
    };
    const twin = new Adversary(spec);
    const ask = { filters: [{ limit: 20 }], nowMs: Date.now() };
    const { items, end, afterEnd } = twin.ask(twin.connect(), ask);
    const count = twin.count(1, {}, ask.nowMs);
    await using server = await adversaryRelay(new Adversary(spec));
    const ending = end.type === "closed"
      ? ["CLOSED", "sub", end.reason]
      : end.type === "eose" && end.hint !== undefined
      ? ["EOSE", "sub", [end.hint]]
      : ["EOSE", "sub"];
    assert.deepEqual(await framesOf(server.relay.url, ask.filters), [
      ...items.map(asFrame),
      JSON.stringify(ending),
      ...afterEnd.map(asFrame),
      JSON.stringify(["COUNT", "count", count]),
    ]);
  });
}

function asFrame(item: WireItem): string {
  if (isEvent(item)) return JSON.stringify(["EVENT", "sub", item]);
  if (item.type === "garbage") return item.text.replace("%s", "sub");
  return JSON.stringify(
    item.subscription === "wrong"
      ? ["EVENT", "sub?", item.event]
      : ["EVENT", item.event],
  );
}

/** What comes for a REQ, and a COUNT after it. */
async function framesOf(
  url: string,
  filters: readonly unknown[],
): Promise<string[]> {
  const socket = new WebSocket(url);
  const frames: string[] = [];
  await once(socket, "open");
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("message", (data) => {
    const text = String(data);
    frames.push(text);
    if (text.startsWith('["EOSE"') || text.startsWith('["CLOSED"')) {
      socket.send(JSON.stringify(["COUNT", "count", {}]));
    }
    if (text.startsWith('["COUNT"')) resolve();
  });
  socket.send(JSON.stringify(["REQ", "sub", ...filters]));
  await promise;
  socket.terminate();
  await once(socket, "close");
  return frames;
}
