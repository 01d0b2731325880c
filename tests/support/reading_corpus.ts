/**
 * A corpus to read by filters, the filters, and a relay in memory that answers them in the plainest way.
 *
 * Nothing is signed: ids and keys are random.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { NostrEvent } from "../../src/models/event.ts";
import { type Filter, matchesFilter } from "../../src/models/filter.ts";
import { eventFactory } from "./event_factory.ts";

export interface Corpus {
  readonly events: readonly NostrEvent[];
  /** A list of one to four filters; most of them match something. */
  filters(): Filter[];
}

/** 2025-06-01, and a year on. */
const FIRST_SECOND = 1_748_736_000;
const SECONDS = 365 * 86_400;

const KINDS = [0, 1, 1, 1, 1, 3, 4, 5, 6, 7, 7, 7, 9_735, 10_002, 30_023];
const TOPICS = ["nostr", "nostr", "nostr", "bitcoin", "", "a\0b", "a\uFFFDb"];

/** Events as the archive will meet them: bursts, popular values, the far past and future; the same from one seed. */
export function readingCorpus(seed: string, size: number): Corpus {
  const random = eventFactory(seed);
  const { number, pick } = random;
  const authors = names("author", Math.max(4, Math.ceil(size / 40)));
  const bursts = Array.from(
    { length: 6 },
    () => FIRST_SECOND + number(SECONDS),
  );
  const events: NostrEvent[] = [];
  while (events.length < size) events.push(event());
  return { events, filters };

  function event(): NostrEvent {
    return {
      id: hash(`${seed} event ${events.length}`),
      pubkey: author(),
      created_at: second(),
      kind: number(200) === 0 ? number(65_536) : pick(KINDS),
      tags: tags(),
      content: pick(["", "+", "a note", "U+0000: \0", "\ud800"]),
      sig: "0".repeat(128),
    };
  }

  /** A few authors write half of everything. */
  function author(): string {
    return authors[number(2) === 0 ? number(3) : number(authors.length)]!;
  }

  function second(): number {
    switch (number(12)) {
      case 0:
        return pick(bursts);
      case 1:
        return bursts[0]!;
      case 2:
        return number(20) === 0
          ? pick([0, 1, 1_400_000_000, Number.MAX_SAFE_INTEGER, 2 ** 31])
          : bursts[1]! + number(30);
      case 3:
        // The seconds on both sides of the edge between two buckets of the tag index.
        return (840 + number(4)) * 2 ** 21 - 1 + number(2);
      case 4:
        return number(10) === 0
          ? FIRST_SECOND + number(30) * SECONDS
          : FIRST_SECOND + number(SECONDS);
      default:
        return FIRST_SECOND + number(SECONDS);
    }
  }

  function tags(): string[][] {
    const found: string[][] = [];
    for (let i = number(3); i > 0 && events.length > 0; i--) {
      found.push(["e", pick(events).id, "wss://r"]);
    }
    for (let i = number(3); i > 0; i--) found.push(["p", author()]);
    if (number(3) === 0) found.push(["t", pick(TOPICS)]);
    if (number(30) === 0) found.push(["d", `d${number(9)}`], ["d"]);
    if (number(9) === 0) found.push(["client", "nostr"], ["T", "nostr"], []);
    return found;
  }

  function filters(): Filter[] {
    return Array.from({ length: 1 + Math.max(0, number(6) - 2) }, filter);
  }

  function filter(): Filter {
    const draft: { -readonly [field in keyof Filter]: Filter[field] } = {};
    if (number(8) === 0) draft["ids"] = some(id, 40);
    if (number(3) === 0) draft["authors"] = some(author, 60);
    if (number(3) === 0) draft["kinds"] = some(kind, 20);
    if (number(4) === 0) draft["#e"] = some(id, 30);
    if (number(5) === 0) draft["#p"] = some(author, 30);
    if (number(5) === 0) draft["#t"] = some(() => pick(TOPICS), 3);
    if (number(25) === 0) draft["#d"] = some(() => `d${number(12)}`, 3);
    if (number(40) === 0) draft["#T"] = ["nostr"];
    if (number(3) === 0) draft["until"] = moment();
    if (number(4) === 0) draft["since"] = moment();
    if (number(5) > 0) draft["limit"] = pick([0, 1, 1, 2, 10, 100, 500, 501]);
    return draft;
  }

  function moment(): number {
    return number(3) === 0 ? second() : pick(events).created_at;
  }

  function id(): string {
    return number(10) === 0 ? hash(`${number(99)}`) : pick(events).id;
  }

  function kind(): number {
    return number(10) === 0 ? number(65_536) : pick(KINDS);
  }

  /** Mostly one or few values, now and then many or none; some of them twice. */
  function some<T>(value: () => T, most: number): T[] {
    const length = pick([0, 1, 1, 1, 1, 1, 2, 3, 3, 5, most]);
    return Array.from({ length }, value);
  }
}

/** What a relay that has these events and nothing else would give, by NIP-01. */
export function naiveAnswer(
  newestFirst: readonly NostrEvent[],
  filters: readonly Filter[],
): NostrEvent[] {
  const wanted = new Set<NostrEvent>();
  for (const filter of filters) {
    let left = filter.limit ?? Infinity;
    for (const event of newestFirst) {
      if (left === 0) break;
      if (!matchesFilter(filter, event)) continue;
      wanted.add(event);
      left -= 1;
    }
  }
  return newestFirst.filter((event) => wanted.has(event));
}

/** The order of NIP-01: of one second the lowest id first. */
export function newestFirst(events: readonly NostrEvent[]): NostrEvent[] {
  return events.toSorted((a, b) =>
    b.created_at - a.created_at || (a.id < b.id ? -1 : 1)
  );
}

function names(of: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => hash(`${of} ${i}`));
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
