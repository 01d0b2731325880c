-- The queue of facts. Each writer leaves what it changed in the transaction that changed it; one consumer at a time folds
-- it into statistics. At every commit: statistics + what is not taken + what was dropped = the tables.

-- p_relay_id: null for events. p_keys: of events id and pubkey, 64 bytes each; of sightings the id, 32 bytes each.
create or replace function fact_add(p_sign int4, p_relay_id int4, p_created_at int8[], p_kinds int4[], p_keys bytea)
returns void
language plpgsql
as $$
declare
  v_id int8;
begin
  if coalesce(cardinality(p_created_at), 0) = 0 then
    return;
  end if;
  insert into fact (queued_at, relay_id, sign, created_at, kinds, keys)
  values (unix_now(), p_relay_id, p_sign, p_created_at, p_kinds, p_keys)
  returning id into v_id;
  -- Looking at the size of the queue each time would cost more than the row.
  if v_id % 64 = 0 then
    perform fact_trim();
  end if;
  -- Notifying makes commits wait for each other, so nobody is notified who does not listen.
  if exists (select from fact_follower where until >= unix_now()) then
    perform pg_notify('bigbrotr_fact', '');
  end if;
end
$$;
comment on function fact_add(int4, int4, int8[], int4[], bytea) is 'Queues what a batch changed: events, or sightings of one relay';

-- Without a consumer the queue would grow for ever.
create or replace function fact_bound(out rows int4, out bytes int8)
language sql immutable parallel safe
as $$ select 50000, 256 * 1024 * 1024::int8 $$;
comment on function fact_bound() is 'How many rows and bytes of the queue of facts are kept';

-- About as many bytes as a fact takes; what is stored out of line is not read.
create or replace function fact_bytes(p_fact fact) returns int8
language sql stable parallel safe
as $$
  select 100 + octet_length(p_fact.keys)::int8 * case when p_fact.relay_id is null then 76 else 80 end / 64
$$;
comment on function fact_bytes(fact) is 'About how many bytes a fact takes';

-- Drops the oldest facts above the bound, and remembers what is to be made again. One at a time; waits for nobody, and
-- leaves alone what a consumer has in hand. Returns the number of facts dropped.
create or replace function fact_trim() returns int4
language plpgsql
as $$
declare
  v_bound record := fact_bound();
  v_dropped int4;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('bigbrotr facts drop', 0)) then
    return 0;
  end if;
  with excess as (
    select id
    from (
      select id, row_number() over newest as rows, sum(fact_bytes(f)) over newest as bytes
      from fact f window newest as (order by id desc)
    ) as kept
    where rows > v_bound.rows or bytes > v_bound.bytes
  ), locked as (
    select f.id from fact f where f.id in (select id from excess) order by f.id for update skip locked
  ), dropped as (
    delete from fact f using locked where f.id = locked.id
    returning f.relay_id, f.created_at, f.taken_at
  ), lost as (
    select distinct case when relay_id is null then least(at / 86400, 36525)::int4 end as day, relay_id
    from dropped cross join lateral unnest(case when relay_id is null then created_at else array[0::int8] end) as at
    where taken_at is null
  ), remembered as (
    insert into fact_dropped (dropped_at, day, relay_id)
    select unix_now(), day, relay_id from lost
    where not fact_is_dropped(day, relay_id)
    order by day, relay_id
  )
  select count(*) into v_dropped from dropped;
  if v_dropped > 0 then
    perform derived_lose();
  end if;
  return v_dropped;
end
$$;
comment on function fact_trim() is 'Drops the oldest facts above the bound; returns their number';

-- Whether it is remembered already, and stays so: what somebody is just making again is remembered anew, as that may
-- have begun before the fact was dropped. Nobody is waited for.
create or replace function fact_is_dropped(p_day int4, p_relay_id int4) returns boolean
language plpgsql
as $$
begin
  if p_relay_id is null then
    perform from fact_dropped where day = p_day limit 1 for share skip locked;
  else
    perform from fact_dropped where relay_id = p_relay_id limit 1 for share skip locked;
  end if;
  return found;
end
$$;
comment on function fact_is_dropped(int4, int4) is 'Whether a day or relay is to be made again, whatever others do now';

-- Takes the oldest p_limit facts at most, for good when the transaction commits. One consumer at a time: another waits
-- here until the first has committed or is gone. Followers may read them for 30 s more. arrays as text: "1,2,3".
create or replace function fact_take(p_limit int4)
returns table (relay_id int4, sign int2, created_at text, kinds text, keys text)
language plpgsql
as $$
#variable_conflict use_column
begin
  perform pg_advisory_xact_lock(hashtextextended('bigbrotr facts', 0));
  delete from fact where taken_at < unix_now() - 30;
  return query
  with next as (
    select f.id from fact f where taken_at is null order by f.id limit p_limit for update
  ), taken as (
    update fact f set taken_at = unix_now() from next where f.id = next.id
    returning f.id, f.relay_id, f.sign, f.created_at, f.kinds, f.keys
  )
  select t.relay_id, t.sign, array_to_string(t.created_at, ','), array_to_string(t.kinds, ','), encode(t.keys, 'base64')
  from taken t order by t.id;
end
$$;
comment on function fact_take(int4) is 'The oldest facts, for the one consumer, which folds them in the same transaction';

-- What became visible since p_snapshot, an answer of this function before; null for nothing, and where to go on from.
-- is_whole: false when facts may have gone by unseen. Says for a minute that somebody waits. facts: JSON array of
-- {relayId?, sign, createdAt: "1,2", kinds?: "1,2", keys: base64}, the oldest p_limit; when there are more, is_whole is false.
create or replace function fact_tail(
  p_snapshot text, p_seen_at int8, p_limit int4, out snapshot text, out seen_at int8, out is_whole boolean, out facts jsonb)
language plpgsql
as $$
declare
  v_now int8 := unix_now();
  v_found int4;
begin
  insert into fact_follower (until) values (v_now + 60)
  on conflict (singleton) do update set until = excluded.until where fact_follower.until < v_now + 30;
  -- One statement, and so one snapshot: none is left out between what is read and where the next look begins.
  with fresh as (
    select * from fact f
    where p_snapshot is not null and f.xid >= pg_snapshot_xmin(p_snapshot::pg_snapshot)
      and not pg_visible_in_snapshot(f.xid, p_snapshot::pg_snapshot)
    order by f.id limit p_limit + 1
  ), page as (
    select * from fresh order by id limit p_limit
  )
  select pg_current_snapshot()::text, (select count(*) from fresh), coalesce((
    select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'relayId', relay_id, 'sign', sign, 'createdAt', array_to_string(created_at, ','),
      'kinds', array_to_string(kinds, ','), 'keys', encode(keys, 'base64'))) order by id) from page), '[]')
  into snapshot, v_found, facts;
  seen_at := v_now;
  is_whole := v_found <= p_limit and (p_seen_at is null or v_now - p_seen_at <= 30);
end
$$;
comment on function fact_tail(text, int8, int4) is 'The facts that became visible since another look, taken or not';

-- Returns one JSON object, as FactStatus in src/archive/facts.ts reads it.
create or replace function fact_status() returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'rows', count(*),
    'bytes', coalesce(sum(fact_bytes(f)), 0),
    'oldestSeconds', case when count(*) > 0 then greatest(0, unix_now() - min(f.queued_at)) end,
    'droppedDays', (select count(distinct day) from fact_dropped),
    'droppedRelays', (select count(distinct relay_id) from fact_dropped))
  from fact f where taken_at is null
$$;
comment on function fact_status() is 'What waits in the queue of facts, and what is to be made again, as JSON';
