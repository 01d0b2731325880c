/**
 * Negentropy between two sets of a million events, both sides on one core: time, bytes and messages.
 *
 * @module
 */
import type { EventKeys } from "../../src/models/encoded_events.ts";
import { Initiator } from "../../src/nips/negentropy/initiator.ts";
import { respond } from "../support/negentropy_responder.ts";
import { SortedKeys } from "../../src/nips/negentropy/sorted_keys.ts";
import { figure, heading, medianOf, whole } from "./figures.ts";

const RUNS = 5;
const EVENTS = 1_000_000;

/** As the client asks, and as strfry answers. */
const BOUNDS = {
  frameBytes: 30_000,
  answerBytes: 256 * 1024,
  maxIds: EVENTS,
};
const STRFRY_FRAME_BYTES = 500_000;

/** Prints everything. */
export async function benchNegentropy(): Promise<void> {
  heading(`Negentropy, ${whole(EVENTS)} events on the other side`);
  const keys = randomKeys();
  const prepared = await medianOf(RUNS, () => {
    const startedAt = performance.now();
    new SortedKeys(keys);
    return Promise.resolve(performance.now() - startedAt);
  });
  figure("a vector prepared", `${whole(prepared)} ms`);
  const theirs = new SortedKeys(keys);
  const cases: readonly [string, (i: number) => boolean][] = [
    ["nothing new", () => true],
    ["one event new", (i) => i !== EVENTS >> 1],
    ["the last hundredth new", (i) => i < EVENTS * 0.99],
    ["the last tenth new", (i) => i < EVENTS * 0.9],
    ["every tenth new", (i) => i % 10 !== 0],
    ["everything new", () => false],
  ];
  for (const [name, holds] of cases) {
    await benchCase(name, new SortedKeys(select(keys, holds)), theirs);
  }
}

async function benchCase(
  name: string,
  ours: SortedKeys,
  theirs: SortedKeys,
): Promise<void> {
  let last = { rounds: 0, bytes: 0 };
  const ms = await medianOf(RUNS, () => {
    const startedAt = performance.now();
    last = reconcile(ours, theirs);
    return Promise.resolve(performance.now() - startedAt);
  });
  const characters = whole(last.bytes * 2 / 1_000);
  figure(
    name,
    `${ms < 10 ? ms.toFixed(1) : whole(ms)} ms`,
    `${characters} kB as sent (hex), ${last.rounds} messages`,
  );
}

function reconcile(
  ours: SortedKeys,
  theirs: SortedKeys,
): { rounds: number; bytes: number } {
  const initiator = new Initiator(ours, BOUNDS);
  let rounds = 0;
  let bytes = 0;
  for (let it = initiator.next(); it !== null; it = initiator.next()) {
    const answer = respond(theirs, it, STRFRY_FRAME_BYTES);
    if (!answer.ok || initiator.take(answer.value) !== null) {
      throw new Error("Cannot bench as one side does not understand the other");
    }
    rounds += 1;
    bytes += it.length + answer.value.length;
  }
  const found = initiator.differences.need.size;
  if (!initiator.isConfirmed || found !== theirs.size - ours.size) {
    throw new Error(`Cannot bench as ${found} differences were found`);
  }
  return { rounds, bytes };
}

function randomKeys(): EventKeys {
  const ids = new Uint8Array(32 * EVENTS);
  for (let at = 0; at < ids.length; at += 65_536) {
    crypto.getRandomValues(ids.subarray(at, at + 65_536));
  }
  const createdAt = Float64Array.from(
    { length: EVENTS },
    (_, i) => 1_600_000_000 + i * 60,
  );
  return { ids, createdAt };
}

function select(
  { ids, createdAt }: EventKeys,
  holds: (index: number) => boolean,
): EventKeys {
  const held = new Uint8Array(ids.length);
  let count = 0;
  const times = createdAt.filter((_, i) => {
    if (!holds(i)) return false;
    held.set(ids.subarray(32 * i, 32 * i + 32), 32 * count++);
    return true;
  });
  return { ids: held.subarray(0, 32 * count), createdAt: times };
}
