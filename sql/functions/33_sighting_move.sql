-- Moves sightings that are still rows into pages: sighting_unmoved, which an archive of before 0035_sighting_page.sql has.

-- Moves up to p_limit sightings of one relay, on from where the last step ended; the last step of all drops what was moved.
-- A step is a transaction, under the lock of migrations: so it can be broken off and gone on with at any time, and costs
-- the same however many there are. Returns how many are moved of how many (the server's estimate); no row when there is
-- nothing to move.
create or replace function sighting_move(p_limit int4) returns table (moved int8, total int8)
language plpgsql
as $$
#variable_conflict use_column
declare
  v_at record;
  v_relay_id int4;
  v_keys bytea[];
  v_seen int8[];
begin
  if not exists (
    select from pg_class where relname = 'sighting_unmoved' and relnamespace = current_schema()::regnamespace)
  then
    return;
  end if;
  select * into strict v_at from sighting_move;
  select relay_id into v_relay_id from sighting_unmoved
  where (relay_id, created_at, event_id) > (v_at.relay_id, v_at.created_at, v_at.event_id)
  order by relay_id, created_at, event_id limit 1;
  if v_relay_id is null then
    drop table sighting_unmoved, sighting_move;
    return;
  end if;

  perform sync_lock(v_relay_id);
  select array_agg(sighting_key(created_at, event_id) order by created_at, event_id),
    array_agg(seen_at order by created_at, event_id)
  into v_keys, v_seen
  from (
    select created_at, event_id, seen_at from sighting_unmoved
    where relay_id = v_relay_id
      and (relay_id, created_at, event_id) > (v_at.relay_id, v_at.created_at, v_at.event_id)
    order by relay_id, created_at, event_id limit p_limit) as step;

  if exists (select from sighting_pages(v_relay_id, v_keys[1], v_keys[cardinality(v_keys)] || '\x00'))
    or exists (
      select from sighting_log where relay_id = v_relay_id and key >= v_keys[1] and key <= v_keys[cardinality(v_keys)])
  then
    -- Somebody wrote there meanwhile.
    perform sighting_insert(v_relay_id, seen_at, array_agg(key order by key))
    from unnest(v_keys, v_seen) as step (key, seen_at) group by seen_at;
  else
    insert into sighting_page (first_seen_at, last_seen_at, sum_0, sum_1, sum_2, sum_3, sum_4, sum_5, sum_6, sum_7,
      relay_id, sightings, first_key, last_key, keys)
    select first_seen_at, last_seen_at, s.*, v_relay_id, octet_length(keys) / 40,
      substr(keys, 1, 40), substr(keys, octet_length(keys) - 39), keys
    from (
      select min(seen_at) as first_seen_at, max(seen_at) as last_seen_at, string_agg(key, '' order by i) as keys
      from rows from (unnest(v_keys), unnest(v_seen)) with ordinality as step (key, seen_at, i)
      group by (i - 1) / 96) as page
    cross join lateral sighting_sums(keys) as s;
  end if;

  return query
  update sighting_move m
  set moved = m.moved + cardinality(v_keys), relay_id = v_relay_id,
    created_at = sighting_time(v_keys[cardinality(v_keys)]), event_id = substr(v_keys[cardinality(v_keys)], 9)
  returning m.moved, greatest(m.total, m.moved);
end
$$;
comment on function sighting_move(int4) is 'Moves sightings of an older schema into pages, a step at a time; returns how far it is';
