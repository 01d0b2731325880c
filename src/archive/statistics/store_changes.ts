/**
 * Writes what facts come to into the tables of statistics.
 *
 * @module
 */
import { sqlArray } from "../sql_array.ts";
import type { Sql } from "../../core/database/connection/database.ts";
import type { Authors } from "./authors.ts";
import type { Cells } from "./cells.ts";
import type {
  AuthorSums,
  RelayAuthorSums,
  StatisticsChanges,
} from "./changes.ts";

/** Adds changes to every table. Only one may do so at a time. */
export async function storeChanges(
  sql: Sql,
  { changes, authors }: {
    readonly changes: StatisticsChanges;
    readonly authors: Authors;
  },
): Promise<void> {
  const numbers = await authors.numbers(sql);
  await addCells(sql, "event_minute", ["minute"], changes.minutes);
  await addCells(sql, "kind_hour", ["hour", "kind"], changes.kindHours);
  await addCells(sql, "kind_day", ["day", "kind"], changes.kindDays);
  await addCells(sql, "kind_total", ["kind"], changes.kinds);
  await addCells(
    sql,
    "author_day",
    ["day", "author"],
    changes.authorDays,
    numbers,
  );
  await addCells(sql, "relay_day", ["relay_id", "day"], changes.relayDays);
  await addCells(sql, "relay_kind", ["relay_id", "kind"], changes.relayKinds);
  const { authorSums, relayAuthorSums } = changes;
  await addRelayAuthors(sql, [...relayAuthorSums.values()], numbers);
  await addAuthors(sql, authorSums, numbers);
  await correctAuthors(
    sql,
    [...authorSums]
      .map(([author, { isLess }]) => ({ author, isLess }))
      .concat([...relayAuthorSums.values()])
      .filter(({ isLess }) => isLess)
      .map(({ author }) => numbers[author]!),
  );
  await changes.sketches.store(sql);
}

/** @param numbers Where the second part of the key is the place of an author: their numbers. */
async function addCells(
  sql: Sql,
  table: string,
  [firstName, secondName]: readonly [string, string?],
  cells: Cells,
  numbers?: readonly number[],
): Promise<void> {
  const { first, second, events } = cells.columns();
  if (first.length === 0) return;
  const seconds = secondName === undefined
    ? null
    : numbers === undefined
    ? second
    : second.map((place) => numbers[place]!);
  await sql`
    select cell_add(${table}::text, ${firstName}::text, ${
    secondName ?? null
  }::text, ${sqlArray(first)}::text::int4[], ${
    seconds === null ? null : sqlArray(seconds)
  }::text::int4[], ${sqlArray(events)}::text::int4[])`;
}

async function addAuthors(
  sql: Sql,
  sums: ReadonlyMap<number, AuthorSums>,
  numbers: readonly number[],
): Promise<void> {
  const rows = [...sums].map(([place, sum]) => ({
    id: numbers[place]!,
    ...sum,
  }));
  if (rows.length === 0) return;
  await sql`
    select author_add(
      ${sqlArray(rows.map(({ id }) => id))}::text::int4[],
      ${sqlArray(rows.map(({ events }) => events))}::text::int4[],
      ${sqlArray(rows.map(({ firstAt }) => bound(firstAt)))}::text::int8[],
      ${sqlArray(rows.map(({ lastAt }) => bound(lastAt)))}::text::int8[])`;
}

/** Looks first and last up again where something was deleted. */
async function correctAuthors(
  sql: Sql,
  numbers: readonly number[],
): Promise<void> {
  if (numbers.length === 0) return;
  await sql`select author_correct(${
    sqlArray([...new Set(numbers)])
  }::text::int4[])`;
}

/** Of what was only deleted there is neither first nor last. */
function bound(moment: number): number | null {
  return Number.isFinite(moment) && moment >= 0 ? moment : null;
}

async function addRelayAuthors(
  sql: Sql,
  sums: readonly RelayAuthorSums[],
  numbers: readonly number[],
): Promise<void> {
  const more = sums.filter(({ events }) => events > 0);
  if (more.length > 0) {
    await sql`
    select relay_author_add(
      ${sqlArray(more.map(({ relayId }) => relayId))}::text::int4[],
      ${sqlArray(more.map(({ author }) => numbers[author]!))}::text::int4[],
      ${sqlArray(more.map(({ events }) => events))}::text::int4[],
      ${sqlArray(more.map(({ firstAt }) => firstAt))}::text::int8[],
      ${sqlArray(more.map(({ lastAt }) => lastAt))}::text::int8[],
      ${sqlArray(more.map(({ kinds }) => kindSet(kinds)))}::text::text[])`;
  }
  // What was stored and deleted again comes to nothing, and yet may have been counted as first, last or kind.
  const less = sums.filter(({ isLess }) => isLess);
  if (less.length > 0) {
    await sql`
    select relay_author_remove(
      ${sqlArray(less.map(({ relayId }) => relayId))}::text::int4[],
      ${sqlArray(less.map(({ author }) => numbers[author]!))}::text::int4[],
      ${
      sqlArray(less.map(({ events }) => Math.min(0, events)))
    }::text::int4[])`;
  }
}

/** Hex of 2 bytes each, ascending. */
function kindSet(kinds: ReadonlySet<number>): string {
  return [...kinds].sort((a, b) => a - b)
    .map((kind) => kind.toString(16).padStart(4, "0")).join("");
}
