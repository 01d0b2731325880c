/**
 * Figures of any days for people, read from what the refresher keeps.
 *
 * Days are whole, UTC. Authors are counted exactly but where an error stands beside them; each event of a kind whose keys are
 * thrown away (`isThrowaway`) is one.
 *
 * @module
 */
import type { Database, Sql } from "../../core/database/connection/database.ts";
import type { Network } from "../../models/network.ts";
import { type Estimate, estimate } from "./estimate.ts";
import type { DayRange } from "./moments.ts";
import { type KindFigures, readKinds } from "./read_kinds.ts";
import { type StatisticsStatus, statisticsStatus } from "./refresh.ts";

export interface CurrentFigures {
  /** Unix seconds by the server's clock. */
  readonly at: number;
  /** Events created within so long up to now, to the minute. */
  readonly lastHour: number;
  readonly lastDay: number;
  readonly lastWeek: number;
  readonly lastMonth: number;
  /** Of all days. */
  readonly events: number;
  readonly kinds: number;
  readonly authors: number;
}

export interface Totals {
  readonly events: number;
  readonly kinds: number;
  readonly authors: number;
  /** Those of whom nothing older is archived. */
  readonly newAuthors: number;
}

/** Steps in which there is something, oldest first. */
export interface Trend {
  readonly stepDays: number;
  readonly steps: readonly {
    /** Unix seconds of the first day. */
    readonly at: number;
    readonly events: number;
    readonly authors: number;
    readonly newAuthors: number;
  }[];
}

export interface AuthorFigures {
  /** Hex. */
  readonly pubkey: string;
  readonly npub: string;
  /** In these days. */
  readonly events: number;
  /** Of all days. */
  readonly kinds: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface RelayFigures {
  readonly url: string;
  readonly network: Network;
  /** Of these days, that it was seen to hold. */
  readonly events: number;
  /** Of all days; null while they are made again. */
  readonly authors: Estimate | null;
  /** False while it is made again: it holds more than is said. */
  readonly isWhole: boolean;
}

/** Of all days; what relays share counts once. Null while it is made again. */
export interface NetworkFigures {
  readonly network: Network;
  readonly relays: number;
  readonly events: Estimate | null;
  readonly authors: Estimate | null;
  readonly kinds: number;
}

/** Authors whose first event is of one week (Monday to Sunday). */
export interface Cohort {
  /** Unix seconds of its Monday. */
  readonly at: number;
  /** How many of them were active in that week, and in each one after. */
  readonly active: readonly number[];
}

/** What can be left out, as some of it takes its time on a large archive. */
export const SECTIONS = [
  "trend",
  "kinds",
  "authors",
  "relays",
  "networks",
  "retention",
] as const;

export type Section = typeof SECTIONS[number];

/** All from one snapshot. A section that was not asked for is null. */
export interface Statistics {
  readonly now: CurrentFigures;
  readonly status: StatisticsStatus;
  readonly totals: Totals;
  readonly trend: Trend | null;
  readonly kinds: readonly KindFigures[] | null;
  readonly authors: readonly AuthorFigures[] | null;
  readonly relays: readonly RelayFigures[] | null;
  readonly networks: readonly NetworkFigures[] | null;
  /** The last 104 whole weeks among these days at most. */
  readonly retention: readonly Cohort[] | null;
}

export interface ReadOptions {
  readonly range: DayRange;
  readonly sections: readonly Section[];
  /** Kinds, authors and relays: this many of each. */
  readonly top: number;
}

/** Reads figures of some days. */
export function readStatistics(
  database: Database,
  options: ReadOptions,
): Promise<Statistics> {
  const { range, sections, top } = options;
  const { firstDay, lastDay } = range;
  return database.transaction(async (sql) => {
    const section = async <T>(name: Section, read: () => Promise<T>) =>
      sections.includes(name) ? await read() : null;
    return {
      now: await answer<CurrentFigures>(sql`
        select statistics_today() as value`),
      status: await statisticsStatus(sql),
      totals: await answer<Totals>(sql`
        select statistics_totals(${firstDay}::int, ${lastDay}::int) as value`),
      trend: await section("trend", () => readTrend(sql, range)),
      kinds: await section("kinds", () => readKinds(sql, options)),
      authors: await section("authors", () =>
        answer<AuthorFigures[]>(sql`
          select statistics_authors(${firstDay}::int, ${lastDay}::int, ${top}::int) as value`)),
      relays: await section("relays", () => readRelays(sql, options)),
      networks: await section("networks", () => readNetworks(sql)),
      retention: await section("retention", () =>
        answer<Cohort[]>(sql`
          select statistics_retention(${firstDay}::int, ${lastDay}::int) as value`)),
    };
  }, { kind: "refresh", oneSnapshot: true });
}

async function readTrend(sql: Sql, range: DayRange): Promise<Trend> {
  const { firstDay, lastDay } = range;
  const step = stepDays(range);
  const steps = await answer<Trend["steps"]>(sql`
    select statistics_trend(${firstDay}::int, ${lastDay}::int, ${step}::int) as value`);
  return { stepDays: step, steps };
}

/** Days for a quarter, weeks for five years, else 30 days. */
function stepDays({ firstDay, lastDay }: DayRange): number {
  const days = lastDay - firstDay + 1;
  return days <= 92 ? 1 : days <= 5 * 366 ? 7 : 30;
}

async function readRelays(
  sql: Sql,
  { range: { firstDay, lastDay }, top }: ReadOptions,
): Promise<RelayFigures[]> {
  const rows = await answer<
    (Omit<RelayFigures, "authors"> & {
      readonly authors: number | null;
      readonly authorsError: number | null;
    })[]
  >(sql`
    select statistics_relays(${firstDay}::int, ${lastDay}::int, ${top}::int) as value`);
  return rows.map(({ authors, authorsError, ...relay }) => ({
    ...relay,
    authors: estimate(authors, authorsError),
  }));
}

async function readNetworks(sql: Sql): Promise<NetworkFigures[]> {
  const rows = await answer<
    {
      readonly network: Network;
      readonly relays: number;
      readonly events: number | null;
      readonly eventsError: number | null;
      readonly authors: number | null;
      readonly authorsError: number | null;
      readonly kinds: number;
    }[]
  >(sql`select statistics_networks() as value`);
  return rows.map(({ network, relays, kinds, ...about }) => ({
    network,
    relays,
    events: estimate(about.events, about.eventsError),
    authors: estimate(about.authors, about.authorsError),
    kinds,
  }));
}

async function answer<T>(
  rows: PromiseLike<readonly { readonly value?: T }[]>,
): Promise<T> {
  const [row] = await rows;
  return row!.value!;
}
