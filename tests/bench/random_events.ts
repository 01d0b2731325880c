/**
 * Events as the network holds them, for figures about storage: kinds, sizes, tags and authors are distributed as
 * measured on the live archive (1 39 %, 7 19 %, 4 6 %, …; mean content 357 B, mean tags 290 B). Ids and signatures are
 * random: nothing here verifies.
 *
 * @module
 */
import type { NostrEvent } from "../../src/models/event.ts";

/** Deterministic: the same seed gives the same events. */
export function randomEvents(count: number, seed: number): NostrEvent[] {
  const random = randomNumbers(seed);
  const authors = Array.from(
    { length: Math.ceil(count / 12) },
    () => randomHex(random, 64),
  );
  const events: NostrEvent[] = [];
  for (let i = 0; i < count; i++) {
    events.push(randomEvent(random, authors, events));
  }
  return events;
}

type Random = () => number;

interface Shape {
  readonly kind: number;
  readonly share: number;
  /** Mean length of the content in characters. */
  readonly content: number;
  /** Tags of hex ids or keys: the mean number of each. */
  readonly e: number;
  readonly p: number;
  /** Short free-text tags (`t`, `client`, `alt`, …). */
  readonly other: number;
}

/** Shares as in the field survey, section 5; sizes so that the means come out. */
const SHAPES: readonly Shape[] = [
  { kind: 1, share: 0.42, content: 310, e: 1.2, p: 1.3, other: 0.8 },
  { kind: 7, share: 0.2, content: 2, e: 1, p: 1.1, other: 0.3 },
  { kind: 4, share: 0.06, content: 260, e: 0, p: 1, other: 0 },
  { kind: 0, share: 0.05, content: 420, e: 0, p: 0, other: 0.2 },
  { kind: 3, share: 0.045, content: 250, e: 0, p: 25, other: 0 },
  { kind: 6, share: 0.05, content: 900, e: 1, p: 1, other: 0 },
  { kind: 5, share: 0.035, content: 12, e: 1.3, p: 0, other: 0.5 },
  { kind: 9735, share: 0.03, content: 0, e: 0.8, p: 1.6, other: 3 },
  { kind: 1059, share: 0.03, content: 1800, e: 0, p: 1, other: 0 },
  { kind: 10002, share: 0.02, content: 0, e: 0, p: 0, other: 5 },
  { kind: 30023, share: 0.03, content: 2400, e: 0.5, p: 0.5, other: 7 },
  { kind: 30078, share: 0.03, content: 300, e: 0, p: 0, other: 2 },
];

const WORDS =
  "the of nostr relay bitcoin and a to in you that it gm good is for on this just with what people zap sats think about から です мир привет 🤙 🫂 https://image.example/9f1c.jpg https://video.example/watch?v=1x"
    .split(" ");

/** 2023-01-01, and three years on. */
const FIRST_SECOND = 1_672_531_200;
const SECONDS = 94_608_000;

function randomEvent(
  random: Random,
  authors: readonly string[],
  earlier: readonly NostrEvent[],
): NostrEvent {
  const shape = pickShape(random());
  const tags: string[][] = [];
  for (let i = amount(random, shape.e); i > 0; i--) {
    const target = earlier[Math.floor(random() * earlier.length)];
    const id = target?.id ?? randomHex(random, 64);
    tags.push(["e", id, "wss://relay.example.com", "reply"]);
  }
  for (let i = amount(random, shape.p); i > 0; i--) {
    tags.push(["p", pickAuthor(random, authors)]);
  }
  for (let i = amount(random, shape.other); i > 0; i--) {
    const name = random() < 0.7 ? pick(random, ["t", "d", "r", "a"]) : "client";
    tags.push([name, randomText(random, 18)]);
  }
  return {
    id: randomHex(random, 64),
    pubkey: pickAuthor(random, authors),
    // Half of all events fall into the last fifth of the time: the network grew.
    created_at: FIRST_SECOND + Math.floor(SECONDS * Math.sqrt(random())),
    kind: shape.kind,
    tags,
    content: randomText(random, amount(random, shape.content)),
    sig: randomHex(random, 128),
  };
}

function pickShape(share: number): Shape {
  let sum = 0;
  for (const shape of SHAPES) {
    sum += shape.share;
    if (share < sum) return shape;
  }
  return SHAPES[0]!;
}

/** A few authors write much, most write little. */
function pickAuthor(random: Random, authors: readonly string[]): string {
  return authors[Math.floor(authors.length * random() ** 3)]!;
}

/** A skewed amount with this mean: most are small, some are several times the mean. */
function amount(random: Random, mean: number): number {
  const exact = -Math.log(1 - random()) * mean;
  return Math.floor(exact) + (random() < exact % 1 ? 1 : 0);
}

function randomText(random: Random, length: number): string {
  let text = "";
  while (text.length < length) text += pick(random, WORDS) + " ";
  return text.slice(0, length).toWellFormed();
}

function randomHex(random: Random, length: number): string {
  let hex = "";
  while (hex.length < length) {
    hex += Math.floor(random() * 0x1_0000_0000).toString(16).padStart(8, "0");
  }
  return hex;
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!;
}

/** mulberry32: small, fast, and good enough for sizes. */
function randomNumbers(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
