-- Coverage and gaps. Both are written by the holder of the relay's lease only.

-- Takes ranges out of the gaps of a walk; what is left of a gap stays.
create or replace function sync_gap_subtract(p_relay_id int4, p_filter_hash bytea, p_ranges int8multirange)
returns void
language plpgsql
as $$
begin
  with hit as (
    delete from sync_gap
    where relay_id = p_relay_id and filter_hash = p_filter_hash
      and int8range(since, until, '[]') && p_ranges
    returning *
  )
  insert into sync_gap (relay_id, filter_hash, since, until, reason, found_at, reported_at, attempts)
  select p_relay_id, p_filter_hash, lower(rest), upper(rest) - 1, reason, found_at, reported_at, attempts
  from hit, unnest(int8multirange(int8range(since, until, '[]')) - p_ranges) as rest;
end
$$;
comment on function sync_gap_subtract(int4, bytea, int8multirange) is 'Removes ranges from the gaps of a walk';

-- p_gaps: [{filterHash, since, until, reason}]. What is covered is no gap, unless a COUNT says so, which takes the
-- coverage back. A gap reported again keeps its age.
create or replace function sync_gap_insert(p_relay_id int4, p_gaps jsonb) returns void
language plpgsql
as $$
declare
  v_now int8 := unix_now();
  v_gap record;
  v_ranges int8multirange;
  v_found_at int8;
  v_attempts int4;
begin
  for v_gap in
    select decode("filterHash", 'hex') as filter_hash, since, until, reason
    from jsonb_to_recordset(p_gaps) as new ("filterHash" text, since int8, until int8, reason text)
  loop
    if v_gap.reason = 'count-mismatch' then
      perform sync_coverage_retract(p_relay_id, encode(v_gap.filter_hash, 'hex'),
        jsonb_build_array(jsonb_build_object('since', v_gap.since, 'until', v_gap.until)));
    end if;
    v_ranges := int8multirange(int8range(v_gap.since, v_gap.until, '[]')) - coalesce((
      select covered from sync_coverage where relay_id = p_relay_id and filter_hash = v_gap.filter_hash), '{}');
    select min(found_at), max(attempts) into v_found_at, v_attempts
    from sync_gap
    where relay_id = p_relay_id and filter_hash = v_gap.filter_hash and int8range(since, until, '[]') && v_ranges;

    perform sync_gap_subtract(p_relay_id, v_gap.filter_hash, v_ranges);
    insert into sync_gap (relay_id, filter_hash, since, until, reason, found_at, reported_at, attempts)
    select p_relay_id, v_gap.filter_hash, lower(piece), upper(piece) - 1, v_gap.reason,
      coalesce(v_found_at, v_now), v_now, coalesce(v_attempts, 0) + 1
    from unnest(v_ranges) as piece;
  end loop;
end
$$;
comment on function sync_gap_insert(int4, jsonb) is 'Records what could not be proven complete';

-- p_coverage: [{filterHash, filter, since, until, method}]. The newest proof of a stretch counts, the best of those that come together.
create or replace function sync_coverage_advance(p_relay_id int4, p_coverage jsonb) returns void
language plpgsql
as $$
declare
  v_walk record;
begin
  for v_walk in
    select decode("filterHash", 'hex') as filter_hash, method, (array_agg(filter))[1] as filter,
      range_agg(int8range(since, until, '[]')) as ranges
    from jsonb_to_recordset(p_coverage) as new ("filterHash" text, filter jsonb, since int8, until int8, method text)
    group by 1, 2
    order by 1, array_position(array['live', 'empty-page', 'split', 'paging', 'count', 'finish', 'negentropy'], method)
  loop
    insert into sync_coverage as c (relay_id, filter_hash, filter, covered, updated_at)
    values (p_relay_id, v_walk.filter_hash, v_walk.filter, v_walk.ranges, unix_now())
    on conflict (relay_id, filter_hash) do update
    set covered = c.covered + excluded.covered, updated_at = excluded.updated_at;

    perform sync_proof_subtract(p_relay_id, v_walk.filter_hash, v_walk.ranges);
    insert into sync_proof as p (relay_id, filter_hash, method, covered)
    values (p_relay_id, v_walk.filter_hash, v_walk.method, v_walk.ranges)
    on conflict (relay_id, filter_hash, method) do update
    set covered = p.covered + excluded.covered;

    perform sync_gap_subtract(p_relay_id, v_walk.filter_hash, v_walk.ranges);
  end loop;
end
$$;
comment on function sync_coverage_advance(int4, jsonb) is 'Adds what is proven complete; call it in the transaction that stores what it claims';

create or replace function sync_proof_subtract(p_relay_id int4, p_filter_hash bytea, p_ranges int8multirange)
returns void
language plpgsql
as $$
begin
  update sync_proof set covered = covered - p_ranges
  where relay_id = p_relay_id and filter_hash = p_filter_hash and covered && p_ranges;
  delete from sync_proof where relay_id = p_relay_id and filter_hash = p_filter_hash and isempty(covered);
end
$$;
comment on function sync_proof_subtract(int4, bytea, int8multirange) is 'Removes ranges from the proofs of a walk';

-- p_windows: [{since, until}].
create or replace function sync_coverage_retract(p_relay_id int4, p_filter_hash text, p_windows jsonb) returns void
language plpgsql
as $$
declare
  v_filter_hash bytea := decode(p_filter_hash, 'hex');
  v_ranges int8multirange;
begin
  select range_agg(int8range(since, until, '[]')) into v_ranges
  from jsonb_to_recordset(p_windows) as new (since int8, until int8);
  update sync_coverage set covered = covered - v_ranges, updated_at = unix_now()
  where relay_id = p_relay_id and filter_hash = v_filter_hash;
  perform sync_proof_subtract(p_relay_id, v_filter_hash, v_ranges);
end
$$;
comment on function sync_coverage_retract(int4, text, jsonb) is 'Takes coverage back: these windows are wanted again';

create or replace function sync_coverage_get(p_relay_id int4, p_filter_hash text)
returns table (since int8, until int8)
language sql stable
as $$
  select lower(piece), upper(piece) - 1
  from sync_coverage, unnest(covered) as piece
  where relay_id = p_relay_id and filter_hash = decode(p_filter_hash, 'hex')
  order by 1
$$;
comment on function sync_coverage_get(int4, text) is 'Windows proven complete, ascending';

create or replace function sync_proof_get(p_relay_id int4, p_filter_hash text)
returns table (method text, since int8, until int8)
language sql stable
as $$
  select method, lower(piece), upper(piece) - 1
  from sync_proof, unnest(covered) as piece
  where relay_id = p_relay_id and filter_hash = decode(p_filter_hash, 'hex')
  order by 2
$$;
comment on function sync_proof_get(int4, text) is 'Windows proven complete and what proved them, ascending';

-- p_filter_hashes: array of text. What a sync has walked since is proven by something else.
create or replace function sync_live_get(p_relay_id int4, p_filter_hashes jsonb)
returns table (filter_hash text, since int8, until int8)
language sql stable
as $$
  select encode(p.filter_hash, 'hex'), lower(piece), upper(piece) - 1
  from sync_proof p, unnest(p.covered) as piece
  where p.relay_id = p_relay_id and p.method = 'live' and p.filter_hash in (
    select decode(hash, 'hex') from jsonb_array_elements_text(p_filter_hashes) as hash)
  order by 1, 2
$$;
comment on function sync_live_get(int4, jsonb) is 'Windows of walks that only an open subscription has proven, ascending';

create or replace function sync_gap_get(p_relay_id int4, p_filter_hash text)
returns table (since int8, until int8, reason text, found_at int8, reported_at int8, attempts int4)
language sql stable
as $$
  select since, until, reason, found_at, reported_at, attempts from sync_gap
  where relay_id = p_relay_id and filter_hash = decode(p_filter_hash, 'hex')
  order by since
$$;
comment on function sync_gap_get(int4, text) is 'Windows that could not be proven complete, ascending';

-- p_walks: [{filterHash, filter, since, until}], until null for no bound: what the synchronizer wants of a relay, and
-- nothing else. Writes only what is news.
create or replace function sync_walk_want(p_relay_id int4, p_walks jsonb) returns void
language plpgsql
as $$
begin
  insert into sync_coverage as c (relay_id, filter_hash, filter, covered, wanted, updated_at)
  select p_relay_id, decode("filterHash", 'hex'), filter, '{}', int8range(since, until, '[]'), unix_now()
  from jsonb_to_recordset(p_walks) as new ("filterHash" text, filter jsonb, since int8, until int8)
  order by 2
  on conflict (relay_id, filter_hash) do update set wanted = excluded.wanted
  where c.wanted is distinct from excluded.wanted;

  update sync_coverage set wanted = null
  where relay_id = p_relay_id and wanted is not null and filter_hash not in (
    select decode(walk ->> 'filterHash', 'hex') from jsonb_array_elements(p_walks) as walk);
end
$$;
comment on function sync_walk_want(int4, jsonb) is 'Sets what is wanted of a relay';

-- p_filter_hashes: array of text. Everything about these walks of a relay at once; covered: [[since, until]], gaps:
-- [{since, until, reason, foundAt, reportedAt, attempts}], ascending.
create or replace function sync_walk_get(p_relay_id int4, p_filter_hashes jsonb)
returns table (filter_hash text, covered jsonb, gaps jsonb)
language sql stable
as $$
  select hash,
    (select coalesce(jsonb_agg(jsonb_build_array(since, until) order by since), '[]')
      from sync_coverage_get(p_relay_id, hash)),
    (select coalesce(jsonb_agg(jsonb_build_object('since', since, 'until', until, 'reason', reason,
        'foundAt', found_at, 'reportedAt', reported_at, 'attempts', attempts) order by since), '[]')
      from sync_gap_get(p_relay_id, hash))
  from jsonb_array_elements_text(p_filter_hashes) as hash
$$;
comment on function sync_walk_get(int4, jsonb) is 'Coverage and gaps of walks of a relay';
