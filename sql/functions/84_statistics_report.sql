-- What `bigbrotr stats` shows: figures of any days, from cells. Days are created_at / 86400, both ends included. Authors
-- are counted exactly but where an error stands beside them; each event of a kind whose keys are thrown away is one.

create or replace function statistics_totals(p_since int4, p_until int4) returns jsonb
language sql stable
set max_parallel_workers_per_gather = 0
as $$
  select jsonb_build_object(
    'events', k.events,
    'kinds', k.kinds,
    'authors', k.throwaway + case
      when p_since <= 0 and p_until >= 36525 then (select coalesce(sum(authors), 0) from author_first)
      else (select count(*) from (select from author_day where day between p_since and p_until group by author) as active)
    end,
    'newAuthors', k.throwaway + (
      select coalesce(sum(authors), 0) from author_first where day between p_since and p_until))
  from (
    select coalesce(sum(events), 0) as events, count(distinct kind) as kinds,
      coalesce(sum(events) filter (where kind_is_throwaway(kind)), 0) as throwaway
    from kind_day where day between p_since and p_until) as k
$$;
comment on function statistics_totals(int4, int4) is 'Events, kinds, authors and new authors of some days, as JSON';

create or replace function statistics_today() returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'at', unix(now()),
    'lastHour', event_count_last(3600),
    'lastDay', event_count_last(86400),
    'lastWeek', event_count_last(7 * 86400),
    'lastMonth', event_count_last(30 * 86400),
    'events', coalesce((select sum(events) from kind_total), 0),
    'kinds', (select count(*) from kind_total),
    'authors', coalesce((select sum(authors) from author_first), 0)
      + coalesce((select sum(events) from kind_total where kind_is_throwaway(kind)), 0))
$$;
comment on function statistics_today() is 'Events of the last hour, day, week and month, and of all times, as JSON';

-- p_step: days that make a step; the first begins with p_since. A row for each step in which there is something.
create or replace function statistics_trend(p_since int4, p_until int4, p_step int4) returns jsonb
language sql stable
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'at', (p_since + step * p_step)::int8 * 86400, 'events', k.events,
    'authors', k.throwaway + coalesce(a.authors, 0),
    'newAuthors', k.throwaway + coalesce(f.authors, 0)) order by step), '[]')
  from (
    select (day - p_since) / p_step as step, sum(events) as events,
      coalesce(sum(events) filter (where kind_is_throwaway(kind)), 0) as throwaway
    from kind_day where day between p_since and p_until group by 1) as k
  left join (
    select step, count(*) as authors
    from (
      select (day - p_since) / p_step as step from author_day
      where day between p_since and p_until group by 1, author) as active
    group by step) as a using (step)
  left join (
    select (day - p_since) / p_step as step, sum(authors) as authors
    from author_first where day between p_since and p_until group by 1) as f using (step)
$$;
comment on function statistics_trend(int4, int4, int4) is 'Events, authors and new authors of some days, step by step, as JSON';

create or replace function statistics_kinds(p_since int4, p_until int4, p_limit int4) returns jsonb
language sql stable
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'kind', kind, 'category', kind_category(kind), 'events', events, 'isThrowaway', kind_is_throwaway(kind))
    order by events desc, kind), '[]')
  from (
    select kind, sum(events) as events from kind_day where day between p_since and p_until
    group by kind order by events desc, kind limit p_limit) as top
$$;
comment on function statistics_kinds(int4, int4, int4) is 'The kinds with most events in some days, as JSON';

-- registers: base64; null where something was deleted that they still count. The sketch of all days is one.
create or replace function statistics_kind_sketches(p_kind int4, p_since int4, p_until int4)
returns table (registers text)
language sql stable rows 30
as $$
  select case when not is_stale then encode(registers, 'base64') end
  from distinct_sketch
  where p_since <= 0 and p_until >= 36525 and subject = 2 and first = p_kind and second = 0
  union all
  select case when not is_stale then encode(registers, 'base64') end
  from distinct_sketch
  where (p_since > 0 or p_until < 36525) and subject = 1 and first between p_since and p_until and second = p_kind
$$;
comment on function statistics_kind_sketches(int4, int4, int4) is 'Sketches of the authors of a kind in some days';

create or replace function statistics_authors(p_since int4, p_until int4, p_limit int4) returns jsonb
language plpgsql stable
as $$
begin
  if p_since <= 0 and p_until >= 36525 then
    return (
      select coalesce(jsonb_agg(jsonb_build_object(
        'pubkey', hex(pubkey), 'npub', npub(pubkey), 'events', events, 'firstAt', first_at, 'lastAt', last_at,
        'kinds', author_kind_count(pubkey)) order by events desc, id), '[]')
      from (select * from author where events > 0 order by events desc, id limit p_limit) as top);
  end if;
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'pubkey', hex(pubkey), 'npub', npub(pubkey), 'events', top.events, 'firstAt', first_at, 'lastAt', last_at,
      'kinds', author_kind_count(pubkey)) order by top.events desc, id), '[]')
    from (
      select author, sum(events) as events from author_day where day between p_since and p_until
      group by author order by events desc, author limit p_limit) as top
    join author on id = author);
end
$$;
comment on function statistics_authors(int4, int4, int4) is 'The authors with most events in some days, as JSON';

create or replace function statistics_relays(p_since int4, p_until int4, p_limit int4) returns jsonb
language sql stable
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'url', r.url, 'network', r.network, 'events', top.events,
    'authors', round(s.estimate)::int8, 'authorsError', distinct_error(s.estimate),
    'isWhole', not exists (select from fact_dropped d where d.relay_id = r.id)
      and not exists (select from relay_remake m where m.relay_id = r.id))
    order by top.events desc, r.id), '[]')
  from (
    select relay_id, sum(events) as events
    from (
      select relay_id, events from relay_day
      where (p_since > 0 or p_until < 36525) and day between p_since and p_until
      union all
      -- Of all days there are fewer cells by kind.
      select relay_id, events from relay_kind where p_since <= 0 and p_until >= 36525) as cell
    group by relay_id order by events desc, relay_id limit p_limit) as top
  join relay r on r.id = top.relay_id
  left join distinct_sketch s on s.subject = 4 and s.first = r.id and s.second = 0 and not s.is_stale
$$;
comment on function statistics_relays(int4, int4, int4) is
  'The relays that hold most events of some days, with their authors of all days, as JSON';

create or replace function statistics_networks() returns jsonb
language sql stable
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'network', network, 'relays', relay_count, 'events', event_count, 'eventsError', event_count_error,
    'authors', unique_pubkeys, 'authorsError', unique_pubkeys_error, 'kinds', unique_kinds)
    order by relay_count desc, network), '[]')
  from network_stats
$$;
comment on function statistics_networks() is 'Relays, events and authors of each network, of all days, as JSON';

-- Weeks begin on Mondays (day 4 of 1970), and are those that lie within the days and before tomorrow, the last 104 at most.
-- A row a week: where it begins, and of the authors whose first event is in it, how many were active in it and in each
-- week after.
create or replace function statistics_retention(p_since int4, p_until int4) returns jsonb
language sql stable
as $$
  with bounds as (
    select greatest((p_since + 2) / 7, last_week - 103) as first_week, last_week
    from (select (least(p_until, unix(now()) / 86400)::int4 - 3) / 7 - 1 as last_week) as ended
  ), active as (
    select author, (day - 4) / 7 as week
    from author_day cross join bounds
    where day between first_week * 7 + 4 and last_week * 7 + 10
    group by 1, 2
  ), person as (
    -- Each author is looked up once: reading all of them takes longer than those of some weeks.
    select min(week) as week, array_agg(week) as weeks, (select first_at from author where id = active.author) as first_at
    from active group by author
  ), returned as materialized (
    select week, active_week - week as later, count(*) as authors
    from person cross join lateral unnest(weeks) as active_week
    where first_at >= (week::int8 * 7 + 4) * 86400 and first_at < (week::int8 * 7 + 11) * 86400
    group by 1, 2
  )
  select coalesce(jsonb_agg(jsonb_build_object('at', (week * 7 + 4)::int8 * 86400, 'active', active) order by week), '[]')
  from (
    select w as week, (
      select jsonb_agg(coalesce(r.authors, 0) order by k)
      from generate_series(0, last_week - w) as k left join returned r on r.week = w and r.later = k) as active
    from bounds cross join lateral generate_series(first_week, last_week) as w) as cohort
$$;
comment on function statistics_retention(int4, int4) is 'Authors by the week of their first event, and how many of them were active how many weeks later, as JSON';
