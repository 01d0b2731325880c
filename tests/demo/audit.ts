/**
 * What the archive knows of each relay, held against what the relay was given.
 *
 * @module
 */
import { table } from "../../src/cli/terminal/table.ts";
import type { Database } from "../../src/core/database/connection/database.ts";
import type { DemoRelay } from "./relays.ts";

/** One relay as the archive has it; nothing of it is there when the relay has not been found yet. */
export interface ArchivedRelay {
  readonly url: string;
  /** How long a connection took at the last check; null when there was none, or the relay was down. */
  readonly openMs: number | null;
  /** Events seen on it. */
  readonly stored: number;
  /** Whether all the time its events are from is proven complete. */
  readonly complete: boolean;
  /** How strongly, and by which methods. */
  readonly provenBy: string;
  readonly gaps: number;
}

/** Looks the relays up, in the order in which they were found. */
export async function lookUpRelays(
  database: Database,
  relays: readonly DemoRelay[],
): Promise<ArchivedRelay[]> {
  const spans = JSON.stringify(relays.map(({ process, events }) => {
    const times = events.map(({ created_at }) => created_at);
    const since = Math.min(...times);
    return { url: process.url, since, until: Math.max(...times) };
  }));
  return await database.run(async (sql) => {
    const rows = await sql<ArchivedRelay[]>`
    select relay.url,
      (select open_ms from relay_check where relay_id = relay.id and online
        order by checked_at desc limit 1) as "openMs",
      (select count(*)::int from event_relay where relay_id = relay.id)
        as stored,
      coalesce((select bool_or(covered @> int8range(span.since, span.until, '[]'))
        from sync_coverage where relay_id = relay.id), false) as complete,
      coalesce((select string_agg(distinct strength || ' by ' || method, ', ')
        from sync_proof
        where relay_id = relay.id), '') as "provenBy",
      (select count(*)::int from sync_gap where relay_id = relay.id) as gaps
    from relay join jsonb_to_recordset(${spans}::text::jsonb)
      as span (url text, since int8, until int8) on span.url = relay.url
    order by relay.id`;
    return [...rows];
  });
}

/** A relay that was heard of and is not one yet: how often it was tried, and why that failed. */
export interface TriedCandidate {
  readonly failures: number;
  readonly lastFailure: string | null;
}

/** Looks a candidate up; null when nobody has heard of it. */
export async function lookUpCandidate(
  database: Database,
  url: string,
): Promise<TriedCandidate | null> {
  return await database.run(async (sql) => {
    const [row] = await sql<TriedCandidate[]>`
      select failures, last_failure as "lastFailure" from candidate
      where url = ${url}`;
    return row ?? null;
  });
}

/** Whether everything of the relays is archived, and proven to be everything. */
export function isComplete(
  archived: readonly ArchivedRelay[],
  relays: readonly DemoRelay[],
): boolean {
  return archived.length === relays.length &&
    archived.every(({ url, openMs, complete, gaps, stored }) => {
      const relay = relays.find(({ process }) => process.url === url);
      return openMs !== null && complete && gaps === 0 &&
        stored === relay?.events.length;
    });
}

/** The table at the end. */
export async function relayTable(
  archived: readonly ArchivedRelay[],
  relays: readonly DemoRelay[],
): Promise<string> {
  const rows = await Promise.all(relays.map(async (relay) => {
    const found = archived.find(({ url }) => url === relay.process.url);
    const { requests, sent } = await relay.process.counters();
    const held = relay.events.length;
    const openMs = found?.openMs ?? null;
    return [
      relay.name,
      openMs === null ? "not checked" : `${openMs} ms`,
      String(held),
      String(found?.stored ?? 0),
      String(held - (found?.stored ?? 0)),
      found?.complete ? `complete (${found.provenBy})` : "not proven",
      String(found?.gaps ?? 0),
      String(requests),
      (sent / held).toFixed(3),
    ];
  }));
  return table(HEAD, rows);
}

const HEAD = [
  "relay",
  "opened in",
  "holds",
  "stored",
  "missing",
  "coverage",
  "gaps",
  "requests",
  "sent/event",
];

/** What is wrong with an export when every event of the relays should be in it, as signed; null when nothing is. */
export function exportFault(
  jsonl: string,
  relays: readonly DemoRelay[],
): string | null {
  const exported = new Set(jsonl.split("\n").slice(0, -1));
  const wanted = new Set(
    relays.flatMap(({ events }) =>
      events.map((event) => JSON.stringify(event))
    ),
  );
  const missing = wanted.difference(exported).size;
  const extra = exported.difference(wanted).size;
  if (missing === 0 && extra === 0) return null;
  return `${missing} of ${wanted.size} events are missing or changed in the export, ${extra} are not the relays'`;
}
