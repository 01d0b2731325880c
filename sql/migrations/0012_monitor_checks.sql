-- What one visit to a relay leaves to the next, what a relay lets one do, and the newest document of every type.

alter table relay_lease add column memory jsonb not null default '{}';
comment on column relay_lease.memory is 'What the last holder leaves to the next, in words of the service';

-- Its result has a column more now: 22_relay_lease.sql makes it anew.
drop function if exists relay_lease_take(jsonb);

create table relay_ability (
  since int8 not null,
  relay_id int4 not null,
  value boolean not null,
  ability text not null check (ability in ('read', 'write', 'auth', 'payment', 'writes', 'pow')),
  judged_by text not null check (judged_by in ('read', 'write', 'nip11')),
  primary key (relay_id, ability)
) with (fillfactor = 70);
comment on table relay_ability is 'What a relay lets anybody do and what it demands, by what showed it last';
comment on column relay_ability.since is 'Unix seconds from which it was found so, by the same evidence';
comment on column relay_ability.relay_id is 'relay.id';
comment on column relay_ability.value is 'Whether it is so; there is no row while nobody knows';
comment on column relay_ability.ability is
  'read, write: whether a stranger may; auth, payment, writes (not for everybody), pow: whether it is demanded (NIP-66 R)';
comment on column relay_ability.judged_by is 'The answer to a read or a written event, or nip11: the relay''s own word';

create or replace view relay_metadata_latest as
select r.id as relay_id, r.url as relay_url, m.metadata_type, m.generated_at, m.metadata_id, d.data
from relay r
cross join (values ('nip11_info'), ('nip66_ssl'), ('nip66_dns'), ('nip66_geo'), ('nip66_net'), ('nip66_http')) as t (type)
cross join lateral (
  select metadata_type, generated_at, metadata_id
  from relay_metadata
  where relay_id = r.id and metadata_type = t.type
  order by generated_at desc
  limit 1
) as m
join metadata d on d.id = m.metadata_id and d.type = m.metadata_type
union all
select r.id, r.url, 'nip66_rtt', c.checked_at, null, jsonb_strip_nulls(jsonb_build_object(
  'data', nullif(jsonb_strip_nulls(jsonb_build_object(
    'rtt_open', c.open_ms, 'rtt_read', c.read_ms, 'rtt_write', c.write_ms)), '{}'),
  'logs', jsonb_build_object(
    'open_success', c.open_ms is not null,
    'open_reason', case when c.open_ms is null then c.failure end,
    'read_success', c.read_ms is not null,
    'read_reason', case when c.read_ms is null then c.failure end,
    'write_success', case
      when c.write_ms is not null then true
      when c.read_ms is not null and c.failure is not null then false
    end,
    'write_reason', case when c.read_ms is not null and c.write_ms is null then c.failure end)))
from relay r
cross join lateral (
  select checked_at, open_ms, read_ms, write_ms, failure
  from relay_check
  where relay_id = r.id
  order by checked_at desc
  limit 1
) as c;
comment on view relay_metadata_latest is
  'The newest document of each type of each relay; nip66_rtt is made of its newest relay_check and has no metadata_id';
