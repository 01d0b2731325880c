-- Checks: their numbers, and where each relay stands by them.

-- p_checks: [{relayId, checkedAt, online, openMs?, readMs?, writeMs?, failure?}], in any order. Returns the number of
-- those stored.
-- A history only grows at its end: left out is a check that is not newer than the last of its relay (another monitor
-- was quicker), or older than what is rolled up. A check of the future, by the server's clock, counts as one of now.
create or replace function relay_check_insert(p_checks jsonb) returns int4
language plpgsql
as $$
declare
  v_inserted int4;
begin
  insert into relay_state (since, last_checked_at, first_checked_at, relay_id, streak, online)
  select distinct 0, -1, -1, "relayId", 0, false
  from jsonb_to_recordset(p_checks) as new ("relayId" int4)
  where not exists (select from relay_state s where s.relay_id = "relayId")
  order by "relayId"
  on conflict do nothing;
  -- Other transactions that store or roll up checks of these relays go before or after, never between.
  perform from relay_state
  where relay_id in (select "relayId" from jsonb_to_recordset(p_checks) as new ("relayId" int4))
  order by relay_id
  for no key update;

  with new as (
    select distinct on ("relayId", least("checkedAt", unix_now()))
      "relayId" as relay_id, least("checkedAt", unix_now()) as checked_at, online, "openMs" as open_ms,
      "readMs" as read_ms, "writeMs" as write_ms, left(failure, 1024) as failure
    from jsonb_to_recordset(p_checks) as new (
      "checkedAt" int8, "relayId" int4, "openMs" int4, "readMs" int4, "writeMs" int4, online boolean, failure text)
    order by "relayId", least("checkedAt", unix_now())
  ), fresh as (
    select new.*, state.since as was_since, state.streak as was_streak, state.last_checked_at < 0 as is_first,
      new.online is distinct from lag(new.online, 1, case when state.last_checked_at >= 0 then state.online end)
        over (partition by relay_id order by checked_at) as is_turn
    from new join relay_state state using (relay_id)
    where checked_at > last_checked_at and checked_at >= rolled_until
  ), stored as (
    insert into relay_check (checked_at, relay_id, open_ms, read_ms, write_ms, online, failure)
    select checked_at, relay_id, open_ms, read_ms, write_ms, online, failure
    from fresh order by relay_id, checked_at
  ), numbered as (
    select *, count(*) filter (where is_turn) over (partition by relay_id order by checked_at) as run
    from fresh
  ), run as (
    -- Run 0 goes on with the state the relay was in.
    select relay_id, run, bool_and(online) as online, max(checked_at) as last_checked_at,
      case when run = 0 then min(was_since) else min(checked_at) end as since,
      (count(*) + case when run = 0 then min(was_streak) else 0 end)::int4 as checks,
      (array_agg(failure order by checked_at))[1] as cause,
      lead(min(checked_at)) over (partition by relay_id order by run) as until,
      bool_or(is_first) as is_first, min(was_since) as was_since, min(was_streak) as was_streak
    from numbered group by relay_id, run
  ), ended as (
    -- The outage that was open: it ends where run 0 does, or, without one, with run 1.
    update relay_outage o
    set until = case when run.run = 0 then run.until else run.since end,
      checks = case when run.run = 0 then run.checks else run.was_streak end
    from run
    where o.relay_id = run.relay_id and o.since = run.was_since and o.until is null and not run.is_first
      and (run.run = 0 and not run.online and run.until is not null
        or run.run = 1 and run.online
          and not exists (select from run zero where zero.relay_id = run.relay_id and zero.run = 0))
  ), begun as (
    insert into relay_outage (since, until, relay_id, checks, cause)
    select since, until, relay_id, case when until is not null then checks end, cause
    from run where run > 0 and not online
    order by relay_id, since
  ), last as (
    select relay_id, min(since) as first_since,
      max(last_checked_at) as last_checked_at, max(last_checked_at) filter (where online) as last_online_at,
      max(since) filter (where until is null) as since, max(checks) filter (where until is null) as streak,
      bool_or(online) filter (where until is null) as online
    from run group by relay_id
  ), moved as (
    update relay_state state
    set online = last.online, since = last.since, streak = last.streak, last_checked_at = last.last_checked_at,
      last_online_at = coalesce(last.last_online_at, state.last_online_at),
      first_checked_at = case when state.first_checked_at < 0 then last.first_since else state.first_checked_at end
    from last where state.relay_id = last.relay_id
  )
  select count(*) into v_inserted from fresh;
  return v_inserted;
end
$$;
comment on function relay_check_insert(jsonb) is 'Stores checks that are newer than the last of their relay, and what they change; returns their number';

-- For how long at most the state that a check found counts as observed: the next check of a relay that is offline can
-- be a day away.
create or replace function relay_check_max_gap() returns int8
language sql immutable parallel safe
as $$ select 26 * 3600::int8 $$;
comment on function relay_check_max_gap() is 'Seconds that a check speaks for, unless the next one comes earlier';

-- The time that the checks of a relay speak for, in slices: what was found at a check holds until the next check, or
-- for relay_check_max_gap() when that comes first; after that nothing is known. Cut to [p_since, p_until).
create or replace function relay_check_slice(p_relay_id int4, p_since int8, p_until int8)
returns table (since int8, until int8, online boolean)
language sql stable parallel safe
as $$
  select greatest(checked_at, p_since), least(next_at, checked_at + relay_check_max_gap(), p_until), online
  from (
    select checked_at, online, lead(checked_at, 1, p_until) over (order by checked_at) as next_at
    from (
      -- Only the last of the checks before can still speak.
      (select checked_at, online from relay_check
      where relay_id = p_relay_id and checked_at < p_since and checked_at > p_since - relay_check_max_gap()
      order by checked_at desc limit 1)
      union all
      select checked_at, online from relay_check
      where relay_id = p_relay_id and checked_at >= p_since and checked_at < p_until
    ) as spoken
  ) as held
$$;
comment on function relay_check_slice(int4, int8, int8) is 'What the stored checks of a relay say about a window of time';
