/**
 * The filter of NIP-01: its shape, whether an event matches it, and the hash coverage is kept under.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { NostrEvent } from "./event.ts";
import { MAX_KIND } from "./kinds.ts";
import { fail, ok, type Result } from "./result.ts";

/** A filter as it stands on the wire. Fields are ANDed, the values of a list ORed; bounds are inclusive. */
export interface Filter {
  readonly ids?: readonly string[];
  readonly authors?: readonly string[];
  readonly kinds?: readonly number[];
  readonly since?: number;
  readonly until?: number;
  /** Newest first; 0 asks for no stored events at all. */
  readonly limit?: number;
  /** NIP-50. Relays that do not know it ignore it, and so does `matchesFilter`. */
  readonly search?: string;
  readonly [tag: `#${string}`]: readonly string[];
}

/** Why something is not a filter. */
export interface FilterFault {
  readonly detail: string;
}

/** Lists longer than this are looked up in a set. */
const LONG_LIST = 16;

/** Sets of the long lists, so that matching many events against one filter stays cheap. */
const sets = new WeakMap<readonly unknown[], ReadonlySet<unknown>>();

/** Checks the JSON form of a filter. An unknown field is a fault: a filter that is silently wider than meant is worse. */
export function parseFilter(value: unknown): Result<Filter, FilterFault> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fail({ detail: "A filter is a JSON object" });
  }
  for (const [field, content] of Object.entries(value)) {
    const rule = ruleOf(field);
    if (rule === undefined) {
      return fail({ detail: `Unknown filter field "${field}"` });
    }
    if (!rule.holds(content)) {
      const seen = JSON.stringify(content)?.slice(0, 80);
      return fail({ detail: `"${field}" must be ${rule.must}: ${seen}` });
    }
  }
  const filter: Filter = { ...value };
  const { since = 0, until = Infinity } = filter;
  if (since > until) {
    return fail({ detail: `"since" must be <= "until": ${since} > ${until}` });
  }
  return ok(filter);
}

/** Whether the filter asks for this event. `limit` and `search` say nothing about a single event. */
export function matchesFilter(filter: Filter, event: NostrEvent): boolean {
  if (filter.since !== undefined && event.created_at < filter.since) {
    return false;
  }
  if (filter.until !== undefined && event.created_at > filter.until) {
    return false;
  }
  if (filter.kinds && !contains(filter.kinds, event.kind)) return false;
  if (filter.authors && !contains(filter.authors, event.pubkey)) return false;
  if (filter.ids && !contains(filter.ids, event.id)) return false;
  for (const field in filter) {
    if (!isTagField(field)) continue;
    if (!hasTag(event, field[1], filter[field])) return false;
  }
  return true;
}

/**
 * sha256 (hex) of what the filter selects, its time bounds and limit aside.
 * Two spellings of one selection (order of fields or values, repeated values) have one hash.
 */
export function filterHash(filter: Filter): string {
  const selection = Object.entries(filter)
    .filter(([field]) => !["since", "until", "limit"].includes(field))
    .map(([field, value]) => [field, sortedValues(value)] as const)
    .sort(([a], [b]) => a < b ? -1 : 1);
  const text = JSON.stringify(Object.fromEntries(selection));
  return createHash("sha256").update(text).digest("hex");
}

interface Rule {
  readonly must: string;
  readonly holds: (value: unknown) => boolean;
}

const HEX_LIST: Rule = {
  must: "a list of 64 lowercase hex characters each",
  holds: (value) => isList(value, (item) => isText(item, /^[0-9a-f]{64}$/)),
};
const KIND_LIST: Rule = {
  must: `a list of integers from 0 to ${MAX_KIND}`,
  holds: (value) => isList(value, (item) => isWhole(item) && item <= MAX_KIND),
};
const TEXT_LIST: Rule = {
  must: "a list of strings",
  holds: (value) => isList(value, (item) => typeof item === "string"),
};
const WHOLE: Rule = { must: "an integer of at least 0", holds: isWhole };
const TEXT: Rule = {
  must: "a string",
  holds: (value) => typeof value === "string",
};

function ruleOf(field: string): Rule | undefined {
  switch (field) {
    case "ids":
    case "authors":
    case "#e":
    case "#p":
      return HEX_LIST;
    case "kinds":
      return KIND_LIST;
    case "since":
    case "until":
    case "limit":
      return WHOLE;
    case "search":
      return TEXT;
  }
  return isTagField(field) ? TEXT_LIST : undefined;
}

/** Only one-letter tags are indexed by relays, and so only those can be asked for. */
function isTagField(field: string): field is `#${string}` {
  return field.length === 2 && /^#[a-zA-Z]$/.test(field);
}

function contains<T>(list: readonly T[], value: T): boolean {
  if (list.length <= LONG_LIST) return list.includes(value);
  let set = sets.get(list);
  if (set === undefined) {
    set = new Set(list);
    sets.set(list, set);
  }
  return set.has(value);
}

function hasTag(
  event: NostrEvent,
  name: string | undefined,
  values: readonly string[] | undefined,
): boolean {
  if (values === undefined) return true;
  return event.tags.some((tag) =>
    tag[0] === name && tag[1] !== undefined && contains(values, tag[1])
  );
}

function sortedValues(value: unknown): unknown {
  return Array.isArray(value) ? [...new Set(value)].sort() : value;
}

function isList(value: unknown, holds: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(holds);
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === "string" && pattern.test(value);
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
