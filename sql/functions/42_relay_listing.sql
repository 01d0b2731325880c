-- The lists that relays are known to have, for NIP-77. Written by the holder of the relay's lease only.

-- A chunk of what the relay is known to list from p_since to p_until and before the key given: the newest p_limit
-- sightings, less those that are gone or do not match, and the events between them that were found withheld since
-- p_withheld_since. p_filter: {kinds, authors, "#x"}, the rest of a NIP-01 filter. vector: 8 bytes of created_at and 32 of id each, newest first, as base64; null
-- when the archive does not keep what the filter asks about. next: the key before which there is more, or null.
create or replace function event_relay_vector(
  p_relay_id int4, p_filter_hash text, p_filter jsonb, p_since int8, p_until int8,
  p_before_created_at int8, p_before_id bytea, p_limit int4, p_withheld_since int8,
  out vector text, out next_created_at int8, out next_id text)
language plpgsql stable
as $$
declare
  v_filter_hash bytea := decode(p_filter_hash, 'hex');
  v_kinds int4[];
  v_authors bytea[];
  v_tags jsonb;
  v_matched text := '';
  v_exceptions text := '';
begin
  select jsonb_object_agg(substr(key, 2), value) into v_tags from jsonb_each(p_filter) where key like '#_';
  if v_tags is not null and archive_edition() = 'lite' then
    return;
  end if;
  select array_agg(kind::int4) into v_kinds from jsonb_array_elements_text(p_filter -> 'kinds') as kind;
  select array_agg(decode(author, 'hex')) into v_authors
  from jsonb_array_elements_text(p_filter -> 'authors') as author;

  -- Parts that are not needed are left out: each would take as long as all others.
  if p_filter <> '{}' then
    -- The limit has the planner look up one event after the other, whatever it thinks of their number.
    v_matched := format($sql$
      cross join lateral (
        select from event e
        where e.created_at = p.created_at and e.id = p.event_id %s %s %s limit 1) as matched $sql$,
      case when p_filter ? 'kinds' then 'and e.kind = any ($8)' end,
      case when p_filter ? 'authors' then 'and e.pubkey = any ($9)' end,
      case when v_tags is not null then 'and event_has_tags(e.tags, $10)' end);
  end if;
  if exists (
    select from relay_listing
    where relay_id = p_relay_id and filter_hash = v_filter_hash and created_at between p_since and p_until
  ) then
    v_exceptions := $sql$
      where not exists (
        select from relay_listing l
        where l.relay_id = $1 and l.filter_hash = $2 and l.state = 'gone'
          and l.created_at = p.created_at and l.event_id = p.event_id)
      union
      select created_at, event_id from relay_listing l
      where relay_id = $1 and filter_hash = $2 and state = 'withheld' and noted_at >= $11
        and created_at between $3 and $4 and (created_at, event_id) < ($5, $6)
        and not exists (select from edge where (edge.created_at, edge.event_id) > (l.created_at, l.event_id)) $sql$;
  end if;
  execute format($sql$
    with page as materialized (
      select created_at, event_id from event_relay
      where relay_id = $1 and created_at between $3 and $4 and (created_at, event_id) < ($5, $6)
      order by created_at desc, event_id desc limit $7
    ), edge as (
      select created_at, event_id from page offset $7 - 1
    ), listed as (
      select p.created_at, p.event_id from page p %s %s %s
    )
    select encode(string_agg(int8send(created_at) || event_id, ''), 'base64'),
      (select created_at from edge), (select encode(event_id, 'hex') from edge)
    from listed $sql$, v_matched, v_exceptions,
    case when v_matched || v_exceptions <> '' then 'order by created_at desc, event_id desc' end)
  into vector, next_created_at, next_id
  using p_relay_id, v_filter_hash, p_since, p_until, p_before_created_at, p_before_id, p_limit,
    v_kinds, v_authors, v_tags, p_withheld_since;
  vector := coalesce(vector, '');
end
$$;
comment on function event_relay_vector(int4, text, jsonb, int8, int8, int8, bytea, int4, int8) is 'Keys of what a relay is known to list, for NIP-77, a chunk at a time; null when the archive cannot tell';

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
