/**
 * A consumer of facts that adds up what it is given, in a table, and says where that differs from the archive.
 *
 * @module
 */
import type { Fact } from "../../src/archive/facts.ts";
import type { Sql } from "../../src/core/database/connection/database.ts";
import type { TestArchive } from "./archive.ts";

/** Makes the table. */
export async function openLedger({ sql }: TestArchive): Promise<void> {
  await sql.unsafe(`
    create table if not exists ledger (
      item text primary key, amount int8 not null)`);
}

/** Adds facts to the ledger: each event with its kind, author and time, each sighting with its relay and time. */
export async function addToLedger(
  sql: Sql,
  facts: readonly Fact[],
): Promise<void> {
  const amounts = new Map<string, number>();
  for (const fact of facts) {
    for (const item of itemsOf(fact)) {
      amounts.set(item, (amounts.get(item) ?? 0) + fact.sign);
    }
  }
  const rows = JSON.stringify(
    [...amounts].map(([item, amount]) => ({ item, amount })),
  );
  await sql`
    insert into ledger as l (item, amount)
    select item, amount from jsonb_to_recordset(${rows}::text::jsonb)
      as r (item text, amount int8)
    on conflict (item) do update set amount = l.amount + excluded.amount`;
}

function itemsOf(fact: Fact): string[] {
  const { createdAt } = fact;
  if (fact.type === "sightings") {
    return createdAt.map((at, i) =>
      `sighting ${fact.relayId} ${at} ${hex(fact.ids, i * 32)}`
    );
  }
  return createdAt.map((at, i) =>
    `event ${at} ${fact.kinds[i]} ${hex(fact.keys, i * 64)} ${
      hex(fact.keys, i * 64 + 32)
    }`
  );
}

function hex(bytes: Uint8Array, at: number): string {
  return bytes.subarray(at, at + 32).toHex();
}

/** What the ledger and what waits together say otherwise than the tables: nothing when each fact was folded once. */
export async function ledgerFaults(
  { sql }: TestArchive,
): Promise<readonly Record<string, unknown>[]> {
  const faults = await sql`
    with archived as (
      select format('event %s %s %s %s', created_at, kind, encode(id, 'hex'), encode(pubkey, 'hex')) as item
      from event
      union all
      select format('sighting %s %s %s', relay_id, created_at, encode(event_id, 'hex')) from event_relay
    ), folded as (
      select item, amount from ledger where amount <> 0
    )
    select item, amount, archived.item is not null as archived
    from folded full join archived using (item)
    where amount is distinct from 1 or archived.item is null
    limit 5`;
  return [...faults];
}
