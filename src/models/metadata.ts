/**
 * Metadata is content-addressed: an unchanged document is stored once, whichever monitor measures it and whenever.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { storableText } from "./storable_text.ts";

/** The subject of a document; with its id the key of `metadata`. */
export const METADATA_TYPES = [
  "nip11_info",
  "nip66_rtt",
  "nip66_ssl",
  "nip66_dns",
  "nip66_geo",
  "nip66_net",
  "nip66_http",
] as const;

export type MetadataType = (typeof METADATA_TYPES)[number];

/** Nesting beyond this is dropped. */
const MAX_DEPTH = 50;

/** The id of a document in hex: sha256 of its canonical JSON. */
export function metadataId(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/**
 * The same text for all spellings of a document: keys sorted, no whitespace, and without what says nothing
 * (null, empty objects and arrays, numbers that are not finite, nesting deeper than 50).
 * Empty strings, `false` and 0 stay. Text that PostgreSQL cannot hold (U+0000, lone surrogates) becomes U+FFFD.
 * A document without content is `{}`.
 */
export function canonicalJson(value: unknown): string {
  return encode(value, 0) ?? "{}";
}

/** The JSON of a value, or undefined when it says nothing. */
function encode(value: unknown, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return undefined;
  if (typeof value === "string") return JSON.stringify(storableText(value));
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    return Number.isFinite(value) ? JSON.stringify(value) : undefined;
  }
  if (Array.isArray(value)) return encodeArray(value, depth);
  if (typeof value !== "object" || value === null) return undefined;
  return encodeObject(value, depth);
}

function encodeArray(
  values: readonly unknown[],
  depth: number,
): string | undefined {
  const items = values.map((item) => encode(item, depth + 1))
    .filter((item) => item !== undefined);
  return items.length === 0 ? undefined : `[${items.join(",")}]`;
}

function encodeObject(value: object, depth: number): string | undefined {
  const fields = new Map<string, string>();
  for (const [key, item] of Object.entries(value)) {
    const json = encode(item, depth + 1);
    if (json !== undefined) fields.set(storableText(key), json);
  }
  if (fields.size === 0) return undefined;
  const members = [...fields].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([key, json]) => `${JSON.stringify(key)}:${json}`);
  return `{${members.join(",")}}`;
}
