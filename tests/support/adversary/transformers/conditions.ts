/**
 * When relays fail: each condition is escaped by asking otherwise, elsewhere, or again.
 *
 * @module
 */
import type { Filter } from "../../../../src/models/filter.ts";
import type { Question } from "../answer.ts";
import type { BehaviourDeps } from "../transformer.ts";

/** A condition on a question, with a number that says from where it holds. */
export interface Condition {
  readonly name: string;
  /** The values that are tried. */
  readonly thresholds: readonly number[];
  /** Asked once for each question. */
  readonly create: (
    threshold: number,
    deps: BehaviourDeps,
  ) => (question: Question) => boolean;
}

export const CONDITIONS: readonly Condition[] = [
  /** At random, in so many of a hundred cases. */
  {
    name: "by chance",
    thresholds: [2, 10, 50],
    create: (percent, { random }) => () => random.chance(percent),
  },
  /** It was asked the same before, so often at least. */
  {
    name: "asked again",
    thresholds: [1, 2],
    create: (times) => {
      const asked = new Map<string, number>();
      return ({ filters }) => {
        const key = JSON.stringify(filters);
        const before = asked.get(key) ?? 0;
        asked.set(key, before + 1);
        return before >= times;
      };
    },
  },
  /** It is tired of a connection. */
  onQuestion("tired", [1, 5, 20], ({ nth }, after) => nth > after),
  /** A connection has to warm up, as where a replica catches up. */
  onQuestion("cold", [1, 3, 10], ({ nth }, until) => nth <= until),
  /** Bad times come and go: as many bad questions as good ones, over all connections. */
  onQuestion(
    "in bad times",
    [3, 10, 40],
    ({ total }, length) => Math.floor(total / length) % 2 === 1,
  ),
  /** More subscriptions are open than it bears. */
  onQuestion("crowded", [1, 3, 8], ({ open }, most) => open > most),
  /** The query would take too long. */
  onFilter(
    "the window is wide",
    [1, 3_600, 86_400, 31_536_000],
    (filter, seconds) => lengthOf(filter) > seconds,
  ),
  /** The plan for small windows uses a broken index. */
  onFilter(
    "the window is narrow",
    [0, 60, 86_400],
    (filter, seconds) => lengthOf(filter) <= seconds,
  ),
  /** More was asked for than it can bear. */
  onFilter(
    "the limit is large",
    [20, 100, 300],
    ({ limit = Infinity }, above) => limit > above,
  ),
  /** Small limits take another path. */
  onFilter(
    "the limit is small",
    [5, 20, 100],
    ({ limit = Infinity }, most) => limit <= most,
  ),
  onFilter("kinds are named", [1], ({ kinds }) => kinds !== undefined),
  onFilter("no kinds are named", [1], ({ kinds }) => kinds === undefined),
  onFilter("authors are named", [1], ({ authors }) => authors !== undefined),
  /** The past is on slow disks: small windows there fail, large ones that begin above are let through. */
  {
    name: "until is long ago",
    thresholds: [30, 365],
    create: (days, { spec }) => ({ filters }) =>
      (filters[0]?.until ?? Infinity) < spec.beganAt - days * 86_400 &&
      lengthOf(filters[0] ?? {}) < 7 * 86_400,
  },
  /** Connections have workers of their own, and some of them are ill. */
  onQuestion(
    "on every nth connection",
    [2, 3],
    ({ connection }, nth) => connection % nth === 1,
  ),
];

function onQuestion(
  name: string,
  thresholds: readonly number[],
  holds: (question: Question, threshold: number) => boolean,
): Condition {
  return {
    name,
    thresholds,
    create: (threshold) => (question) => holds(question, threshold),
  };
}

function onFilter(
  name: string,
  thresholds: readonly number[],
  holds: (filter: Filter, threshold: number) => boolean,
): Condition {
  return onQuestion(
    name,
    thresholds,
    ({ filters }, threshold) =>
      filters.some((filter) => holds(filter, threshold)),
  );
}

/** Seconds from the first to the last second of a window. */
function lengthOf({ since = 0, until = Infinity }: Filter): number {
  return until - since;
}
