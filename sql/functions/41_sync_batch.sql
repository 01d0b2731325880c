-- One batch of one relay in one call, and so in one transaction: coverage never covers what is not stored. A batch may
-- come twice, when the connection is lost before the answer is there: events, sightings, coverage and candidates are then
-- what they were (its new events count as known), only attempts of gaps, rejections and mentions count once more.
-- p_seen_at: null for now.

create or replace function sync_batch_store(
  p_relay_id int4, p_seen_at int8,
  p_keys bytea, p_created_at int8[], p_kinds int4[], p_tags jsonb, p_contents jsonb, p_raw jsonb,
  p_known_created_at int8[], p_known_ids bytea,
  p_rejected jsonb, p_coverage jsonb, p_gaps jsonb, p_hints jsonb, p_budgets jsonb,
  out stored int4, out known int4)
language plpgsql
as $$
declare
  v_created_at int8[] := p_created_at || p_known_created_at;
  v_ids bytea := event_ids(p_keys) || p_known_ids;
  v_sighted int4;
begin
  p_seen_at := coalesce(p_seen_at, unix_now());
  -- Also for new events: one of them may be there by now, without a sighting.
  perform archive_reference();
  stored := 0;
  if cardinality(p_known_created_at) > 0 then
    perform event_require(p_known_created_at, p_known_ids);
  end if;
  if cardinality(p_created_at) > 0 then
    stored := event_insert(p_keys, p_created_at, p_kinds, p_tags, p_contents, p_raw, p_seen_at);
  end if;
  known := cardinality(v_created_at) - stored;
  v_sighted := event_relay_insert(p_relay_id, p_seen_at, v_created_at, v_ids);
  if p_rejected is not null then
    perform rejected_event_insert(p_relay_id, p_rejected);
  end if;
  if p_coverage is not null or p_gaps is not null then
    perform sync_lock(p_relay_id);
  end if;
  if v_sighted > 0 and exists (select from sync_withheld where relay_id = p_relay_id) then
    perform relay_listing_give(p_relay_id, v_created_at, v_ids);
  end if;
  if p_coverage is not null then
    perform sync_coverage_advance(p_relay_id, p_coverage);
  end if;
  if p_gaps is not null then
    perform sync_gap_insert(p_relay_id, p_gaps);
  end if;
  -- Last: candidates are what other writers may be waiting for.
  if p_hints is not null then
    perform candidate_insert(p_hints, p_budgets);
  end if;
end
$$;
comment on function sync_batch_store(int4, int8, bytea, int8[], int4[], jsonb, jsonb, jsonb, int8[], bytea, jsonb, jsonb, jsonb, jsonb, jsonb) is 'Stores events, sightings, rejections, coverage, gaps and hints of one relay; returns counts';
