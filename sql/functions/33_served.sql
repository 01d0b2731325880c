-- What may be served, decided here alone, by what the snapshot of the reader holds: a request that is committed counts at
-- once, whether what it is about came before, after or beside it.

create or replace function event_is_replaceable(p_kind int4) returns boolean
language sql immutable parallel safe
as $$ select p_kind in (0, 3) or p_kind between 10000 and 19999 $$;
comment on function event_is_replaceable(int4) is 'Whether only the newest event of an author and kind is current (NIP-01)';

create or replace function event_is_addressable(p_kind int4) returns boolean
language sql immutable parallel safe
as $$ select p_kind between 30000 and 39999 $$;
comment on function event_is_addressable(int4) is 'Whether only the newest event of an author, kind and d tag is current (NIP-01)';

-- What a deletion request (NIP-09) is about. Addresses of others are left out here; ids of others are told apart when
-- they are read, as they may come later.
create or replace function event_deletion_targets(p_pubkey bytea, p_created_at int8, p_tags jsonb)
returns table (target bytea, until int8)
language sql immutable
as $$
  select decode(tag ->> 1, 'hex'), 9223372036854775807
  from jsonb_array_elements(p_tags) as tag
  where tag ->> 0 = 'e' and tag ->> 1 ~ '^[0-9a-f]{64}$'
  union
  select event_address(kind, p_pubkey, case when kind between 30000 and 39999 then identifier else '' end), p_created_at
  from (
    select (regexp_match(tag ->> 1, '^(\d{1,5}):'))[1]::int4 as kind,
      substr(tag ->> 1, strpos(tag ->> 1, ':') + 65, 1) as colon,
      substr(tag ->> 1, strpos(tag ->> 1, ':') + 66) as identifier
    from jsonb_array_elements(p_tags) as tag
    where tag ->> 0 = 'a' and tag ->> 1 ~ ('^\d{1,5}:' || encode(p_pubkey, 'hex') || '(:|$)')
  ) as address
  -- Replaceable kinds are also written without the second colon.
  where event_is_replaceable(kind) or event_is_addressable(kind) and colon = ':'
$$;
comment on function event_deletion_targets(bytea, int8, jsonb) is 'Ids and addresses that a deletion request names, and up to which created_at';

-- Where a request to vanish (NIP-62) is to be heeded.
create or replace function event_vanish_relays(p_tags jsonb) returns table (relay text)
language sql immutable
as $$
  select distinct case tag ->> 1 when 'ALL_RELAYS' then 'ALL_RELAYS' else rtrim(lower(tag ->> 1), '/') end
  from jsonb_array_elements(p_tags) as tag
  where tag ->> 0 = 'relay' and (tag ->> 1 = 'ALL_RELAYS' or tag ->> 1 ~* '^wss?://') and octet_length(tag ->> 1) <= 500
$$;
comment on function event_vanish_relays(jsonb) is 'ALL_RELAYS or URLs that a request to vanish names';

-- Remembers what the kinds 5 and 62 of a batch ask for; what is known already stays. Arguments as event_insert has them.
create or replace function event_request_add(p_keys bytea, p_created_at int8[], p_kinds int4[], p_tags jsonb) returns void
language plpgsql
as $$
begin
  if not p_kinds && array[5, 62] then
    return;
  end if;
  with request as materialized (
    select created_at, kind, substr(p_keys, i::int4 * 128 - 95, 32) as pubkey, p_tags -> (i::int4 - 1) as tags
    from unnest(p_created_at, p_kinds) with ordinality as batch (created_at, kind, i)
    where kind in (5, 62)
  ), deletion as (
    -- Sorted alike by every writer, so that none waits for another in a circle.
    insert into event_deletion as d (until, target, pubkey)
    select max(t.until), t.target, r.pubkey
    from request r cross join lateral event_deletion_targets(r.pubkey, r.created_at, r.tags) as t
    where r.kind = 5
    group by t.target, r.pubkey
    order by t.target, r.pubkey
    on conflict (target, pubkey) do update set until = excluded.until where d.until < excluded.until
  )
  insert into event_vanish as v (until, pubkey, relay)
  select max(r.created_at), r.pubkey, w.relay
  from request r cross join lateral event_vanish_relays(r.tags) as w
  where r.kind = 62
  group by r.pubkey, w.relay
  order by r.pubkey, w.relay
  on conflict (pubkey, relay) do update set until = excluded.until where v.until < excluded.until;
end
$$;
comment on function event_request_add(bytea, int8[], int4[], jsonb) is 'Remembers the deletion requests and requests to vanish of a batch';

-- NIP-04, NIP-17, NIP-59 and their kin.
create or replace function event_is_private(p_kind int4) returns boolean
language sql immutable parallel safe
as $$ select p_kind in (4, 13, 14, 15, 1059, 1060, 10059, 21059) $$;
comment on function event_is_private(int4) is 'Whether events of a kind are for their author and those they name only';

-- p_viewers: the public keys that somebody has proven to have (NIP-42).
create or replace function event_is_party(p_pubkey bytea, p_tags jsonb, p_viewers bytea[]) returns boolean
language sql immutable parallel safe
as $$
  select p_pubkey = any (p_viewers) or exists (
    select from unnest(p_viewers) as viewer
    where p_tags @> jsonb_build_array(jsonb_build_array('p', encode(viewer, 'hex'))) and exists (
      select from jsonb_array_elements(p_tags) as tag
      where tag ->> 0 = 'p' and tag ->> 1 = encode(viewer, 'hex')))
$$;
comment on function event_is_party(bytea, jsonb, bytea[]) is 'Whether one of these keys wrote an event or is named by its p tags';

-- Protected events (NIP-70) are archived and never served; expired ones (NIP-40) are over, by the earliest date of several.
create or replace function event_is_withheld(p_tags jsonb, p_now int8) returns boolean
language sql immutable parallel safe
as $$
  select exists (
    select from jsonb_array_elements(p_tags) as tag
    where tag ->> 0 = '-'
      or tag ->> 0 = 'expiration' and tag ->> 1 ~ '^\d{1,15}$' and (tag ->> 1)::int8 <= p_now)
$$;
comment on function event_is_withheld(jsonb, int8) is 'Whether tags say that an event is protected, or expired';

-- Whether somebody whom a gift wrap is for asked to delete it (NIP-09): its own key is thrown away.
create or replace function event_is_returned(p_id bytea, p_tags jsonb) returns boolean
language sql stable parallel safe
as $$
  select exists (
    select from jsonb_array_elements(p_tags) as tag
      join event_deletion d on d.target = p_id and encode(d.pubkey, 'hex') = tag ->> 1
    where tag ->> 0 = 'p')
$$;
comment on function event_is_returned(bytea, jsonb) is 'Whether a recipient of a gift wrap asked to delete it';

-- Stands in for the table `event` in any query: the planner puts the conditions into it, so that every index serves, and
-- each row that is left costs two probes of an index, replaceable ones two more. p_viewers: public keys that are
-- authenticated, for private kinds. p_own_url: our own URL, in lower case and without a slash at its end, for NIP-62.
-- p_all_versions: with superseded versions. p_now: Unix seconds, for NIP-40; null for now.
-- A version that is hidden still supersedes the older ones; so what is served does not depend on the order of arrival.
-- Deletion requests cannot be deleted; requests to vanish neither, and go on being served. A lite archive serves nothing,
-- as it has no tags to tell by.
create or replace function event_served(
  p_viewers bytea[] default '{}', p_own_url text default null, p_all_versions boolean default false,
  p_now int8 default null)
returns table (created_at int8, seen_at int8, kind int4, id bytea, pubkey bytea, sig bytea, tags jsonb, content text)
language sql stable parallel safe
as $$
  select e.created_at, e.seen_at, e.kind, e.id, e.pubkey, e.sig, e.tags, e.content
  from event e
  where e.kind <> 22242 and e.tags is not null
    -- `nullif … is not null` tells the planner that nearly all rows pass. Else it takes each condition for one that half
    -- of them fail, and sorts all there is for the newest few.
    and nullif(
      case when event_is_private(e.kind) then event_is_party(e.pubkey, e.tags, p_viewers) else true end
      -- The cheap look says no for nearly all: only then are the tags taken apart.
      and case when e.tags @> '[["-"]]' or e.tags @> '[["expiration"]]'
        then not event_is_withheld(e.tags, coalesce(p_now, unix_now())) else true end
      -- A limit keeps each of these a probe of an index, whatever the planner thinks of the number of rows.
      and case when e.kind = 62 then true else (
        select true from event_vanish v
        where v.pubkey = e.pubkey and v.until >= e.created_at and v.relay in ('ALL_RELAYS', p_own_url)
        limit 1) is null end
      and case when e.kind in (5, 62) then true else (
        select true from event_deletion d where d.target = e.id and d.pubkey = e.pubkey limit 1) is null end
      and case when e.kind = 1059 then not event_is_returned(e.id, e.tags) else true end
      and case
        when event_is_replaceable(e.kind) then (
          select true from event_deletion d
          where d.target = event_address(e.kind, e.pubkey, '') and d.pubkey = e.pubkey and d.until >= e.created_at
          limit 1) is null
        when event_is_addressable(e.kind) then (
          select true from event_deletion d
          where d.target = event_address(e.kind, e.pubkey, event_identifier(e.tags)) and d.pubkey = e.pubkey
            and d.until >= e.created_at
          limit 1) is null
        else true end
      and case
        when p_all_versions then true
        when event_is_replaceable(e.kind) then (
          select true from event n
          where n.pubkey = e.pubkey and n.kind = e.kind and n.created_at >= e.created_at
            and (n.created_at > e.created_at or n.id < e.id)
          limit 1) is null
        when event_is_addressable(e.kind) then (
          select true from event n
          where event_address(n.kind, n.pubkey, event_identifier(n.tags)) =
              event_address(e.kind, e.pubkey, event_identifier(e.tags))
            and n.kind between 30000 and 39999 and n.created_at >= e.created_at
            and (n.created_at > e.created_at or n.id < e.id)
          limit 1) is null
        else true end,
      false) is not null
$$;
comment on function event_served(bytea[], text, boolean, int8) is 'The events that may be served; stands in for the table event';

-- Whether an author asked to hide this event, and the request itself is gone.
create or replace function event_is_requested(p_id bytea) returns boolean
language sql stable
as $$
  select exists (
    select from event e
    where e.id = p_id and (
      exists (
        select from event_deletion d
        where d.pubkey = e.pubkey and d.until >= e.created_at
          and d.target in (e.id, event_address(e.kind, e.pubkey, case
            when event_is_addressable(e.kind) then event_identifier(e.tags) else '' end))
          and not exists (
            select from event r cross join lateral event_deletion_targets(r.pubkey, r.created_at, r.tags) t
            where r.pubkey = e.pubkey and r.kind = 5 and t.target = d.target and t.until >= e.created_at))
      or exists (
        select from event_vanish v
        where v.pubkey = e.pubkey and v.until >= e.created_at and v.relay = 'ALL_RELAYS' and not exists (
          select from event r where r.pubkey = e.pubkey and r.kind = 62 and r.created_at >= e.created_at))))
$$;
comment on function event_is_requested(bytea) is 'Whether an event is hidden by a request that is not archived any more';

-- Drawn by the moments of events: who writes much is drawn often.
create or replace function event_author_sample(p_count int4) returns table (pubkey text)
language sql volatile
as $$
  with span as (
    select (select min(created_at) from event) as first, (select max(created_at) from event) as last
  ), moment as materialized (
    select first + ((least(last, unix_now()) - first) * random())::int8 as at
    from span, generate_series(1, p_count)
    where first is not null
  )
  select distinct encode(found.pubkey, 'hex')
  from moment cross join lateral (
    select e.pubkey from event e where e.created_at >= moment.at order by e.created_at limit 1) as found
$$;
comment on function event_author_sample(int4) is 'Some authors, drawn at random';
