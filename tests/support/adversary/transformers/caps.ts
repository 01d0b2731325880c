/**
 * How much a relay gives at once.
 *
 * @module
 */
import type { NostrEvent } from "../../../../src/models/event.ts";
import { type Answer, cutTo, isEvent } from "../answer.ts";
import { type Transformer, transformer } from "../transformer.ts";

/** Envelope, ids, keys and signature of an event on the wire, in bytes. */
const ENVELOPE_BYTES = 330;

export const CAPS: readonly Transformer[] = [
  /** A smaller cap than the relay states, or for filters without ids only. */
  transformer({
    name: "cap by count",
    isHonest: true,
    parameters: { events: [3, 20, 100] },
    create: ({ events }) => ({ limits: (limit) => Math.min(limit, events) }),
  }),
  /** Answers end at so many bytes, as behind proxies and message brokers; one event always goes through. */
  transformer({
    name: "cap by bytes",
    isHonest: true,
    parameters: { bytes: [1_500, 8_000, 40_000] },
    create: ({ bytes }) => ({
      answers: (answer) => cutTo(answer, messagesWithin(answer, bytes)),
    }),
  }),
  /** Queries end when their time is up: each page is as long as the machine was fast. */
  transformer({
    name: "cap by lot",
    parameters: { leastPercent: [0, 20, 70] },
    create: ({ leastPercent }, { random }) => ({
      limits: (limit) => {
        const least = Math.floor(limit * leastPercent / 100);
        return Math.max(1, least + random.below(limit - least + 1));
      },
    }),
  }),
  /** A limit above the highest one is not cut to it but replaced by a smaller default. */
  transformer({
    name: "limit replaced by a default",
    isHonest: true,
    parameters: { above: [50, 200, 499], events: [10, 40] },
    create: ({ above, events }) => ({
      limits: (limit, filter) =>
        (filter.limit ?? Infinity) > above
          ? Math.min(limit, events, above)
          : limit,
    }),
  }),
  /** The limit is over all filters of the REQ together. */
  transformer({
    name: "limit over all filters",
    isHonest: true,
    parameters: { events: [10, 60] },
    create: ({ events }) => ({
      answers: (answer) => cutTo(answer, events),
    }),
  }),
  /** So many rows of the index are looked at, matching or not: rare kinds below crowds of others are not reached. */
  transformer({
    name: "scan budget",
    parameters: { events: [10, 60, 250] },
    create: ({ events }, { held }) => ({
      hears: (filter) => {
        if (filter.ids !== undefined) return filter;
        const last = held.nthWithin(filter, events);
        return last === null ? filter : { ...filter, since: last.created_at };
      },
    }),
  }),
  /** Fewer events with each question of a connection, as relays do that throttle without a word. */
  transformer({
    name: "shrinking cap",
    parameters: { halvedAfter: [2, 8] },
    create: ({ halvedAfter }) => ({
      limits: (limit, _, { nth }) =>
        Math.max(1, Math.floor(limit / 2 ** Math.floor(nth / halvedAfter))),
    }),
  }),
  /** So many events a connection; from then on there are none. */
  transformer({
    name: "quota of a connection",
    parameters: { events: [20, 150, 800] },
    create: ({ events }) => {
      const given = new Map<number, number>();
      return {
        answers: (answer, { connection }) => {
          const before = given.get(connection) ?? 0;
          given.set(connection, before + answer.items.length);
          const left = Math.max(0, events - before);
          return { ...answer, items: answer.items.slice(0, left) };
        },
      };
    },
  }),
  /** More than was asked for: `limit` is not looked at, up to a cap of its own. */
  transformer({
    name: "limit ignored",
    parameters: {},
    create: (_, { spec }) => ({
      limits: (limit, filter) =>
        filter.limit === undefined ? limit : 2 * spec.cap,
    }),
  }),
];

function messagesWithin({ items, afterEnd }: Answer, bytes: number): number {
  let left = bytes;
  let taken = 0;
  for (const item of [...items, ...afterEnd]) {
    left -= isEvent(item) ? bytesOf(item) : ENVELOPE_BYTES;
    if (left < 0 && taken > 0) break;
    taken++;
  }
  return taken;
}

function bytesOf({ content, tags }: NostrEvent): number {
  return ENVELOPE_BYTES + content.length + 80 * tags.length;
}
