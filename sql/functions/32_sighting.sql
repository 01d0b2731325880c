-- Sightings: which relay held which event, in pages of 96 at most (sighting_page). A key is created_at and id, as they are
-- sorted for NIP-77. A key belongs to the last page that begins before it. What comes few at a time waits in sighting_log
-- until there is enough for its page, so that a page is not written for each; whatever waits has a page that it waits for.

create or replace function sighting_key(p_created_at int8, p_id bytea default '') returns bytea
language sql immutable parallel safe
as $$ select int8send(p_created_at) || p_id $$;
comment on function sighting_key(int8, bytea) is 'The key of a sighting; without an id, what comes before all keys of that second';

create or replace function sighting_time(p_key bytea) returns int8
language sql immutable parallel safe
as $$ select ('x' || encode(substr(p_key, 1, 8), 'hex'))::bit(64)::int8 $$;
comment on function sighting_time(bytea) is 'created_at of a key';

create or replace function sighting_keys(p_keys bytea) returns setof bytea
language sql immutable parallel safe rows 96
as $$ select substr(p_keys, i, 40) from generate_series(1, octet_length(p_keys), 40) as i $$;
comment on function sighting_keys(bytea) is 'Each key of a page, ascending';

create or replace function sighting_word(p_keys bytea, p_offset int4) returns int8
language sql immutable parallel safe
as $$
  select get_byte(p_keys, p_offset)::int8 + (get_byte(p_keys, p_offset + 1) << 8)
    + (get_byte(p_keys, p_offset + 2) << 16) + (get_byte(p_keys, p_offset + 3)::int8 << 24)
$$;
comment on function sighting_word(bytea, int4) is 'Four bytes as a little-endian integer';

-- Sums of pages add up: it takes two billion ids for one to overflow.
create or replace function sighting_sums(p_keys bytea)
returns table (
  sum_0 int8, sum_1 int8, sum_2 int8, sum_3 int8, sum_4 int8, sum_5 int8, sum_6 int8, sum_7 int8)
language sql immutable parallel safe rows 1
as $$
  select sum(sighting_word(p_keys, i))::int8, sum(sighting_word(p_keys, i + 4))::int8,
    sum(sighting_word(p_keys, i + 8))::int8, sum(sighting_word(p_keys, i + 12))::int8,
    sum(sighting_word(p_keys, i + 16))::int8, sum(sighting_word(p_keys, i + 20))::int8,
    sum(sighting_word(p_keys, i + 24))::int8, sum(sighting_word(p_keys, i + 28))::int8
  from generate_series(8, octet_length(p_keys) - 1, 40) as i
$$;
comment on function sighting_sums(bytea) is 'Sums of the ids, word by word, as sighting_page has them';

create or replace function sighting_sort(p_keys bytea) returns bytea
language sql immutable parallel safe
as $$ select string_agg(key, '' order by key) from sighting_keys(p_keys) as key $$;
comment on function sighting_sort(bytea) is 'The same keys, ascending';

-- Of one size, and as few as can be.
create or replace function sighting_parts(p_keys bytea) returns setof bytea
language sql immutable parallel safe rows 2
as $$
  select string_agg(key, '' order by i)
  from (select octet_length(p_keys) / 40 as total) as t
  cross join lateral sighting_keys(p_keys) with ordinality as k (key, i)
  group by (i - 1) * ((total - 1) / 96 + 1) / total
$$;
comment on function sighting_parts(bytea) is 'Ascending keys in parts that fit pages';

-- The keys from p_lower on that come before p_upper.
create or replace function sighting_cut(p_keys bytea, p_lower bytea, p_upper bytea) returns bytea
language sql immutable parallel safe
as $$
  select coalesce(string_agg(key, '' order by key), '')
  from sighting_keys(p_keys) as key
  where key >= p_lower and key < p_upper
$$;
comment on function sighting_cut(bytea, bytea, bytea) is 'The keys from p_lower on and before p_upper';

-- Pages with keys from p_lower on and before p_upper; the first and the last may have others, too. As pages do not overlap,
-- the index is read from the page that p_lower falls in.
create or replace function sighting_pages(p_relay_id int4, p_lower bytea, p_upper bytea) returns setof sighting_page
language sql stable parallel safe rows 10
as $$
  select p.* from sighting_page p
  where p.relay_id = p_relay_id and p.first_key < p_upper and p.last_key >= p_lower
    and p.first_key >= coalesce((
      select first_key from sighting_page
      where relay_id = p_relay_id and first_key <= p_lower
      order by first_key desc limit 1), p_lower)
$$;
comment on function sighting_pages(int4, bytea, bytea) is 'Pages of a relay with keys from p_lower on and before p_upper';

-- The same pages, each with what waits for it: all keys of a relay from p_lower on and before p_upper, in order. More than
-- asked for at both ends.
create or replace function sighting_runs(p_relay_id int4, p_lower bytea, p_upper bytea)
returns table (first_key bytea, last_seen_at int8, keys bytea)
language sql stable parallel safe rows 10
as $$
  select p.first_key, greatest(p.last_seen_at, waiting.seen_at),
    case when waiting.keys is null then p.keys else sighting_sort(p.keys || waiting.keys) end
  from sighting_page p
  cross join lateral (
    select max(l.seen_at) as seen_at, string_agg(l.key, '') as keys from sighting_log l
    where l.relay_id = p.relay_id and l.key >= p.first_key and l.key < coalesce((
      select n.first_key from sighting_page n
      where n.relay_id = p.relay_id and n.first_key > p.first_key order by n.first_key limit 1), '\xff')) as waiting
  where p.relay_id = p_relay_id and p.first_key < p_upper
    and p.first_key >= coalesce((
      select q.first_key from sighting_page q
      where q.relay_id = p_relay_id and q.first_key <= p_lower
      order by q.first_key desc limit 1), p_lower)
$$;
comment on function sighting_runs(int4, bytea, bytea) is 'Keys of a relay from p_lower on and before p_upper, page by page';

-- A row a sighting, for people. Conditions on relay_id are asked of an index, others of every page: see relay_events() and
-- event_relays().
create or replace view event_relay as
select p.last_seen_at as seen_at, sighting_time(key) as created_at, p.relay_id, substr(key, 9) as event_id
from sighting_page p cross join lateral sighting_keys(p.keys) as key
union all
select seen_at, sighting_time(key), relay_id, substr(key, 9) from sighting_log;
comment on view event_relay is
  'Sightings, a row each: which relay held which event. seen_at: it was recorded by then, and may have been before';

-- `offset 0`: for many relays, too, their pages are looked up, and not all pages read.
create or replace function relay_events(p_relay_id int4, p_since int8, p_until int8)
returns table (seen_at int8, created_at int8, relay_id int4, event_id bytea)
language sql stable parallel safe rows 1000
as $$
  select p.last_seen_at, sighting_time(key), p_relay_id, substr(key, 9)
  from (
    select * from sighting_runs(p_relay_id, sighting_key(p_since), sighting_key(p_until + 1)) offset 0) as p
    cross join lateral sighting_keys(p.keys) as key
  where key >= sighting_key(p_since) and key < sighting_key(p_until + 1)
$$;
comment on function relay_events(int4, int8, int8) is 'Sightings of a relay, of events created from p_since to p_until: relay_events(id, unix(now() - interval ''1 day''), unix(now()))';

-- Two probes a relay.
create or replace function event_relays(p_event_id bytea)
returns table (seen_at int8, created_at int8, relay_id int4, event_id bytea)
language sql stable parallel safe rows 10
as $$
  select seen_at, e.created_at, r.id, e.id
  from (select created_at, id, sighting_key(created_at, id) as key from event where id = p_event_id limit 1) as e
    cross join relay r
    cross join lateral (
      select p.last_seen_at as seen_at
      from (
        select last_seen_at, keys from sighting_page
        where relay_id = r.id and first_key <= e.key order by first_key desc limit 1) as p
      where position(e.key in p.keys) > 0
      union all
      select l.seen_at from sighting_log l where l.relay_id = r.id and l.key = e.key) as sighting
$$;
comment on function event_relays(bytea) is 'Sightings of an event: event_relays(from_note(''note1…''))';

create or replace function sighting_exists(p_relay_id int4, p_key bytea) returns boolean
language sql stable parallel safe
as $$
  select exists (select from sighting_log where relay_id = p_relay_id and key = p_key) or coalesce((
    select position(p_key in keys) > 0 from sighting_page
    where relay_id = p_relay_id and first_key <= p_key order by first_key desc limit 1), false)
$$;
comment on function sighting_exists(int4, bytea) is 'Whether a relay was seen to hold an event, by its key';

-- p_keys: one after the other.
create or replace function sighting_fact_add(p_sign int4, p_relay_id int4, p_keys bytea) returns void
language plpgsql
as $$
begin
  if octet_length(p_keys) > 0 then
    perform fact_add(p_sign, p_relay_id, array_agg(sighting_time(key) order by i), null, string_agg(substr(key, 9), '' order by i))
    from sighting_keys(p_keys) with ordinality as k (key, i);
  end if;
end
$$;
comment on function sighting_fact_add(int4, int4, bytea) is 'Queues sightings of one relay that were stored or deleted';

-- p_ids: 32 bytes each, of events that are stored; forgotten ones are left out. Returns the number of new sightings.
create or replace function event_relay_insert(p_relay_id int4, p_seen_at int8, p_created_at int8[], p_ids bytea)
returns int4
language plpgsql
as $$
declare
  v_new bytea[];
begin
  if forgotten_any() then
    select * into p_created_at, p_ids from forgotten_leave_out(p_created_at, p_ids);
  end if;
  v_new := sighting_insert(p_relay_id, p_seen_at, array(
    select distinct sighting_key(created_at, substr(p_ids, i::int4 * 32 - 31, 32)) as key
    from unnest(p_created_at) with ordinality as batch (created_at, i)
    order by key));
  perform sighting_fact_add(1, p_relay_id, (select string_agg(key, '' order by i) from unnest(v_new) with ordinality as new (key, i)));
  return cardinality(v_new);
end
$$;
comment on function event_relay_insert(int4, int8, int8[], bytea) is 'Records that a relay holds events; returns the number of new sightings';

-- p_keys: ascending, none twice. Returns those that are new. Writers of one relay wait for each other;
-- whoever writes for several takes them in the order of their ids. Everything is looked up by the keys, one after the other,
-- whatever the planner thinks of numbers: else it reads all of the relay's, or plans for a log that was empty.
create or replace function sighting_insert(p_relay_id int4, p_seen_at int8, p_keys bytea[])
returns bytea[]
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_size int4 := cardinality(p_keys);
  v_first bytea := p_keys[1];
  v_last bytea := p_keys[v_size];
  v_before sighting_page;
  v_after sighting_page;
  v_pages int4;
  v_room int4 := 0;
  v_waiting boolean;
begin
  if v_size = 0 then
    return p_keys;
  end if;
  perform sync_lock(p_relay_id);
  -- The page that the first key falls in or comes after, how many begin among the keys, and whether something waits there.
  select * into v_before from sighting_page
  where relay_id = p_relay_id and first_key <= v_first order by first_key desc limit 1;
  select count(*) into v_pages from (
    select from sighting_page
    where relay_id = p_relay_id and first_key > v_first and first_key <= v_last limit 1 + v_size / 8) as among;
  v_waiting := exists (select from sighting_log where relay_id = p_relay_id and key >= v_first and key <= v_last);

  if v_pages = 0 and not v_waiting and (v_before.last_key >= v_first) is not true
    and v_size > 96 - coalesce(v_before.sightings, 48) and v_size >= sighting_log_bound() then
    -- A run where nothing is yet, as a walk brings them, the newest first: its newest keys fill up what the run before left
    -- half empty, the others get pages of their own, full ones from the newest on.
    select * into v_after from sighting_page
    where relay_id = p_relay_id and first_key > v_last order by first_key limit 1;
    if v_after.sightings <= 48 then
      v_room := least(96 - v_after.sightings, v_size - 1);
      update sighting_page p set
        first_seen_at = least(p.first_seen_at, p_seen_at),
        last_seen_at = greatest(p.last_seen_at, p_seen_at),
        sum_0 = p.sum_0 + s.sum_0, sum_1 = p.sum_1 + s.sum_1, sum_2 = p.sum_2 + s.sum_2, sum_3 = p.sum_3 + s.sum_3,
        sum_4 = p.sum_4 + s.sum_4, sum_5 = p.sum_5 + s.sum_5, sum_6 = p.sum_6 + s.sum_6, sum_7 = p.sum_7 + s.sum_7,
        sightings = p.sightings + v_room,
        first_key = p_keys[v_size - v_room + 1],
        keys = more || p.keys
      from (
        select string_agg(key, '' order by i) as more
        from unnest(p_keys[v_size - v_room + 1:]) with ordinality as newest (key, i)) as newest
      cross join lateral sighting_sums(more) as s
      where p.relay_id = p_relay_id and p.first_key = v_after.first_key;
    end if;
    insert into sighting_page (first_seen_at, last_seen_at, sum_0, sum_1, sum_2, sum_3, sum_4, sum_5, sum_6, sum_7,
      relay_id, sightings, first_key, last_key, keys)
    select p_seen_at, p_seen_at, s.*, p_relay_id, octet_length(keys) / 40,
      substr(keys, 1, 40), substr(keys, octet_length(keys) - 39), keys
    from (
      select string_agg(key, '' order by i) as keys
      from unnest(p_keys[:v_size - v_room]) with ordinality as run (key, i)
      group by (v_size - v_room - i) / 96) as page
    cross join lateral sighting_sums(keys) as s;
    return p_keys;
  end if;

  if v_size = 1 then
    if v_waiting or position(v_first in v_before.keys) > 0 then
      return '{}';
    end if;
  elsif v_size <= 8 or v_pages > v_size / 8 then
    -- Far apart: two probes each cost less than reading all that lies between.
    p_keys := array(
      select wanted.key from unnest(p_keys) as wanted (key)
      left join lateral (
        select keys from sighting_page
        where relay_id = p_relay_id and first_key <= wanted.key order by first_key desc limit 1) as p on true
      where (p.keys is null or position(wanted.key in p.keys) = 0)
        and not exists (select from sighting_log l where l.relay_id = p_relay_id and l.key = wanted.key offset 0)
      order by wanted.key);
  elsif v_pages > 0 or v_waiting or v_before.last_key >= v_first then
    p_keys := array(
      select unnest(p_keys) as key
      except
      select key from (
        select key from sighting_page p cross join lateral sighting_keys(p.keys) as key
        where relay_id = p_relay_id and first_key >= coalesce(v_before.first_key, v_first) and first_key <= v_last
        union all
        select key from sighting_log where relay_id = p_relay_id and key >= v_first and key <= v_last) as there
      order by key);
  end if;
  v_size := cardinality(p_keys);
  if v_pages = 0 and v_size < sighting_log_bound() and v_before.sightings > 0 and v_size + (
      select count(*) from (
        select from sighting_log
        where relay_id = p_relay_id and key >= v_before.first_key and key < coalesce((
          select first_key from sighting_page
          where relay_id = p_relay_id and first_key > v_last order by first_key limit 1), '\xff')
        limit sighting_log_bound()) as waiting) < sighting_log_bound()
  then
    -- All for one page, and few: as a live subscription brings them.
    insert into sighting_log (seen_at, relay_id, key) select p_seen_at, p_relay_id, unnest(p_keys);
  elsif v_size > 0 then
    perform sighting_place(p_relay_id, p_seen_at, p_keys);
  end if;
  return p_keys;
end
$$;
comment on function sighting_insert(int4, int8, bytea[]) is 'Records sightings of one relay by their keys; returns the new ones';

-- Measured (docs/storage.md): with more, what comes in no order of time takes less time and more room.
create or replace function sighting_log_bound() returns int4
language sql immutable parallel safe
as $$ select 24 $$;
comment on function sighting_log_bound() is 'How many sightings a page takes at once; fewer wait for it in sighting_log';

-- Under sync_lock. p_keys: ascending, none of them there. Keys go to their page with what waits for it when they are enough
-- together, and else wait; those that come before all pages go there at once.
create or replace function sighting_place(p_relay_id int4, p_seen_at int8, p_keys bytea[]) returns void
language plpgsql
as $$
declare
  v_full bytea[];
  v_first_seen_at int8;
  v_last_seen_at int8;
begin
  with touched as materialized (
    select page, keys, page_end, page is null or cardinality(keys) + waiting >= sighting_log_bound() as is_full
    from (
      select page, array_agg(key) as keys, coalesce((
          select first_key from sighting_page
          where relay_id = p_relay_id and first_key > page order by first_key limit 1), '\xff') as page_end
      from (
        select key, (
          select first_key from sighting_page
          where relay_id = p_relay_id and first_key <= key order by first_key desc limit 1) as page
        from unnest(p_keys) as key) as fresh
      group by page) as t
    cross join lateral (
      select count(*) as waiting
      from (
        select from sighting_log
        where relay_id = p_relay_id and key >= page and key < page_end limit sighting_log_bound()) as among) as w
  ), logged as (
    insert into sighting_log (seen_at, relay_id, key)
    select p_seen_at, p_relay_id, unnest(keys) from touched where not is_full
  ), taken as (
    delete from sighting_log l using touched t
    where t.is_full and l.relay_id = p_relay_id and l.key >= t.page and l.key < t.page_end
    returning l.key, l.seen_at
  )
  select array_agg(key order by key), min(seen_at), max(seen_at)
  into v_full, v_first_seen_at, v_last_seen_at
  from (
    select unnest(keys) as key, p_seen_at as seen_at from touched where is_full
    union all
    select key, seen_at from taken) as ready;
  if v_full is not null then
    perform sighting_page_merge(p_relay_id, v_first_seen_at, v_last_seen_at, v_full);
  end if;
end
$$;
comment on function sighting_place(int4, int8, bytea[]) is 'Puts keys into their pages, or into sighting_log to wait for them';

-- Under sync_lock. p_keys: ascending, none of them there. A key belongs to the page it falls in or comes after, one before
-- all pages to the first. Where a page has no room, it is split, or what comes after it gets pages of its own.
create or replace function sighting_page_merge(
  p_relay_id int4, p_first_seen_at int8, p_last_seen_at int8, p_keys bytea[])
returns void
language plpgsql
as $$
begin
  with touched as materialized (
    select t.*, coalesce(p.sightings + added <= 96, false) as fits,
      coalesce(p.last_key >= low and p.first_key <= high, false) as is_within
    from (
      select page, count(*)::int4 as added, p_keys[min(i)] as low, p_keys[max(i)] as high,
        string_agg(key, '' order by i) as more
      from (
        select key, i, coalesce(p.first_key, (
          select first_key from sighting_page where relay_id = p_relay_id order by first_key limit 1), '') as page
        from unnest(p_keys) with ordinality as fresh (key, i)
          left join lateral (
            select first_key from sighting_page
            where relay_id = p_relay_id and first_key <= key order by first_key desc limit 1) as p on true) as fresh
      group by page) as t
    left join sighting_page p on p.relay_id = p_relay_id and p.first_key = t.page
  ), filled as (
    update sighting_page p set
      first_seen_at = least(p.first_seen_at, p_first_seen_at),
      last_seen_at = greatest(p.last_seen_at, p_last_seen_at),
      sum_0 = p.sum_0 + s.sum_0, sum_1 = p.sum_1 + s.sum_1, sum_2 = p.sum_2 + s.sum_2, sum_3 = p.sum_3 + s.sum_3,
      sum_4 = p.sum_4 + s.sum_4, sum_5 = p.sum_5 + s.sum_5, sum_6 = p.sum_6 + s.sum_6, sum_7 = p.sum_7 + s.sum_7,
      sightings = p.sightings + added,
      first_key = least(p.first_key, low),
      last_key = greatest(p.last_key, high),
      keys = case
        when is_within then sighting_sort(p.keys || more)
        when low > p.last_key then p.keys || more
        else more || p.keys
      end
    from touched t cross join lateral sighting_sums(more) as s
    where p.relay_id = p_relay_id and p.first_key = t.page and fits
  ), split as (
    delete from sighting_page p using touched t
    where p.relay_id = p_relay_id and p.first_key = t.page and is_within and not fits
    returning p.first_seen_at, p.last_seen_at, sighting_sort(p.keys || t.more) as keys
  ), made as (
    -- A page that is split, in parts of one size; else full pages from the newest on.
    select first_seen_at, last_seen_at, part as keys
    from split cross join lateral sighting_parts(split.keys) as part
    union all
    select null, null, part.keys
    from touched t
    cross join lateral (
      select string_agg(key, '' order by i) as keys
      from sighting_keys(more) with ordinality as k (key, i)
      group by (added - i) / 96) as part
    where not fits and not is_within
  )
  insert into sighting_page (first_seen_at, last_seen_at, sum_0, sum_1, sum_2, sum_3, sum_4, sum_5, sum_6, sum_7,
    relay_id, sightings, first_key, last_key, keys)
  select least(first_seen_at, p_first_seen_at), greatest(last_seen_at, p_last_seen_at), s.*,
    p_relay_id, octet_length(keys) / 40, substr(keys, 1, 40), substr(keys, octet_length(keys) - 39), keys
  from made cross join lateral sighting_sums(keys) as s;
end
$$;
comment on function sighting_page_merge(int4, int8, int8, bytea[]) is 'Puts keys into the pages they belong to';

-- p_windows: [{since, until}], of which none overlap. Reads a page for 96 sightings, and what waits.
create or replace function event_relay_count(p_relay_id int4, p_windows jsonb) returns int8
language sql stable
as $$
  select coalesce(sum(sightings), 0)::int8
  from (
    select sighting_key(since) as lower, sighting_key(until + 1) as upper
    from jsonb_to_recordset(p_windows) as wanted (since int8, until int8)) as wanted
  cross join lateral (
    select case
        when p.first_key >= lower and p.last_key < upper then p.sightings
        else octet_length(sighting_cut(p.keys, lower, upper)) / 40
      end as sightings
    from sighting_pages(p_relay_id, lower, upper) as p
    union all
    select count(*) from sighting_log l where l.relay_id = p_relay_id and l.key >= lower and l.key < upper) as counted
$$;
comment on function event_relay_count(int4, jsonb) is 'How many events of these windows of created_at a relay was seen to hold';

-- Takes events out of the pages of all relays. Locks relays in the order of their ids, each as long as the transaction
-- takes. Returns the keys of the sightings deleted, a row a relay.
create or replace function event_relay_delete(p_created_at int8[], p_ids bytea)
returns table (relay_id int4, keys bytea)
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  v_keys bytea[] := array(
    select sighting_key(created_at, substr(p_ids, i::int4 * 32 - 31, 32))
    from unnest(p_created_at) with ordinality as batch (created_at, i));
  v_relays int4[];
  v_relay_id int4;
  v_deleted bytea;
begin
  -- Who holds any of them is looked up before anybody is made to wait.
  v_relays := array(
    select id from relay r
    where exists (
      select from unnest(v_keys) as key
      cross join lateral (
        select keys from sighting_page
        where relay_id = r.id and first_key <= key order by first_key desc limit 1) as p
      where position(key in p.keys) > 0
        or exists (select from sighting_log l where l.relay_id = r.id and l.key = key offset 0))
    order by id);
  foreach v_relay_id in array v_relays loop
    perform sync_lock(v_relay_id);
    -- What waits for a page goes with it into those that are made of the rest.
    with target as materialized (
      select q.first_key, array_agg(key) as gone
      from unnest(v_keys) as key
      cross join lateral (
        select first_key, keys from sighting_page
        where relay_id = v_relay_id and first_key <= key order by first_key desc limit 1) as q
      where position(key in q.keys) > 0
        or exists (select from sighting_log l where l.relay_id = v_relay_id and l.key = key offset 0)
      group by q.first_key
    ), hit as materialized (
      delete from sighting_page p using target t
      where p.relay_id = v_relay_id and p.first_key = t.first_key
      returning p.*, t.gone
    ), waiting as (
      delete from sighting_log l using hit h
      where l.relay_id = v_relay_id and l.key >= h.first_key and l.key < coalesce((
        select first_key from sighting_page
        where relay_id = v_relay_id and first_key > h.first_key order by first_key limit 1), '\xff')
      returning h.first_key, l.seen_at, l.key, h.gone
    ), parted as materialized (
      select first_key, min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at,
        string_agg(key, '' order by key) filter (where key <> all (gone)) as rest,
        string_agg(key, '' order by key) filter (where key = any (gone)) as deleted
      from (
        select first_key, first_seen_at, last_seen_at, key, gone from hit cross join lateral sighting_keys(hit.keys) as key
        union all
        select first_key, seen_at, seen_at, key, gone from waiting) as held
      group by first_key
    ), kept as (
      insert into sighting_page (first_seen_at, last_seen_at, sum_0, sum_1, sum_2, sum_3, sum_4, sum_5, sum_6, sum_7,
        relay_id, sightings, first_key, last_key, keys)
      select first_seen_at, last_seen_at, s.*, v_relay_id, octet_length(keys) / 40,
        substr(keys, 1, 40), substr(keys, octet_length(keys) - 39), keys
      from parted
      cross join lateral sighting_parts(rest) as keys
      cross join lateral sighting_sums(keys) as s
      where rest is not null
    )
    select string_agg(deleted, '' order by first_key) into v_deleted from parted;
    if v_deleted is not null then
      return query select v_relay_id, v_deleted;
    end if;
  end loop;
end
$$;
comment on function event_relay_delete(int8[], bytea) is 'Deletes the sightings of events; returns their keys, a row a relay';

-- Returns {count, exact}, as pipeline_count_table() does: of a large archive the average of some pages, times their number.
create or replace function sighting_count() returns jsonb
language plpgsql stable
as $$
declare
  v_pages jsonb := pipeline_count_table('sighting_page');
  v_waiting jsonb := pipeline_count_table('sighting_log');
  v_exact boolean := (v_pages ->> 'exact')::bool;
  v_paged numeric;
begin
  if v_exact then
    v_paged := (select coalesce(sum(sightings), 0) from sighting_page);
  else
    execute format('select avg(sightings) from sighting_page tablesample system (%s)',
      least(100, 100 * 500.0 / (pg_relation_size('sighting_page') / current_setting('block_size')::int8)))
    into v_paged;
    v_paged := round((v_pages ->> 'count')::numeric * coalesce(v_paged, 96));
  end if;
  return jsonb_build_object('count', v_paged + round((v_waiting ->> 'count')::numeric),
    'exact', v_exact and (v_waiting ->> 'exact')::bool);
end
$$;
comment on function sighting_count() is 'How many sightings there are; an estimate when they are many';
