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

-- Returns one JSON object, as PipelineCounts in src/core/database/pipeline.ts reads it.
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
          'online', count(*) filter (where last.online),
          'offline', count(*) filter (where not last.online),
          'unchecked', count(*) filter (where last.online is null),
          'synced', count(*) filter (where exists (
            select from sync_coverage c where c.relay_id = r.id and not isempty(c.covered)))) as counts
        from relay r
        left join lateral (
          select online from relay_check c where c.relay_id = r.id order by checked_at desc limit 1
        ) as last on true
        group by network
      ) as by_network),
    'events', pipeline_count_table('event'),
    'sightings', pipeline_count_table('event_relay'),
    'metadata', pipeline_count_table('metadata'),
    'checks', pipeline_count_table('relay_check'),
    'rejected', pipeline_count_table('rejected_event'),
    'coverage', (
      select jsonb_build_object(
        'walks', count(*),
        'relays', count(distinct relay_id),
        'medianLagSeconds', percentile_disc(0.5) within group (order by v_now - upper(covered)),
        'worstLagSeconds', max(v_now - upper(covered)),
        'gaps', (select count(*) from sync_gap),
        'gapReasons', (
          select coalesce(jsonb_object_agg(reason, gaps), '{}')
          from (select reason, count(*) as gaps from sync_gap group by reason) as by_reason))
      from sync_coverage),
    'databaseBytes', pg_database_size(current_database()));
end
$$;
comment on function pipeline_count() is 'What stands at each stage, as JSON';
