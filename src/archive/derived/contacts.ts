/**
 * The contact graph: of each author whose lists came or went, the newest that is archived is looked at again.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Sql } from "../../core/database/connection/database.ts";
import type { Fact } from "../facts.ts";

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
  const packed = Buffer.from([...pubkeys].join(""), "hex");
  await sql`select contact_update(${packed}::bytea)`;
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
  await sql`select contact_update(${Buffer.from(pubkeys)}::bytea)`;
  return { upto: next, events };
}
