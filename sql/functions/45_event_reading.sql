-- Reading events by NIP-01 filters: a page of keys, newest first, by one index each.
--
-- The planner has no choice in any of them. It would bet: that a rare tag is met soon when the archive is read by time, or
-- that an author is met soon among the events of a kind. Each walk asks for an order that one index alone has, sorting
-- is off, and conditions that another index could answer are written so that it cannot.
--
-- A page (event_keys_by_…) is what matches in whole seconds from p_until downwards: `keys`, packed as 8 bytes of
-- created_at and 32 of id in no order; `next_until`, where the next page begins, null when this was the last; `work`, the
-- index entries and rows looked at. When p_limit or more match, the second of the p_limit-th newest is left to the next
-- page. A second that holds so many that nothing is left is saturated: `keys` is empty, `next_until` is p_until, and
-- event_keys_of_second reads it. Bounds of time are Unix seconds, both included; p_pubkeys and p_ids are 32 bytes each, one
-- after the other; a condition that is null selects everything.

create or replace function event_key_matches(
  p_kind int4, p_pubkey bytea, p_tags jsonb, p_kinds int4[], p_pubkeys bytea[], p_wanted jsonb)
returns boolean
language sql immutable parallel safe
as $$
  select (p_kinds is null or p_kind = any (p_kinds)) and (p_pubkeys is null or p_pubkey = any (p_pubkeys))
    and (p_wanted is null or event_has_tags(p_tags, p_wanted))
$$;
comment on function event_key_matches(int4, bytea, jsonb, int4[], bytea[], jsonb) is
  'Whether an event has one of these kinds, authors and values of each tag';

create or replace function bytea_unpack(p_packed bytea, p_size int4) returns bytea[]
language sql immutable strict parallel safe
as $$
  select array(
    select substr(p_packed, i * p_size + 1, p_size) from generate_series(0, octet_length(p_packed) / p_size - 1) as i
    order by i)
$$;
comment on function bytea_unpack(bytea, int4) is 'Parts of one size that were packed one after the other';

create or replace function event_keys_by_time(
  p_since int8, p_until int8, p_limit int4, out keys bytea, out next_until int8, out work int4)
language plpgsql stable
set enable_seqscan = off set enable_sort = off set jit = off set max_parallel_workers_per_gather = 0
set plan_cache_mode = force_generic_plan
as $$
begin
  select created_at into next_until from event
  where created_at between p_since and p_until
  order by created_at desc, id desc offset p_limit - 1 limit 1;
  select coalesce(string_agg(int8send(created_at) || id, ''), ''), count(*) into keys, work
  from (
    select created_at, id from event
    where created_at > coalesce(next_until, p_since - 1) and created_at <= p_until
    order by created_at desc, id desc
  ) as page;
  work := work + case when next_until is null then 0 else p_limit end;
end
$$;
comment on function event_keys_by_time(int8, int8, int4) is 'Keys of the newest events of a time';

-- p_kinds: each once. p_tags: a condition checked on the rows.
create or replace function event_keys_by_kind(
  p_kinds int4[], p_tags jsonb, p_since int8, p_until int8, p_limit int4,
  out keys bytea, out next_until int8, out work int4)
language plpgsql stable
set enable_seqscan = off set enable_sort = off set jit = off set max_parallel_workers_per_gather = 0
set plan_cache_mode = force_generic_plan
as $$
declare
  -- As a rule enough; a kind that has more of the newest is read again, up to the edge of those first read.
  v_depth int4 := greatest(5, least(p_limit, 4 * p_limit / cardinality(p_kinds)));
  v_kinds int4[];
begin
  with shallow as materialized (
    select wanted.kind, walk.created_at
    from unnest(p_kinds) as wanted (kind)
    cross join lateral (
      select created_at from event e
      where (e.kind, e.created_at) >= (wanted.kind, p_since) and (e.kind, e.created_at) <= (wanted.kind, p_until)
      order by e.kind desc, e.created_at desc limit v_depth
    ) as walk
  ), edge as materialized (
    select coalesce((select created_at from shallow order by created_at desc offset p_limit - 1 limit 1), p_since) as at
  ), unfinished as materialized (
    select kind from shallow group by kind having count(*) = v_depth and min(created_at) >= (select at from edge)
  ), deep as materialized (
    select unfinished.kind, walk.created_at
    from unfinished
    cross join lateral (
      select created_at from event e
      where (e.kind, e.created_at) >= (unfinished.kind, (select at from edge))
        and (e.kind, e.created_at) <= (unfinished.kind, p_until)
      order by e.kind desc, e.created_at desc limit p_limit
    ) as walk
  ), read as materialized (
    select kind, created_at from shallow where kind not in (select kind from unfinished)
    union all select kind, created_at from deep
  ), last as materialized (
    select (select created_at from read order by created_at desc offset p_limit - 1 limit 1) as at
  )
  select last.at, array(select distinct kind from read where created_at > coalesce(last.at, -1)),
    cardinality(p_kinds) + (select count(*) from shallow) + (select count(*) from deep)
  into next_until, v_kinds, work
  from last;
  select coalesce(string_agg(int8send(created_at) || id, '') filter (where p_tags is null or event_has_tags(tags, p_tags)), ''),
    work + count(*)
  into keys, work
  from unnest(v_kinds) as wanted (kind)
  cross join lateral (
    select e.created_at, e.id, e.tags from event e
    where (e.kind, e.created_at) > (wanted.kind, coalesce(next_until, p_since - 1))
      and (e.kind, e.created_at) <= (wanted.kind, p_until)
    order by e.kind desc, e.created_at desc
  ) as page;
end
$$;
comment on function event_keys_by_kind(int4[], jsonb, int8, int8, int4) is 'Keys of the newest events of some kinds';

-- The pairs of an author and a kind to walk: p_pubkeys[i] with p_kinds[i], each once.
create or replace function event_keys_by_author(
  p_pubkeys bytea, p_kinds int4[], p_tags jsonb, p_since int8, p_until int8, p_limit int4,
  out keys bytea, out next_until int8, out work int4)
language plpgsql stable
set enable_seqscan = off set enable_sort = off set jit = off set max_parallel_workers_per_gather = 0
set plan_cache_mode = force_generic_plan
as $$
declare
  v_depth int4 := greatest(5, least(p_limit, 4 * p_limit / greatest(1, cardinality(p_kinds))));
  v_pairs int4[];
begin
  with pair as materialized (
    select i::int4, substr(p_pubkeys, i::int4 * 32 - 31, 32) as pubkey, kind
    from unnest(p_kinds) with ordinality as wanted (kind, i)
  ), shallow as materialized (
    select pair.i, walk.created_at
    from pair
    cross join lateral (
      select created_at from event e
      where (e.pubkey, e.kind, e.created_at) >= (pair.pubkey, pair.kind, p_since)
        and (e.pubkey, e.kind, e.created_at) <= (pair.pubkey, pair.kind, p_until)
      order by e.pubkey desc, e.kind desc, e.created_at desc limit v_depth
    ) as walk
  ), edge as materialized (
    select coalesce((select created_at from shallow order by created_at desc offset p_limit - 1 limit 1), p_since) as at
  ), unfinished as materialized (
    select i from shallow group by i having count(*) = v_depth and min(created_at) >= (select at from edge)
  ), deep as materialized (
    select pair.i, walk.created_at
    from unfinished join pair using (i)
    cross join lateral (
      select created_at from event e
      where (e.pubkey, e.kind, e.created_at) >= (pair.pubkey, pair.kind, (select at from edge))
        and (e.pubkey, e.kind, e.created_at) <= (pair.pubkey, pair.kind, p_until)
      order by e.pubkey desc, e.kind desc, e.created_at desc limit p_limit
    ) as walk
  ), read as materialized (
    select i, created_at from shallow where i not in (select i from unfinished)
    union all select i, created_at from deep
  ), last as materialized (
    select (select created_at from read order by created_at desc offset p_limit - 1 limit 1) as at
  )
  select last.at, array(select distinct i from read where created_at > coalesce(last.at, -1)),
    cardinality(p_kinds) + (select count(*) from shallow) + (select count(*) from deep)
  into next_until, v_pairs, work
  from last;
  select coalesce(string_agg(int8send(created_at) || id, '') filter (where p_tags is null or event_has_tags(tags, p_tags)), ''),
    work + count(*)
  into keys, work
  from unnest(v_pairs) as wanted (i)
  cross join lateral (
    select e.created_at, e.id, e.tags from event e
    where (e.pubkey, e.kind, e.created_at)
        > (substr(p_pubkeys, i * 32 - 31, 32), p_kinds[i], coalesce(next_until, p_since - 1))
      and (e.pubkey, e.kind, e.created_at) <= (substr(p_pubkeys, i * 32 - 31, 32), p_kinds[i], p_until)
    order by e.pubkey desc, e.kind desc, e.created_at desc
  ) as page;
end
$$;
comment on function event_keys_by_author(bytea, int4[], jsonb, int8, int8, int4) is
  'Keys of the newest events of some pairs of author and kind';

-- Which kinds an author has events of, by one step along the index a kind. p_kinds: of these only; null: of all.
create or replace function event_author_kinds(p_pubkeys bytea, p_kinds int4[], out pubkeys bytea, out kinds int4[])
language plpgsql stable
set enable_seqscan = off set enable_sort = off set jit = off set max_parallel_workers_per_gather = 0
set plan_cache_mode = force_generic_plan
as $$
begin
  select coalesce(string_agg(author.pubkey, ''::bytea order by i, found.kind), ''),
    coalesce(array_agg(found.kind order by i, found.kind), '{}')
  into pubkeys, kinds
  from unnest(bytea_unpack(p_pubkeys, 32)) with ordinality as author (pubkey, i)
  cross join lateral (
    with recursive step (kind) as (
      select -1
      union all
      select (
        select case when e.pubkey = author.pubkey then e.kind end from event e
        where (e.pubkey, e.kind) > (author.pubkey, step.kind)
        order by e.pubkey, e.kind, e.created_at limit 1)
      from step where step.kind is not null
    )
    select kind from step where kind >= 0 and (p_kinds is null or kind = any (p_kinds))
  ) as found;
end
$$;
comment on function event_author_kinds(bytea, int4[]) is 'Pairs of author and kind that have events';

-- Whether the pairs, or without authors the kinds, have p_most entries or fewer in a time. Reads no more than that.
create or replace function event_is_rare(
  p_pubkeys bytea, p_kinds int4[], p_since int8, p_until int8, p_most int4)
returns boolean
language plpgsql stable
set enable_seqscan = off set enable_sort = off set jit = off set max_parallel_workers_per_gather = 0
set plan_cache_mode = force_generic_plan
as $$
begin
  if p_pubkeys is null then
    return (
      select count(*) <= p_most
      from (
        select from unnest(p_kinds) as wanted (kind)
        cross join lateral (
          select from event e
          where (e.kind, e.created_at) >= (wanted.kind, p_since) and (e.kind, e.created_at) <= (wanted.kind, p_until)
          order by e.kind desc, e.created_at desc limit p_most + 1
        ) as walk
        limit p_most + 1
      ) as entry);
  end if;
  return (
    select count(*) <= p_most
    from (
      select from unnest(p_kinds) with ordinality as wanted (kind, i)
      cross join lateral (
        select from event e
        where (e.pubkey, e.kind, e.created_at) >= (substr(p_pubkeys, i::int4 * 32 - 31, 32), wanted.kind, p_since)
          and (e.pubkey, e.kind, e.created_at) <= (substr(p_pubkeys, i::int4 * 32 - 31, 32), wanted.kind, p_until)
        order by e.pubkey desc, e.kind desc, e.created_at desc limit p_most + 1
      ) as walk
      limit p_most + 1
    ) as entry);
end
$$;
comment on function event_is_rare(bytea, int4[], int8, int8, int4) is 'Whether authors and kinds have few events in a time';

-- p_tags: {"name": [value, …]}, one value of each is wanted. Walks p_buckets of the tag index, beginning at the newest
-- event of the time; a walk that begins in the future ends at the present, so that what is there does not hide it.
create or replace function event_keys_by_tag(
  p_tags jsonb, p_kinds int4[], p_pubkeys bytea, p_since int8, p_until int8, p_buckets int4, p_limit int4,
  out keys bytea, out next_until int8, out work int4)
language plpgsql stable
set enable_seqscan = off set jit = off set max_parallel_workers_per_gather = 0
set plan_cache_mode = force_generic_plan
as $$
declare
  v_pubkeys bytea[] := bytea_unpack(p_pubkeys, 32);
  v_present int8 := event_tag_bucket(unix_now());
  v_newest int8;
  v_from int8;
  v_lowest int8;
  v_names text[];
  v_first int8[];
  v_second int8[];
begin
  select created_at into v_newest from event
  where created_at between p_since and p_until order by created_at desc, id desc limit 1;
  if v_newest is null then
    keys := '';
    work := 1;
    return;
  end if;
  v_from := event_tag_bucket(v_newest) - p_buckets + 1;
  if event_tag_bucket(v_newest) > v_present then
    v_from := greatest(v_from, v_present + 1);
  end if;
  -- The first bucket has everything before it, too.
  v_lowest := case when v_from <= event_tag_bucket(0) then p_since else greatest(p_since, v_from << 21) end;
  -- The index intersects two names by itself; those with the fewest values cost the fewest look-ups.
  v_names := array(select name from jsonb_each(p_tags) as field (name, accepted) order by jsonb_array_length(accepted), name);
  v_first := event_tag_probes(v_names[1], p_tags -> v_names[1], v_lowest, v_newest);
  v_second := event_tag_probes(v_names[2], p_tags -> v_names[2], v_lowest, v_newest);
  -- Tags are compared newest first and no further than the page: the index is nearly always right.
  if v_second is null then
    with candidate as materialized (
      select e.created_at, e.id, e.tags,
        (p_kinds is null or e.kind = any (p_kinds)) and (v_pubkeys is null or e.pubkey = any (v_pubkeys)) as is_wanted
      from event e
      where e.tags is not null and event_tag_hashes(e.created_at, e.tags) && v_first
        and e.created_at + 0 between v_lowest and p_until
      order by e.created_at + 0 desc
    ), page as materialized (
      select created_at, id from candidate where is_wanted and event_has_tags(tags, p_tags) limit p_limit
    ), last as materialized (
      select case when count(*) = p_limit then min(created_at) end as at from page
    )
    select last.at, (select count(*) from candidate) + cardinality(v_first),
      (select coalesce(string_agg(int8send(created_at) || id, ''), '') from page
        where created_at > coalesce(last.at, -1))
    into next_until, work, keys
    from last;
  else
    with candidate as materialized (
      select e.created_at, e.id, e.tags,
        (p_kinds is null or e.kind = any (p_kinds)) and (v_pubkeys is null or e.pubkey = any (v_pubkeys)) as is_wanted
      from event e
      where e.tags is not null and event_tag_hashes(e.created_at, e.tags) && v_first
        and event_tag_hashes(e.created_at, e.tags) && v_second
        and e.created_at + 0 between v_lowest and p_until
      order by e.created_at + 0 desc
    ), page as materialized (
      select created_at, id from candidate where is_wanted and event_has_tags(tags, p_tags) limit p_limit
    ), last as materialized (
      select case when count(*) = p_limit then min(created_at) end as at from page
    )
    select last.at, (select count(*) from candidate) + cardinality(v_first) + cardinality(v_second),
      (select coalesce(string_agg(int8send(created_at) || id, ''), '') from page
        where created_at > coalesce(last.at, -1))
    into next_until, work, keys
    from last;
  end if;
  if next_until is null and v_lowest > p_since then
    next_until := v_lowest - 1;
  end if;
end
$$;
comment on function event_keys_by_tag(jsonb, int4[], bytea, int8, int8, int4, int4) is
  'Keys of the newest events with some one-letter tags';

-- Null for no name.
create or replace function event_tag_probes(p_name text, p_values jsonb, p_since int8, p_until int8) returns int8[]
language sql immutable strict parallel safe
as $$
  select array(
    select hashtextextended(p_name || ':' || value, bucket)
    from jsonb_array_elements_text(p_values) as value
    cross join generate_series(event_tag_bucket(p_since), event_tag_bucket(p_until)) as bucket)
$$;
comment on function event_tag_probes(text, jsonb, int8, int8) is
  'Hashes that the tag index has the values of a tag under, in a time';

-- Keys of those of p_ids that are archived and match. There is no next page.
create or replace function event_keys_by_id(
  p_ids bytea, p_kinds int4[], p_pubkeys bytea, p_tags jsonb, p_since int8, p_until int8,
  out keys bytea, out next_until int8, out work int4)
language plpgsql stable
set enable_seqscan = off set jit = off set max_parallel_workers_per_gather = 0
set plan_cache_mode = force_generic_plan
as $$
declare
  v_pubkeys bytea[] := bytea_unpack(p_pubkeys, 32);
begin
  select coalesce(string_agg(int8send(created_at) || id, ''), ''), octet_length(p_ids) / 32
  into keys, work
  from generate_series(0, octet_length(p_ids) / 32 - 1) as i
  cross join lateral (select * from event e where e.id = substr(p_ids, i * 32 + 1, 32) limit 1) as found
  where created_at between p_since and p_until
    and event_key_matches(kind, pubkey, tags, p_kinds, v_pubkeys, p_tags);
end
$$;
comment on function event_keys_by_id(bytea, int4[], bytea, jsonb, int8, int8) is 'Keys of the events with these ids';

-- A part of a saturated second along the key: looks at p_limit events after p_after, lowest id first. Returns the id of the
-- last one looked at, null at the end.
create or replace function event_keys_of_second(
  p_second int8, p_after bytea, p_kinds int4[], p_pubkeys bytea, p_tags jsonb, p_limit int4,
  out keys bytea, out last_id bytea, out work int4)
language plpgsql stable
set enable_seqscan = off set enable_sort = off set jit = off set max_parallel_workers_per_gather = 0
set plan_cache_mode = force_generic_plan
as $$
declare
  v_pubkeys bytea[] := bytea_unpack(p_pubkeys, 32);
begin
  select coalesce(string_agg(int8send(created_at) || id, '')
      filter (where event_key_matches(kind, pubkey, tags, p_kinds, v_pubkeys, p_tags)), ''),
    case when count(*) = p_limit then (array_agg(id))[p_limit] end, count(*)
  into keys, last_id, work
  from (
    select * from event e
    where (e.created_at, e.id) > (p_second, p_after) and e.created_at <= p_second
    order by e.created_at, e.id limit p_limit
  ) as page;
end
$$;
comment on function event_keys_of_second(int8, bytea, int4[], bytea, jsonb, int4) is
  'Keys of the events of one second, by id';

-- Of these keys those of events that may be served, in their order; the view as event_served has it.
create or replace function event_keys_served(p_keys bytea, p_viewers bytea[], p_own_url text, p_all_versions boolean)
returns bytea
language plpgsql stable
set enable_seqscan = off set jit = off set max_parallel_workers_per_gather = 0
as $$
begin
  return (
    select coalesce(string_agg(key, '' order by i), '')
    from sighting_keys(p_keys) with ordinality as wanted (key, i)
    cross join lateral (
      select from event_served(p_viewers, p_own_url, p_all_versions) as e
      where e.created_at = sighting_time(key) and e.id = substr(key, 9)
      limit 1) as served);
end
$$;
comment on function event_keys_served(bytea, bytea[], text, boolean) is 'Keys of the events among these that may be served';

-- The events with these keys, in their order, as a line of JSON each, without the spaces that jsonb has; those that are
-- gone are left out. p_keys: 8 bytes of created_at and 32 of id each.
create or replace function event_lines(p_keys bytea) returns text
language plpgsql stable
set enable_seqscan = off set jit = off set max_parallel_workers_per_gather = 0
set plan_cache_mode = force_generic_plan
as $$
begin
  return (
    select string_agg(coalesce(exact.raw, concat(
      '{"id":"', encode(e.id, 'hex'), '","pubkey":"', encode(e.pubkey, 'hex'), '","created_at":', e.created_at,
      ',"kind":', e.kind, ',"tags":', json_strip_nulls(e.tags::text::json), ',"content":', to_json(e.content), ',"sig":"', encode(e.sig, 'hex'), '"}')),
      chr(10) order by i)
    from generate_series(0, octet_length(p_keys) / 40 - 1) as i
    cross join lateral (
      select * from event
      where event.created_at = ('x' || encode(substr(p_keys, i * 40 + 1, 8), 'hex'))::bit(64)::int8
        and event.id = substr(p_keys, i * 40 + 9, 32)
      limit 1
    ) as e
    left join lateral (
      select raw from event_raw r where r.created_at = e.created_at and r.id = e.id limit 1
    ) as exact on true);
end
$$;
comment on function event_lines(bytea) is 'Events as lines of JSON';
