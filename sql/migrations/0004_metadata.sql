-- What checks found out about relays.

create table metadata (
  id bytea not null,
  type text not null,
  data jsonb not null,
  primary key (id, type)
);
comment on table metadata is 'Documents by content: an unchanged one is stored once, whoever measured it';
comment on column metadata.id is 'sha256 of the canonical JSON';
comment on column metadata.type is 'nip11_info, nip66_rtt, nip66_ssl, nip66_dns, nip66_geo, nip66_net or nip66_http';
comment on column metadata.data is '{"data": {…}, "logs": {…}}';

create table relay_metadata (
  generated_at int8 not null,
  relay_id int4 not null,
  metadata_type text not null,
  metadata_id bytea not null,
  primary key (relay_id, metadata_type, generated_at)
);
comment on table relay_metadata is 'Which document described a relay at which moment';
comment on column relay_metadata.generated_at is 'Unix seconds';
comment on column relay_metadata.relay_id is 'relay.id';
comment on column relay_metadata.metadata_type is 'metadata.type';
comment on column relay_metadata.metadata_id is 'metadata.id';

create index relay_metadata_document on relay_metadata (metadata_id, metadata_type);

create view relay_metadata_latest as
select r.id as relay_id, r.url as relay_url, m.metadata_type, m.generated_at, m.metadata_id, d.data
from relay r
cross join (values ('nip11_info'), ('nip66_rtt'), ('nip66_ssl'), ('nip66_dns'), ('nip66_geo'), ('nip66_net'), ('nip66_http')) as t (type)
cross join lateral (
  select metadata_type, generated_at, metadata_id
  from relay_metadata
  where relay_id = r.id and metadata_type = t.type
  order by generated_at desc
  limit 1
) as m
join metadata d on d.id = m.metadata_id and d.type = m.metadata_type;
comment on view relay_metadata_latest is 'The newest document of each type of each relay';

create table relay_check (
  checked_at int8 not null,
  relay_id int4 not null,
  open_ms int4,
  read_ms int4,
  write_ms int4,
  online boolean not null,
  failure text,
  primary key (relay_id, checked_at)
);
comment on table relay_check is 'The numbers of each look at a relay, for uptime and history';
comment on column relay_check.checked_at is 'Unix seconds';
comment on column relay_check.relay_id is 'relay.id';
comment on column relay_check.open_ms is 'Milliseconds to an open connection; null when it did not open';
comment on column relay_check.read_ms is 'Milliseconds from REQ to the first answer; null when there was none';
comment on column relay_check.write_ms is 'Milliseconds from EVENT to OK; null when not tried or not answered';
comment on column relay_check.online is 'It opened and spoke';
comment on column relay_check.failure is 'Why it is not online, or what else went wrong';

do $$
begin
  if exists (
    select from pg_settings
    where name = 'default_toast_compression' and 'lz4' = any (enumvals)
  ) then
    alter table metadata alter column data set compression lz4;
  end if;
end
$$;
