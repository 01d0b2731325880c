-- Events. Batches come packed: ids, keys and signatures as one bytea with a fixed stride, since one
-- substr costs less than one element of an array; tags and contents as one JSON array each.

-- p_ids: 32 bytes each. Returns one character an event, in order: 1 archived, 0 not.
create or replace function event_known(p_created_at int8[], p_ids bytea) returns text
language plpgsql stable
as $$
begin
  -- The limit keeps the planner from reading the table as a whole because the batch looks large to it.
  return (
    select coalesce(string_agg(coalesce(found.flag, '0'), '' order by i), '')
    from unnest(p_created_at) with ordinality as wanted (created_at, i)
    left join lateral (
      select '1' as flag from event e
      where e.created_at = wanted.created_at and e.id = substr(p_ids, i::int4 * 32 - 31, 32)
      limit 1
    ) as found on true);
end
$$;
comment on function event_known(int8[], bytea) is 'Which of these events are archived: 1 or 0 each';

-- p_keys: id, pubkey and sig of each event, 32 + 32 + 64 bytes. p_tags, p_contents: JSON arrays with one element an
-- event. p_raw: {"position from 0": "exact JSON"} of those PostgreSQL cannot hold, or null.
-- Returns the number of new events; those that are there are left alone, and forgotten ones refused. A lite archive keeps
-- no sig, tags, content.
create or replace function event_insert(
  p_keys bytea, p_created_at int8[], p_kinds int4[], p_tags jsonb, p_contents jsonb, p_raw jsonb, p_seen_at int8)
returns int4
language plpgsql
as $$
declare
  v_lite boolean := archive_edition() = 'lite';
  v_inserted int4;
  v_created_at int8[];
  v_kinds int4[];
  v_keys bytea;
begin
  -- Also for an import: what is being forgotten must not come in beside it.
  perform archive_reference();
  if forgotten_any() then
    select * into p_keys, p_created_at, p_kinds, p_tags, p_contents, p_raw
    from forgotten_refuse(p_keys, p_created_at, p_kinds, p_tags, p_contents, p_raw);
  end if;

  with new as (
    insert into event (created_at, seen_at, kind, id, pubkey, sig, tags, content)
    select created_at, p_seen_at, kind,
      substr(p_keys, i::int4 * 128 - 127, 32) as id,
      substr(p_keys, i::int4 * 128 - 95, 32),
      case when not v_lite then substr(p_keys, i::int4 * 128 - 63, 64) end,
      case when not v_lite then tags end,
      case when not v_lite then content end
    from rows from (
      unnest(p_created_at), unnest(p_kinds), jsonb_array_elements(p_tags), jsonb_array_elements_text(p_contents)
    ) with ordinality as batch (created_at, kind, tags, content, i)
    -- Every writer sorts alike, so none waits for another in a circle. By id and not by time, because a run in the order of
    -- the key through the middle of the index splits its pages in halves that stay half empty: 131 bytes an entry of such
    -- an index instead of 102, measured.
    order by id
    on conflict do nothing
    returning event.created_at, event.kind, event.id, event.pubkey
  )
  select count(*), array_agg(created_at), array_agg(kind), string_agg(id || pubkey, '')
  into v_inserted, v_created_at, v_kinds, v_keys
  from new;

  if p_raw is not null and not v_lite then
    insert into event_raw (created_at, id, raw)
    select p_created_at[position::int4 + 1], substr(p_keys, position::int4 * 128 + 1, 32) as id, json
    from jsonb_each_text(p_raw) as exact (position, json)
    order by 1, 2
    on conflict do nothing;
  end if;
  perform event_request_add(p_keys, p_created_at, p_kinds, p_tags);
  perform fact_add(1, null, v_created_at, v_kinds, v_keys);
  return v_inserted;
end
$$;
comment on function event_insert(bytea, int8[], int4[], jsonb, jsonb, jsonb, int8) is 'Stores events; returns the number of new ones';

-- The ids alone: 32 of each 128 bytes.
create or replace function event_ids(p_keys bytea) returns bytea
language sql immutable strict parallel safe
as $$
  select coalesce(string_agg(substr(p_keys, i * 128 + 1, 32), ''::bytea order by i), ''::bytea)
  from generate_series(0, octet_length(p_keys) / 128 - 1) as i
$$;
comment on function event_ids(bytea) is 'The ids of packed id, pubkey and sig';

-- Holds off the deletion of orphans, and raises when one of these events is neither stored nor forgotten: a sighting must
-- have its event.
create or replace function event_require(p_created_at int8[], p_ids bytea) returns void
language plpgsql
as $$
declare
  v_missing int4;
begin
  perform archive_reference();
  if forgotten_any() then
    select * into p_created_at, p_ids from forgotten_leave_out(p_created_at, p_ids);
  end if;
  v_missing := length(replace(event_known(p_created_at, p_ids), '1', ''));
  if v_missing > 0 then
    raise exception 'Cannot record sightings as % of % events are not archived: fetch them again',
      v_missing, cardinality(p_created_at) using errcode = 'foreign_key_violation';
  end if;
end
$$;
comment on function event_require(int8[], bytea) is 'Raises unless all these events are archived; they stay so until the end of the transaction';

-- Looks at the p_limit events after a key and deletes those no relay was seen to hold. Returns the last key looked
-- at (null at the end) and how many were deleted.
create or replace function orphan_event_delete(
  p_after_created_at int8, p_after_id bytea, p_limit int4,
  out last_created_at int8, out last_id bytea, out deleted int4)
language plpgsql
as $$
declare
  v_created_at int8[];
  v_kinds int4[];
  v_keys bytea;
begin
  perform archive_unreferenced();
  with page as (
    select created_at, id from event
    where (created_at, id) > (p_after_created_at, p_after_id)
    order by created_at, id
    limit p_limit
  ), sighted as materialized (
    -- All sightings between the first and the last event, some pages a relay, and not one look-up an event and relay.
    select key
    from (
      select sighting_key(first.created_at, first.id) as lower, sighting_key(last.created_at, last.id || '\x00') as upper
      from (select * from page order by created_at, id limit 1) as first,
        (select * from page order by created_at desc, id desc limit 1) as last) as bounds
    cross join relay r
    -- `offset 0`: the planner cannot read all pages there are instead.
    cross join lateral (select keys from sighting_runs(r.id, lower, upper) offset 0) as p
    cross join lateral sighting_keys(p.keys) as key
    where key >= lower and key < upper
  ), orphan as (
    select created_at, id from page
    where not exists (select from sighted where key = sighting_key(created_at, id))
  ), without_raw as (
    delete from event_raw r using orphan o where r.created_at = o.created_at and r.id = o.id
  ), gone as (
    delete from event e using orphan o where e.created_at = o.created_at and e.id = o.id
    returning e.created_at, e.kind, e.id, e.pubkey, e.tags
  ), kept as (
    insert into deleted_event (created_at, id, tags)
    select created_at, id, tags from gone
    where tags is not null and kind_is_asserted(kind) and deleted_event_wanted()
    order by created_at, id
    on conflict do nothing
  ), facts as (
    select array_agg(created_at) as created_at, array_agg(kind) as kinds, string_agg(id || pubkey, '') as keys from gone
  )
  select edge.created_at, edge.id, facts.created_at, facts.kinds, facts.keys
  into last_created_at, last_id, v_created_at, v_kinds, v_keys
  from facts
  left join (select * from page order by created_at desc, id desc limit 1) as edge
    on (select count(*) from page) = p_limit;
  deleted := coalesce(cardinality(v_created_at), 0);
  perform fact_add(-1, null, v_created_at, v_kinds, v_keys);
end
$$;
comment on function orphan_event_delete(int8, bytea, int4) is 'Deletes events without a sighting among the next p_limit; returns where it stopped';
