/**
 * Referential integrity: does everything that is referred to exist?
 *
 * The hot path has no foreign keys, because checking one for every sighting would cost more than the sighting; this
 * is the proof instead. It reads every row, page by page, while the archive is in use.
 *
 * @module
 */
import type { Database, Sql } from "./connection/database.ts";

/** A rule that rows break. */
export interface IntegrityProblem {
  /** `event_relay → event` and the like. */
  readonly rule: string;
  /** Rows that break it. */
  readonly rows: number;
  /** An example, for looking it up. */
  readonly example: string;
}

export interface IntegrityOptions {
  /** Rows looked at by one statement, or sightings. */
  readonly batchSize: number;
  readonly signal: AbortSignal;
  /** Told the name of each rule before it is looked at. */
  readonly onRule?: (rule: string) => void;
}

/** Looks at every rule. Empty when all hold. */
export async function verifyIntegrity(
  db: Database,
  { batchSize, signal, onRule }: IntegrityOptions,
): Promise<IntegrityProblem[]> {
  const problems: IntegrityProblem[] = [];
  for (const [rule, query] of Object.entries(RULES)) {
    onRule?.(rule);
    const rows = await db.run(
      (sql) => sql.unsafe<Finding[]>(query),
      { kind: "refresh", signal },
    );
    problems.push(...asProblem(rule, rows.length, rows[0]));
  }
  for (const { rule, page } of PAGED_RULES) {
    onRule?.(rule);
    const { rows, first } = await inPages(db, page, { batchSize, signal });
    problems.push(...asProblem(rule, rows, first));
  }
  return problems;
}

/** Rows that break a rule, as text that finds them again. */
interface Finding {
  readonly example: string;
}

/** Small tables, or few distinct references in a large one. */
const RULES: Readonly<Record<string, string>> = {
  // Hops from relay to relay along the key instead of reading all sightings.
  "event_relay → relay": `
    with recursive holder (id) as (
      (select relay_id from sighting_page order by relay_id limit 1)
      union all
      select (select relay_id from sighting_page where relay_id > holder.id
        order by relay_id limit 1)
      from holder where holder.id is not null
    )
    select 'relay_id ' || h.id as example from holder h
    where h.id is not null
      and not exists (select from relay r where r.id = h.id)`,
  "event_raw → event": `
    select encode(w.id, 'hex') as example from event_raw w
    where not exists (select from event e
      where e.created_at = w.created_at and e.id = w.id)`,
  "relay_metadata → metadata": `
    select format('%s of relay %s at %s', metadata_type, relay_id, generated_at)
      as example
    from relay_metadata r where not exists (select from metadata m
      where m.id = r.metadata_id and m.type = r.metadata_type)`,
  ...Object.fromEntries(
    [
      "relay_metadata",
      "relay_check",
      "relay_capability",
      "relay_check_rollup",
      "relay_outage",
      "relay_state",
      "relay_lease",
      "rejected_event",
      "relay_rejection",
      "sync_coverage",
      "sync_proof",
      "sync_gap",
      "sync_audit",
      "sync_contradiction",
      "sync_withheld",
      "relay_listing",
    ].map((table) => [
      `${table} → relay`,
      `select 'relay_id ' || relay_id as example
       from (select distinct relay_id from ${table}) as holder
       where relay_id is not null
         and not exists (select from relay r where r.id = relay_id)`,
    ]),
  ),
  "relay_state = its last check": `
    select 'relay_id ' || s.relay_id as example from relay_state s
    where not exists (select from relay_check c where c.relay_id = s.relay_id
      and c.checked_at = s.last_checked_at and c.online = s.online)`,
  "relay_outage is open = the relay is offline": `
    select 'relay_id ' || relay_id as example
    from (select relay_id, since from relay_state where not online) as s
    full join (select relay_id, since from relay_outage where until is null)
      as o using (relay_id, since)
    where s.since is null or o.since is null`,
  "sync_coverage = its proofs": `
    select format('relay %s, filter %s', c.relay_id, encode(c.filter_hash, 'hex'))
      as example
    from sync_coverage c
    left join (
      select relay_id, filter_hash, range_agg(piece) as covered
      from sync_proof, unnest(covered) as piece group by 1, 2
    ) as p using (relay_id, filter_hash)
    where c.covered <> coalesce(p.covered, '{}')`,
  // Proofs that overlapped would claim one second twice, by two strengths.
  "no two proofs overlap": `
    select format('relay %s, filter %s', relay_id, encode(filter_hash, 'hex'))
      as example
    from sync_proof, unnest(covered) as piece
    group by relay_id, filter_hash
    having sum(upper(piece) - lower(piece))
      <> (select sum(upper(one) - lower(one)) from unnest(range_agg(piece)) as one)`,
  "no two gaps overlap": `
    select format('relay %s, %s', relay_id, since) as example
    from (
      select relay_id, since, until, lead(since) over
        (partition by relay_id, filter_hash order by since) as next
      from sync_gap) as gap
    where next <= until`,
  "what is withheld is not covered": `
    select format('relay %s, filter %s', relay_id, encode(filter_hash, 'hex'))
      as example
    from sync_withheld join sync_coverage using (relay_id, filter_hash)
    where withheld && covered`,
  "what is forgotten is gone": `
    select encode(e.id, 'hex') as example
    from forgotten_event f join event e on e.id = f.id`,
  "who is forgotten is gone": `
    select encode(e.id, 'hex') as example
    from forgotten_author f join event e
      on e.pubkey = f.pubkey and e.created_at <= f.until
      and (e.kind <> 62 or f.cause = 'operator')
    where f.is_done`,
  "kind 5 → event_deletion": `
    select encode(e.id, 'hex') as example
    from event e
      cross join lateral event_deletion_targets(e.pubkey, e.created_at, e.tags) t
    where e.kind = 5 and not exists (select from event_deletion d
      where d.target = t.target and d.pubkey = e.pubkey and d.until >= t.until)`,
  "kind 62 → event_vanish": `
    select encode(e.id, 'hex') as example
    from event e cross join lateral event_vanish_relays(e.tags) as w
    where e.kind = 62 and not exists (select from event_vanish v
      where v.pubkey = e.pubkey and v.relay = w.relay
        and v.until >= e.created_at)`,
  "no sync_gap is covered": `
    select format('relay %s, %s to %s', relay_id, since, until) as example
    from sync_gap g join sync_coverage c using (relay_id, filter_hash)
    where c.covered && int8range(since, until, '[]')`,
};

/** A page of a large table: what breaks the rule in it, and where the next one begins (null at the end). */
interface Page {
  readonly broken: number;
  readonly first: Finding | undefined;
  readonly next: Position | null;
}

/** A key of event, sighting_page or sighting_log: a number, and bytes as hex. */
type Position = readonly [number: string, bytes: string];

const START: Position = ["-1", ""];

interface PageQuery {
  readonly after: Position;
  /** Rows of event, or sightings. */
  readonly limit: number;
}

const PAGED_RULES: readonly {
  readonly rule: string;
  readonly page: (sql: Sql, query: PageQuery) => Promise<Page>;
}[] = [
  {
    rule: "event_relay → event",
    page: (sql, query) =>
      sightingPage(sql, query, () =>
        sql`
        select count(*)::int as broken, min(encode(substr(key, 9), 'hex')) as example
        from sighting_keys(p.keys) as key
        where not exists (select from event e
          where e.created_at = sighting_time(key) and e.id = substr(key, 9))`),
  },
  {
    rule: "sightings are in order, none twice",
    page: (sql, query) =>
      sightingPage(sql, query, () =>
        sql`
        select count(*)::int as broken, min(encode(substr(key, 9), 'hex')) as example
        from (
          select key, lead(key) over (order by i) as next
          from (
            select * from sighting_keys(p.keys) with ordinality as k (key, i)
            union all
            (select first_key, null from sighting_page f
              where f.relay_id = p.relay_id and f.first_key > p.first_key
              order by first_key limit 1)) as listed) as k
        where key >= next`),
  },
  {
    rule: "sighting_page = its keys",
    page: (sql, query) =>
      sightingPage(sql, query, () =>
        sql`
        select (p.sightings * 40 <> octet_length(p.keys)
            or p.first_key <> substr(p.keys, 1, 40)
            or p.last_key <> substr(p.keys, octet_length(p.keys) - 39)
            or (p.sum_0, p.sum_1, p.sum_2, p.sum_3)
              is distinct from (s.sum_0, s.sum_1, s.sum_2, s.sum_3)
            or (p.sum_4, p.sum_5, p.sum_6, p.sum_7)
              is distinct from (s.sum_4, s.sum_5, s.sum_6, s.sum_7))::int
            as broken,
          encode(substr(p.first_key, 9), 'hex') as example
        from sighting_sums(p.keys) as s`),
  },
  {
    rule: "sighting_log → event",
    page: (sql, query) =>
      waitingPage(sql, query, () =>
        sql`
        not exists (select from event e
          where e.created_at = sighting_time(l.key) and e.id = substr(l.key, 9))`),
  },
  {
    rule: "sightings that wait have a page, and are in none",
    page: (sql, query) =>
      waitingPage(sql, query, () =>
        sql`
        coalesce((select position(l.key in p.keys) > 0 from sighting_page p
          where p.relay_id = l.relay_id and p.first_key <= l.key
          order by p.first_key desc limit 1), true)`),
  },
  {
    rule: "event is whole",
    page: async (sql, { after: [createdAt, id], limit }) =>
      asPage(
        await sql<PageRow[]>`
          select created_at as number, encode(id, 'hex') as bytes,
            (octet_length(id) <> 32 or octet_length(pubkey) <> 32
              or kind not between 0 and 65535 or (archive_edition() = 'full'
                and (tags is null or content is null or sig is null)))::int
              as broken,
            encode(id, 'hex') as example
          from event
          where (created_at, id) > (${createdAt}::text::int8, decode(${id}, 'hex'))
          order by created_at, id limit ${limit}::int`,
        limit,
      ),
  },
];

/** Sightings of a full page. */
const PAGE_SIGHTINGS = 96;

/** Some pages of sightings, `p`, each looked at by a query that counts what is broken in its keys. */
async function sightingPage(
  sql: Sql,
  { after: [relayId, firstKey], limit }: PageQuery,
  look: () => ReturnType<Sql>,
): Promise<Page> {
  const pages = Math.ceil(limit / PAGE_SIGHTINGS);
  return asPage(
    await sql<PageRow[]>`
      select p.relay_id::text as number, encode(p.first_key, 'hex') as bytes,
        broken, example || ' on relay ' || p.relay_id as example
      from (
        select * from sighting_page
        where (relay_id, first_key) >
          (${relayId}::text::int4, decode(${firstKey}, 'hex'))
        order by relay_id, first_key limit ${pages}::int
      ) as p
      cross join lateral (${look()}) as looked
      order by p.relay_id, p.first_key`,
    pages,
  );
}

/** Some sightings that wait, `l`, each broken when a condition says so. */
async function waitingPage(
  sql: Sql,
  { after: [relayId, key], limit }: PageQuery,
  isBroken: () => ReturnType<Sql>,
): Promise<Page> {
  return asPage(
    await sql<PageRow[]>`
      select l.relay_id::text as number, encode(l.key, 'hex') as bytes,
        (${isBroken()})::int as broken,
        encode(substr(l.key, 9), 'hex') || ' on relay ' || l.relay_id as example
      from sighting_log l
      where (l.relay_id, l.key) > (${relayId}::text::int4, decode(${key}, 'hex'))
      order by l.relay_id, l.key limit ${limit}::int`,
    limit,
  );
}

interface PageRow {
  readonly number: string;
  readonly bytes: string;
  readonly broken: number;
  readonly example: string;
}

function asPage(rows: readonly PageRow[], limit: number): Page {
  const last = rows.at(-1);
  return {
    broken: rows.reduce((sum, { broken }) => sum + broken, 0),
    first: rows.find(({ broken }) => broken > 0),
    next: last === undefined || rows.length < limit
      ? null
      : [last.number, last.bytes],
  };
}

async function inPages(
  db: Database,
  page: (typeof PAGED_RULES)[number]["page"],
  { batchSize, signal }: IntegrityOptions,
): Promise<{ rows: number; first: Finding | undefined }> {
  let rows = 0;
  let first: Finding | undefined;
  let position: Position | null = START;
  while (position !== null) {
    signal.throwIfAborted();
    const query: PageQuery = { after: position, limit: batchSize };
    const read: Page = await db.run(
      (sql) => page(sql, query),
      { kind: "cleanup", signal },
    );
    rows += read.broken;
    first ??= read.first;
    position = read.next;
  }
  return { rows, first };
}

function asProblem(
  rule: string,
  rows: number,
  first: Finding | undefined,
): IntegrityProblem[] {
  return first === undefined ? [] : [{ rule, rows, example: first.example }];
}
