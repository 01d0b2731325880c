/**
 * An archive of some size, made in SQL: large enough that the planner has to choose as it does on a real one.
 *
 * Nothing in it is signed; what queries look for by name (an author, an event, two relays) is in it.
 *
 * @module
 */
import type { TestArchive } from "./archive.ts";

/** The names that the queries of docs/data.md look for. */
export const SUBJECT = {
  pubkey: "3bf0c63fcb93463407af97a5e5ee64fa883d107ef9e558472c4eb9aaaefa459d",
  eventId: "a84c5de86efc2ec2cff7bad077c4171e09146b633b7ad117fffe088d9579ac33",
} as const;

const EVENTS = 40_000;
const AUTHORS = 2_000;
const RELAYS = 200;
/** Of each relay, one an hour. */
const CHECKS = 300;

/** Fills an empty archive: 60 days of events up to now, on two relays each, and what is known of the relays. */
export async function populate({ sql }: TestArchive): Promise<void> {
  await sql.unsafe(`
    set synchronous_commit = off;
    select setseed(0.5);
    ${RELAY_ROWS}
    ${EVENT_ROWS}
    ${SPECIAL_ROWS}
    ${SIGHTING_ROWS}
    ${DOCUMENT_ROWS}
    ${COVERAGE_ROWS}`);
  await sql.unsafe("vacuum analyze");
}

const RELAY_ROWS = `
  insert into relay (url, network, domain, discovered_at)
  select case i when 1 then 'wss://relay.damus.io' when 2 then 'wss://nos.lol'
      else format('wss://r%s.example', i) end,
    'clearnet', format('r%s.example', i), unix_now() - 100 * 86400
  from generate_series(1, ${RELAYS}) as i;

  insert into relay_check (checked_at, relay_id, open_ms, read_ms, online, failure)
  select unix_now() - 60 - 3600 * hour, id, case when up then 80 + id end,
    case when up then 120 + id end, up, case when not up then 'timeout' end
  from relay cross join generate_series(0, ${CHECKS} - 1) as hour
  cross join lateral (select (id + hour) % 50 > 0 or id = 1 and hour > 5) as state (up)
  order by 1;

  insert into relay_state (since, last_checked_at, last_online_at,
    first_checked_at, relay_id, streak, online)
  select min(checked_at), max(checked_at), max(checked_at), min(checked_at),
    relay_id, 1, true
  from relay_check group by relay_id;

  select relay_check_roll_up(unix_now(), 1000);

  insert into relay_outage (since, until, relay_id, checks, cause)
  select unix_now() - 86400 * day, unix_now() - 86400 * day + 600, id, 2, 'timeout'
  from relay cross join generate_series(1, 30) as day;`;

/**
 * In no order of created_at, as the pasts of many relays arrive side by side, but of seen_at. One-letter tags of the common
 * kinds, with few popular values and many rare ones.
 */
const EVENT_ROWS = `
  insert into event (created_at, seen_at, kind, id, pubkey, sig, tags, content)
  select created_at,
    unix_now() + (30 * 86400 * (row_number() over (order by hashint4(i)) / ${EVENTS}::float8 - 1))::int8,
    kind, sha256(convert_to('event' || i, 'UTF8')),
    sha256(convert_to('author' || (${AUTHORS} * random() ^ 3)::int4, 'UTF8')),
    decode(repeat('00', 64), 'hex'),
    case
      when kind = 1 and i % 3 = 0 then jsonb_build_array(
        array['t', 'topic' || (500 * random() ^ 2)::int4],
        array['p', encode(sha256(convert_to('author' || i % 700, 'UTF8')), 'hex')])
      when kind in (6, 7) then jsonb_build_array(
        array['e', encode(sha256(convert_to('event' || i / 2, 'UTF8')), 'hex')],
        array['p', encode(sha256(convert_to('author' || i % 900, 'UTF8')), 'hex')])
      else '[]'
    end,
    case when kind = 7 then '+' else repeat('some words ', (12 * random())::int4 + 1) end
  from generate_series(1, ${EVENTS}) as i
  cross join lateral (
    select unix_now() - 60 * 86400 + (i::float8 / ${EVENTS} * 60 * 86400)::int8 - 10,
      (array[1, 1, 1, 1, 7, 7, 7, 6, 0, 3, 10002, 9735])[1 + i % 12]
  ) as drawn (created_at, kind)
  order by hashint4(i);`;

const KEY = `'\\x${SUBJECT.pubkey}'::bytea`;

/** Everything that a query names, each kind at an age in days. */
const SPECIAL_ROWS = `
  insert into event (created_at, seen_at, kind, id, pubkey, sig, tags, content)
  select unix_now() - (age * 86400)::int8, unix_now(), kind,
    coalesce(id, sha256(convert_to('special' || i, 'UTF8'))),
    coalesce(pubkey, sha256(convert_to('special author' || i, 'UTF8'))),
    decode(repeat('00', 64), 'hex'), tags::jsonb, content
  from (values
    (1, 9.0, 1, '\\x${SUBJECT.eventId}'::bytea, ${KEY}, '[]', 'a note'),
    (2, 0.3, 1, null, ${KEY}, '[]', 'a newer note'),
    (3, 8.0, 0, null, ${KEY}, '[]', '{"name":"somebody"}'),
    (4, 7.0, 3, null, ${KEY}, '[["p","${SUBJECT.pubkey}"],["p","no key"]]', ''),
    (5, 6.0, 10002, null, ${KEY}, '[["r","wss://nos.lol"],["r","wss://relay.damus.io","write"]]', ''),
    (6, 0.0, 30023, null, ${KEY}, '[["d","on-archives"],["title","On archives"]]', 'long'),
    (7, 4.0, 1, null, null, '[["e","${SUBJECT.eventId}"],["p","${SUBJECT.pubkey}"]]', 'a reply'),
    (8, 3.0, 7, null, null, '[["e","${SUBJECT.eventId}"],["p","${SUBJECT.pubkey}"]]', '🤙'),
    (9, 2.0, 9735, null, null, '[["p","${SUBJECT.pubkey}"],["bolt11","lnbc1"]]', ''),
    (10, 1.0, 3, null, null, '[["p","${SUBJECT.pubkey}"]]', ''),
    (11, 1.5, 1, null, null, '[["t","bitcoin"],["r","https://example.com/"]]', 'a topic'),
    (12, 0.0, 1, null, null, '[["t","bitcoin"]]', 'a topic of today')
  ) as special (i, age, kind, id, pubkey, tags, content);
  update event set created_at = unix('2026-11-01') where kind = 30023;`;

/** A batch a relay, and one of what came late, which waits for its page. */
const SIGHTING_ROWS = `
  create temporary table sighting as
  select created_at, relay_id, id
  from event
  cross join lateral (select 1 + (${
  RELAYS - 1
} * random() ^ 4 + 0 * created_at)::int4
    from generate_series(1, 2)) as seen (relay_id);
  delete from sighting where relay_id <> 1 and created_at > unix_now() - 1000;
  insert into sighting select created_at, 1, id from event where pubkey = ${KEY};
  select event_relay_insert(relay_id, max(created_at) + 5,
    array_agg(created_at), string_agg(id, ''))
  from (select *, get_byte(id, 0) < 16 as is_late from sighting order by relay_id, created_at) as ordered
  group by is_late, relay_id order by is_late, relay_id;
  drop table sighting;`;

/** A new document of each type for each relay every ten days: most documents are old ones. */
const DOCUMENT_ROWS = `
  insert into metadata (id, type, data)
  select sha256(convert_to(type || relay.id || '/' || i, 'UTF8')), type,
    jsonb_build_object('logs', '{}'::jsonb, 'data', data || jsonb_build_object('number', i))
  from relay cross join generate_series(0, 99) as i
  cross join lateral (values
    ('nip11_info', jsonb_build_object('software', 'software' || relay.id % 3,
      'supported_nips', array[1, 11, 77])),
    ('nip66_geo', jsonb_build_object('geo_country', chr(65 + relay.id % 20) || 'X'))) as drawn (type, data);
  insert into relay_metadata (generated_at, relay_id, metadata_type, metadata_id)
  select unix_now() - day * 86400, relay.id, type,
    sha256(convert_to(type || relay.id || '/' || day / 10, 'UTF8'))
  from relay cross join generate_series(1, 999) as day
  cross join unnest(array['nip11_info', 'nip66_geo']) as type
  where day % 5 = 0;`;

const COVERAGE_ROWS = `
  insert into sync_coverage (relay_id, filter_hash, filter, covered, updated_at)
  select id, sha256('{}'), '{}',
    int8multirange(int8range(unix_now() - 50 * 86400, unix_now() - 3600)), unix_now()
  from relay;
  insert into sync_proof (relay_id, filter_hash, method, covered, strength)
  select relay_id, filter_hash, 'paging', covered, 'paged' from sync_coverage;
  insert into sync_gap (relay_id, filter_hash, since, until, reason, found_at, reported_at, attempts)
  select relay_id, filter_hash, day * 86400, day * 86400 + 5, 'timeout', 1, 1, 1
  from sync_coverage cross join generate_series(18000, 18200) as day;
  insert into sync_audit (asked, confirmed, contradicted, retractions, retracted_seconds,
    last_asked_at, last_contradicted_at, relay_id, filter_hash)
  select 10, 9, 1, 1, 60, unix_now(), unix_now(), relay_id, filter_hash
  from sync_coverage where relay_id % 10 = 0;`;
