-- Events and sightings: what is archived and which relay held it.

-- One-letter tags (NIP-01 filters ask for no others) as hashes of name:value: no value is too long for the index.
-- Queries compare the tags themselves again.
create function event_tag_hashes(p_tags jsonb) returns int8[]
language sql immutable strict parallel safe
as $$
  select array(
    select hashtextextended(tag ->> 0 || ':' || (tag ->> 1), 0)
    from jsonb_array_elements(p_tags) as tag
    where length(tag ->> 0) = 1 and tag ->> 1 is not null)
$$;
comment on function event_tag_hashes(jsonb) is 'Hashes of name:value of the one-letter tags, for the tag index';

-- Columns of fixed size first: no padding between them.
create table event (
  created_at int8 not null,
  seen_at int8 not null,
  kind int4 not null,
  id bytea not null,
  pubkey bytea not null,
  sig bytea,
  tags jsonb,
  content text,
  primary key (created_at, id),
  constraint event_shape check (
    created_at >= 0 and kind between 0 and 65535 and octet_length(id) = 32 and octet_length(pubkey) = 32
    and octet_length(sig) = 64)
) with (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
comment on table event is 'Verified events, each once (NIP-01)';
comment on column event.created_at is 'Unix seconds, as claimed by the author';
comment on column event.seen_at is 'Unix seconds of arrival here';
comment on column event.kind is '0 to 65535';
comment on column event.id is 'sha256 of the canonical serialisation; commits to created_at, so (created_at, id) is unique iff id is';
comment on column event.pubkey is 'x-only public key of the author';
comment on column event.sig is 'BIP-340 signature of the id; null in a lite archive';
comment on column event.tags is 'Null in a lite archive';
comment on column event.content is 'Null in a lite archive';

create index event_id on event using hash (id);
create index event_kind on event (kind, created_at);
create index event_pubkey on event (pubkey, kind, created_at);
create index event_tag on event using gin (event_tag_hashes(tags)) where tags is not null;
create index event_seen on event using brin (seen_at);

create table event_raw (
  created_at int8 not null,
  id bytea not null,
  raw text not null,
  primary key (created_at, id)
);
comment on table event_raw is 'Exact JSON of the few events PostgreSQL text cannot hold: U+0000 or lone surrogates, which are U+FFFD in event';
comment on column event_raw.created_at is 'event.created_at';
comment on column event_raw.id is 'event.id';
comment on column event_raw.raw is 'The event as JSON, such characters escaped';

create table event_relay (
  seen_at int8 not null,
  created_at int8 not null,
  relay_id int4 not null,
  event_id bytea not null check (octet_length(event_id) = 32),
  primary key (relay_id, created_at, event_id)
) with (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
comment on table event_relay is 'Sightings: which relay held which event. The key in order is the vector NIP-77 reconciles';
comment on column event_relay.seen_at is 'Unix seconds of the first sighting there';
comment on column event_relay.created_at is 'event.created_at';
comment on column event_relay.relay_id is 'relay.id';
comment on column event_relay.event_id is 'event.id';

create index event_relay_event on event_relay (event_id);

create table rejected_event (
  id int8 generated always as identity primary key,
  relay_id int4,
  reason text not null,
  detail text not null,
  event_id bytea,
  raw text,
  rejected_at int8 not null
);
comment on table rejected_event is 'What was refused and why: the newest of each relay';
comment on column rejected_event.id is 'In order of arrival';
comment on column rejected_event.relay_id is 'relay.id; null when it came from a file';
comment on column rejected_event.reason is 'Short, from a small set';
comment on column rejected_event.detail is 'What exactly was wrong';
comment on column rejected_event.event_id is 'The id it claimed, if it had one';
comment on column rejected_event.raw is 'What came, cut to a bound';
comment on column rejected_event.rejected_at is 'Unix seconds';

create index rejected_event_relay on rejected_event (relay_id, id);

-- lz4 is several times faster than pglz, but not every build has it (the embedded one has not).
do $$
begin
  if exists (
    select from pg_settings
    where name = 'default_toast_compression' and 'lz4' = any (enumvals)
  ) then
    alter table event alter column tags set compression lz4;
    alter table event alter column content set compression lz4;
    alter table event_raw alter column raw set compression lz4;
    alter table rejected_event alter column raw set compression lz4;
  end if;
end
$$;
