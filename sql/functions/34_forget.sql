-- Forgetting: authors and events that are deleted for good, and refused by every writer ever after.

create or replace function forgotten_any() returns boolean
language sql stable
as $$ select exists (select from forgotten_author) or exists (select from forgotten_event) $$;
comment on function forgotten_any() is 'Whether anything is forgotten; in most archives nothing is';

-- A batch as event_insert has it, without what is forgotten. What is refused for its author is known by its id from now
-- on: it gets no sighting, and is not fetched from a list of ids. To a walk and its audit it is an event that is not
-- archived, as one whose signature is wrong: neither a gap nor news.
create or replace function forgotten_refuse(
  inout p_keys bytea, inout p_created_at int8[], inout p_kinds int4[], inout p_tags jsonb, inout p_contents jsonb,
  inout p_raw jsonb)
language plpgsql
as $$
declare
  v_left int4[];
begin
  with batch as materialized (
    select created_at, kind, i::int4, substr(p_keys, i::int4 * 128 - 127, 32) as id,
      substr(p_keys, i::int4 * 128 - 95, 32) as pubkey
    from unnest(p_created_at, p_kinds) with ordinality as batch (created_at, kind, i)
  ), judged as materialized (
    select b.*, exists (select from forgotten_event f where f.id = b.id) as is_forgotten, exists (
      select from forgotten_author f
      -- A request to vanish says until when, and may itself stay.
      where f.pubkey = b.pubkey and f.until >= b.created_at and (b.kind <> 62 or f.cause = 'operator')) as is_refused
    from batch b
  ), noted as (
    insert into forgotten_event as f (created_at, id)
    select distinct on (id) created_at, id from judged where is_forgotten or is_refused order by id
    on conflict (id) do update set created_at = excluded.created_at where f.created_at is null
  )
  select coalesce(array_agg(i order by i), '{}') into v_left from judged where not is_forgotten and not is_refused;
  if cardinality(v_left) = cardinality(p_created_at) then
    return;
  end if;
  select string_agg(substr(p_keys, i * 128 - 127, 128), '' order by i), array_agg(p_created_at[i] order by i),
    array_agg(p_kinds[i] order by i), jsonb_agg(p_tags -> (i - 1) order by i), jsonb_agg(p_contents -> (i - 1) order by i),
    jsonb_object_agg(place - 1, p_raw -> (i - 1)::text) filter (where p_raw ? (i - 1)::text)
  into p_keys, p_created_at, p_kinds, p_tags, p_contents, p_raw
  from unnest(v_left) with ordinality as t (i, place);
  if p_keys is null then
    p_keys := '';
    p_created_at := '{}';
    p_kinds := '{}';
    p_tags := '[]';
    p_contents := '[]';
  end if;
end
$$;
comment on function forgotten_refuse(bytea, int8[], int4[], jsonb, jsonb, jsonb) is 'A batch of events without those that are forgotten';

-- p_ids: 32 bytes each.
create or replace function forgotten_leave_out(inout p_created_at int8[], inout p_ids bytea)
language sql stable
as $$
  select coalesce(array_agg(created_at order by i), '{}'), coalesce(string_agg(id, '' order by i), '')
  from (
    select created_at, i, substr(p_ids, i::int4 * 32 - 31, 32) as id
    from unnest(p_created_at) with ordinality as batch (created_at, i)
  ) as key
  where not exists (select from forgotten_event f where f.id = key.id)
$$;
comment on function forgotten_leave_out(int8[], bytea) is 'Keys without those of events that are forgotten';

-- p_pubkeys, p_ids: 32 bytes each. From the commit on no writer stores anything of them; what is there is deleted page by
-- page after it. p_until: newest created_at of authors that is refused.
create or replace function forget_begin(p_pubkeys bytea, p_ids bytea, p_until int8, p_cause text) returns void
language plpgsql
as $$
begin
  -- Waits for writers that have not seen it.
  perform archive_unreferenced();
  insert into forgotten_author as f (until, forgotten_at, pubkey, cause)
  select distinct p_until, unix_now(), substr(p_pubkeys, i * 32 + 1, 32), p_cause
  from generate_series(0, octet_length(p_pubkeys) / 32 - 1) as i
  on conflict (pubkey) do update
  set until = greatest(f.until, excluded.until), is_done = false,
    cause = case when 'operator' in (f.cause, excluded.cause) then 'operator' else 'vanish' end;
  insert into forgotten_event (id)
  select distinct substr(p_ids, i * 32 + 1, 32) from generate_series(0, octet_length(p_ids) / 32 - 1) as i
  on conflict do nothing;
end
$$;
comment on function forget_begin(bytea, bytea, int8, text) is 'Refuses authors and events from now on';

-- Authors that asked to vanish where we are, and are not forgotten yet: forgotten from now on. Returns their number.
create or replace function forget_vanished(p_own_url text) returns int4
language plpgsql
as $$
declare
  v_author record;
  v_begun int4 := 0;
begin
  for v_author in
    select v.pubkey, max(v.until) as until
    from event_vanish v
    where v.relay in ('ALL_RELAYS', p_own_url)
      and not exists (select from forgotten_author f where f.pubkey = v.pubkey and f.until >= v.until)
    group by v.pubkey
    order by v.pubkey
  loop
    perform forget_begin(v_author.pubkey, '', v_author.until, 'vanish');
    v_begun := v_begun + 1;
  end loop;
  return v_begun;
end
$$;
comment on function forget_vanished(text) is 'Refuses authors who asked to vanish, up to when they asked; returns their number';

-- Of one author or one event: what would be deleted.
create or replace function forget_count(p_pubkey bytea, p_id bytea, out events int8, out sightings int8)
language sql stable
as $$
  select count(*), coalesce(sum(seen), 0)
  from event e cross join lateral (select count(*) as seen from event_relays(e.id)) as sighting
  where e.pubkey = p_pubkey or e.id = p_id
$$;
comment on function forget_count(bytea, bytea) is 'Events and sightings of an author, or of one event';

-- Sightings of events that are being deleted. p_ids: array of ids. Returns their number.
create or replace function forget_sightings(p_ids bytea[]) returns int4
language plpgsql
as $$
declare
  v_relay record;
  v_deleted int4 := 0;
begin
  for v_relay in
    select deleted.*
    from (
      select array_agg(created_at) as created_at, string_agg(id, '') as ids from event where id = any (p_ids)) as e
    cross join lateral event_relay_delete(e.created_at, e.ids) as deleted
    where e.ids is not null
  loop
    perform sighting_fact_add(-1, v_relay.relay_id, v_relay.keys);
    v_deleted := v_deleted + octet_length(v_relay.keys) / 40;
  end loop;
  return v_deleted;
end
$$;
comment on function forget_sightings(bytea[]) is 'Deletes the sightings of events; returns their number';

-- Deletes up to p_limit of the events that are forgotten: of an author, or one by its id. Returns how many events and
-- sightings; fewer events than p_limit were the last.
create or replace function forget_page(p_pubkey bytea, p_id bytea, p_limit int4, out events int4, out sightings int4)
language plpgsql
as $$
declare
  v_ids bytea[];
  v_created_at int8[];
  v_kinds int4[];
  v_keys bytea;
begin
  perform archive_unreferenced();
  v_ids := array(
    select e.id from event e
    where e.id = p_id
      or e.pubkey = p_pubkey and exists (
        select from forgotten_author f
        where f.pubkey = p_pubkey and f.until >= e.created_at and (e.kind <> 62 or f.cause = 'operator'))
    limit p_limit);
  sightings := forget_sightings(v_ids);
  delete from event_deletion d
  using event e, event_deletion_targets(e.pubkey, e.created_at, e.tags) as t
  where p_pubkey is not null and e.id = any (v_ids) and e.kind = 5 and d.target = t.target and d.pubkey = e.pubkey;
  with gone as (
    delete from event e where e.id = any (v_ids) returning e.created_at, e.kind, e.id, e.pubkey, e.tags
  ), kept as (
    insert into deleted_event (created_at, id, tags)
    select created_at, id, tags from gone
    where tags is not null and kind_is_asserted(kind) and deleted_event_wanted()
    order by created_at, id
    on conflict do nothing
  ), without_raw as (
    delete from event_raw r using gone g where r.created_at = g.created_at and r.id = g.id
  ), unlisted as (
    delete from relay_listing l using gone g
    where l.created_at = g.created_at and l.event_id = g.id and l.state = 'gone'
  ), noted as (
    insert into forgotten_event as f (created_at, id)
    select created_at, id from gone order by id
    on conflict (id) do update set created_at = excluded.created_at where f.created_at is null
  )
  select array_agg(created_at), array_agg(kind), string_agg(id || pubkey, '')
  into v_created_at, v_kinds, v_keys
  from gone;
  events := coalesce(cardinality(v_created_at), 0);
  perform fact_add(-1, null, v_created_at, v_kinds, v_keys);
  -- Samples of what was refused may hold it, too.
  if events < p_limit then
    delete from rejected_event
    where event_id = p_id or event_id = any (v_ids)
      or strpos(raw, encode(coalesce(p_pubkey, p_id), 'hex')) > 0;
    delete from event_vanish v using forgotten_author f
    where v.pubkey = p_pubkey and f.pubkey = p_pubkey and f.cause = 'operator';
    update forgotten_author set is_done = true where pubkey = p_pubkey;
  end if;
end
$$;
comment on function forget_page(bytea, bytea, int4) is 'Deletes some of the events that are forgotten; returns how many, with their sightings';

create or replace function forget_unfinished() returns table (pubkey text)
language sql stable
as $$ select encode(f.pubkey, 'hex') from forgotten_author f where not f.is_done order by f.pubkey $$;
comment on function forget_unfinished() is 'Authors of whom something may still be there';

create or replace function forget_type(p_key bytea) returns text
language sql stable
as $$
  select case
    when exists (select from event where id = p_key) then 'event'
    when exists (select from event where pubkey = p_key) then 'author' end
$$;
comment on function forget_type(bytea) is 'event when it is the id of one, author when it is the key of one, else null';
