-- Witnesses: events that a relay was seen to hold, and so has to show again.

-- Whether an honest relay still has an event that it gave once. It drops what is replaced, ephemeral or expired, what
-- its author deletes (NIP-09) and what authors take with them (NIP-62); deletions themselves it may not keep. An author
-- who has deleted more than 200 times since is no witness, and in a lite archive none who has deleted at all.
create or replace function event_is_lasting(p_created_at int8, p_id bytea, p_kind int4, p_pubkey bytea, p_tags jsonb)
returns boolean
language plpgsql stable
as $$
begin
  return p_kind not in (0, 3, 5, 62) and p_kind not between 10000 and 39999
    and (p_tags @> '[["expiration"]]') is not true
    and not exists (
      select from event where pubkey = p_pubkey and kind = 62 and created_at >= p_created_at)
    and not coalesce((
      select count(*) > 200 or bool_or(tags is null or tags @> jsonb_build_array(jsonb_build_array('e', encode(p_id, 'hex'))))
      from (
        select tags from event where pubkey = p_pubkey and kind = 5 and created_at >= p_created_at
        order by created_at limit 201
      ) as deletion), false);
end
$$;
comment on function event_is_lasting(int8, bytea, int4, bytea, jsonb) is 'Whether an honest relay that gave an event once still has it';

-- p_filter: {kinds, authors, "#x"}, the rest of a NIP-01 filter; what is null in the result selects everything.
create or replace function event_filter_parse(
  p_filter jsonb, out kinds int4[], out authors bytea[], out tags jsonb, out can_tell boolean)
language plpgsql stable
as $$
begin
  select jsonb_object_agg(substr(key, 2), value) into tags from jsonb_each(p_filter) where key like '#_';
  if p_filter ? 'kinds' then
    kinds := array(select kind::int4 from jsonb_array_elements_text(p_filter -> 'kinds') as kind);
  end if;
  if p_filter ? 'authors' then
    authors := array(select decode(author, 'hex') from jsonb_array_elements_text(p_filter -> 'authors') as author);
  end if;
  can_tell := not p_filter ?| array['ids', 'search'] and (tags is null or archive_edition() = 'full');
end
$$;
comment on function event_filter_parse(jsonb) is 'The parts of a filter, and whether the archive can tell what it selects';

-- Keys of sightings on from a key, one way or the other; p_limit at most. Pages are read as they are needed: each look-up
-- depends on the row before it, which keeps rows in order and lets a limit end it early.
create or replace function sighting_before(p_relay_id int4, p_lower bytea, p_upper bytea, p_limit int4)
returns setof bytea
language sql stable rows 100
as $$
  select key
  from (
    select keys from sighting_runs(p_relay_id, p_lower, p_upper) order by first_key desc) as p
  cross join lateral (
    select substr(keys, 40 * i + 1, 40) as key from generate_series(octet_length(keys) / 40 - 1, 0, -1) as i) as k
  where key < p_upper and key >= p_lower
  limit p_limit
$$;
comment on function sighting_before(int4, bytea, bytea, int4) is 'Keys of sightings of a relay from p_lower on and before p_upper, the newest first';

create or replace function sighting_after(p_relay_id int4, p_key bytea, p_limit int4) returns setof bytea
language sql stable rows 100
as $$
  select key
  from (
    select keys from sighting_runs(p_relay_id, p_key, '\xff') order by first_key) as p
  cross join lateral sighting_keys(keys) as key
  where key >= p_key
  limit p_limit
$$;
comment on function sighting_after(int4, bytea, int4) is 'Keys of sightings of a relay from a key on, the oldest first';

-- Whether a sighted event is one that the filter selects and that is not gone, and whether it is lasting; null if not.
create or replace function event_relay_stands(
  p_relay_id int4, p_key bytea, p_filter_hashes bytea[], p_kinds int4[], p_authors bytea[], p_tags jsonb)
returns boolean
language sql stable
as $$
  select event_is_lasting(e.created_at, e.id, e.kind, e.pubkey, e.tags)
  from event e
  where e.created_at = sighting_time(p_key) and e.id = substr(p_key, 9)
    and (p_kinds is null or e.kind = any (p_kinds))
    and (p_authors is null or e.pubkey = any (p_authors))
    and (p_tags is null or event_has_tags(e.tags, p_tags))
    and not exists (
      select from relay_listing l
      where l.relay_id = p_relay_id and l.filter_hash = any (p_filter_hashes) and l.state = 'gone'
        and l.created_at = e.created_at and l.event_id = e.id)
  limit 1
$$;
comment on function event_relay_stands(int4, bytea, bytea[], int4[], bytea[], jsonb) is 'Whether a sighting that a filter selects is lasting; null when it does not select it';

-- Sightings next to a moment: the newest p_below at p_at or before it, and the oldest p_above after it, none left out in
-- between. 8 bytes of created_at, 32 of id and one that is 1 when the event is lasting, each, ascending, as base64.
-- Looks at 5 000 sightings each way at most, so that there may be fewer than there are. Null when the archive cannot tell
-- what the filter selects.
create or replace function event_relay_near(
  p_relay_id int4, p_filter_hash text, p_filter jsonb, p_at int8, p_below int4, p_above int4)
returns text
language plpgsql stable
as $$
declare
  v_filter record;
  v_hashes bytea[];
  v_near text;
begin
  v_filter := event_filter_parse(p_filter);
  if not v_filter.can_tell then
    return null;
  end if;
  -- Events gone from one list are gone from all.
  v_hashes := array(select filter_hash from sync_coverage where relay_id = p_relay_id) || decode(p_filter_hash, 'hex');
  with below as (
    select key, is_lasting
    from sighting_before(p_relay_id, '', sighting_key(p_at + 1), 5000) as key
    cross join lateral (select event_relay_stands(
      p_relay_id, key, v_hashes, v_filter.kinds, v_filter.authors, v_filter.tags) as is_lasting offset 0) as sighting
    where is_lasting is not null
    limit p_below
  ), above as (
    select key, is_lasting
    from sighting_after(p_relay_id, sighting_key(p_at + 1), 5000) as key
    cross join lateral (select event_relay_stands(
      p_relay_id, key, v_hashes, v_filter.kinds, v_filter.authors, v_filter.tags) as is_lasting offset 0) as sighting
    where is_lasting is not null
    limit p_above
  )
  select encode(string_agg(
    key || case when is_lasting then '\x01'::bytea else '\x00'::bytea end, '' order by key), 'base64')
  into v_near
  from (select * from below union all select * from above) as near;
  return coalesce(v_near, '');
end
$$;
comment on function event_relay_near(int4, text, jsonb, int8, int4, int4) is 'Sightings of a relay next to a moment, and which of them must last; null when the archive cannot tell';

-- How many events of a window a relay was seen to hold, less those that are gone. Null when the archive cannot tell what
-- the filter selects, or not by looking at 100 000 sightings, or where an event was forgotten: the relay may still count it.
create or replace function event_relay_sighted(
  p_relay_id int4, p_filter_hash text, p_filter jsonb, p_since int8, p_until int8)
returns int8
language plpgsql stable
as $$
declare
  v_filter record;
  v_filter_hash bytea := decode(p_filter_hash, 'hex');
  v_sighted int8;
begin
  v_filter := event_filter_parse(p_filter);
  if not v_filter.can_tell or exists (
    select from forgotten_event where created_at between p_since and p_until)
  then
    return null;
  end if;
  v_sighted := event_relay_count(p_relay_id, jsonb_build_array(jsonb_build_object('since', p_since, 'until', p_until)));
  if p_filter = '{}' then
    return v_sighted - (
      select count(*) from relay_listing
      where relay_id = p_relay_id and filter_hash = v_filter_hash and state = 'gone'
        and created_at between p_since and p_until);
  end if;
  if v_sighted > 100000 then
    return null;
  end if;
  return (
    select count(*)
    from relay_events(p_relay_id, p_since, p_until) as s
    cross join lateral (
      select from event e
      where e.created_at = s.created_at and e.id = s.event_id
        and (v_filter.kinds is null or e.kind = any (v_filter.kinds))
        and (v_filter.authors is null or e.pubkey = any (v_filter.authors))
        and (v_filter.tags is null or event_has_tags(e.tags, v_filter.tags))
      limit 1) as matched
    where not exists (
      select from relay_listing l
      where l.relay_id = p_relay_id and l.filter_hash = v_filter_hash and l.state = 'gone'
        and l.created_at = s.created_at and l.event_id = s.event_id));
end
$$;
comment on function event_relay_sighted(int4, text, jsonb, int8, int8) is 'How many events of a window a relay was seen to hold; null when the archive cannot tell';

-- p_kind: null for all. Looks at the newest 20 000 sightings of the window at most.
create or replace function event_relay_authors(
  p_relay_id int4, p_since int8, p_until int8, p_kind int4, p_limit int4)
returns table (pubkey text, events int4)
language sql stable
as $$
  select encode(author, 'hex'), count(*)::int4
  from sighting_before(p_relay_id, sighting_key(p_since), sighting_key(p_until + 1), 20000) as key
  cross join lateral (
    select e.pubkey as author from event e
    where e.created_at = sighting_time(key) and e.id = substr(key, 9) and (p_kind is null or e.kind = p_kind)
    limit 1) as found
  group by author
  order by count(*) desc, author
  limit p_limit
$$;
comment on function event_relay_authors(int4, int8, int8, int4, int4) is 'Authors of the events that a relay was seen to hold in a window, the most frequent first';
