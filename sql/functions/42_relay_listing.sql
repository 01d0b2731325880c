-- The lists that relays are known to have, for NIP-77. Written by the holder of the relay's lease only.

-- A chunk of what the relay is known to list from p_since to p_until and before the key given: at most the newest p_limit
-- sightings, less those that are gone or do not match, and the events between them that were found withheld since
-- p_withheld_since. p_filter: {kinds, authors, "#x"}, the rest of a NIP-01 filter. vector: 8 bytes of created_at and 32 of
-- id each, ascending, as base64; null when the archive does not keep what the filter asks about. next: the key before
-- which there may be more, or null.
create or replace function event_relay_vector(
  p_relay_id int4, p_filter_hash text, p_filter jsonb, p_since int8, p_until int8,
  p_before_created_at int8, p_before_id bytea, p_limit int4, p_withheld_since int8,
  out vector text, out next_created_at int8, out next_id text)
language plpgsql stable
as $$
declare
  v_filter_hash bytea := decode(p_filter_hash, 'hex');
  v_filter record := event_filter_parse(p_filter);
  v_lower bytea := sighting_key(p_since);
  v_upper bytea := least(sighting_key(p_until + 1), sighting_key(p_before_created_at, p_before_id));
  v_pages int4 := p_limit / 96 + 2;
  v_keys bytea;
  v_found int4;
begin
  if not v_filter.can_tell then
    return;
  end if;
  -- Whole pages as they are; only the first and the last are cut.
  select count(*), coalesce(string_agg(case
      when p.first_key >= v_lower and substr(p.keys, octet_length(p.keys) - 39) < v_upper then p.keys
      else sighting_cut(p.keys, v_lower, v_upper)
    end, '' order by p.first_key), '')
  into v_found, v_keys
  from (
    select * from sighting_runs(p_relay_id, v_lower, v_upper) order by first_key desc limit v_pages) as p;
  v_keys := substr(v_keys, greatest(1, octet_length(v_keys) - 40 * p_limit + 1));
  if v_found = v_pages or octet_length(v_keys) = 40 * p_limit then
    v_lower := substr(v_keys, 1, 40);
    next_created_at := sighting_time(v_lower);
    next_id := encode(substr(v_lower, 9), 'hex');
  end if;

  if p_filter <> '{}' then
    -- The limit has the planner look up one event after the other, whatever it thinks of their number.
    select coalesce(string_agg(key, '' order by key), '') into v_keys
    from sighting_keys(v_keys) as key
    cross join lateral (
      select from event e
      where e.created_at = sighting_time(key) and e.id = substr(key, 9)
        and (v_filter.kinds is null or e.kind = any (v_filter.kinds))
        and (v_filter.authors is null or e.pubkey = any (v_filter.authors))
        and (v_filter.tags is null or event_has_tags(e.tags, v_filter.tags))
      limit 1) as matched;
  end if;
  if exists (
    select from relay_listing
    where relay_id = p_relay_id and filter_hash = v_filter_hash and created_at between p_since and p_until
  ) then
    with listing as materialized (
      select sighting_key(created_at, event_id) as key, state from relay_listing
      where relay_id = p_relay_id and filter_hash = v_filter_hash and created_at between p_since and p_until
        and (state = 'gone' or noted_at >= p_withheld_since)
    )
    select coalesce(string_agg(key, '' order by key), '') into v_keys
    from (
      select k.key from sighting_keys(v_keys) as k (key)
      where not exists (select from listing l where l.state = 'gone' and l.key = k.key)
      union
      select key from listing where state = 'withheld' and key >= v_lower and key < v_upper) as listed;
  end if;
  vector := encode(v_keys, 'base64');
end
$$;
comment on function event_relay_vector(int4, text, jsonb, int8, int8, int8, bytea, int4, int8) is 'Keys of what a relay is known to list, for NIP-77, a chunk at a time; null when the archive cannot tell';

-- Sums of what the relay is known to list, for each p_seconds of its time from p_since to p_until: what NIP-77 makes
-- fingerprints of, at the cost of a row a page. Times without an event are left out. sums: of the ids, in eight words of 4
-- bytes, little-endian, from the lowest, separated by commas; carries are the reader's to settle. As event_relay_vector() in all else; for the
-- filter {} only.
create or replace function event_relay_sums(
  p_relay_id int4, p_filter_hash text, p_since int8, p_until int8, p_seconds int8, p_withheld_since int8)
returns table (since int8, events int8, sums text)
language sql stable
as $$
  with unpaged as (
    select key from sighting_log
    where relay_id = p_relay_id and key >= sighting_key(p_since) and key < sighting_key(p_until + 1)
  ), page as materialized (
    select p.*, sighting_time(p.first_key) as first_at, sighting_time(p.last_key) as last_at
    from sighting_pages(p_relay_id, sighting_key(p_since), sighting_key(p_until + 1)) as p
  ), part as (
    -- Pages that lie in one part as a whole, the keys of the others, and those that wait for a page.
    select (first_at - p_since) / p_seconds as number, sightings::int8 as events,
      sum_0, sum_1, sum_2, sum_3, sum_4, sum_5, sum_6, sum_7
    from page
    where first_at >= p_since and last_at <= p_until and (first_at - p_since) / p_seconds = (last_at - p_since) / p_seconds
    union all
    select (sighting_time(key) - p_since) / p_seconds, 1,
      sighting_word(key, 8), sighting_word(key, 12), sighting_word(key, 16), sighting_word(key, 20),
      sighting_word(key, 24), sighting_word(key, 28), sighting_word(key, 32), sighting_word(key, 36)
    from (
      select key from page cross join lateral sighting_keys(keys) as key
      where (first_at < p_since or last_at > p_until
          or (first_at - p_since) / p_seconds <> (last_at - p_since) / p_seconds)
        and sighting_time(key) between p_since and p_until
      union all
      select key from unpaged) as single
    union all
    select (created_at - p_since) / p_seconds, sign,
      sign * sighting_word(event_id, 0), sign * sighting_word(event_id, 4), sign * sighting_word(event_id, 8),
      sign * sighting_word(event_id, 12), sign * sighting_word(event_id, 16), sign * sighting_word(event_id, 20),
      sign * sighting_word(event_id, 24), sign * sighting_word(event_id, 28)
    from relay_listing l
    cross join lateral (
      select case state when 'gone' then -1 else 1 end as sign,
        sighting_exists(p_relay_id, sighting_key(l.created_at, l.event_id)) as is_sighted) as exception
    where l.relay_id = p_relay_id and l.filter_hash = decode(p_filter_hash, 'hex')
      and l.created_at between p_since and p_until
      and case state when 'gone' then is_sighted else not is_sighted and noted_at >= p_withheld_since end
  )
  select p_since + number * p_seconds, sum(events)::int8,
    concat_ws(',', sum(sum_0), sum(sum_1), sum(sum_2), sum(sum_3), sum(sum_4), sum(sum_5), sum(sum_6), sum(sum_7))
  from part
  group by number
  having sum(events) > 0
  order by number
$$;
comment on function event_relay_sums(int4, text, int8, int8, int8, int8) is 'Numbers and sums of the ids that a relay is known to list, by time: what fingerprints of NIP-77 are made of';

-- Whether one of the values of each tag is there. p_wanted: {"x": [value, …]}.
create or replace function event_has_tags(p_tags jsonb, p_wanted jsonb) returns boolean
language sql immutable strict
as $$
  select not exists (
    select from jsonb_each(p_wanted) as wanted (name, accepted)
    where not exists (
      select from jsonb_array_elements(p_tags) as tag
      where tag ->> 0 = wanted.name and wanted.accepted ? (tag ->> 1)))
$$;
comment on function event_has_tags(jsonb, jsonb) is 'Whether tags have one of the values wanted of each name';

-- p_ids: 32 bytes each, of events that the relay lists. Returns the created_at of each that is archived, separated by
-- commas, nothing for the others. Events recorded as gone count as not archived.
create or replace function event_relay_find(p_relay_id int4, p_filter_hash text, p_ids bytea) returns text
language plpgsql
as $$
declare
  v_times text;
begin
  with found as materialized (
    select i, id, created_at
    from (
      select i, substr(p_ids, i * 32 + 1, 32) as id from generate_series(0, octet_length(p_ids) / 32 - 1) as i
    ) as wanted
    left join lateral (
      select created_at from event e where e.id = wanted.id
      union all
      -- Not to be fetched again.
      select created_at from forgotten_event f where f.id = wanted.id and created_at is not null
      limit 1) as archived on true
  ), returned as (
    delete from relay_listing l using found f
    where l.relay_id = p_relay_id and l.filter_hash = decode(p_filter_hash, 'hex') and l.state = 'gone'
      and l.created_at = f.created_at and l.event_id = f.id
  )
  select string_agg(coalesce(created_at::text, ''), ',' order by i) into v_times from found;
  return coalesce(v_times, '');
end
$$;
comment on function event_relay_find(int4, text, bytea) is 'Which of the events that a relay lists are archived, by their ids';

-- p_state: withheld or gone. p_ids: 32 bytes each, none twice. A withheld event that is gone is forgotten. Of withheld
-- events 100 000 are kept, as a relay can list what there is not; their seconds are gaps in any case.
create or replace function relay_listing_note(
  p_relay_id int4, p_filter_hash text, p_state text, p_created_at int8[], p_ids bytea)
returns void
language plpgsql
as $$
declare
  v_filter_hash bytea := decode(p_filter_hash, 'hex');
  v_forgotten int4;
begin
  perform sync_lock(p_relay_id);
  with noted as materialized (
    select created_at, substr(p_ids, i::int4 * 32 - 31, 32) as id
    from unnest(p_created_at) with ordinality as batch (created_at, i)
  ), forgotten as (
    delete from relay_listing l using noted n
    where p_state = 'gone' and l.relay_id = p_relay_id and l.filter_hash = v_filter_hash and l.state = 'withheld'
      and l.created_at = n.created_at and l.event_id = n.id
    returning l.created_at, l.event_id
  ), kept as (
    insert into relay_listing (created_at, noted_at, relay_id, filter_hash, event_id, state)
    select created_at, unix_now(), p_relay_id, v_filter_hash, id, p_state
    from noted
    where (created_at, id) not in (select created_at, event_id from forgotten)
    order by created_at, id
    limit case when p_state = 'withheld' then greatest(0, 100000 - (
      select count(*) from relay_listing
      where relay_id = p_relay_id and filter_hash = v_filter_hash and state = 'withheld')) end
    on conflict (relay_id, filter_hash, created_at, event_id) do update set noted_at = excluded.noted_at
    where relay_listing.state = excluded.state
  )
  select count(*) into v_forgotten from forgotten;

  if p_state = 'withheld' then
    perform sync_withheld_set(p_relay_id, v_filter_hash, sync_ranges_coalesce(
      (select range_agg(int8range(at, at, '[]')) from unnest(p_created_at) as at) + coalesce((
        select withheld from sync_withheld where relay_id = p_relay_id and filter_hash = v_filter_hash), '{}')));
    update sync_withheld set is_whole = false
    where relay_id = p_relay_id and filter_hash = v_filter_hash and is_whole and 100000 <= (
      select count(*) from relay_listing
      where relay_id = p_relay_id and filter_hash = v_filter_hash and state = 'withheld');
  elsif v_forgotten > 0 then
    perform sync_withheld_recount(p_relay_id, v_filter_hash);
  end if;
end
$$;
comment on function relay_listing_note(int4, text, text, int8[], bytea) is 'Records events that a relay lists and does not give, or lists no more';

-- p_ids: 32 bytes each, of events that a relay gave: they are withheld no more, whatever the filter.
create or replace function relay_listing_give(p_relay_id int4, p_created_at int8[], p_ids bytea) returns void
language plpgsql
as $$
declare
  v_filter_hash bytea;
begin
  perform sync_lock(p_relay_id);
  for v_filter_hash in select filter_hash from sync_withheld where relay_id = p_relay_id order by 1 loop
    delete from relay_listing l
    using unnest(p_created_at) with ordinality as given (created_at, i)
    where l.relay_id = p_relay_id and l.filter_hash = v_filter_hash and l.state = 'withheld'
      and l.created_at = given.created_at and l.event_id = substr(p_ids, i::int4 * 32 - 31, 32);
    if found then
      perform sync_withheld_recount(p_relay_id, v_filter_hash);
    end if;
  end loop;
end
$$;
comment on function relay_listing_give(int4, int8[], bytea) is 'Forgets that a relay withheld events, as it gave them';

-- The withheld events of a relay, newest first, in all its filters.
create or replace function relay_listing_get(p_url text)
returns table (filter jsonb, created_at int8, event_id text, noted_at int8)
language sql stable
as $$
  select c.filter, l.created_at, encode(l.event_id, 'hex'), l.noted_at
  from relay r
    join relay_listing l on l.relay_id = r.id and l.state = 'withheld'
    left join sync_coverage c on c.relay_id = l.relay_id and c.filter_hash = l.filter_hash
  where r.url = p_url
  order by l.created_at desc, l.event_id, l.filter_hash
$$;
comment on function relay_listing_get(text) is 'Events that a relay lists and gives to nobody, newest first';

-- The same seconds and more, in at most 200 ranges: those next to each other are merged. Holes by the thousand would
-- make every look at coverage slow.
create or replace function sync_ranges_coalesce(p_ranges int8multirange) returns int8multirange
language sql immutable strict parallel safe
as $$
  with piece as (
    select lower(range) as since, upper(range) as until, lower(range) - lag(upper(range)) over (order by range) as silence
    from unnest(p_ranges) as range
  ), parted as (
    select since, until, row_number() over (order by silence desc nulls first, since) <= 200 as begins from piece
  ), numbered as (
    select since, until, count(*) filter (where begins) over (order by since) as number from parted
  )
  select coalesce(range_agg(merged), '{}')
  from (select int8range(min(since), max(until)) as merged from numbered group by number) as part
$$;
comment on function sync_ranges_coalesce(int8multirange) is 'Merges the nearest ranges until there are 200 at most';

-- Under sync_lock. Says where a relay withholds what it lists: there nothing is covered, and what is not so any more is wanted again.
create or replace function sync_withheld_set(p_relay_id int4, p_filter_hash bytea, p_withheld int8multirange)
returns void
language plpgsql
as $$
declare
  v_before int8multirange;
begin
  v_before := coalesce((
    select withheld from sync_withheld where relay_id = p_relay_id and filter_hash = p_filter_hash), '{}');
  if p_withheld = v_before then
    return;
  end if;
  if isempty(p_withheld) then
    delete from sync_withheld where relay_id = p_relay_id and filter_hash = p_filter_hash;
  else
    insert into sync_withheld (relay_id, filter_hash, withheld) values (p_relay_id, p_filter_hash, p_withheld)
    on conflict (relay_id, filter_hash) do update set withheld = excluded.withheld;
  end if;
  perform sync_gap_subtract(p_relay_id, p_filter_hash, v_before - p_withheld, 'withheld');
  perform sync_gap_add(p_relay_id, p_filter_hash, range_agg(piece), 'withheld')
  from unnest(p_withheld) as piece
  where not exists (
    select from sync_gap
    where relay_id = p_relay_id and filter_hash = p_filter_hash and reason = 'withheld'
      and since = lower(piece) and until = upper(piece) - 1);
end
$$;
comment on function sync_withheld_set(int4, bytea, int8multirange) is 'Sets where a relay withholds what it lists';

-- Counts again what is still withheld. Where not all of it was kept, nothing can be said until all that was kept is given.
create or replace function sync_withheld_recount(p_relay_id int4, p_filter_hash bytea) returns void
language plpgsql
as $$
declare
  v_ranges int8multirange;
begin
  select range_agg(int8range(created_at, created_at, '[]')) into v_ranges
  from relay_listing where relay_id = p_relay_id and filter_hash = p_filter_hash and state = 'withheld';
  if v_ranges is null or (
    select is_whole from sync_withheld where relay_id = p_relay_id and filter_hash = p_filter_hash)
  then
    perform sync_withheld_set(p_relay_id, p_filter_hash, sync_ranges_coalesce(coalesce(v_ranges, '{}')));
  end if;
end
$$;
comment on function sync_withheld_recount(int4, bytea) is 'Sets where a relay withholds what it lists, by what is recorded';
