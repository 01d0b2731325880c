/**
 * What a relay takes `since` and `until` for.
 *
 * @module
 */
import type { Filter } from "../../../../src/models/filter.ts";
import { type Transformer, transformer } from "../transformer.ts";

const DAY = 86_400;

export const BOUNDS: readonly Transformer[] = [
  /** Both bounds are meant otherwise: exclusive (-1 or 1), in milliseconds that were rounded, or in local time. */
  transformer({
    name: "bounds shifted",
    parameters: {
      sinceSeconds: [-3_600, -1, 0, 1, 3_600],
      untilSeconds: [-3_600, -1, 0, 1, 3_600],
    },
    create: ({ sinceSeconds, untilSeconds }) => ({
      hears: (filter) => shifted(filter, sinceSeconds, untilSeconds),
    }),
  }),
  /** The index is by hour or minute, and what is not wholly inside is left out. */
  transformer({
    name: "bounds rounded inwards",
    parameters: { seconds: [10, 60, 3_600] },
    create: ({ seconds }) => ({
      hears: ({ since, until, ...rest }) => ({
        ...rest,
        ...(since !== undefined &&
          { since: Math.ceil(since / seconds) * seconds }),
        ...(until !== undefined &&
          { until: Math.floor(until / seconds) * seconds }),
      }),
    }),
  }),
  /** An `until` beyond now is taken for none. */
  transformer({
    name: "until ignored above now",
    parameters: {},
    create: () => ({
      hears: (filter, { now }) =>
        (filter.until ?? 0) > now ? withoutUntil(filter) : filter,
    }),
  }),
  /** A window that reaches beyond now counts as a mistake, and finds nothing. */
  transformer({
    name: "until above now finds nothing",
    parameters: { toleranceSeconds: [0, 900] },
    create: ({ toleranceSeconds }) => ({
      hears: (filter, { now }) =>
        (filter.until ?? 0) > now + toleranceSeconds ? null : filter,
    }),
  }),
  /** A question with `until` finds nothing that is dated beyond now. */
  transformer({
    name: "until cut to now",
    parameters: {},
    create: () => ({
      hears: (filter, { now }) =>
        filter.until === undefined
          ? filter
          : { ...filter, until: Math.min(filter.until, now) },
    }),
  }),
  transformer({
    name: "since ignored",
    parameters: {},
    create: () => ({ hears: withoutSince }),
  }),
  transformer({
    name: "until ignored",
    parameters: {},
    create: () => ({ hears: withoutUntil }),
  }),
  /** `since` and `until` are only heard together. */
  transformer({
    name: "lone bounds ignored",
    parameters: {},
    create: () => ({
      hears: (filter) =>
        filter.since === undefined || filter.until === undefined
          ? withoutSince(withoutUntil(filter))
          : filter,
    }),
  }),
  /** One question never looks back further than so many days from where it begins. */
  transformer({
    name: "window clamped below until",
    parameters: { days: [1, 30, 365] },
    create: ({ days }) => ({
      hears: (filter, { now }) => {
        const lowest = (filter.until ?? now) - days * DAY;
        return filter.ids ? filter : notBelow(filter, lowest);
      },
    }),
  }),
  /** One question never looks forward further than so many days from its `since`. */
  transformer({
    name: "window clamped above since",
    parameters: { days: [1, 30, 365] },
    create: ({ days }) => ({
      hears: (filter) => {
        const { since = 0, until = Infinity } = filter;
        const highest = since + days * DAY;
        return since === 0 || until <= highest
          ? filter
          : { ...filter, until: highest };
      },
    }),
  }),
  /** What is older than so many days is given to nobody: for others, the relay does not hold it. */
  transformer({
    name: "window clamped below now",
    isHonest: true,
    parameters: { days: [1, 30, 365] },
    create: ({ days }, { spec }) => {
      const lowest = spec.beganAt - days * DAY;
      return {
        sees: (event) => event.created_at >= lowest,
        hides: (event) => event.created_at < lowest,
      };
    },
  }),
  /** Without `since`, the last days are meant. */
  transformer({
    name: "recent without since",
    parameters: { days: [1, 30, 365], below: [0, 1] },
    create: ({ days, below }) => ({
      hears: (filter, { now }) =>
        (filter.since ?? 0) <= below && filter.ids === undefined
          ? notBelow(filter, (filter.until ?? now) - days * DAY)
          : filter,
    }),
  }),
  /** A window that reaches below a moment begins there, as where an old shard is only read by itself. */
  transformer({
    name: "shards not joined",
    parameters: { days: [1, 30, 365] },
    create: ({ days }) => ({
      hears: (filter, { now }) => {
        if (filter.ids !== undefined) return filter;
        const { until = now } = filter;
        return notBelow(filter, until - until % (days * DAY));
      },
    }),
  }),
];

function shifted(
  { since, until, ...rest }: Filter,
  sinceSeconds: number,
  untilSeconds: number,
): Filter {
  return {
    ...rest,
    ...(since !== undefined && { since: Math.max(0, since + sinceSeconds) }),
    ...(until !== undefined && { until: Math.max(0, until + untilSeconds) }),
  };
}

function withoutSince({ since: _, ...rest }: Filter): Filter {
  return rest;
}

function withoutUntil({ until: _, ...rest }: Filter): Filter {
  return rest;
}

function notBelow(filter: Filter, lowest: number): Filter {
  return { ...filter, since: Math.max(0, filter.since ?? 0, lowest) };
}
