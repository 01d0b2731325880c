/**
 * A NIP-01 filter as SQL that uses the indexes.
 *
 * @module
 */
import type { Filter } from "../models/filter.ts";
import { storableJson } from "../models/storable_text.ts";
import { eventSource, type ServedView } from "./visibility/served_view.ts";

export interface EventSelect {
  readonly text: string;
  readonly parameters: readonly (string | number)[];
  /** An index has the order: the rows need not be collected and sorted, however many they are. */
  readonly ordered: boolean;
}

/** More index walks than this are not merged: one look-up of all values and a sort are cheaper. */
const MAX_BRANCHES = 64;

/**
 * Selects the events a filter asks for, newest first and of one second the lowest id first. Every condition of the
 * filter but `limit` and `search` is checked, tags too; text PostgreSQL cannot hold is compared as it is stored.
 */
export function eventSelect(
  filter: Filter,
  limit: number | undefined,
  served: ServedView | null = null,
): EventSelect {
  const parameters: (string | number)[] = [];
  const bind = (value: string | number) => `$${parameters.push(value)}`;
  const end = limit === undefined ? "" : `limit ${bind(limit)}::int8`;
  // Each walk gives its events in order and no further than needed, so that they are merged instead of sorted. The
  // index has the order of created_at; ids are sorted within a second (incremental sort).
  const source = eventSource(served, bind);
  const walks = branchesOf(filter).map((branch) =>
    `(select * from ${source} as event where ${
      conditions(branch, bind).join(" and ")
    }
      order by created_at desc, id ${end})`
  );
  const merged = walks.length === 1
    ? walks[0]
    : `${walks.join(" union all ")} order by created_at desc, id ${end}`;
  const text = `
    select created_at, encode(id, 'hex') as id, encode(pubkey, 'hex') as pubkey,
      kind, tags, content, encode(sig, 'hex') as sig,
      (select raw from event_raw r
       where r.created_at = found.created_at and r.id = found.id) as raw
    from (${merged}) as found`;
  return { text, parameters, ordered: isOrdered(filter, walks.length) };
}

/** Splits a filter into walks along one index each: a filter of two kinds is two walks, merged. */
function branchesOf(filter: Filter): Filter[] {
  const { ids, authors, kinds } = filter;
  if (ids || kinds === undefined || tagFields(filter).length > 0) {
    return [filter];
  }
  const pairs = new Set(kinds).size * new Set(authors ?? [""]).size;
  if (pairs < 2 || pairs > MAX_BRANCHES) return [filter];
  return [...new Set(kinds)].flatMap((kind) =>
    authors === undefined
      ? [{ ...filter, kinds: [kind] }]
      : [...new Set(authors)].map((author) => ({
        ...filter,
        kinds: [kind],
        authors: [author],
      }))
  );
}

function isOrdered(filter: Filter, walks: number): boolean {
  const { ids, authors, kinds } = filter;
  if (ids || tagFields(filter).length > 0) return false;
  return walks > 1 || authors === undefined ||
    (authors.length === 1 && kinds?.length === 1);
}

function conditions(
  filter: Filter,
  bind: (value: string | number) => string,
): string[] {
  const { ids, authors, kinds, since, until } = filter;
  const found: string[] = [];
  if (ids) found.push(`id ${isOneOf(ids, bind)}`);
  if (authors) found.push(`pubkey ${isOneOf(authors, bind)}`);
  if (kinds?.length === 1) found.push(`kind = ${bind(kinds[0]!)}::int4`);
  else if (kinds) {
    found.push(`kind = any (${bind(`{${kinds.join()}}`)}::text::int4[])`);
  }
  if (since !== undefined) found.push(`created_at >= ${bind(since)}::int8`);
  if (until !== undefined) found.push(`created_at <= ${bind(until)}::int8`);
  for (const field of tagFields(filter)) {
    found.push(...tagConditions(field.slice(1), filter[field] ?? [], bind));
  }
  return found.length > 0 ? found : ["true"];
}

function isOneOf(
  hex: readonly string[],
  bind: (value: string | number) => string,
): string {
  if (hex.length === 1) return `= decode(${bind(hex[0]!)}::text, 'hex')`;
  const literal = `{${hex.map((value) => `"\\\\x${value}"`).join()}}`;
  return `= any (${bind(literal)}::text::bytea[])`;
}

/** The index knows hashes; the tags themselves are compared after it. */
function tagConditions(
  name: string,
  values: readonly string[],
  bind: (value: string | number) => string,
): string[] {
  const tags = bind(storableJson(values.map((value) => [name, value])));
  const list = bind(storableJson(values));
  return [
    `event_tag_hashes(tags) && event_tag_hashes(${tags}::text::jsonb)`,
    `exists (
      select from jsonb_array_elements(tags) as tag
      where tag ->> 0 = ${bind(name)}::text
        and tag ->> 1 = any (array(
          select jsonb_array_elements_text(${list}::text::jsonb))))`,
  ];
}

/** The `#x` fields of a filter. */
export function tagFields(filter: Filter): `#${string}`[] {
  return Object.keys(filter).filter((field) => field.startsWith("#"))
    .map((field) => `#${field.slice(1)}` as const);
}
