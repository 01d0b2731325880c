/**
 * The fields of a NIP-11 document, current and withdrawn ones: what has the right type is kept, and what has not,
 * or is not known here, is kept apart. Nothing is lost, nothing is believed.
 *
 * @module
 */
import { canonicalJson } from "../models/metadata.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Reads a value; undefined when nothing of it can be used. */
type Read = (value: unknown) => unknown;

/** A relay's description of itself; values as given, under `extra` what could not be read as it should be. */
export function parseNip11(document: Fields): Record<string, unknown> {
  const data: [string, unknown][] = [];
  const extra: [string, unknown][] = [];
  for (const [name, value] of Object.entries(document)) {
    const read = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    const known = read?.(value);
    if (known !== undefined) data.push([name, known]);
    if (leaves(known) !== leaves(value)) extra.push([name, value]);
  }
  // `fromEntries`, as a relay may name a field `__proto__`.
  const rest: unknown = JSON.parse(canonicalJson(Object.fromEntries(extra)));
  if (isFields(rest) && Object.keys(rest).length > 0) {
    data.push(["extra", rest]);
  }
  return Object.fromEntries(data);
}

/** The number of plain values in a document: fewer after reading than before means that something was left out. */
function leaves(value: unknown, depth = 0): number {
  if (value === undefined || value === null) return 0;
  if (typeof value !== "object" || depth > MAX_DEPTH) return 1;
  return Object.values(value)
    .reduce((sum: number, item) => sum + leaves(item, depth + 1), 0);
}

const MAX_DEPTH = 50;

const LIMITATION: Readonly<Record<string, Read>> = {
  max_message_length: integer,
  max_subscriptions: integer,
  max_filters: integer,
  max_limit: integer,
  max_subid_length: integer,
  max_event_tags: integer,
  max_content_length: integer,
  min_pow_difficulty: integer,
  created_at_lower_limit: integer,
  created_at_upper_limit: integer,
  default_limit: integer,
  auth_required: boolean,
  payment_required: boolean,
  restricted_writes: boolean,
};

const FEE: Readonly<Record<string, Read>> = {
  amount: number,
  unit: text,
  period: number,
  kinds: listOf(integer),
};

const FEES: Readonly<Record<string, Read>> = {
  admission: listOf(objectOf(FEE)),
  subscription: listOf(objectOf(FEE)),
  publication: listOf(objectOf(FEE)),
};

const RETENTION: Readonly<Record<string, Read>> = {
  kinds: listOf(kindOrRange),
  time: number,
  count: integer,
};

const FIELDS: Readonly<Record<string, Read>> = {
  name: text,
  description: text,
  banner: text,
  icon: text,
  pubkey: text,
  self: text,
  contact: text,
  software: text,
  version: text,
  privacy_policy: text,
  terms_of_service: text,
  posting_policy: text,
  payments_url: text,
  supported_nips: nips,
  relay_countries: listOf(text),
  language_tags: listOf(text),
  tags: listOf(text),
  attributes: listOf(text),
  limitation: objectOf(LIMITATION),
  retention: listOf(objectOf(RETENTION)),
  fees: objectOf(FEES),
};

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function boolean(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value)
    ? value
    : undefined;
}

function integer(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value)
    ? value
    : undefined;
}

/** Sorted, each once; a lone number or digits as text are understood. */
function nips(value: unknown): number[] | undefined {
  const items = Array.isArray(value) ? value : [value];
  const numbers = items.map((item) =>
    typeof item === "string" && /^[0-9]{1,5}$/.test(item) ? Number(item) : item
  );
  const known = numbers.flatMap((item) => integer(item) ?? [])
    .filter((item) => item >= 0);
  const unique = [...new Set(known)].sort((a, b) => a - b);
  return unique.length === 0 ? undefined : unique;
}

function kindOrRange(value: unknown): number | number[] | undefined {
  if (!Array.isArray(value)) return integer(value);
  const [low, high] = value.map(integer);
  const isRange = value.length === 2 && low !== undefined &&
    high !== undefined;
  return isRange ? [low, high] : undefined;
}

function listOf(read: Read): Read {
  return (value) => {
    if (!Array.isArray(value)) return undefined;
    const items = value.map(read).filter((item) => item !== undefined);
    return items.length === 0 ? undefined : items;
  };
}

function objectOf(fields: Readonly<Record<string, Read>>): Read {
  return (value) => {
    if (!isFields(value)) return undefined;
    const known: Record<string, unknown> = {};
    for (const [name, read] of Object.entries(fields)) {
      const item = Object.hasOwn(value, name) ? read(value[name]) : undefined;
      if (item !== undefined) known[name] = item;
    }
    return Object.keys(known).length === 0 ? undefined : known;
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
