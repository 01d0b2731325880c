/**
 * The contact graph: of each author whose lists came or went, the newest that is archived is looked at again.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Sql } from "../../core/database/connection/database.ts";
import type { Fact } from "../facts.ts";
import { sqlArray } from "../sql_array.ts";
import { authorNumbers } from "./author_numbers.ts";
import { isKey } from "./contributions.ts";

const CONTACTS = 3;

/** Looks again at the authors of contact lists. Depends on the tables alone, so that neither order nor repetition matter. */
export async function foldContacts(
  sql: Sql,
  facts: readonly Fact[],
): Promise<void> {
  const pubkeys = new Set<string>();
  for (const fact of facts) {
    if (fact.type !== "events") continue;
    for (const [i, kind] of fact.kinds.entries()) {
      if (kind !== CONTACTS) continue;
      pubkeys.add(fact.keys.subarray(i * 64 + 32, i * 64 + 64).toHex());
    }
  }
  if (pubkeys.size === 0) return;
  await updateContacts(sql, Buffer.from([...pubkeys].join(""), "hex"));
}

/** Looks at the next `limit` lists of the archive. */
export async function remakeContacts(
  sql: Sql,
  { upto, limit }: { readonly upto: string; readonly limit: number },
): Promise<{ readonly upto: string | null; readonly events: number }> {
  const [page] = await sql<
    { pubkeys: Uint8Array; upto: string | null; events: number }[]
  >`
    select pubkeys, encode(upto, 'hex') as upto, lists as events
    from contact_page(decode(${upto}::text, 'hex'), ${limit}::int4)`;
  const { pubkeys, upto: next, events } = page!;
  await updateContacts(sql, Buffer.from(pubkeys));
  return { upto: next, events };
}

/** Pairs that are written at a time, and no list is cut: some tens of MB. */
const PART_PAIRS = 100_000;

/** A list follows no more; those of people have some hundreds. */
const MAX_FOLLOWS = 50_000;

interface ContactList {
  /** Hex. */
  readonly pubkey: string;
  /** Null for who has no list any more. */
  readonly createdAt: number | null;
  readonly id: string | null;
  readonly follows: readonly string[];
}

/** @param pubkeys Of authors who may have another newest list than before, 32 bytes each. */
async function updateContacts(sql: Sql, pubkeys: Buffer): Promise<void> {
  let part: ContactList[] = [];
  let pairs = 0;
  const rows = sql<ChangeRow[]>`
    select pubkey, created_at as "createdAt", id, tags
    from contact_changes(${pubkeys}::bytea)`;
  for (const row of await rows) {
    const list = readList(row);
    part.push(list);
    pairs += list.follows.length;
    if (pairs < PART_PAIRS) continue;
    await replaceContacts(sql, part);
    part = [];
    pairs = 0;
  }
  if (part.length > 0) await replaceContacts(sql, part);
}

interface ChangeRow {
  readonly pubkey: string;
  readonly createdAt: string | null;
  readonly id: string | null;
  readonly tags: string | null;
}

/** The first public keys that are ones, each once. Himself nobody follows. */
function readList({ pubkey, createdAt, id, tags }: ChangeRow): ContactList {
  const parsed: string[][] = tags === null ? [] : JSON.parse(tags);
  const keys = parsed
    .filter(([name, key]) => name === "p" && isKey(key))
    .slice(0, MAX_FOLLOWS)
    .map(([, key]) => key!);
  const follows = new Set(keys);
  follows.delete(pubkey);
  return {
    pubkey,
    createdAt: createdAt === null ? null : Number(createdAt),
    id,
    follows: [...follows],
  };
}

async function replaceContacts(
  sql: Sql,
  lists: readonly ContactList[],
): Promise<void> {
  const keys = [
    ...new Set(lists.flatMap(({ pubkey, follows }) => [pubkey, ...follows])),
  ];
  const numbers = await authorNumbers(sql, keys);
  const numberOf = new Map(keys.map((key, i) => [key, numbers[i]!]));
  const made = lists.map(({ pubkey, createdAt, id, follows }) => ({
    author: numberOf.get(pubkey)!,
    createdAt,
    id,
    follows: follows.length,
  }));
  const followers = lists.flatMap(({ follows }, i) =>
    follows.map(() => made[i]!.author)
  );
  const followed = lists.flatMap(({ follows }) =>
    follows.map((key) => numberOf.get(key)!)
  );
  await sql`
    select contact_replace(${JSON.stringify(made)}::text::jsonb,
      ${sqlArray(followers)}::text::int4[],
      ${sqlArray(followed)}::text::int4[])`;
}
