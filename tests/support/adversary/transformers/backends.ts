/**
 * Several stores behind one name, and caches in front of them.
 *
 * @module
 */
import type { NostrEvent } from "../../../../src/models/event.ts";
import type { Filter } from "../../../../src/models/filter.ts";
import { type Answer, isEvent, type Question, withEvents } from "../answer.ts";
import { fraction } from "../random.ts";
import {
  type Behaviour,
  type BehaviourDeps,
  type Transformer,
  transformer,
} from "../transformer.ts";

/** How many stores there are, and how much each lacks of what the others have. */
const STORES = { stores: [2, 3], lackPercent: [5, 50, 100] } as const;

export const BACKENDS: readonly Transformer[] = [
  /** A load balancer that keeps to a connection. */
  transformer({
    name: "backend by connection",
    parameters: STORES,
    create: (stores, deps) =>
      backends(stores, deps, ({ connection }) => connection),
  }),
  /** A load balancer that takes turns. */
  transformer({
    name: "backend by question",
    parameters: STORES,
    create: (stores, deps) => backends(stores, deps, ({ total }) => total),
  }),
  transformer({
    name: "backend by chance",
    parameters: STORES,
    create: (stores, deps) =>
      backends(stores, deps, () => deps.random.below(stores.stores)),
  }),
  /** One store for what is asked by kind, author or id, another for the rest. */
  transformer({
    name: "backend by filter",
    parameters: STORES,
    create: (stores, deps) =>
      backends(stores, deps, ({ filters }) => fieldsOf(filters[0] ?? {})),
  }),
  /** Data by windows of time: of some only now and then anything is found. */
  transformer({
    name: "shard down at times",
    parameters: { days: [1, 30, 365], percent: [20, 80] },
    create: ({ days, percent }, { random, salt }) => {
      let isDown = false;
      return {
        begins: () => void (isDown = random.chance(percent)),
        sees: ({ created_at }) =>
          !isDown || shardOf(created_at, days, salt) < 0.7,
      };
    },
  }),
  /** A replica that is behind: what is newer will be there later. */
  transformer({
    name: "replica behind",
    parameters: { seconds: [60, 900, 7_200] },
    create: ({ seconds }) => ({
      sees: ({ created_at }, _, { now }) => created_at <= now - seconds,
    }),
  }),
  /** A proxy that gives each event once a connection, before the limit is counted or after. */
  transformer({
    name: "events once a connection",
    parameters: { afterLimit: [0, 1] },
    create: ({ afterLimit }) => {
      const given = new Set<string>();
      const keyOf = ({ id }: NostrEvent, { connection }: Question) =>
        `${connection}:${id}`;
      return {
        sees: (event, _, question) =>
          afterLimit === 1 || question.type !== "REQ" ||
          !given.has(keyOf(event, question)),
        answers: (answer, question) => {
          const fresh = withEvents(
            answer,
            (event) => !given.has(keyOf(event, question)),
          );
          for (const event of fresh.items.filter(isEvent)) {
            given.add(keyOf(event, question));
          }
          return fresh;
        },
      };
    },
  }),
  /** The same question has the same answer for a while, bounds aside: a client that pages gets one page again and again. */
  transformer({
    name: "cache by shape of filter",
    parameters: { questions: [2, 5, 20] },
    create: ({ questions }) =>
      cache(
        questions,
        ({ filters }) =>
          JSON.stringify(
            filters.map(({ since: _, until: __, ...rest }) => rest),
          ),
      ),
  }),
  /** The same question has the same answer for a while, with whatever was lacking of it. */
  transformer({
    name: "cache by filter",
    parameters: { questions: [2, 20, 1_000] },
    create: ({ questions }) =>
      cache(questions, ({ filters }) => JSON.stringify(filters)),
  }),
  /** The same `until` has the same answer for a while, whatever else is asked: a key that was built too short. */
  transformer({
    name: "cache by until",
    parameters: { questions: [2, 20] },
    create: ({ questions }) =>
      cache(questions, ({ filters }) => String(filters[0]?.until)),
  }),
  /** Answers of questions that wait at the same time get mixed up. */
  transformer({
    name: "answers swapped",
    parameters: { percent: [10, 100] },
    create: ({ percent }, { random }) => ({
      swaps: () => random.chance(percent),
    }),
  }),
  /** The answer of the question before, and the own one for the next. */
  transformer({
    name: "answers one late",
    parameters: { percent: [10, 50] },
    create: ({ percent }, { random }) => {
      let kept: Answer | null = null;
      return {
        answers: (answer) => {
          if (!random.chance(percent)) return answer;
          const before = kept;
          kept = answer;
          return before ?? { ...answer, items: [] };
        },
      };
    },
  }),
];

function backends(
  { stores, lackPercent }: { stores: number; lackPercent: number },
  { salt }: BehaviourDeps,
  choose: (question: Question) => number,
): Behaviour {
  let chosen = 0;
  return {
    begins: (question) => void (chosen = choose(question) % stores),
    sees: ({ id }) =>
      Math.floor(fraction(id, salt) * stores) === chosen ||
      fraction(id, salt + chosen + 1) * 100 >= lackPercent,
  };
}

/** The same for an answer as for the one it was made for, until so many questions have come. */
function cache(
  questions: number,
  keyOf: (question: Question) => string,
): Behaviour {
  const kept = new Map<string, { answer: Answer; at: number }>();
  return {
    answers: (answer, question) => {
      const key = keyOf(question);
      const found = kept.get(key);
      if (found !== undefined && question.total - found.at <= questions) {
        return found.answer;
      }
      kept.set(key, { answer, at: question.total });
      return answer;
    },
  };
}

function fieldsOf({ ids, authors, kinds }: Filter): number {
  return ids ? 2 : authors || kinds ? 1 : 0;
}

function shardOf(createdAt: number, days: number, salt: number): number {
  const number = Math.floor(createdAt / (days * 86_400));
  return fraction(number.toString(16).slice(-8), salt);
}
