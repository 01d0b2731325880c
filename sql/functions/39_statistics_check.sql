-- Proof by sample: cells of statistics are counted anew from the tables and compared. All calls of one proof see one
-- snapshot. What waits in the queue is not in statistics yet; what is to be made again is left out.

create or replace function fact_waiting_events() returns table (sign int4, created_at int8, kind int4, id bytea, pubkey bytea)
language sql stable
as $$
  select f.sign::int4, k.created_at, k.kind, substr(f.keys, k.i::int4 * 64 - 63, 32), substr(f.keys, k.i::int4 * 64 - 31, 32)
  from fact f cross join lateral unnest(f.created_at, f.kinds) with ordinality as k (created_at, kind, i)
  where f.relay_id is null and f.taken_at is null
$$;
comment on function fact_waiting_events() is 'Events of facts that statistics have not taken';

-- Whoever deletes an event leaves it in the queue, where it stays for a while after it was taken.
create or replace function fact_deleted() returns table (id bytea, kind int4, pubkey bytea)
language sql stable
as $$
  select substr(f.keys, k.i::int4 * 64 - 63, 32), k.kind, substr(f.keys, k.i::int4 * 64 - 31, 32)
  from fact f cross join lateral unnest(f.kinds) with ordinality as k (kind, i)
  where f.relay_id is null and f.sign = -1
$$;
comment on function fact_deleted() is 'Events that were deleted just now';

create or replace function statistics_day_text(p_day int4) returns text
language sql stable parallel safe
as $$ select to_char(to_timestamp(p_day::int8 * 86400) at time zone 'UTC', 'YYYY-MM-DD') $$;
comment on function statistics_day_text(int4) is 'A day of statistics as people write it';

-- So many of what is said, and half as many of what there is: neither must be missing where the other is.
create or replace function statistics_sample_days(p_count int4) returns setof int4
language sql volatile
as $$
  with bounds as (
    select (select created_at from event order by created_at limit 1) as first_at,
      (select created_at from event order by created_at desc limit 1) as last_at
  )
  (select day from (select distinct day from kind_day) as said order by random() limit p_count)
  union
  select statistics_day(created_at)
  from bounds
  cross join lateral (
    select first_at + (random() * (last_at - first_at))::int8 + 0 * i as at from generate_series(1, p_count / 2) as i) as drawn
  cross join lateral (
    select created_at from event where created_at >= drawn.at order by created_at limit 1) as near
$$;
comment on function statistics_sample_days(int4) is 'Some days, drawn at random';

-- Names of cells with what they should be and what they are. p_days: those that are to be made again are left out.
create or replace function statistics_check_days(p_days int4[]) returns table (cell text, expected int8, found int8)
language sql stable
as $$
  with day as materialized (
    select day, day::int8 * 86400 as since, case when day = 36525 then 9223372036854775807 else day::int8 * 86400 + 86399 end as until
    from unnest(p_days) as day
    where not exists (select from fact_dropped d where d.day = day.day)
  ), one as materialized (
    select day, e.created_at, e.kind, e.pubkey, 1 as n
    from day join event e on e.created_at between since and until
    union all
    select day, f.created_at, f.kind, f.pubkey, -f.sign
    from day join fact_waiting_events() f on f.created_at between since and until
  ), counted as (
    select format('kind_day of %s, kind %s', statistics_day_text(day), kind) as cell, sum(n) as n
    from one group by day, kind
    union all
    select format('author_day of %s, author %s', statistics_day_text(day), encode(pubkey, 'hex')), sum(n)
    from one where not kind_is_throwaway(kind) group by day, pubkey
    union all
    select format('kind_hour of hour %s, kind %s', statistics_hour(created_at), kind), sum(n)
    from one where statistics_hour(created_at) >= (select hours_since from statistics_state)
    group by statistics_hour(created_at), kind
    union all
    select format('event_minute of minute %s', statistics_minute(created_at)), sum(n)
    from one where statistics_hour(created_at) >= (select hours_since from statistics_state)
    group by statistics_minute(created_at)
  ), stored as (
    select format('kind_day of %s, kind %s', statistics_day_text(day), kind) as cell, events as n
    from day join kind_day using (day)
    union all
    select format('author_day of %s, author %s', statistics_day_text(day), coalesce(encode(a.pubkey, 'hex'), d.author::text)), d.events
    from day join author_day d using (day) left join author a on a.id = d.author
    union all
    select format('kind_hour of hour %s, kind %s', hour, kind), events
    from day join kind_hour on hour between statistics_hour(since) and statistics_hour(until)
    union all
    select format('event_minute of minute %s', minute), events
    from day join event_minute on minute between statistics_minute(since) and statistics_minute(until)
  )
  select cell, coalesce(c.n, 0)::int8, coalesce(s.n, 0)::int8
  from (select * from counted where n <> 0) as c full join stored s using (cell)
  where c.n is distinct from s.n
  order by cell
  limit 100
$$;
comment on function statistics_check_days(int4[]) is 'Cells of days that are not what the tables say';

-- Sums are right whatever waits.
create or replace function statistics_check_sums() returns table (cell text, expected int8, found int8)
language sql stable
as $$
  select format('kind_total, kind %s', kind), coalesce(d.events, 0)::int8, coalesce(t.events, 0)
  from (select kind, sum(events) as events from kind_day group by kind) as d full join kind_total t using (kind)
  where d.events is distinct from t.events
  order by kind
  limit 100
$$;
comment on function statistics_check_sums() is 'Sums over days that are not what the days say';

-- p_pubkeys: 32 bytes each. What the author has is compared with the tables only where every day is made.
create or replace function statistics_check_authors(p_pubkeys bytea) returns table (cell text, expected int8, found int8)
language sql stable
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
  with wanted as materialized (
    select distinct substr(p_pubkeys, i * 32 - 31, 32) as pubkey from generate_series(1, octet_length(p_pubkeys) / 32) as i
  ), waiting as materialized (
    select pubkey, sum(sign)::int8 as n
    from fact_waiting_events() where pubkey in (select pubkey from wanted) and not kind_is_throwaway(kind)
    group by pubkey
  ), looked as materialized (
    select w.pubkey, coalesce(a.events, 0) as events, a.first_at, a.last_at,
      coalesce((select sum(d.events) from author_day d where d.author = a.id and d.day in (select distinct day from kind_day)), 0)
        as days,
      (select count(*) from event e where e.pubkey = w.pubkey and not kind_is_throwaway(e.kind)) as archived,
      span.first_at as first_archived, span.last_at as last_archived, q.n as waiting
    from wanted w left join author a using (pubkey) left join waiting q using (pubkey)
    cross join lateral author_span(w.pubkey) as span
  ), compared as (
    select pubkey, 'events, by days' as what, days::int8 as expected, events as found from looked
    union all
    select pubkey, 'events', archived - coalesce(waiting, 0), events from looked
    where not exists (select from fact_dropped where day is not null)
    union all
    select pubkey, what, coalesce(expected, -1), coalesce(found, -1)
    from looked cross join lateral (values
      ('first_at', first_archived, first_at), ('last_at', last_archived, last_at)) as moment (what, expected, found)
    where waiting is null and not exists (select from fact_dropped where day is not null)
  )
  select format('author %s: %s', encode(pubkey, 'hex'), what), expected, found
  from compared where expected <> found
  order by 1
  limit 100
$$;
comment on function statistics_check_authors(bytea) is 'Authors that are not what the tables say';

create or replace function statistics_sample_relays(p_count int4) returns setof int4
language sql volatile
as $$ select id from relay order by random() limit p_count $$;
comment on function statistics_sample_relays(int4) is 'Some relays, drawn at random';

-- Relays that are to be made, and those with facts about events that nobody knows any more, are left out. First, last and
-- kinds are compared where nothing of the relay waits.
create or replace function statistics_check_relay(p_relay_id int4) returns table (cell text, expected int8, found int8)
language plpgsql stable
as $$
#variable_conflict use_column
begin
  if exists (select from fact_dropped where relay_id = p_relay_id)
    or exists (select from relay_remake where relay_id = p_relay_id)
  then
    return;
  end if;
  return query
  with waiting as materialized (
    select -f.sign::int4 as n, k.created_at, substr(f.keys, k.i::int4 * 32 - 31, 32) as id
    from fact f cross join lateral unnest(f.created_at) with ordinality as k (created_at, i)
    where f.relay_id = p_relay_id and f.taken_at is null
  ), deleted as materialized (
    select f.id, f.kind, f.pubkey from fact_deleted() f where exists (select from waiting)
  ), one as materialized (
    select s.created_at, e.kind, e.pubkey, 1 as n
    from event_relay s join event e on e.created_at = s.created_at and e.id = s.event_id
    where s.relay_id = p_relay_id
    union all
    select w.created_at, coalesce(e.kind, d.kind), coalesce(e.pubkey, d.pubkey), w.n
    from waiting w
    left join lateral (select kind, pubkey from event where created_at = w.created_at and id = w.id limit 1) as e on true
    left join lateral (select kind, pubkey from deleted where deleted.id = w.id limit 1) as d on true
  ), counted as (
    select format('relay_day of relay %s, %s', p_relay_id, statistics_day_text(statistics_day(created_at))) as cell, sum(n) as n
    from one group by statistics_day(created_at) having sum(n) <> 0
    union all
    select format('relay_kind of relay %s, kind %s', p_relay_id, kind), sum(n) from one group by kind having sum(n) <> 0
    union all
    select format('relay_author of relay %s, author %s', p_relay_id, encode(pubkey, 'hex')), sum(n)
    from one where not kind_is_throwaway(kind) group by pubkey having sum(n) <> 0
    union all
    select format('relay_author of relay %s, author %s: %s', p_relay_id, encode(pubkey, 'hex'), what), value
    from (
      select pubkey, min(created_at) as first_at, max(created_at) as last_at, count(distinct kind) as kinds
      from one where not kind_is_throwaway(kind) group by pubkey) as author
    cross join lateral (values ('first_at', first_at), ('last_at', last_at), ('kinds', kinds)) as span (what, value)
    where not exists (select from waiting)
  ), stored as (
    select format('relay_day of relay %s, %s', p_relay_id, statistics_day_text(day)) as cell, events as n
    from relay_day where relay_id = p_relay_id
    union all
    select format('relay_kind of relay %s, kind %s', p_relay_id, kind), events from relay_kind where relay_id = p_relay_id
    union all
    select format('relay_author of relay %s, author %s', p_relay_id, coalesce(encode(a.pubkey, 'hex'), r.author::text)), r.events
    from relay_author r left join author a on a.id = r.author where r.relay_id = p_relay_id
    union all
    select format('relay_author of relay %s, author %s: %s', p_relay_id, coalesce(encode(a.pubkey, 'hex'), r.author::text), what), value
    from relay_author r left join author a on a.id = r.author
    cross join lateral (values
      ('first_at', r.first_at), ('last_at', r.last_at), ('kinds', octet_length(r.kinds) / 2::int8)) as span (what, value)
    where r.relay_id = p_relay_id and not exists (select from waiting)
  )
  select cell, coalesce(c.n, 0)::int8, coalesce(s.n, 0)::int8
  from counted c full join stored s using (cell)
  where c.n is distinct from s.n and not exists (select from one where kind is null)
  order by cell
  limit 100;
end
$$;
comment on function statistics_check_relay(int4) is 'Cells of a relay that are not what the tables say';

-- Sketches that can be made anew and compared: neither stale, nor about what waits or is to be made.
create or replace function statistics_sample_sketches(p_count int4) returns table (subject int4, first int4, second int4)
language sql volatile
as $$
  with day as materialized (
    select distinct statistics_day(created_at) as day from fact_waiting_events()
    union
    select day from fact_dropped where day is not null
  ), relay_id as materialized (
    select relay_id as id from fact where relay_id is not null and taken_at is null
    union
    select relay_id from fact_dropped where relay_id is not null
    union
    select relay_id from relay_remake
  )
  select subject::int4, first, second from distinct_sketch
  where not is_stale and case
    when subject = 1 then first not in (select day from day)
    when subject in (3, 4, 5) then first not in (select id from relay_id)
    else not exists (select from distinct_sketch where is_stale) end
  order by random()
  limit p_count
$$;
comment on function statistics_sample_sketches(int4) is 'Some sketches, drawn at random';
