/**
 * What a relay says of its events beside giving them: COUNT and NIP-77; and what it forgets.
 *
 * @module
 */
import { KIND_SET_NUMBERS, kindSet } from "../kind_sets.ts";
import { fraction } from "../random.ts";
import { type Transformer, transformer } from "../transformer.ts";

const DAY = 86_400;

export const INDEXES: readonly Transformer[] = [
  /** COUNT says too little: another replica, or statistics. */
  transformer({
    name: "count too small",
    needs: "count",
    parameters: { percent: [0, 50, 99] },
    create: ({ percent }) => ({
      counts: ({ count, approximate }) => ({
        count: Math.floor(count * percent / 100),
        approximate,
      }),
    }),
  }),
  /** COUNT says too much: it counts what is given to nobody. */
  transformer({
    name: "count too large",
    needs: "count",
    parameters: { more: [1, 100] },
    create: ({ more }) => ({
      counts: ({ count, approximate }) => ({
        count: count + more,
        approximate,
      }),
    }),
  }),
  /** COUNT stops at the cap, as where the query of a REQ is counted. */
  transformer({
    name: "count capped",
    needs: "count",
    parameters: {},
    create: (_, { spec: { cap } }) => ({
      counts: ({ count, approximate }) => ({
        count: Math.min(count, cap),
        approximate,
      }),
    }),
  }),
  /** COUNT is only roughly right, and says so. */
  transformer({
    name: "count approximate",
    needs: "count",
    isHonest: true,
    parameters: { offPercent: [5, 30] },
    create: ({ offPercent }, { random }) => ({
      counts: ({ count }) => ({
        count: Math.round(
          count * (1 + (random.next() - 0.5) * offPercent / 50),
        ),
        approximate: true,
      }),
    }),
  }),
  /** COUNT and REQ share a store that lacks the same events, so that they agree. */
  transformer({
    name: "count and pages of wide windows lack the same",
    parameters: { percent: [10, 60], seconds: [1, 3_600, 86_400] },
    create: ({ percent, seconds }, { salt }) => ({
      sees: ({ id }, { since = 0, until = Infinity }, { type }) =>
        type === "NEG" || until - since <= seconds ||
        fraction(id, salt) * 100 >= percent,
    }),
  }),
  /** The index that is compared was built some time ago, and nobody goes on with it. */
  transformer({
    name: "ids listed up to a day",
    needs: "negentropy",
    parameters: { daysAgo: [0, 1, 90] },
    create: ({ daysAgo }, { spec }) => ({
      lists: (events) =>
        events.filter(({ created_at }) =>
          created_at <= spec.beganAt - daysAgo * DAY
        ),
    }),
  }),
  /** The index was begun some time ago, without what was there before. */
  transformer({
    name: "ids listed from a day",
    needs: "negentropy",
    parameters: { daysAgo: [1, 90] },
    create: ({ daysAgo }, { spec }) => ({
      lists: (events) =>
        events.filter(({ created_at }) =>
          created_at >= spec.beganAt - daysAgo * DAY
        ),
    }),
  }),
  transformer({
    name: "ids of kinds not listed",
    needs: "negentropy",
    parameters: { kinds: KIND_SET_NUMBERS },
    create: ({ kinds }) => {
      const hidden = kindSet(kinds);
      return {
        lists: (events) => events.filter(({ kind }) => !hidden.has(kind)),
      };
    },
  }),
  transformer({
    name: "ids listed up to a cap",
    needs: "negentropy",
    parameters: { events: [10, 100] },
    create: ({ events: most }) => ({
      lists: (events) => events.slice(0, most),
    }),
  }),
  transformer({
    name: "ids listed in part",
    needs: "negentropy",
    parameters: { percent: [0, 50, 95] },
    create: ({ percent }, { salt }) => ({
      lists: (events) =>
        events.filter(({ id }) => fraction(id, salt) * 100 < percent),
    }),
  }),
  /** Another part each time. */
  transformer({
    name: "ids listed by chance",
    needs: "negentropy",
    parameters: { percent: [50, 95] },
    create: ({ percent }, { random }) => ({
      lists: (events) => events.filter(() => random.chance(percent)),
    }),
  }),
  /** Ids are listed, and their events given to nobody. */
  transformer({
    name: "ids listed and not given",
    needs: "negentropy",
    parameters: { percent: [5, 50] },
    create: ({ percent }, { salt, spec }) => {
      const isWithheld = ({ id }: { readonly id: string }) =>
        fraction(id, salt) * 100 < percent;
      return {
        sees: (event, _, { type }) => type === "NEG" || !isWithheld(event),
        // A client that has seen the id must not claim that nothing is there.
        hides: (event) => isWithheld(event) && !spec.hasNegentropy,
      };
    },
  }),
  /** Ids are listed, and their events only given to questions without ids. */
  transformer({
    name: "ids listed and not given by id",
    needs: "negentropy",
    parameters: { percent: [5, 50] },
    create: ({ percent }, { salt }) => ({
      sees: ({ id }, filter) =>
        filter.ids === undefined || fraction(id, salt) * 100 >= percent,
    }),
  }),
  /** The oldest go as time goes on. */
  transformer({
    name: "oldest forgotten between syncs",
    parameters: { percent: [10, 50] },
    create: ({ percent }, { held }) => ({
      elapses: () =>
        held.remove(
          held.all.slice(Math.ceil(held.all.length * (1 - percent / 100))),
        ),
    }),
  }),
  /** The oldest go while they are asked for. */
  transformer({
    name: "oldest forgotten while asked",
    parameters: { everyQuestions: [3, 15] },
    create: ({ everyQuestions }, { held }) => ({
      begins: ({ total }) => {
        if (total % everyQuestions === 0) held.remove(held.all.slice(-1));
      },
    }),
  }),
  /** Some events go between two syncs, as users delete them. */
  transformer({
    name: "events deleted between syncs",
    isHonest: true,
    parameters: { percent: [1, 10] },
    create: ({ percent }, { held, random }) => ({
      elapses: () => held.remove(held.all.filter(() => random.chance(percent))),
    }),
  }),
];
