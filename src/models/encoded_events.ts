/**
 * How a batch of events crosses from a worker to the database: encoded once by the worker, handed through by the
 * host untouched, unpacked by PostgreSQL.
 *
 * Measured against one JSON text of whole events and against arrays: a few long strings are the cheapest to clone
 * and to send (2.4 µs an event on the host), and the packed keys the cheapest for PostgreSQL to take apart.
 *
 * @module
 */
import type { NostrEvent } from "./event.ts";
import {
  hasUnstorableEscape,
  isStorable,
  storableEscapes,
} from "./storable_text.ts";

/** A batch ready for `event_insert`. Opaque plain data that survives `postMessage`. */
export interface EncodedEvents {
  readonly count: number;
  /** Characters that cross to the database, for credit and bounds. */
  readonly chars: number;
  /** Id, pubkey and sig of each event, one after the other: 256 hex digits an event. */
  readonly keys: string;
  /** `created_at` of each event, separated by commas. */
  readonly createdAt: string;
  /** Kind of each event, separated by commas. */
  readonly kinds: string;
  /** JSON array of the tags of each event. */
  readonly tags: string;
  /** JSON array of the content of each event. */
  readonly contents: string;
  /** Exact JSON of the events PostgreSQL cannot hold, by position; nearly always empty. */
  readonly raw: Readonly<Record<string, string>>;
}

/** The keys of a batch of events. An id commits to its `created_at`, so the pair is unique iff the id is. */
export interface EventKeys {
  /** 32 bytes each, one after the other. */
  readonly ids: Uint8Array;
  readonly createdAt: Float64Array;
}

/** Hex digits of id, pubkey and sig. */
const KEYS_LENGTH = 64 + 64 + 128;

/**
 * Encodes a batch of events whose shape `parseEvent` has checked. Text that PostgreSQL cannot hold (U+0000, lone
 * surrogates) becomes U+FFFD, and the exact JSON of such an event goes along.
 */
export function encodeEvents(events: readonly NostrEvent[]): EncodedEvents {
  const tags = JSON.stringify(events.map((event) => event.tags));
  const contents = JSON.stringify(events.map((event) => event.content));
  const unstorable = hasUnstorableEscape(tags) || hasUnstorableEscape(contents);
  return pack({
    count: events.length,
    keys: events.map(({ id, pubkey, sig }) => id + pubkey + sig).join(""),
    createdAt: events.map((event) => event.created_at).join(),
    kinds: events.map((event) => event.kind).join(),
    tags: unstorable ? storableEscapes(tags) : tags,
    contents: unstorable ? storableEscapes(contents) : contents,
    raw: unstorable ? exactJson(events) : {},
  });
}

/** Halves a batch of at least two, to isolate an event the database refuses. */
export function splitEncoded(
  batch: EncodedEvents,
): [EncodedEvents, EncodedEvents] {
  const middle = batch.count >> 1;
  return [slice(batch, 0, middle), slice(batch, middle, batch.count)];
}

/** The keys of a batch, in its order. */
export function encodeKeys(
  events: readonly Pick<NostrEvent, "id" | "created_at">[],
): EventKeys {
  const ids = new Uint8Array(32 * events.length);
  for (const [i, event] of events.entries()) {
    ids.subarray(32 * i, 32 * i + 32).setFromHex(event.id);
  }
  return { ids, createdAt: Float64Array.from(events, (e) => e.created_at) };
}

function exactJson(events: readonly NostrEvent[]): Record<string, string> {
  const raw: Record<string, string> = {};
  for (const [position, event] of events.entries()) {
    if (!isStorable(event.content) || !event.tags.flat().every(isStorable)) {
      raw[position] = JSON.stringify(event);
    }
  }
  return raw;
}

function slice(batch: EncodedEvents, from: number, to: number): EncodedEvents {
  const items = (list: string) => list.split(",").slice(from, to).join();
  const elements = (json: string) =>
    JSON.stringify(JSON.parse(json).slice(from, to));
  return pack({
    count: to - from,
    keys: batch.keys.slice(from * KEYS_LENGTH, to * KEYS_LENGTH),
    createdAt: items(batch.createdAt),
    kinds: items(batch.kinds),
    tags: elements(batch.tags),
    contents: elements(batch.contents),
    raw: Object.fromEntries(
      Object.entries(batch.raw)
        .map(([position, json]) => [Number(position) - from, json] as const)
        .filter(([position]) => position >= 0 && position < to - from),
    ),
  });
}

function pack(batch: Omit<EncodedEvents, "chars">): EncodedEvents {
  const { keys, createdAt, kinds, tags, contents } = batch;
  const chars = keys.length + createdAt.length + kinds.length + tags.length +
    contents.length;
  return { ...batch, chars };
}
