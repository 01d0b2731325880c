/**
 * Facts of NIP-85, from events that came and went.
 *
 * What a deleted event counted for is taken back by its tags, which who deletes it has kept.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Sql } from "../../core/database/connection/database.ts";
import type { EventFact, Fact } from "../facts.ts";
import { sqlArray } from "../sql_array.ts";
import { AssertionChanges } from "./assertion_changes.ts";
import { countEvent, isKey, valuesOf } from "./contributions.ts";
import type { DerivedOptions } from "./derived_options.ts";
import { changeZaps, type ReceiptChange } from "./zaps.ts";

const ZAP_RECEIPT = 9_735;

/** As `kind_is_asserted()` in SQL. */
const ASSERTED: ReadonlySet<number> = new Set([
  1,
  6,
  7,
  16,
  1_111,
  1_984,
  ZAP_RECEIPT,
]);

/** Events whose tags are read at a time. */
const PART = 5_000;

interface EventChange {
  readonly sign: 1 | -1;
  readonly createdAt: number;
  readonly kind: number;
  /** Hex. */
  readonly id: string;
  readonly pubkey: string;
}

/**
 * Counts what facts say of events with keys up to `upto`, or of all. Returns whether nothing was missing: false when an
 * event is neither archived nor kept as deleted, so that what it counted for is not known any more.
 */
export async function foldAssertions(
  sql: Sql,
  facts: readonly Fact[],
  { options, upto }: {
    readonly options: DerivedOptions;
    /** Hex of a key; null for all. */
    readonly upto: string | null;
  },
): Promise<boolean> {
  const events = netOf(
    facts.filter((fact) => fact.type === "events").flatMap(assertedOf)
      .filter((event) => upto === null || keyOf(event) <= upto),
  );
  return await countEvents(sql, events, options);
}

/** Counts the next events of the archive, as many as `limit` are looked at. Their facts must be folded. */
export async function remakeAssertions(
  sql: Sql,
  { options, upto, limit }: {
    readonly options: DerivedOptions;
    readonly upto: string;
    readonly limit: number;
  },
): Promise<{ readonly upto: string | null; readonly events: number }> {
  const [page] = await sql<PageRow[]>`
    select created_at as "createdAt", kinds, encode(keys, 'base64') as keys,
      encode(upto, 'hex') as upto, events
    from author_fact_page(decode(${upto}::text, 'hex'), ${limit}::int4)`;
  const { createdAt, kinds, keys, upto: next, events } = page!;
  await countEvents(
    sql,
    assertedOf({
      type: "events",
      sign: 1,
      createdAt: numbersOf(createdAt),
      kinds: numbersOf(kinds),
      keys: Uint8Array.fromBase64(keys),
    }),
    options,
  );
  return { upto: next, events };
}

interface PageRow {
  readonly createdAt: string;
  readonly kinds: string;
  readonly keys: string;
  readonly upto: string | null;
  readonly events: number;
}

function numbersOf(text: string): number[] {
  return text === "" ? [] : text.split(",").map(Number);
}

function assertedOf(
  { sign, createdAt, kinds, keys }: EventFact,
): EventChange[] {
  const bytes = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength);
  return kinds.flatMap((kind, i) =>
    ASSERTED.has(kind)
      ? [{
        sign,
        kind,
        createdAt: createdAt[i]!,
        id: bytes.toString("hex", i * 64, i * 64 + 32),
        pubkey: bytes.toString("hex", i * 64 + 32, i * 64 + 64),
      }]
      : []
  );
}

/** What is left of events that came and went: of each once, or not at all. */
function netOf(events: readonly EventChange[]): EventChange[] {
  if (events.every(({ sign }) => sign > 0)) return [...events];
  const sums = new Map<string, number>();
  for (const { id, sign } of events) sums.set(id, (sums.get(id) ?? 0) + sign);
  return [...new Map(events.map((event) => [event.id, event])).values()]
    .flatMap((event) => {
      const sum = sums.get(event.id)!;
      return sum === 0 ? [] : [{ ...event, sign: sum > 0 ? 1 : -1 }];
    });
}

/** As `sighting_key()` in SQL, in hex. */
function keyOf({ createdAt, id }: EventChange): string {
  return createdAt.toString(16).padStart(16, "0") + id;
}

async function countEvents(
  sql: Sql,
  events: readonly EventChange[],
  options: DerivedOptions,
): Promise<boolean> {
  let isWhole = true;
  const changes = new AssertionChanges({ keepsTargets: options.targets });
  const receipts: ReceiptChange[] = [];
  for (let from = 0; from < events.length; from += PART) {
    const part = events.slice(from, from + PART);
    const tags = await readTags(sql, part);
    for (const [i, event] of part.entries()) {
      const found = tags[i];
      if (found === null || found === undefined) isWhole = false;
      else if (event.kind === ZAP_RECEIPT) {
        receipts.push(...readReceipt({ ...event, tags: found }, {
          changes,
          options,
        }));
      } else countOne({ ...event, tags: found }, changes);
    }
  }
  await changeZaps(sql, changes, receipts);
  await changes.store(sql);
  return isWhole;
}

type Tags = readonly (readonly string[])[];

/** Null for events that are neither archived nor kept as deleted. */
async function readTags(
  sql: Sql,
  events: readonly EventChange[],
): Promise<(Tags | null)[]> {
  const ids = Buffer.from(events.map(({ id }) => id).join(""), "hex");
  const rows = await sql<{ tags: string | null }[]>`
    select tags from derived_tags(
      ${sqlArray(events.map(({ createdAt }) => createdAt))}::text::int8[],
      ${ids}::bytea)
    order by i`;
  return rows.map(({ tags }) => tags === null ? null : JSON.parse(tags));
}

function countOne(
  event: EventChange & { readonly tags: Tags },
  changes: AssertionChanges,
): void {
  const { sign, pubkey, createdAt } = event;
  changes.hour(pubkey, createdAt, sign);
  countEvent(event, {
    author: (key, counter) => changes.author(key, counter, sign),
    topic: (key, topic) => changes.topic(key, topic, sign),
    target: (target, counter) => changes.target(target, counter, sign),
  });
}

/** The receipt, when it proves something; else it counts as unverified for those it names. */
function readReceipt(
  { sign, id, createdAt, tags }: EventChange & { readonly tags: Tags },
  { changes, options }: {
    readonly changes: AssertionChanges;
    readonly options: DerivedOptions;
  },
): ReceiptChange[] {
  const zap = options.readZap(tags);
  if (zap !== null) return [{ sign, id, createdAt, zap }];
  const recipient = valuesOf(tags, "p")[0];
  if (isKey(recipient)) changes.author(recipient, "unverifiedZaps", sign);
  for (const name of ["e", "a"]) {
    const target = valuesOf(tags, name)[0];
    if (target !== undefined) changes.target(target, "unverifiedZaps", sign);
  }
  return [];
}
