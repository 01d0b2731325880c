-- What may be served: the requests of authors to hide what they wrote. Nothing is kept of an event itself: whether it is
-- served follows from its row, from these tables, and from whether there is a newer version.

-- The d tag that tells addressable events (NIP-01) of one author and kind apart; empty without one.
create function event_identifier(p_tags jsonb) returns text
language sql immutable parallel safe
as $$
  select coalesce((
    select tag ->> 1 from jsonb_array_elements(p_tags) with ordinality as t (tag, i)
    where tag ->> 0 = 'd' order by i limit 1), '')
$$;
comment on function event_identifier(jsonb) is 'The value of the first d tag; empty without one';

-- As long as an event id, whatever the length of the identifier.
create function event_address(p_kind int4, p_pubkey bytea, p_identifier text) returns bytea
language sql immutable parallel safe
as $$ select sha256(convert_to(p_kind || ':' || encode(p_pubkey, 'hex') || ':' || p_identifier, 'UTF8')) $$;
comment on function event_address(int4, bytea, text) is 'sha256 of kind:pubkey:identifier, what all versions of an event have in common; the identifier of replaceable kinds is empty';

create index event_address on event (event_address(kind, pubkey, event_identifier(tags)), created_at)
where kind between 30000 and 39999;

create table event_deletion (
  until int8 not null,
  target bytea not null,
  pubkey bytea not null,
  primary key (target, pubkey),
  constraint event_deletion_shape check (octet_length(target) = 32 and octet_length(pubkey) = 32)
);
comment on table event_deletion is 'What authors asked to delete (NIP-09), archived or not; stays when the request itself goes';
comment on column event_deletion.until is 'Newest created_at concerned: of addresses that of the request, of ids the largest number';
comment on column event_deletion.target is 'event.id, or event_address() for all versions';
comment on column event_deletion.pubkey is 'Who asked: it concerns what he wrote, and gift wraps (kind 1059) to him';

create table event_vanish (
  until int8 not null,
  pubkey bytea not null,
  relay text not null,
  primary key (pubkey, relay),
  constraint event_vanish_shape check (octet_length(pubkey) = 32 and octet_length(relay) <= 1000)
);
comment on table event_vanish is 'Who asked to vanish (NIP-62), and where; stays when the request itself goes';
comment on column event_vanish.until is 'created_at of the newest such request: it concerns what is not newer';
comment on column event_vanish.pubkey is 'The author';
comment on column event_vanish.relay is 'ALL_RELAYS, or a relay''s URL, in lower case and without a slash at its end';

-- Of what is archived already. A lite archive has no tags to tell it by.
insert into event_deletion (until, target, pubkey)
select max(until), target, pubkey
from (
  select 9223372036854775807 as until, decode(tag ->> 1, 'hex') as target, e.pubkey
  from event e cross join lateral jsonb_array_elements(e.tags) as tag
  where e.kind = 5 and tag ->> 0 = 'e' and tag ->> 1 ~ '^[0-9a-f]{64}$'
  union all
  select e.created_at,
    event_address(address.kind, e.pubkey, case when address.kind between 30000 and 39999 then identifier else '' end), e.pubkey
  from event e cross join lateral jsonb_array_elements(e.tags) as tag
  cross join lateral (
    select (regexp_match(tag ->> 1, '^(\d{1,5}):'))[1]::int4, substr(tag ->> 1, strpos(tag ->> 1, ':') + 65, 1),
      substr(tag ->> 1, strpos(tag ->> 1, ':') + 66)
  ) as address (kind, colon, identifier)
  where e.kind = 5 and tag ->> 0 = 'a' and tag ->> 1 ~ ('^\d{1,5}:' || encode(e.pubkey, 'hex') || '(:|$)')
    and (address.kind in (0, 3) or address.kind between 10000 and 19999
      or address.kind between 30000 and 39999 and colon = ':')
) as request
group by target, pubkey;

insert into event_vanish (until, pubkey, relay)
select max(e.created_at), e.pubkey,
  case tag ->> 1 when 'ALL_RELAYS' then 'ALL_RELAYS' else rtrim(lower(tag ->> 1), '/') end
from event e cross join lateral jsonb_array_elements(e.tags) as tag
where e.kind = 62 and tag ->> 0 = 'relay' and (tag ->> 1 = 'ALL_RELAYS' or tag ->> 1 ~* '^wss?://')
  and octet_length(tag ->> 1) <= 500
group by 2, 3;
