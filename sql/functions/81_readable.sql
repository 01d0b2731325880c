-- The archive for people with SQL (docs/data.md). In these views `…_at` stays what the tables have, Unix seconds that
-- have indexes, and `…_time` is the same as a timestamp, to be read: conditions belong on the former, with unix().

-- What a view shows to be read is computed only where a query asks for it: 30 npub() take a millisecond.
create or replace view event_readable as
select from_unix(created_at) as created_time, hex(id) as id_hex, npub(pubkey) as npub, hex(pubkey) as pubkey_hex,
  kind, content, tags, from_unix(seen_at) as seen_time, id, pubkey, created_at, seen_at, sig
from event;
comment on view event_readable is
  'Events with timestamps, hex and npub to be read; id, pubkey, kind and created_at have the indexes of event';

create or replace view event_relay_readable as
select from_unix(s.created_at) as created_time, from_unix(s.seen_at) as seen_time, r.url as relay_url, r.network,
  hex(s.event_id) as event_id_hex, s.event_id, s.relay_id, s.created_at, s.seen_at
from event_relay s join relay r on r.id = s.relay_id;
comment on view event_relay_readable is
  'Sightings with the URL of their relay, which has an index; for one event or a time: event_relays(), relay_events()';

create or replace view relay_readable as
select r.url, r.network, r.host, r.domain, from_unix(r.discovered_at) as discovered_time, s.online,
  from_unix(s.since) as since_time, from_unix(s.last_checked_at) as last_checked_time,
  from_unix(s.last_online_at) as last_online_time, c.open_ms, c.read_ms, c.write_ms, c.failure, r.id as relay_id
from relay r
left join relay_state s on s.relay_id = r.id
-- A look-up a relay, and not a join: the planner would read all checks there are for it.
left join lateral (
  select open_ms, read_ms, write_ms, failure from relay_check
  where relay_id = s.relay_id and checked_at = s.last_checked_at
  limit 1
) as c on true;
comment on view relay_readable is 'Relays, where each stands (online since when, or offline), and the numbers of its last check';

create or replace view relay_check_readable as
select from_unix(c.checked_at) as checked_time, r.url as relay_url, c.online, c.open_ms, c.read_ms, c.write_ms, c.failure,
  c.relay_id, c.checked_at
from relay_check c join relay r on r.id = c.relay_id;
comment on view relay_check_readable is 'Checks with the URL of their relay; relay_url has an index, checked_at one beside it';

create or replace view sync_proof_readable as
select r.url as relay_url, c.filter, from_unix(lower(proven)) as since_time, from_unix(upper(proven) - 1) as until_time,
  p.strength, p.method, lower(proven) as since, upper(proven) - 1 as until, p.relay_id
from sync_proof p
join sync_coverage c using (relay_id, filter_hash)
join relay r on r.id = p.relay_id
cross join unnest(p.covered) as proven;
comment on view sync_proof_readable is
  'Windows of created_at (both ends included) in which a relay''s events are archived and proven complete, and by what';

create or replace view sync_gap_readable as
select r.url as relay_url, c.filter, from_unix(g.since) as since_time, from_unix(g.until) as until_time, g.reason,
  from_unix(g.found_at) as found_time, g.attempts, g.since, g.until, g.relay_id
from sync_gap g
join sync_coverage c using (relay_id, filter_hash)
join relay r on r.id = g.relay_id;
comment on view sync_gap_readable is
  'Windows of created_at (both ends included) in which events of a relay may be missing, and why';

create or replace function tag_values(p_tags jsonb, p_name text) returns setof text
language sql immutable parallel safe
as $$ select tag ->> 1 from jsonb_array_elements(p_tags) as tag where tag ->> 0 = p_name $$;
comment on function tag_values(jsonb, text) is 'Values of the tags of this name, in order';

create or replace function tag_value(p_tags jsonb, p_name text) returns text
language sql immutable parallel safe
as $$
  select tag ->> 1
  from jsonb_array_elements(p_tags) with ordinality as tags (tag, i)
  where tag ->> 0 = p_name
  order by i
  limit 1
$$;
comment on function tag_value(jsonb, text) is 'Value of the first tag of this name';

-- Raises for a name that the tag index does not know: no answer is better than an empty one that is wrong.
create or replace function event_tag_lookups(p_name text, p_value text, p_since timestamptz, p_until timestamptz)
returns int8[]
language plpgsql stable parallel safe
as $$
begin
  if length(p_name) <> 1 then
    raise exception 'Cannot look up tags named "%": only names of one letter are indexed (NIP-01)', p_name
      using errcode = 'invalid_parameter_value',
        hint = 'Narrow events down by kind, author or time, and compare tag_value(tags, name)';
  end if;
  return event_tag_probes(
    p_name, jsonb_build_array(p_value), coalesce(unix(p_since), 0), coalesce(unix(p_until), 9223372036854775807));
end
$$;
comment on function event_tag_lookups(text, text, timestamptz, timestamptz) is
  'Hashes that the tag index has a one-letter tag under, one for each 24 days of a time';

create or replace function archive_has_tags() returns boolean
language plpgsql stable parallel safe
as $$
begin
  if archive_edition() = 'lite' then
    raise exception 'Cannot look up tags: this archive is lite and keeps none'
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return true;
end
$$;
comment on function archive_has_tags() is 'True; raises in a lite archive, whose events have no tags';

-- Newest first. The planner puts this query into the one that calls it, so EXPLAIN shows it. It is to use the tag index
-- and no other: an index in the order of time would be read to its end for a value that is rare. Hence the `+ 0`.
create or replace function events_by_tag(
  p_name text, p_value text, p_kinds int4[] default null, p_since timestamptz default null,
  p_until timestamptz default null, p_limit int8 default null)
returns setof event_readable
language sql stable parallel safe
as $$
  select *
  from event_readable
  where (select archive_has_tags())
    and tags is not null
    and event_tag_hashes(created_at, tags) && event_tag_lookups(p_name, p_value, p_since, p_until)
    and p_value in (select tag_values(tags, p_name))
    and (p_kinds is null or kind + 0 = any (p_kinds))
    and (p_since is null or created_at + 0 >= unix(p_since))
    and (p_until is null or created_at + 0 <= unix(p_until))
  order by created_at + 0 desc, id
  limit p_limit
$$;
comment on function events_by_tag(text, text, int4[], timestamptz, timestamptz, int8) is
  'Events with a one-letter tag of this name and value, newest first: events_by_tag(''t'', ''bitcoin'', p_limit => 100)';
