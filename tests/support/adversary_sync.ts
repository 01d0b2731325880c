/**
 * Syncing an adversary some times on real workers and a real archive, and holding what is claimed against what it holds.
 *
 * @module
 */
import type { NostrEvent } from "../../src/models/event.ts";
import { filterHash } from "../../src/models/filter.ts";
import type { Window } from "../../src/models/window.ts";
import type { SyncPool } from "../../src/workers/host/worker_pool.ts";
import type { RelaySync } from "../../src/services/synchronizer/sync_relay.ts";
import { Adversary } from "./adversary/adversary.ts";
import { signedCorpus } from "./adversary/corpus.ts";
import { judge, type Revealing } from "./adversary/judge.ts";
import { type AdversarySpec, MAX_READABLE_LENGTH } from "./adversary/spec.ts";
import { adversaryRelay } from "./adversary_relay.ts";
import { type TestArchive, testArchive } from "./archive.ts";
import { eventFactory } from "./event_factory.ts";
import { idOf, syncWith } from "./sync.ts";

/** An event that is claimed and not stored, and what is kept as proof of its second. */
export interface FalseClaim {
  readonly event: NostrEvent;
  /** A question that shows it. */
  readonly shownBy: Revealing;
  /** The rows of `sync_proof` that cover it, without their windows. */
  readonly proofs: readonly unknown[];
}

/** How some syncs of an adversary ended. */
export interface AdversaryRun {
  readonly spec: AdversarySpec;
  readonly isHonest: boolean;
  readonly falseClaims: readonly FalseClaim[];
  /** Seconds of events that could be had and are neither stored nor claimed. */
  readonly missing: readonly number[];
  /** What was held against the relay, in words; of honest relays there must be nothing. */
  readonly accusations: readonly string[];
  /** Wanted events that it holds and that could be had. */
  readonly obtainable: number;
  /** One a sync. */
  readonly syncs: readonly RelaySync[];
  readonly seconds: number;
}

/** How adversaries are synced. */
export interface RunOptions {
  readonly pool: SyncPool;
  /** Default: 3. */
  readonly syncs?: number;
}

/** What the service's file would say: silence is noticed soon, and gaps are asked for again in each sync. */
export const ADVERSARY_CONFIG = {
  workers: 1,
  allowPrivate: true,
  requests: {
    idleTimeoutMs: 200,
    totalTimeoutMs: 5_000,
    maxEventBytes: MAX_READABLE_LENGTH,
  },
  negentropy: { probeTimeoutMs: 200, repairSeconds: 60 },
  retry: { gapSeconds: 0 },
} as const;

/** Reasons of gaps that say nothing of a relay but that it is as it is. */
const NEUTRAL_REASONS: ReadonlySet<string> = new Set([
  "saturated",
  "hidden",
  "kinds-only",
  "restricted",
  "too-large",
  "timeout",
  "disconnected",
  "withheld",
]);

/** Syncs the adversary of a spec, whose first sync begins now, and audits the archive. */
export async function runAdversary(
  drawn: AdversarySpec,
  { pool, syncs: count = 3 }: RunOptions,
): Promise<AdversaryRun> {
  const beganMs = Date.now();
  const spec = { ...drawn, beganAt: Math.floor(beganMs / 1_000) };
  const factory = eventFactory(`adversary ${spec.seed}`);
  const adversary = new Adversary(spec, signedCorpus(spec, factory));
  await using archive = await testArchive();
  await using server = await adversaryRelay(adversary);
  const config = { ...ADVERSARY_CONFIG, filters: [spec.filter] };
  const syncs: RelaySync[] = [];
  for (let sync = 0; sync < count; sync++) {
    if (sync > 0) adversary.elapse();
    const { relay } = server;
    syncs.push(await syncWith(pool, { archive, relay, config }));
  }
  const relayId = await idOf(archive, server.relay);
  const stored = await storedIds(archive, relayId);
  const walk = { relayId, hash: filterHash(spec.filter) };
  const covered = await coverage(archive, walk);
  const nowMs = Date.now();
  const obtainable = adversary.obtainable().length;
  const { falseClaims, missing } = judge(adversary, { stored, covered, nowMs });
  return {
    spec,
    isHonest: adversary.isHonest,
    falseClaims: await Promise.all(
      falseClaims.map(async ({ event, shownBy }) => ({
        event,
        shownBy,
        proofs: await proofsAt(archive, walk, event.created_at),
      })),
    ),
    missing: missing.map(({ created_at }) => created_at),
    accusations: await accusations(archive, syncs),
    obtainable,
    syncs,
    seconds: (Date.now() - beganMs) / 1_000,
  };
}

interface Walk {
  readonly relayId: number;
  readonly hash: string;
}

async function storedIds(
  { sql }: TestArchive,
  relayId: number,
): Promise<Set<string>> {
  const rows = await sql<{ id: string }[]>`
    select encode(s.event_id, 'hex') as id
    from event_relay s join event e
      on e.id = s.event_id and e.created_at = s.created_at
    where s.relay_id = ${relayId}`;
  return new Set(rows.map(({ id }) => id));
}

/** What is proven, and not only uncontradicted. */
async function coverage(
  { sql }: TestArchive,
  { relayId, hash }: Walk,
): Promise<Window[]> {
  const rows = await sql<{ since: string; until: string | null }[]>`
    select lower(part) as since, upper(part) - 1 as until
    from sync_proof c, unnest(c.covered) part
    where c.relay_id = ${relayId} and c.strength <> 'weak'
      and c.filter_hash = decode(${hash}, 'hex')`;
  return rows.map(({ since, until }) => ({
    since: Number(since),
    until: until === null ? Infinity : Number(until),
  }));
}

async function proofsAt(
  { sql }: TestArchive,
  { relayId, hash }: Walk,
  at: number,
): Promise<unknown[]> {
  const rows = await sql<{ proof: unknown }[]>`
    select to_jsonb(p) - 'covered' - 'relay_id' - 'filter_hash' as proof
    from sync_proof p
    where p.relay_id = ${relayId} and p.filter_hash = decode(${hash}, 'hex')
      and p.covered @> ${at}::int8`;
  return rows.map(({ proof }) => proof);
}

async function accusations(
  { sql }: TestArchive,
  syncs: readonly RelaySync[],
): Promise<string[]> {
  const rows = await sql<{ order: string | null }[]>`
    select state_value ->> 'order' as order from service_state
    where state_type = 'relay-traits'`;
  const unsorted = rows.some(({ order }) => order === "unsorted");
  const reasons = syncs.flatMap(({ gaps }) => gaps.map(({ reason }) => reason))
    .filter((reason) => !NEUTRAL_REASONS.has(reason));
  return [...(unsorted ? ["unsorted"] : []), ...new Set(reasons)];
}
