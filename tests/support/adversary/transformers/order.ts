/**
 * In which order a relay gives its events, and which it puts in between.
 *
 * @module
 */
import type { NostrEvent } from "../../../../src/models/event.ts";
import { type Answer, isEvent, type WireItem } from "../answer.ts";
import { newestFirst } from "../held_events.ts";
import { fraction } from "../random.ts";
import { type Transformer, transformer } from "../transformer.ts";

export const ORDER: readonly Transformer[] = [
  /** The oldest are taken, and come first. */
  transformer({
    name: "oldest first",
    parameters: {},
    create: () => ({ arranges: (events) => events.toReversed() }),
  }),
  /** The newest are taken, and come last. */
  transformer({
    name: "newest taken, oldest first",
    parameters: {},
    create: () => ({
      answers: (answer) => ({ ...answer, items: answer.items.toReversed() }),
    }),
  }),
  /** The newest are taken, and come as threads finish. */
  transformer({
    name: "newest taken, shuffled",
    parameters: {},
    create: (_, { random }) => ({
      answers: (answer) => ({ ...answer, items: random.shuffle(answer.items) }),
    }),
  }),
  /** Another choice each time. */
  transformer({
    name: "random order",
    parameters: {},
    create: (_, { random }) => ({
      arranges: (events) => random.shuffle(events),
    }),
  }),
  /** By an order that has nothing to do with time, always the same. */
  transformer({
    name: "sorted by id",
    parameters: {},
    create: () => ({ arranges: sortedBy(({ id }) => id) }),
  }),
  /** As they were stored, which is by time only roughly: relays that were filled by imports. */
  transformer({
    name: "sorted by arrival",
    parameters: { disorderSeconds: [60, 86_400, 86_400_000] },
    create: ({ disorderSeconds }, { salt }) => ({
      arranges: sortedBy(({ id, created_at }) =>
        -(created_at + disorderSeconds * fraction(id, salt))
      ),
    }),
  }),
  /** Within a second any order is as good as by id, to many relays. */
  transformer({
    name: "ties by arrival",
    isHonest: true,
    parameters: {},
    create: (_, { salt }) => ({
      arranges: sortedBy(({ id, created_at }) =>
        -(created_at + fraction(id, salt) / 2)
      ),
    }),
  }),
  /** Its own newest event leads every page: an announcement. */
  transformer({
    name: "newest event pinned",
    parameters: { counts: [0, 1] },
    create: ({ counts }, { held }) => ({
      answers: (answer, { filters }) =>
        pinned(answer, held.all[0], counts === 1 ? filters[0]?.limit : null),
    }),
  }),
  /** Its own oldest event ends every page: the rules of the house. */
  transformer({
    name: "oldest event pinned",
    parameters: { first: [0, 1] },
    create: ({ first }, { held }) => ({
      answers: (answer) => {
        const oldest = held.all.at(-1);
        if (first === 1) return pinned(answer, oldest, null);
        return oldest === undefined || hasEvent(answer, oldest)
          ? answer
          : { ...answer, items: [...answer.items, oldest] };
      },
    }),
  }),
  /** Some older event somewhere in the page, as where writes race with the iterator. */
  transformer({
    name: "stray old event",
    parameters: { percent: [10, 100] },
    create: ({ percent }, { held, random }) => ({
      answers: (answer) => {
        if (held.all.length === 0 || !random.chance(percent)) return answer;
        const stray = random.pick(held.all);
        if (hasEvent(answer, stray)) return answer;
        const place = random.below(answer.items.length + 1);
        return { ...answer, items: answer.items.toSpliced(place, 0, stray) };
      },
    }),
  }),
  /** The last page once more in front of each, as where a cursor is shared. */
  transformer({
    name: "last page repeated",
    parameters: { events: [1, 10] },
    create: ({ events }) => {
      let last: readonly WireItem[] = [];
      return {
        answers: (answer) => {
          const repeated = last;
          last = answer.items.slice(-events);
          return { ...answer, items: [...repeated, ...answer.items] };
        },
      };
    },
  }),
  /** Events come twice, and count twice. */
  transformer({
    name: "events doubled",
    parameters: { percent: [10, 100] },
    create: ({ percent }, { random, spec }) => ({
      answers: (answer, { filters }) => {
        const doubled = answer.items.flatMap((item) =>
          random.chance(percent) ? [item, item] : [item]
        );
        const limit = Math.min(filters[0]?.limit ?? spec.cap, spec.cap);
        return { ...answer, items: doubled.slice(0, limit) };
      },
    }),
  }),
];

function sortedBy(key: (event: NostrEvent) => number | string) {
  return (events: readonly NostrEvent[]): readonly NostrEvent[] => {
    const keyed = events.map((event) => ({ event, key: key(event) }));
    keyed.sort((a, b) =>
      a.key < b.key ? -1 : a.key > b.key ? 1 : newestFirst(a.event, b.event)
    );
    return keyed.map(({ event }) => event);
  };
}

/** The event in front; where it counts, the last one has to go for it. */
function pinned(
  answer: Answer,
  event: NostrEvent | undefined,
  limit: number | null | undefined,
): Answer {
  if (event === undefined || hasEvent(answer, event)) return answer;
  const items = [event, ...answer.items];
  return { ...answer, items: items.slice(0, limit ?? undefined) };
}

function hasEvent({ items }: Answer, { id }: NostrEvent): boolean {
  return items.some((item) => isEvent(item) && item.id === id);
}
