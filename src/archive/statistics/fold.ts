/**
 * Folds facts into statistics, in the transaction that takes them: each counts once, whatever happens.
 *
 * @module
 */
import { sqlArray } from "../sql_array.ts";
import { Buffer } from "node:buffer";
import type { Sql } from "../../core/database/connection/database.ts";
import { isThrowaway } from "../../models/kinds.ts";
import type { EventFact, Fact, SightingFact } from "../facts.ts";
import { Authors } from "./authors.ts";
import { NOBODY, StatisticsChanges } from "./changes.ts";
import { sketchEntry } from "./distinct_sketch.ts";
import { dayOf } from "./moments.ts";
import { storeChanges } from "./store_changes.ts";

/** How much was folded; what is to be made again from the tables is not counted. */
export interface Folded {
  readonly events: number;
  readonly sightings: number;
}

/** Folds facts. Their order does not matter. Only inside the transaction of `consumeFacts`. */
export async function foldFacts(
  sql: Sql,
  facts: readonly Fact[],
): Promise<Folded> {
  const scope = await readScope(sql, facts);
  const authors = new Authors();
  const changes = new StatisticsChanges(authors, scope.hoursSince);
  const known = new KnownEvents(authors);
  let events = 0;
  for (const fact of facts) {
    if (fact.type === "events") {
      events += foldEvents(fact, scope, known, changes);
    }
  }
  const sightings = facts
    .filter((fact) => fact.type === "sightings")
    .flatMap((fact) => countedSightings(fact, scope));
  await known.lookUp(sql, sightings);
  for (const sighting of sightings) {
    const event = known.find(sighting.keys, sighting.offset);
    // Its fact was dropped from the queue, and the event deleted since: what the relay holds is counted anew.
    if (event === undefined) {
      scope.lost.add(sighting.relayId);
      continue;
    }
    changes.addSighting({
      sign: sighting.sign,
      createdAt: sighting.createdAt,
      kind: event.kind,
      author: event.author,
      relayId: sighting.relayId,
      network: sighting.network,
      eventEntry: sketchEntry(sighting.keys, sighting.offset),
    });
  }
  await storeChanges(sql, { changes, authors });
  if (scope.lost.size > 0) {
    await sql`
    insert into fact_dropped (dropped_at, relay_id)
    select unix_now(), unnest(${sqlArray([...scope.lost])}::text::int4[])`;
  }
  return { events, sightings: sightings.length };
}

/** What is counted, and what is left to those who make it again. */
interface Scope {
  readonly hoursSince: number;
  readonly unmadeDays: ReadonlySet<number>;
  /** Of relays that are being made: the key, in hex, from which on the tables will be read. */
  readonly unmadeRelays: ReadonlyMap<number, string>;
  /** Numbers of networks, by relay; relays that were removed are not there. */
  readonly networks: ReadonlyMap<number, number>;
  /** Relays that are to be made again because of what was met. */
  readonly lost: Set<number>;
}

async function readScope(sql: Sql, facts: readonly Fact[]): Promise<Scope> {
  const relayIds = new Set<number>();
  for (const fact of facts) {
    if (fact.type === "sightings") relayIds.add(fact.relayId);
  }
  const [[retained], [unmade], networks] = await Promise.all([
    sql<{ since: number }[]>`select statistics_retain() as since`,
    sql<{ unmade: Unmade }[]>`select statistics_unmade() as unmade`,
    sql<{ relayId: number; network: number }[]>`
      select relay_id as "relayId", network
      from statistics_networks(${sqlArray([...relayIds])}::text::int4[])`,
  ]);
  const { days, relays } = unmade!.unmade;
  return {
    hoursSince: retained!.since,
    unmadeDays: new Set(days),
    unmadeRelays: new Map(relays.map(({ id, upto }) => [id, upto])),
    networks: new Map(
      networks.map(({ relayId, network }) => [relayId, network]),
    ),
    lost: new Set(),
  };
}

interface Unmade {
  readonly days: readonly number[];
  readonly relays: readonly { readonly id: number; readonly upto: string }[];
}

/** Returns how many were counted. */
function foldEvents(
  { sign, createdAt, kinds, keys }: EventFact,
  { unmadeDays }: Scope,
  known: KnownEvents,
  changes: StatisticsChanges,
): number {
  const bytes = asBuffer(keys);
  let events = 0;
  for (let i = 0; i < createdAt.length; i++) {
    const kind = kinds[i]!;
    const author = known.add(bytes, i * 64, kind);
    if (unmadeDays.has(dayOf(createdAt[i]!))) continue;
    changes.addEvent({ sign, createdAt: createdAt[i]!, kind, author });
    events += 1;
  }
  return events;
}

interface Sighting {
  readonly sign: 1 | -1;
  readonly createdAt: number;
  readonly relayId: number;
  readonly network: number;
  /** Where the event's id is. */
  readonly keys: Buffer;
  readonly offset: number;
}

function countedSightings(
  { sign, relayId, createdAt, ids }: SightingFact,
  { networks, unmadeRelays }: Scope,
): Sighting[] {
  const network = networks.get(relayId);
  if (network === undefined) return [];
  const upto = unmadeRelays.get(relayId);
  const keys = asBuffer(ids);
  const sightings: Sighting[] = [];
  for (let i = 0; i < createdAt.length; i++) {
    const offset = i * 32;
    if (
      upto !== undefined && sightingKey(createdAt[i]!, keys, offset) >= upto
    ) {
      continue;
    }
    sightings.push({
      sign,
      createdAt: createdAt[i]!,
      relayId,
      network,
      keys,
      offset,
    });
  }
  return sightings;
}

/** As `sighting_key()` in SQL, in hex. */
function sightingKey(createdAt: number, ids: Buffer, offset: number): string {
  return createdAt.toString(16).padStart(16, "0") +
    ids.toString("hex", offset, offset + 32);
}

interface KnownEvent {
  readonly kind: number;
  /** Its place in `Authors`, or NOBODY. */
  readonly author: number;
}

/** Kind and author of the events that sightings are about. */
class KnownEvents {
  readonly #events = new Map<string, KnownEvent>();
  readonly #authors: Authors;

  constructor(authors: Authors) {
    this.#authors = authors;
  }

  /** @param offset Of id and public key. Returns the author's place. */
  add(keys: Buffer, offset: number, kind: number): number {
    const author = isThrowaway(kind)
      ? NOBODY
      : this.#authors.place(keys, offset + 32);
    this.#events.set(keys.toString("latin1", offset, offset + 32), {
      kind,
      author,
    });
    return author;
  }

  find(ids: Buffer, offset: number): KnownEvent | undefined {
    return this.#events.get(ids.toString("latin1", offset, offset + 32));
  }

  /** Asks the archive for those that are not in the facts, and the queue for those that are deleted by now. */
  async lookUp(sql: Sql, sightings: readonly Sighting[]): Promise<void> {
    const missing = new Map<string, Sighting>();
    for (const sighting of sightings) {
      const { keys, offset } = sighting;
      const id = keys.toString("latin1", offset, offset + 32);
      if (!this.#events.has(id)) missing.set(id, sighting);
    }
    await this.#ask(missing, (wanted, ids) =>
      sql<FoundEvent[]>`
        select i, kind, pubkey from event_authors(
          ${sqlArray(wanted.map(({ createdAt }) => createdAt))}::text::int8[],
          ${ids}::bytea)`);
    await this.#ask(missing, (_, ids) =>
      sql<FoundEvent[]>`
        select i, kind, pubkey from fact_deleted_events(${ids}::bytea)`);
  }

  /** Takes those that are found out of `missing`. */
  async #ask(
    missing: Map<string, Sighting>,
    ask: (
      wanted: readonly Sighting[],
      ids: Buffer,
    ) => Promise<readonly FoundEvent[]>,
  ): Promise<void> {
    if (missing.size === 0) return;
    const ids = [...missing.keys()];
    const packed = Buffer.from(ids.join(""), "latin1");
    for (
      const { i, kind, pubkey } of await ask([...missing.values()], packed)
    ) {
      const id = ids[i - 1]!;
      const author = isThrowaway(kind)
        ? NOBODY
        : this.#authors.place(Buffer.from(pubkey, "hex"), 0);
      this.#events.set(id, { kind, author });
      missing.delete(id);
    }
  }
}

interface FoundEvent {
  /** Its place among those asked for, from 1. */
  readonly i: number;
  readonly kind: number;
  /** Hex. */
  readonly pubkey: string;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
