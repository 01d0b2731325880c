/**
 * Which events a relay hides from which filters, and which fields of filters it does not look at.
 *
 * @module
 */
import type { Filter } from "../../../../src/models/filter.ts";
import { withEvents } from "../answer.ts";
import { KIND_SET_NUMBERS, kindSet } from "../kind_sets.ts";
import { fraction } from "../random.ts";
import { type Transformer, transformer } from "../transformer.ts";

export const SELECTION: readonly Transformer[] = [
  /** Restricted kinds go for good, but only after the limit was counted, as in strfry: pages are empty in the middle. */
  transformer({
    name: "kinds dropped after the limit",
    isHonest: true,
    parameters: { kinds: KIND_SET_NUMBERS },
    create: ({ kinds }) => {
      const dropped = kindSet(kinds);
      return {
        answers: (answer) =>
          withEvents(answer, ({ kind }) => !dropped.has(kind)),
        hides: ({ kind }) => dropped.has(kind),
      };
    },
  }),
  /** Kinds that are given to nobody: for others, the relay does not hold them. */
  transformer({
    name: "kinds hidden always",
    isHonest: true,
    parameters: { kinds: KIND_SET_NUMBERS },
    create: ({ kinds }) => {
      const hidden = kindSet(kinds);
      return {
        sees: ({ kind }) => !hidden.has(kind),
        hides: ({ kind }) => hidden.has(kind),
      };
    },
  }),
  /** Kinds that must be asked for by name. */
  transformer({
    name: "kinds hidden from filters without kinds",
    parameters: { kinds: KIND_SET_NUMBERS },
    create: ({ kinds }) => {
      const hidden = kindSet(kinds);
      return {
        sees: ({ kind }, filter) =>
          filter.kinds !== undefined || !hidden.has(kind),
      };
    },
  }),
  /** The same, after the limit was counted. */
  transformer({
    name: "kinds dropped from filters without kinds",
    parameters: { kinds: KIND_SET_NUMBERS },
    create: ({ kinds }) => {
      const hidden = kindSet(kinds);
      return {
        answers: (answer, { filters }) =>
          filters.every((filter) => filter.kinds !== undefined)
            ? answer
            : withEvents(answer, ({ kind }) => !hidden.has(kind)),
      };
    },
  }),
  /** An index by kind that lacks some: they are there for filters without kinds only. */
  transformer({
    name: "kinds hidden from filters with kinds",
    parameters: { kinds: KIND_SET_NUMBERS },
    create: ({ kinds }) => {
      const hidden = kindSet(kinds);
      return {
        sees: ({ kind }, filter) =>
          filter.kinds === undefined || !hidden.has(kind),
      };
    },
  }),
  /** Authors whose events are only given where they are asked for by name. */
  transformer({
    name: "authors hidden from filters without authors",
    parameters: { percent: [10, 50] },
    create: ({ percent }, { salt }) => ({
      sees: ({ pubkey }, filter) =>
        filter.authors !== undefined ||
        fraction(pubkey.slice(-8), salt) * 100 >= percent,
    }),
  }),
  /** An index by author that lacks some events. */
  transformer({
    name: "events hidden from filters with authors",
    parameters: { percent: [10, 50] },
    create: ({ percent }, { salt }) => ({
      sees: ({ id }, filter) =>
        filter.authors === undefined || fraction(id, salt) * 100 >= percent,
    }),
  }),
  /** Longer lists of a filter are cut without a word. */
  transformer({
    name: "lists truncated",
    parameters: { items: [1, 5, 20] },
    create: ({ items }) => ({ hears: (filter) => truncated(filter, items) }),
  }),
  /** `kinds` is not looked at. */
  transformer({
    name: "kinds ignored",
    parameters: {},
    create: () => ({ hears: ({ kinds: _, ...rest }) => rest }),
  }),
  /** `authors` is not looked at. */
  transformer({
    name: "authors ignored",
    parameters: {},
    create: () => ({ hears: ({ authors: _, ...rest }) => rest }),
  }),
  /** Events are not found by their ids. */
  transformer({
    name: "ids find nothing",
    parameters: {},
    create: () => ({ hears: (filter) => filter.ids ? null : filter }),
  }),
  /** Only the first filter of a REQ is answered. */
  transformer({
    name: "first filter only",
    parameters: {},
    create: () => ({
      hears: (filter, { filters }) => filter === filters[0] ? filter : null,
    }),
  }),
];

function truncated(filter: Filter, items: number): Filter {
  const { ids, authors, kinds } = filter;
  return {
    ...filter,
    ...(ids && { ids: ids.slice(0, items) }),
    ...(authors && { authors: authors.slice(0, items) }),
    ...(kinds && { kinds: kinds.slice(0, items) }),
  };
}
