-- The history of relays: where each stands now, its outages, and its checks summed up by hour and day.

create table relay_state (
  since int8 not null,
  last_checked_at int8 not null,
  last_online_at int8,
  first_checked_at int8 not null,
  rolled_until int8 not null default 0,
  checks_since int8 not null default 0,
  hours_since int8 not null default 0,
  relay_id int4 primary key,
  streak int4 not null,
  online boolean not null
) with (fillfactor = 70);
comment on table relay_state is 'Where each relay that was ever checked stands; kept by relay_check_insert';
comment on column relay_state.since is 'Unix seconds of the first of the checks in a row that found it as it is';
comment on column relay_state.last_checked_at is 'Unix seconds';
comment on column relay_state.last_online_at is 'Unix seconds of the last check that found it online; null when none did';
comment on column relay_state.first_checked_at is 'Unix seconds';
comment on column relay_state.rolled_until is 'Checks before this moment are in relay_check_rollup, and no more are taken; a midnight in UTC';
comment on column relay_state.checks_since is 'From here on relay_check is whole; before, its rows may be gone';
comment on column relay_state.hours_since is 'From here on relay_check_rollup has hours; before, only days';
comment on column relay_state.relay_id is 'relay.id';
comment on column relay_state.streak is 'Checks in a row that found it as it is';
comment on column relay_state.online is 'By the last check: it opened and spoke';

create index relay_state_since on relay_state (since);

create table relay_outage (
  since int8 not null,
  until int8,
  relay_id int4 not null,
  checks int4,
  cause text,
  primary key (relay_id, since)
);
comment on table relay_outage is 'Times a relay was offline, one row each, from the first failing check to the next good one; never deleted';
comment on column relay_outage.since is 'Unix seconds of the first failing check';
comment on column relay_outage.until is 'Unix seconds of the first good check after it; null while it lasts';
comment on column relay_outage.relay_id is 'relay.id';
comment on column relay_outage.checks is 'How many checks failed; null while it lasts (then relay_state.streak)';
comment on column relay_outage.cause is 'Why the first of them failed';

create index relay_outage_open on relay_outage (relay_id) where until is null;

create table relay_check_rollup (
  starts_at int8 not null,
  open_ms_sum int8 not null,
  relay_id int4 not null,
  seconds int4 not null check (seconds in (3600, 86400)),
  observed_seconds int4 not null,
  online_seconds int4 not null,
  checks int4 not null,
  failures int4 not null,
  opened int4 not null,
  open_ms_min int4,
  open_ms_max int4,
  primary key (relay_id, seconds, starts_at)
);
comment on table relay_check_rollup is 'Checks summed up by hour and by day in UTC, both; a day observed from end to end and offline throughout has no hours, nor has time in which nobody looked';
comment on column relay_check_rollup.starts_at is 'Unix seconds of the full hour or the midnight in UTC';
comment on column relay_check_rollup.open_ms_sum is 'Of the checks that opened: divided by opened it is their mean';
comment on column relay_check_rollup.relay_id is 'relay.id';
comment on column relay_check_rollup.seconds is '3600 for an hour, 86400 for a day: sum over one of them';
comment on column relay_check_rollup.observed_seconds is 'How much of it is covered by checks, as relay_observe defines it';
comment on column relay_check_rollup.online_seconds is 'How much of that it was online';
comment on column relay_check_rollup.checks is 'Checks made in it';
comment on column relay_check_rollup.failures is 'Those that found it offline';
comment on column relay_check_rollup.opened is 'Those that opened a connection';
comment on column relay_check_rollup.open_ms_min is 'The fastest opening; null when there was none';
comment on column relay_check_rollup.open_ms_max is 'The slowest';

-- What was checked before.
with step as (
  select relay_id, checked_at, online, failure,
    online is distinct from lag(online) over (partition by relay_id order by checked_at) as is_new
  from relay_check
), numbered as (
  select *, count(*) filter (where is_new) over (partition by relay_id order by checked_at) as run
  from step
), run as (
  select relay_id, run, bool_and(online) as online, min(checked_at) as since, max(checked_at) as last_checked_at,
    count(*)::int4 as checks, (array_agg(failure order by checked_at))[1] as cause,
    lead(min(checked_at)) over (partition by relay_id order by run) as until
  from numbered group by relay_id, run
), outage as (
  insert into relay_outage (since, until, relay_id, checks, cause)
  select since, until, relay_id, case when until is not null then checks end, cause
  from run where not online
)
insert into relay_state (since, last_checked_at, last_online_at, first_checked_at, relay_id, streak, online)
select max(since) filter (where until is null), max(last_checked_at), max(last_checked_at) filter (where online),
  min(since), relay_id, max(checks) filter (where until is null), bool_or(online) filter (where until is null)
from run group by relay_id;

drop function if exists relay_check_expire(int8, int4);

create view relay_health as
select s.relay_id, r.url, r.network, s.online, s.since, s.streak, s.last_checked_at, s.last_online_at,
  s.first_checked_at, c.open_ms, c.read_ms, c.write_ms, c.failure
from relay_state s
join relay r on r.id = s.relay_id
left join relay_check c on c.relay_id = s.relay_id and c.checked_at = s.last_checked_at;
comment on view relay_health is 'Where each relay stands, with the numbers of its last check; uptime: relay_uptime()';

create view relay_outage_history as
select o.relay_id, r.url, r.network, o.since, o.until, coalesce(o.until, floor(extract(epoch from now()))::int8) - o.since as seconds,
  coalesce(o.checks, s.streak) as checks, o.cause, o.until is null as is_open
from relay_outage o
join relay r on r.id = o.relay_id
join relay_state s on s.relay_id = o.relay_id;
comment on view relay_outage_history is 'Outages with the URL of their relay and how long they lasted, or have lasted so far';
