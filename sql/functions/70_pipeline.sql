-- The pipeline at a glance.

-- Counts a table: exactly while that takes milliseconds, by the server's estimate when it is large.
-- Returns {count, exact}.
create or replace function pipeline_count_table(p_table regclass) returns jsonb
language plpgsql stable
as $$
declare
  v_pages int8 := pg_relation_size(p_table) / current_setting('block_size')::int8;
  v_count int8;
begin
  select reltuples / relpages * v_pages into v_count
  from pg_class where oid = p_table and relpages > 0 and reltuples >= 0;
  if v_pages > 5000 and v_count is not null then
    return jsonb_build_object('count', v_count, 'exact', false);
  end if;
  execute format('select count(*) from %s', p_table) into v_count;
  return jsonb_build_object('count', v_count, 'exact', true);
end
$$;
comment on function pipeline_count_table(regclass) is 'Rows of a table; an estimate when it is large';

-- Coverage of what is wanted, and its strength; shares as sync_counted_range says. A relay is complete
-- when nothing is missing below the newest second that is proven. Returns one JSON object, as SyncStatus in
-- src/archive/pipeline.ts reads it.
create or replace function sync_status() returns jsonb
language plpgsql stable
as $$
declare
  v_now int8 := unix_now();
begin
  return (
    with walk as (
      select relay_id, filter_hash, covered,
        lower(wanted) as since,
        least(upper(wanted), v_now) as until,
        upper(covered) as edge,
        int8multirange(sync_counted_range(wanted, v_now)) as counted
      from sync_coverage where wanted is not null
    ), measured as (
      select relay_id, edge,
        sync_seconds_count(counted) as wanted_seconds,
        sync_seconds_count(covered * counted) as covered_seconds,
        case when edge is not null then greatest(until - edge, 0) end as lag,
        coalesce(int8multirange(int8range(since, greatest(since, least(edge, until)))) <@ covered, false) as complete
      from walk
    ), relay_walks as (
      select relay_id, bool_and(complete and edge is not null) as complete, bool_or(edge is not null) as begun
      from measured group by relay_id
    ), by_strength as (
      select strength, sum(sync_seconds_count(p.covered * counted)) as seconds
      from walk join sync_proof p using (relay_id, filter_hash)
      group by strength
    )
    select jsonb_build_object(
      'walks', (select count(*) from measured),
      'relays', (select count(*) from relay_walks where begun),
      'completeRelays', (select count(*) from relay_walks where complete),
      'wantedRelays', (select count(*) from relay_walks),
      'coveredShare', (select round(sum(covered_seconds) / nullif(sum(wanted_seconds), 0), 6) from measured),
      'strengths', sync_strength_shares((select jsonb_object_agg(strength, seconds) from by_strength)),
      'medianLagSeconds', (select percentile_disc(0.5) within group (order by lag) from measured),
      'worstLagSeconds', (select max(lag) from measured),
      'gaps', (select count(*) from sync_gap),
      'gapReasons', (
        select coalesce(jsonb_object_agg(reason, gaps), '{}')
        from (select reason, count(*) as gaps from sync_gap group by reason) as by_reason),
      'audit', sync_audit_status(),
      'rejectedReasons', (
        select coalesce(jsonb_object_agg(reason, events), '{}')
        from (select reason, sum(events) as events from relay_rejection group by reason) as by_reason),
      'running', (
        select count(*) from relay_lease where service = 'synchronizer' and claimed_until > v_now),
      'live', (
        select count(*) from relay_lease
        where service = 'synchronizer' and claimed_until > v_now and live_since is not null)));
end
$$;
comment on function sync_status() is 'Coverage of what is wanted, with its strength and audits, as JSON';

-- Returns one JSON object, as PipelineCounts in src/archive/pipeline.ts reads it.
create or replace function pipeline_count() returns jsonb
language plpgsql stable
as $$
declare
  v_now int8 := unix_now();
begin
  return jsonb_build_object(
    'edition', archive_edition(),
    'candidates', (
      select coalesce(jsonb_object_agg(network, counts), '{}')
      from (
        select network, jsonb_build_object(
          'total', count(*),
          'due', count(*) filter (where due_at <= v_now and claimed_until <= v_now),
          'claimed', count(*) filter (where claimed_until > v_now),
          'failed', count(*) filter (where failures > 0)) as counts
        from candidate group by network
      ) as by_network),
    'relays', (
      select coalesce(jsonb_object_agg(network, counts), '{}')
      from (
        select network, jsonb_build_object(
          'total', count(*),
          'online', count(*) filter (where state.online),
          'offline', count(*) filter (where not state.online),
          'unchecked', count(*) filter (where state.online is null),
          'synced', count(*) filter (where exists (
            select from sync_coverage c where c.relay_id = r.id and not isempty(c.covered)))) as counts
        from relay r
        left join relay_state state on state.relay_id = r.id
        group by network
      ) as by_network),
    'events', pipeline_count_table('event'),
    'sightings', sighting_count(),
    'metadata', pipeline_count_table('metadata'),
    'checks', pipeline_count_table('relay_check'),
    'rejected', pipeline_count_table('rejected_event'),
    'coverage', sync_status(),
    'databaseBytes', pg_database_size(current_database()));
end
$$;
comment on function pipeline_count() is 'Counts of each stage, as JSON';
