-- Coverage and gaps. Both are written by the holder of the relay's lease only.

-- Two syncs of one relay (a command beside the service) write one after the other. The lock is not on the row of the
-- relay: the role that may write coverage has no right to change relays.
create or replace function sync_lock(p_relay_id int4) returns void
language sql volatile
as $$ select pg_advisory_xact_lock(hashtextextended('bigbrotr sync', p_relay_id)) $$;
comment on function sync_lock(int4) is 'Keeps others from writing coverage of a relay until the end of the transaction';

-- Takes ranges out of the gaps of a walk, or out of those of one reason only; what is left of a gap stays.
create or replace function sync_gap_subtract(
  p_relay_id int4, p_filter_hash bytea, p_ranges int8multirange, p_reason text default null)
returns void
language plpgsql
as $$
begin
  with hit as (
    delete from sync_gap
    where relay_id = p_relay_id and filter_hash = p_filter_hash
      and int8range(since, until, '[]') && p_ranges and (p_reason is null or reason = p_reason)
    returning *
  )
  insert into sync_gap (relay_id, filter_hash, since, until, reason, found_at, reported_at, attempts)
  select p_relay_id, p_filter_hash, lower(rest), upper(rest) - 1, reason, found_at, reported_at, attempts
  from hit, unnest(int8multirange(int8range(since, until, '[]')) - p_ranges) as rest;
end
$$;
comment on function sync_gap_subtract(int4, bytea, int8multirange, text) is 'Removes ranges from the gaps of a walk';

-- Covered seconds are no gap, unless the reason says that their proof was wrong: then the coverage is taken back. A gap
-- reported again keeps its age.
create or replace function sync_gap_add(p_relay_id int4, p_filter_hash bytea, p_ranges int8multirange, p_reason text)
returns void
language plpgsql
as $$
declare
  v_now int8 := unix_now();
  v_piece int8range;
  v_found_at int8;
  v_attempts int4;
begin
  if p_reason in ('count-mismatch', 'contradicted', 'withheld') then
    perform sync_coverage_subtract(p_relay_id, p_filter_hash, p_ranges);
  end if;
  for v_piece in
    select unnest(p_ranges - coalesce((
      select covered from sync_coverage where relay_id = p_relay_id and filter_hash = p_filter_hash), '{}'))
  loop
    select min(found_at), max(attempts) into v_found_at, v_attempts
    from sync_gap
    where relay_id = p_relay_id and filter_hash = p_filter_hash and int8range(since, until, '[]') && v_piece;

    perform sync_gap_subtract(p_relay_id, p_filter_hash, int8multirange(v_piece));
    insert into sync_gap (relay_id, filter_hash, since, until, reason, found_at, reported_at, attempts)
    values (p_relay_id, p_filter_hash, lower(v_piece), upper(v_piece) - 1, p_reason,
      coalesce(v_found_at, v_now), v_now, coalesce(v_attempts, 0) + 1);
  end loop;
end
$$;
comment on function sync_gap_add(int4, bytea, int8multirange, text) is 'Records ranges of a walk that could not be proven complete';

-- p_gaps: [{filterHash, since, until, reason}], each as sync_gap_add takes it.
create or replace function sync_gap_insert(p_relay_id int4, p_gaps jsonb) returns void
language sql
as $$
  select sync_gap_add(p_relay_id, decode("filterHash", 'hex'), int8multirange(int8range(since, until, '[]')), reason)
  from jsonb_to_recordset(p_gaps) as new ("filterHash" text, since int8, until int8, reason text)
$$;
comment on function sync_gap_insert(int4, jsonb) is 'Records what could not be proven complete';

-- p_coverage: [{filterHash, filter, since, until, method, strength}]. The newest proof of a second counts, and the
-- strongest of those that come together. Where the relay withholds what it lists nothing is covered: that is a gap.
create or replace function sync_coverage_advance(p_relay_id int4, p_coverage jsonb) returns void
language plpgsql
as $$
declare
  v_walk record;
  v_withheld int8multirange;
  v_ranges int8multirange;
begin
  for v_walk in
    select decode("filterHash", 'hex') as filter_hash, method, strength, (array_agg(filter))[1] as filter,
      range_agg(int8range(since, until, '[]')) as ranges
    from jsonb_to_recordset(p_coverage) as new (
      "filterHash" text, filter jsonb, since int8, until int8, method text, strength text)
    group by 1, 2, 3
    order by 1, array_position(array['weak', 'paged', 'counted', 'reconciled'], strength),
      array_position(array['live', 'empty-page', 'split', 'paging', 'count', 'finish', 'negentropy'], method)
  loop
    -- Each such gap as a whole, so that it does not fall into pieces.
    select coalesce(range_agg(piece), '{}') into v_withheld
    from sync_withheld, unnest(withheld) as piece
    where relay_id = p_relay_id and filter_hash = v_walk.filter_hash and piece && v_walk.ranges;
    v_ranges := v_walk.ranges - v_withheld;
    -- Wanted only by who says so: a sync of once, by hand, is not to be kept up.
    insert into sync_coverage as c (relay_id, filter_hash, filter, covered, wanted, updated_at)
    values (p_relay_id, v_walk.filter_hash, v_walk.filter, v_ranges, null, unix_now())
    on conflict (relay_id, filter_hash) do update
    set covered = c.covered + excluded.covered, updated_at = excluded.updated_at;

    if not isempty(v_ranges) then
      perform sync_proof_subtract(p_relay_id, v_walk.filter_hash, v_ranges);
      insert into sync_proof as p (relay_id, filter_hash, method, strength, covered)
      values (p_relay_id, v_walk.filter_hash, v_walk.method, v_walk.strength, v_ranges)
      on conflict (relay_id, filter_hash, method, strength) do update
      set covered = p.covered + excluded.covered;
      perform sync_gap_subtract(p_relay_id, v_walk.filter_hash, v_ranges);
    end if;
    if not isempty(v_withheld) then
      perform sync_gap_add(p_relay_id, v_walk.filter_hash, v_withheld, 'withheld');
    end if;
  end loop;
end
$$;
comment on function sync_coverage_advance(int4, jsonb) is 'Adds what is proven complete; call it in the transaction that stores the events';

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

-- Returns what was covered of these ranges.
create or replace function sync_coverage_subtract(p_relay_id int4, p_filter_hash bytea, p_ranges int8multirange)
returns int8multirange
language plpgsql
as $$
declare
  v_taken int8multirange := '{}';
begin
  select covered * p_ranges into v_taken
  from sync_coverage
  where relay_id = p_relay_id and filter_hash = p_filter_hash and covered && p_ranges
  for update;
  if not found then
    return '{}';
  end if;
  update sync_coverage set covered = covered - v_taken, updated_at = unix_now()
  where relay_id = p_relay_id and filter_hash = p_filter_hash;
  perform sync_proof_subtract(p_relay_id, p_filter_hash, v_taken);
  return v_taken;
end
$$;
comment on function sync_coverage_subtract(int4, bytea, int8multirange) is 'Takes coverage back with its proofs; returns what was covered';

-- p_windows: [{since, until}].
create or replace function sync_coverage_retract(p_relay_id int4, p_filter_hash text, p_windows jsonb) returns void
language sql
as $$
  select sync_coverage_subtract(p_relay_id, decode(p_filter_hash, 'hex'), range_agg(int8range(since, until, '[]')))
  from jsonb_to_recordset(p_windows) as new (since int8, until int8)
$$;
comment on function sync_coverage_retract(int4, text, jsonb) is 'Takes coverage back: these windows are wanted again';

-- Everything that rests on one of these methods becomes a gap of that reason, in all walks of the relay.
create or replace function sync_coverage_retract_all(p_relay_id int4, p_methods text[], p_reason text)
returns table (filter_hash bytea, retracted int8multirange)
language plpgsql
as $$
declare
  v_walk record;
begin
  for v_walk in
    select p.filter_hash, range_agg(piece) as ranges
    from sync_proof p, unnest(p.covered) as piece
    where p.relay_id = p_relay_id and p.method = any (p_methods)
    group by 1 order by 1
  loop
    perform sync_gap_add(p_relay_id, v_walk.filter_hash, v_walk.ranges, p_reason);
    filter_hash := v_walk.filter_hash;
    retracted := v_walk.ranges;
    return next;
  end loop;
end
$$;
comment on function sync_coverage_retract_all(int4, text[], text) is 'Takes back everything that rests on some methods; returns what that was';

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
returns table (method text, strength text, since int8, until int8)
language sql stable
as $$
  select method, strength, lower(piece), upper(piece) - 1
  from sync_proof, unnest(covered) as piece
  where relay_id = p_relay_id and filter_hash = decode(p_filter_hash, 'hex')
  order by 3
$$;
comment on function sync_proof_get(int4, text) is 'Windows proven complete, what proved them and how strongly, ascending';

-- p_filter_hashes: array of text. Windows that a sync has walked since are proven by something else, and not given.
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
-- nothing else. Writes only what is new.
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

create or replace function sync_seconds_count(p_ranges int8multirange) returns int8
language sql immutable strict parallel safe
as $$ select coalesce(sum(upper(piece) - lower(piece)), 0)::int8 from unnest(p_ranges) as piece $$;
comment on function sync_seconds_count(int8multirange) is 'How many seconds these ranges have';

-- Shares are of the time since there are events (November 2020): fifty years in which there were none are soon proven,
-- and say nothing. Unless only time before it is wanted.
create or replace function sync_counted_range(p_wanted int8range, p_now int8) returns int8range
language sql immutable parallel safe
as $$
  select int8range(since, greatest(since, least(upper(p_wanted), p_now)))
  from (
    select case when upper(p_wanted) <= 1604188800 then lower(p_wanted)
      else greatest(lower(p_wanted), 1604188800) end as since) as counted
$$;
comment on function sync_counted_range(int8range, int8) is 'The part of what is wanted of which shares are given';

-- p_seconds: {strength: seconds}, or null for none. Returns {reconciled, counted, paged, weak}, which are 1 together, or
-- 0 each.
create or replace function sync_strength_shares(p_seconds jsonb) returns jsonb
language sql immutable parallel safe
as $$
  select jsonb_object_agg(strength, coalesce(round(seconds / nullif(total, 0), 6), 0))
  from (
    select strength, (p_seconds ->> strength)::numeric as seconds, sum((p_seconds ->> strength)::numeric) over () as total
    from unnest(array['reconciled', 'counted', 'paged', 'weak']) as strength
  ) as measured
$$;
comment on function sync_strength_shares(jsonb) is 'Seconds by strength as shares of all of them';

-- p_walks: [{filterHash, since, until}], until null for no bound. Returns {reconciled, counted, paged, weak}: shares of
-- what is proven of the time wanted.
create or replace function sync_proof_share(p_relay_id int4, p_walks jsonb) returns jsonb
language sql stable
as $$
  select sync_strength_shares(jsonb_object_agg(strength, seconds))
  from (
    select strength, sum(sync_seconds_count(
      covered * int8multirange(sync_counted_range(int8range(since, until, '[]'), unix_now())))) as seconds
    from jsonb_to_recordset(p_walks) as walk ("filterHash" text, since int8, until int8)
      join sync_proof p on p.relay_id = p_relay_id and p.filter_hash = decode("filterHash", 'hex')
    group by 1
  ) as by_strength
$$;
comment on function sync_proof_share(int4, jsonb) is 'How strongly walks of a relay are proven, as shares of what is proven';
