-- Audits: their counts, their contradictions, and the coverage taken back because of them.

-- p_contradictions: [{filterHash, kind, question, since, until, eventIds}]. p_retractions: [{filterHash, since, until,
-- cause}], or [{filterHash: null, methods, cause}] for all of the relay that rests on these methods; cause is a
-- contradiction, which need not be among the others. What is taken back becomes a gap. Returns {contradicted,
-- retractedSeconds, retractions: {kind: how many took something back}}.
create or replace function sync_audit_record(
  p_relay_id int4, p_filter_hash text, p_asked int4, p_confirmed int4, p_contradictions jsonb, p_retractions jsonb)
returns jsonb
language plpgsql
as $$
declare
  v_cause record;
  v_retraction jsonb;
  v_seconds int8;
  v_contradicted int4 := 0;
  v_retracted_seconds int8 := 0;
  v_retractions jsonb := '{}';
begin
  perform sync_lock(p_relay_id);
  perform sync_audit_add(p_relay_id, decode(p_filter_hash, 'hex'), jsonb_build_object(
    'asked', p_asked, 'confirmed', p_confirmed));
  for v_cause in
    select cause, sync_contradiction_insert(p_relay_id, cause) as id
    from (
      select cause from (
        select value as cause from jsonb_array_elements(p_contradictions)
        union all
        select value -> 'cause' from jsonb_array_elements(p_retractions)
      ) as found group by 1 order by (min(cause ->> 'since'))::int8, 1
    ) as cause
  loop
    v_contradicted := v_contradicted + 1;
    for v_retraction in
      select value from jsonb_array_elements(p_retractions) where value -> 'cause' = v_cause.cause
    loop
      v_seconds := sync_retraction_apply(p_relay_id, v_cause.id, v_retraction);
      if v_seconds > 0 then
        v_retracted_seconds := v_retracted_seconds + v_seconds;
        v_retractions := v_retractions || jsonb_build_object(
          v_cause.cause ->> 'kind', coalesce((v_retractions ->> (v_cause.cause ->> 'kind'))::int4, 0) + 1);
      end if;
    end loop;
  end loop;
  delete from sync_contradiction
  where relay_id = p_relay_id and id <= (
    select id from sync_contradiction where relay_id = p_relay_id order by id desc limit 1 offset 100);
  return jsonb_build_object(
    'contradicted', v_contradicted, 'retractedSeconds', v_retracted_seconds, 'retractions', v_retractions);
end
$$;
comment on function sync_audit_record(int4, text, int4, int4, jsonb, jsonb) is 'Counts what an audit asked and found, and takes back what it contradicts';

-- p_counts: {asked, confirmed, contradicted, retractions, retractedSeconds}; what is left out is 0.
create or replace function sync_audit_add(p_relay_id int4, p_filter_hash bytea, p_counts jsonb) returns void
language sql
as $$
  insert into sync_audit as a (relay_id, filter_hash, asked, confirmed, contradicted, retractions, retracted_seconds,
    last_asked_at, last_contradicted_at)
  select p_relay_id, p_filter_hash, asked, confirmed, contradicted, retractions, retracted_seconds,
    case when asked > 0 then unix_now() end, case when contradicted > 0 then unix_now() end
  from (
    select coalesce(asked, 0) as asked, coalesce(confirmed, 0) as confirmed,
      coalesce(contradicted, 0) as contradicted, coalesce(retractions, 0) as retractions,
      coalesce("retractedSeconds", 0) as retracted_seconds
    from jsonb_to_record(p_counts) as new (
      asked int8, confirmed int8, contradicted int8, retractions int8, "retractedSeconds" int8)
  ) as counts
  where asked + confirmed + contradicted + retractions > 0
  on conflict (relay_id, filter_hash) do update
  set asked = a.asked + excluded.asked, confirmed = a.confirmed + excluded.confirmed,
    contradicted = a.contradicted + excluded.contradicted, retractions = a.retractions + excluded.retractions,
    retracted_seconds = a.retracted_seconds + excluded.retracted_seconds,
    last_asked_at = coalesce(excluded.last_asked_at, a.last_asked_at),
    last_contradicted_at = coalesce(excluded.last_contradicted_at, a.last_contradicted_at)
$$;
comment on function sync_audit_add(int4, bytea, jsonb) is 'Adds to the audit counters of a walk';

-- Returns its id.
create or replace function sync_contradiction_insert(p_relay_id int4, p_contradiction jsonb) returns int8
language plpgsql
as $$
declare
  v_filter_hash bytea := decode(p_contradiction ->> 'filterHash', 'hex');
  v_id int8;
begin
  insert into sync_contradiction (found_at, since, until, relay_id, filter_hash, kind, question, event_ids, retracted)
  select unix_now(), since, until, p_relay_id, v_filter_hash, kind, question,
    array(select decode(id, 'hex') from jsonb_array_elements_text("eventIds") as id limit 10), '{}'
  from jsonb_to_record(p_contradiction) as new (since int8, until int8, kind text, question text, "eventIds" jsonb)
  returning id into v_id;
  perform sync_audit_add(p_relay_id, v_filter_hash, '{"contradicted": 1}');
  return v_id;
end
$$;
comment on function sync_contradiction_insert(int4, jsonb) is 'Notes a contradiction; returns its id';

-- Takes back what one retraction is about. Returns how many seconds, of all filters together.
create or replace function sync_retraction_apply(p_relay_id int4, p_contradiction_id int8, p_retraction jsonb)
returns int8
language plpgsql
as $$
declare
  v_walk record;
  v_filter_hash bytea := decode(p_retraction ->> 'filterHash', 'hex');
  v_covered int8multirange;
  v_seconds int8 := 0;
begin
  if v_filter_hash is not null then
    select covered * int8multirange(int8range(
      (p_retraction ->> 'since')::int8, (p_retraction ->> 'until')::int8, '[]')) into v_covered
    from sync_coverage where relay_id = p_relay_id and filter_hash = v_filter_hash;
    perform sync_gap_add(p_relay_id, v_filter_hash, coalesce(v_covered, '{}'), 'contradicted');
  end if;
  for v_walk in
    select v_filter_hash as filter_hash, v_covered as retracted
    where v_filter_hash is not null and not isempty(v_covered)
    union all
    select filter_hash, retracted from sync_coverage_retract_all(p_relay_id,
      case when v_filter_hash is null then array(select jsonb_array_elements_text(p_retraction -> 'methods')) else '{}' end,
      'contradicted')
  loop
    v_seconds := v_seconds + sync_seconds_count(v_walk.retracted);
    update sync_contradiction set retracted = retracted + v_walk.retracted where id = p_contradiction_id;
    perform sync_audit_add(p_relay_id, v_walk.filter_hash, jsonb_build_object(
      'retractions', 1, 'retractedSeconds', sync_seconds_count(v_walk.retracted)));
  end loop;
  return v_seconds;
end
$$;
comment on function sync_retraction_apply(int4, int8, jsonb) is 'Takes back what a contradiction concerns; returns how many seconds';

-- Returns one JSON object, as AuditStatus in src/archive/sync/sync_audit.ts reads it. A window is under audit while what
-- was contradicted, or could not be confirmed, is not proven again.
create or replace function sync_audit_status() returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'asked', coalesce(sum(asked), 0), 'confirmed', coalesce(sum(confirmed), 0),
    'contradicted', coalesce(sum(contradicted), 0), 'retractions', coalesce(sum(retractions), 0),
    'retractedSeconds', coalesce(sum(retracted_seconds), 0),
    'caughtRelays', count(distinct relay_id) filter (where contradicted > 0),
    'underAudit', (
      select jsonb_build_object('windows', count(*), 'relays', count(distinct relay_id),
        'seconds', coalesce(sum(until - since + 1), 0))
      from sync_gap where reason in ('contradicted', 'unconfirmed')),
    'kinds', (
      select coalesce(jsonb_object_agg(kind, times), '{}')
      from (select kind, count(*) as times from sync_contradiction group by kind) as by_kind),
    'last', (
      select jsonb_build_object('url', url, 'at', found_at, 'kind', kind, 'question', question)
      from sync_contradiction c join relay r on r.id = c.relay_id
      order by c.id desc limit 1))
  from sync_audit
$$;
comment on function sync_audit_status() is 'Totals of all audits, as JSON';

-- Returns a JSON array [{at, filter, kind, question, since, until,
-- eventIds, retractedSeconds}], newest first, of all filters of the relay.
create or replace function sync_contradiction_get(p_relay_id int4, p_limit int4) returns jsonb
language sql stable
as $$
  select coalesce(jsonb_agg(jsonb_build_object('at', found_at, 'filter', filter, 'kind', kind, 'question', question,
    'since', since, 'until', until, 'eventIds', (
      select coalesce(jsonb_agg(encode(id, 'hex')), '[]') from unnest(event_ids) as id),
    'retractedSeconds', sync_seconds_count(retracted)) order by id desc), '[]')
  from (
    select s.*, c.filter
    from sync_contradiction s left join sync_coverage c using (relay_id, filter_hash)
    where s.relay_id = p_relay_id order by s.id desc limit p_limit
  ) as latest
$$;
comment on function sync_contradiction_get(int4, int4) is 'The last contradictions of a relay as a JSON array';
