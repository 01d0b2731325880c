/**
 * An archive of any size, made by SQL in minutes: kinds, authors, tags and sightings are distributed as on the network
 * (field survey, section 5). Nothing in it is signed.
 *
 * What has number `i` is found again: `eventId(i)`, `authorKey(n)`; number 0 is the author who writes the most and is
 * mentioned the most.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type postgres from "postgres";

export interface ScaleOptions {
  readonly events: number;
  /** Sightings an event, on the average of many. */
  readonly sightings: number;
}

/** 2022-11-01, and four years on: the archive's present. */
export const FIRST_SECOND = 1_667_260_800;
export const SECONDS = 4 * 365 * 86_400;

export const RELAYS = 60;

/** Rows of one statement. */
const CHUNK = 50_000;

export function eventId(i: number): string {
  return hash(`event${i}`);
}

export function authorKey(n: number): string {
  return hash(`author${n}`);
}

/** Fills an empty archive on two connections; indexes are built at the end, as they would be by a restore. */
export async function fillArchive(
  sql: postgres.Sql,
  { events, sightings }: ScaleOptions,
): Promise<void> {
  const indexes = await sql<{ name: string; definition: string }[]>`
    select indexrelid::regclass::text as name,
      pg_get_indexdef(indexrelid) as definition
    from pg_index
    where indrelid = 'event'::regclass and not indisprimary`;
  for (const { name } of indexes) await sql.unsafe(`drop index ${name}`);
  const starts = Array.from(
    { length: Math.ceil(events / CHUNK) },
    (_, i) => i * CHUNK,
  );
  await inParallel(starts, (start) =>
    sql.unsafe(eventRows(events, {
      from: start,
      to: Math.min(start + CHUNK, events) - 1,
    })));
  await inParallel(
    indexes,
    ({ definition }) =>
      sql.unsafe(
        `set maintenance_work_mem = '1GB'; set max_parallel_maintenance_workers = 0; ${definition}`,
      ),
  );
  await sql.unsafe("vacuum analyze event");
  await sql.unsafe(RELAY_ROWS);
  const relays = Array.from({ length: RELAYS }, (_, i) => i + 1);
  await inParallel(
    relays,
    (relay) => sql.unsafe(sightingRows(relay, sightings)),
  );
  await sql.unsafe("vacuum analyze");
}

async function inParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (
      let item = waiting.shift();
      item !== undefined;
      item = waiting.shift()
    ) await work(item);
  };
  await Promise.all([worker(), worker()]);
}

const RELAY_ROWS = `
  insert into relay (url, network, domain, discovered_at)
  select format('wss://r%s.example', i), 'clearnet', format('r%s.example', i), 0
  from generate_series(1, ${RELAYS}) as i`;

/**
 * In the order of time as relays give it, with a jitter of days; a fifth is back-dated by up to all of it. Three in four
 * authors have published one event; the others follow a power law. What is referred to is mostly a little older.
 */
function eventRows(
  events: number,
  { from, to }: { readonly from: number; readonly to: number },
): string {
  const authors = Math.ceil(events / 36);
  const author = (n: string) =>
    `encode(sha256(convert_to('author' || ${n}, 'UTF8')), 'hex')`;
  const popular = `(${authors} * random() ^ 3)::int4`;
  const target =
    `encode(sha256(convert_to('event' || greatest(0, i - (random() ^ 4 * least(i, 200000))::int4), 'UTF8')), 'hex')`;
  return `
    set synchronous_commit = off;
    insert into event (created_at, seen_at, kind, id, pubkey, sig, tags, content)
    select created_at, created_at + 60, kind,
      sha256(convert_to('event' || i, 'UTF8')),
      sha256(convert_to(case when once < 0.085 then 'once' || i
        else 'author' || ${popular} end, 'UTF8')),
      decode(repeat(md5(i::text), 4), 'hex'),
      case
        when kind in (1, 6, 7) then
          to_jsonb(array(select jsonb_build_array('e', ${target}, 'wss://relay.example.com', 'reply')
            from generate_series(1, case when kind = 1 then (random() * 2.4)::int4 else 1 end)))
          || to_jsonb(array(select jsonb_build_array('p', ${author(popular)})
            from generate_series(1, case when kind = 1 then (random() * 2.6)::int4 else 1 end)))
          || to_jsonb(array(select jsonb_build_array('t', 'topic' || (20000 * random() ^ 5)::int4)
            from generate_series(1, case when kind = 1 then (random() * 1.6)::int4 else 0 end)))
        when kind in (3) then
          to_jsonb(array(select jsonb_build_array('p', ${author(popular)})
            from generate_series(1, (random() ^ 3 * 100)::int4)))
        when kind in (4, 1059) then jsonb_build_array(jsonb_build_array('p', ${
    author(popular)
  }))
        when kind = 9735 then jsonb_build_array(
          jsonb_build_array('p', ${
    author(popular)
  }), jsonb_build_array('e', ${target}),
          array['bolt11', repeat(md5(i::text), 8)], array['description', repeat(md5(i::text), 12)])
        when kind = 5 then jsonb_build_array(jsonb_build_array('e', ${target}))
        when kind = 10002 then jsonb_build_array(
          array['r', 'wss://r' || (500 * random() ^ 3)::int4 || '.example'],
          array['r', 'wss://r' || (500 * random() ^ 3)::int4 || '.example'],
          array['r', 'wss://r' || (500 * random() ^ 3)::int4 || '.example'])
        when kind >= 30000 then jsonb_build_array(array['d', 'd' || i % 1000], array['title', md5(i::text)])
        else '[]'
      end,
      (select coalesce(string_agg(md5((i * 31 + n)::text), ' '), '') from generate_series(1,
        case kind when 1 then (random() * 18)::int4 when 7 then 0 when 0 then 13 when 4 then 8
          when 6 then 27 when 1059 then 55 when 30023 then 70 when 1000 then 10 else 1 end) as n)
    from (
      select i, random() as once,
        ${FIRST_SECOND} + least(${SECONDS} - 1, greatest(0, ${SECONDS} * sqrt(case when random() < 0.2 then random()
          else i::float8 / ${events} end) + 86400 * 3 * (random() - 0.5)))::int8 as created_at,
        (array[0, 3, 4, 5, 6, 9735, 1000, 1059, 10002, 30023, 30078, 7, 1])[width_bucket(random(), array[
          0, 0.047, 0.092, 0.148, 0.179, 0.223, 0.251, 0.277, 0.299, 0.318, 0.33, 0.36, 0.56])] as kind
      from generate_series(${from}, ${to}) as i
    ) as drawn`;
}

/**
 * Newest first, in batches as a sync brings them. Two in five events are on one relay only, the others on a share of the
 * relays that falls with their rank.
 */
function sightingRows(relay: number, sightings: number): string {
  const harmonic = Array.from({ length: RELAYS }, (_, i) => 1 / (i + 1))
    .reduce((sum, share) => sum + share);
  const share = Math.min(1, (sightings - 0.42) / 0.58 / harmonic / relay);
  return `
    set synchronous_commit = off;
    select sum(event_relay_insert(${relay}, unix_now(), times, ids))
    from (
      select array_agg(created_at) as times, string_agg(id, ''::bytea) as ids
      from (
        select created_at, id, row_number() over (order by created_at desc, id desc) as n
        from event
        cross join lateral (select get_byte(id, 0) * 256 + get_byte(id, 1) as rank,
          get_byte(id, 2) * 256 + get_byte(id, 3) as single) as drawn
        where case when rank < 0.42 * 65536
          then ${relay} = 1 + floor(${RELAYS} * (single / 65536.0) ^ 2)
          else (hashint8extended(single::int8 * 65536 + rank, ${relay}) & 65535) < ${share} * 65536 end
      ) as held
      group by n / 1000 order by n / 1000
    ) as batch`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
