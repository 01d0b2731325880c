-- The history of relays: rolled up, forgotten, and asked for.

-- Sums up the checks before p_until (cut to a midnight in UTC) by hour and day, for up to p_limit relays and 31 days
-- of each. Returns the number of relays it looked at; 0 means that all is done, or in the hands of somebody else.
-- In one transaction with the note of how far it got (relay_state.rolled_until): nothing is ever summed up twice.
-- Not one figure changes by it: no check of that time is taken any more, and what a check says is cut at midnight.
create or replace function relay_check_roll_up(p_until int8, p_limit int4) returns int4
language plpgsql
as $$
declare
  v_until int8 := p_until / 86400 * 86400;
  v_relay_ids int4[];
begin
  select array_agg(relay_id) into v_relay_ids
  from (
    select relay_id from relay_state
    where rolled_until < v_until
    order by relay_id
    limit p_limit
    for no key update skip locked
  ) as page;

  with span as (
    select relay_id, start.since, least(v_until, start.since + 31 * 86400) as until
    from relay_state
    cross join lateral (
      select least(v_until, greatest(rolled_until, first_checked_at / 86400 * 86400)) as since) as start
    where relay_id = any (v_relay_ids)
  ), held as (
    select span.relay_id, starts_at, sum(length)::int4 as observed_seconds,
      coalesce(sum(length) filter (where online), 0)::int4 as online_seconds
    from span
    cross join lateral relay_check_slice(span.relay_id, span.since, span.until) as slice
    cross join lateral generate_series(slice.since / 3600 * 3600, slice.until - 1, 3600) as hour (starts_at)
    cross join lateral (
      select least(slice.until, starts_at + 3600) - greatest(slice.since, starts_at) as length) as part
    group by 1, 2
  ), made as (
    select span.relay_id, checked_at / 3600 * 3600 as starts_at, count(*)::int4 as checks,
      count(*) filter (where not online)::int4 as failures, count(open_ms)::int4 as opened,
      coalesce(sum(open_ms), 0)::int8 as open_ms_sum, min(open_ms) as open_ms_min, max(open_ms) as open_ms_max
    from span join relay_check c
      on c.relay_id = span.relay_id and c.checked_at >= span.since and c.checked_at < span.until
    group by 1, 2
  ), hour as (
    select relay_id, starts_at, observed_seconds, online_seconds, coalesce(checks, 0) as checks,
      coalesce(failures, 0) as failures, coalesce(opened, 0) as opened, coalesce(open_ms_sum, 0) as open_ms_sum,
      open_ms_min, open_ms_max
    from held left join made using (relay_id, starts_at)
  ), day as (
    select relay_id, starts_at / 86400 * 86400 as starts_at, sum(observed_seconds)::int4 as observed_seconds,
      sum(online_seconds)::int4 as online_seconds, sum(checks)::int4 as checks, sum(failures)::int4 as failures,
      sum(opened)::int4 as opened, sum(open_ms_sum)::int8 as open_ms_sum, min(open_ms_min) as open_ms_min,
      max(open_ms_max) as open_ms_max
    from hour group by 1, 2
  ), stored as (
    insert into relay_check_rollup (starts_at, open_ms_sum, relay_id, seconds, observed_seconds, online_seconds,
      checks, failures, opened, open_ms_min, open_ms_max)
    select starts_at, open_ms_sum, relay_id, 86400, observed_seconds, online_seconds,
      checks, failures, opened, open_ms_min, open_ms_max
    from day
    union all
    select hour.starts_at, hour.open_ms_sum, relay_id, 3600, hour.observed_seconds, hour.online_seconds,
      hour.checks, hour.failures, hour.opened, hour.open_ms_min, hour.open_ms_max
    from hour join day using (relay_id)
    where day.starts_at = hour.starts_at / 86400 * 86400
      and not (day.observed_seconds = 86400 and day.online_seconds = 0)
  )
  update relay_state state set rolled_until = span.until
  from span where state.relay_id = span.relay_id;
  return coalesce(cardinality(v_relay_ids), 0);
end
$$;
comment on function relay_check_roll_up(int8, int4) is 'Sums checks up by hour and day for up to p_limit relays; returns their number';

-- Deletes what is rolled up: checks before one moment and hours before another (both cut to a midnight in UTC; null
-- for none), of up to p_limit relays. Days and outages stay for ever, and so does the newest check of a relay.
-- Returns the number of relays it looked at, and of rows deleted.
create or replace function relay_check_expire(
  p_checks_before int8, p_hours_before int8, p_limit int4, out relays int4, out checks int4, out hours int4)
language plpgsql
as $$
declare
  v_checks_before int8 := coalesce(p_checks_before / 86400 * 86400, 0);
  v_hours_before int8 := coalesce(p_hours_before / 86400 * 86400, 0);
  v_relay_ids int4[];
begin
  select array_agg(relay_id) into v_relay_ids
  from (
    select relay_id from relay_state
    where checks_since < least(v_checks_before, rolled_until) or hours_since < least(v_hours_before, rolled_until)
    order by relay_id
    limit p_limit
    for no key update skip locked
  ) as page;

  update relay_state
  set checks_since = greatest(checks_since, least(v_checks_before, rolled_until)),
    hours_since = greatest(hours_since, least(v_hours_before, rolled_until))
  where relay_id = any (v_relay_ids);
  -- Older checks stay while they still speak for the time that is kept (relay_check_max_gap).
  delete from relay_check c using relay_state s
  where s.relay_id = any (v_relay_ids) and c.relay_id = s.relay_id
    and c.checked_at < s.checks_since - relay_check_max_gap() and c.checked_at < s.last_checked_at;
  get diagnostics checks = row_count;
  delete from relay_check_rollup r using relay_state s
  where s.relay_id = any (v_relay_ids) and r.relay_id = s.relay_id and r.seconds = 3600
    and r.starts_at < s.hours_since;
  get diagnostics hours = row_count;
  relays := coalesce(cardinality(v_relay_ids), 0);
end
$$;
comment on function relay_check_expire(int8, int8, int4) is 'Deletes checks and hours that are rolled up, for up to p_limit relays; returns how many';

-- For how much of [p_since, p_until) each relay was observed, and online: uptime is online_seconds / observed_seconds.
-- A check speaks for the time until the next one, or for relay_check_max_gap() when that comes first; what nobody
-- looked at is not observed. Nothing after p_until is used, so that a figure of the past stays what it was.
-- Exact as long as the checks are kept; from then on exact for windows that begin and end at full hours while hours
-- are kept, and at midnights (UTC) for ever. Elsewhere the hour or day at the edge counts by its share.
-- p_relay_ids: null for all.
create or replace function relay_observe(p_since int8, p_until int8, p_relay_ids int4[] default null)
returns table (relay_id int4, observed_seconds int8, online_seconds int8)
language sql stable parallel safe
as $$
  with relays as (
    select s.relay_id, rolled_until, checks_since, hours_since, days_from,
      greatest(days_from, least(p_until / 86400 * 86400, rolled_until)) as days_to
    from relay_state s
    cross join (select least((p_since + 86399) / 86400 * 86400, p_until) as days_from) as whole
    where p_relay_ids is null or s.relay_id = any (p_relay_ids)
  ), edge as (
    select relays.*, edges.*
    from relays cross join lateral (values (p_since, days_from), (days_to, p_until)) as edges (since, until)
    where edges.since < edges.until
  ), part as (
    select r.relay_id, r.observed_seconds::int8, r.online_seconds::int8
    from relays join relay_check_rollup r
      on r.relay_id = relays.relay_id and r.seconds = 86400 and r.starts_at >= days_from and r.starts_at < days_to
    union all
    select edge.relay_id, slice.until - slice.since, case when online then slice.until - slice.since else 0 end
    from edge cross join lateral relay_check_slice(edge.relay_id, edge.since, edge.until) as slice
    where edge.since >= checks_since
    union all
    select edge.relay_id, r.observed_seconds * overlap / r.seconds, r.online_seconds * overlap / r.seconds
    from edge join relay_check_rollup r
      on r.relay_id = edge.relay_id and r.starts_at < edge.until and r.starts_at + r.seconds > edge.since
      and case when edge.since < hours_since or exists (
          select from relay_check_rollup day
          where day.relay_id = edge.relay_id and day.seconds = 86400
            and day.starts_at = edge.since / 86400 * 86400 and day.observed_seconds = 86400 and day.online_seconds = 0)
        then r.seconds = 86400 else r.seconds = 3600 end
    cross join lateral (
      select least(edge.until, r.starts_at + r.seconds) - greatest(edge.since, r.starts_at) as overlap) as shared
    where edge.since < checks_since
  )
  select relays.relay_id, coalesce(sum(part.observed_seconds), 0)::int8, coalesce(sum(part.online_seconds), 0)::int8
  from relays left join part using (relay_id)
  group by relays.relay_id
$$;
comment on function relay_observe(int8, int8, int4[]) is 'Seconds that relays were observed, and online, in a window of time';

-- p_at: null for now. p_relay_ids: null for all. Null where no check was made.
create or replace function relay_uptime(p_at int8 default null, p_relay_ids int4[] default null)
returns table (relay_id int4, uptime_24h float8, uptime_7d float8, uptime_30d float8)
language sql stable parallel safe
as $$
  select relay_id, day.online_seconds::float8 / nullif(day.observed_seconds, 0),
    week.online_seconds::float8 / nullif(week.observed_seconds, 0),
    month.online_seconds::float8 / nullif(month.observed_seconds, 0)
  from (select coalesce(p_at, unix_now()) as until) as moment
  cross join lateral relay_observe(until - 86400, until, p_relay_ids) as day
  join lateral relay_observe(until - 7 * 86400, until, p_relay_ids) as week using (relay_id)
  join lateral relay_observe(until - 30 * 86400, until, p_relay_ids) as month using (relay_id)
$$;
comment on function relay_uptime(int8, int4[]) is 'Share of the observed time that relays were online, over 24 h, 7 d and 30 d before a moment';
