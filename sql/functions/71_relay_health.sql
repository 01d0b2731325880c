-- The health of relays at a glance, of all and of one.

-- How many relays of each network are online and offline, and how many of those that are offline were online once.
create or replace function relay_state_count()
returns table (network text, online int4, offline int4, outages int4)
language sql stable parallel safe
as $$
  select network, count(*) filter (where online)::int4, count(*) filter (where not online)::int4,
    count(*) filter (where not online and last_online_at is not null)::int4
  from relay_state s join relay r on r.id = s.relay_id
  group by network
$$;
comment on function relay_state_count() is 'Relays online, offline, and offline after having been online, by network';

-- The number of these URLs, and the first p_names of them, in order.
create or replace function relay_names(p_urls text[], p_names int4) returns jsonb
language sql immutable parallel safe
as $$
  select jsonb_build_object('count', coalesce(cardinality(p_urls), 0),
    'urls', to_jsonb(coalesce(p_urls[1:p_names], '{}')))
$$;
comment on function relay_names(text[], int4) is 'A count and the first few, as JSON';

-- Changes since a moment, the latest first, and the uptime that half of the relays reach (of those that were
-- online within 30 days; null without one). Returns one JSON object, as RelayHealth in src/archive/relay_health.ts.
create or replace function pipeline_health(p_since int8, p_names int4) returns jsonb
language plpgsql stable
as $$
declare
  v_now int8 := unix_now();
  v_live int4[];
begin
  select coalesce(array_agg(relay_id), '{}') into v_live
  from relay_state where last_online_at >= v_now - 30 * 86400;
  return jsonb_build_object(
    'since', p_since,
    'cameOnline', (
      select relay_names(array_agg(url order by since desc, url), p_names)
      from relay_state s join relay r on r.id = s.relay_id
      where online and since >= p_since and first_checked_at < since),
    'wentOffline', (
      select relay_names(array_agg(url order by since desc, url), p_names)
      from relay_state s join relay r on r.id = s.relay_id
      where not online and since >= p_since and first_checked_at < since),
    'discovered', (
      select relay_names(array_agg(url order by discovered_at desc, url), p_names)
      from relay where discovered_at >= p_since),
    'medianUptime', (
      select jsonb_build_object(
        '24h', percentile_disc(0.5) within group (order by uptime_24h),
        '7d', percentile_disc(0.5) within group (order by uptime_7d),
        '30d', percentile_disc(0.5) within group (order by uptime_30d))
      from relay_uptime(v_now, v_live)));
end
$$;
comment on function pipeline_health(int8, int4) is 'Changes among relays since a moment, and their median uptime, as JSON';

-- One walk in relay_report: the newest ten windows, neighbours of one strength being one.
create or replace function relay_coverage_report(c sync_coverage) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'filter', c.filter, 'until', upper(c.covered) - 1,
    'windows', (select count(*) from unnest(c.covered)),
    'strengths', sync_proof_share(c.relay_id, jsonb_build_array(jsonb_build_object(
      'filterHash', encode(c.filter_hash, 'hex'), 'since', coalesce(lower(c.wanted), 0), 'until', upper(c.wanted) - 1))),
    'proven', (
      select coalesce(jsonb_agg(jsonb_build_object('since', since, 'until', until, 'strength', strength)
        order by since desc), '[]')
      from (
        select strength, lower(proven) as since, upper(proven) - 1 as until
        from (
          select strength, range_agg(piece) as covered
          from sync_proof p, unnest(p.covered) as piece
          where p.relay_id = c.relay_id and p.filter_hash = c.filter_hash
          group by strength
        ) as by_strength, unnest(covered) as proven
        order by 2 desc limit 10
      ) as newest),
    'gaps', (
      select count(*) from sync_gap g where g.relay_id = c.relay_id and g.filter_hash = c.filter_hash),
    'gapReasons', (
      select coalesce(jsonb_object_agg(reason, gaps), '{}')
      from (
        select reason, count(*) as gaps from sync_gap g
        where g.relay_id = c.relay_id and g.filter_hash = c.filter_hash group by reason
      ) as by_reason),
    'withheld', (
      select count(*) from relay_listing l
      where l.relay_id = c.relay_id and l.filter_hash = c.filter_hash and l.state = 'withheld'),
    'audit', (
      select jsonb_build_object('asked', asked, 'confirmed', confirmed, 'contradicted', contradicted,
        'retractions', retractions, 'retractedSeconds', retracted_seconds, 'lastAskedAt', last_asked_at,
        'lastContradictedAt', last_contradicted_at)
      from sync_audit a where a.relay_id = c.relay_id and a.filter_hash = c.filter_hash))
$$;
comment on function relay_coverage_report(sync_coverage) is 'One walk of a relay with its evidence, as JSON';

-- One relay: its state, uptime, capabilities, last outages, newest documents, coverage with its evidence, and who works
-- on it. Returns null when there is no such relay, else one JSON object, as RelayReport in src/archive/relay_health.ts.
create or replace function relay_report(p_url text, p_outages int4) returns jsonb
language sql volatile
as $$
  select jsonb_build_object(
    'url', r.url, 'network', r.network, 'discoveredAt', r.discovered_at,
    'state', (
      select jsonb_build_object('online', online, 'since', since, 'streak', streak, 'lastCheckedAt', last_checked_at,
        'lastOnlineAt', last_online_at, 'openMs', open_ms, 'readMs', read_ms, 'writeMs', write_ms, 'failure', failure)
      from relay_health h where h.relay_id = r.id),
    'uptime', (
      select jsonb_build_object('24h', uptime_24h, '7d', uptime_7d, '30d', uptime_30d)
      from relay_uptime(unix_now(), array[r.id])),
    'outages', (
      select coalesce(jsonb_agg(jsonb_build_object('since', since, 'until', until, 'seconds', seconds,
        'checks', checks, 'cause', cause) order by since desc), '[]')
      from (
        select * from relay_outage_history o where o.relay_id = r.id order by since desc limit p_outages) as latest),
    'capabilities', (
      select coalesce(jsonb_agg(jsonb_build_object('capability', capability, 'value', value, 'judgedBy', judged_by,
        'since', since) order by capability), '[]')
      from relay_capability a where a.relay_id = r.id),
    'documents', (
      select coalesce(jsonb_agg(jsonb_build_object('type', metadata_type, 'generatedAt', generated_at)
        order by metadata_type), '[]')
      from relay_metadata_latest m where m.relay_id = r.id),
    'sync', (
      select jsonb_build_object('dueAt', due_at, 'failures', failures, 'liveSince', live_since,
        'progress', case when claimed_until > unix_now() then progress end,
        'holder', case when claimed_until > unix_now() then holder end)
      from relay_lease l where l.relay_id = r.id and l.service = 'synchronizer'),
    'contradictions', sync_contradiction_get(r.id, 5),
    'coverage', (
      select coalesce(jsonb_agg(relay_coverage_report(c) order by filter_hash), '[]')
      from sync_coverage c where c.relay_id = r.id))
  from relay r where r.url = p_url
$$;
comment on function relay_report(text, int4) is 'All about one relay as JSON; null when there is none of that URL';
