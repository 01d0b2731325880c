/**
 * Events and sightings of every sort that statistics tell apart, made in SQL: kinds whose keys are thrown away, events of
 * 1970 and of the year 2500, of this minute and of tomorrow, relays of each network, some of which hold nothing.
 *
 * @module
 */
import type { TestArchive } from "./archive.ts";

/** Relays made, a fourth of each network; each eleventh was never seen to hold anything. */
const RELAYS = 24;

/** Fills an empty archive with `events` events (two sightings each) by a third as many authors. */
export async function writeHistory(
  { sql }: TestArchive,
  events = 3_000,
): Promise<void> {
  await sql.unsafe(`
    select setseed(0.5);
    insert into relay (url, network, domain, discovered_at)
    select format('wss://r%s.example', i), (array['clearnet', 'tor', 'i2p', 'loki'])[1 + i % 4],
      format('r%s.example', i), unix_now() - 86400
    from generate_series(1, ${RELAYS}) as i;

    insert into event (created_at, seen_at, kind, id, pubkey, sig, tags, content)
    select least(greatest(created_at, 0), 16725225600), unix_now(), kind, sha256(convert_to('event' || i, 'UTF8')),
      sha256(convert_to('author' || case when kind in (445, 1059, 21059) then -i else (${events} / 3 * random() ^ 3)::int4 end, 'UTF8')),
      case when archive_edition() = 'full' then decode(repeat('00', 64), 'hex') end,
      case when archive_edition() = 'full' then '[]'::jsonb end, case when archive_edition() = 'full' then '' end
    from generate_series(1, ${events}) as i
    cross join lateral (select
      case i % 50 when 0 then 0 when 1 then 16725225600 + i when 2 then unix_now() + 86400 * (i % 3)
        when 3 then unix_now() - i % 60 else unix_now() - (400 * 86400 * random() ^ 4)::int8 - 60 end,
      (array[0, 1, 1, 1, 1, 3, 6, 7, 7, 7, 445, 1059, 9735, 10002, 20001, 30023, 65535])[1 + i % 17]
    ) as drawn (created_at, kind);

    select event_relay_insert(relay_id, unix_now(), array_agg(created_at), string_agg(id, ''))
    from (
      select created_at, id, 1 + (${
    RELAYS - 1
  } * random() ^ 3)::int4 as relay_id from event, generate_series(1, 2)) as seen
    where relay_id % 11 <> 0
    group by relay_id`);
}
