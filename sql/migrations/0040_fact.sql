-- The queue of facts: what each batch changed, for statistics and for those who follow the archive.

create table fact (
  id int8 generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  queued_at int8 not null,
  taken_at int8,
  relay_id int4,
  sign int2 not null,
  created_at int8[] not null,
  kinds int4[],
  keys bytea not null,
  constraint fact_shape check (
    sign in (-1, 1) and (kinds is null) = (relay_id is not null)
    and octet_length(keys) = cardinality(created_at) * case when relay_id is null then 64 else 32 end)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 50000);
-- Ids and keys do not compress.
alter table fact alter column keys set storage external;
comment on table fact is 'What each batch changed, in the transaction that changed it: its events, or sightings of one relay. Statistics are behind the tables by what is not taken of it';
comment on column fact.id is 'In order of arrival, but for transactions that commit late';
comment on column fact.xid is 'The transaction: tells followers what became visible since they looked';
comment on column fact.queued_at is 'Unix seconds';
comment on column fact.taken_at is 'Unix seconds; null until the consumer has folded it. Followers may still read it for a while';
comment on column fact.relay_id is 'relay.id of sightings; null for events';
comment on column fact.sign is '1 for what is new, -1 for what was deleted';
comment on column fact.created_at is 'event.created_at of each';
comment on column fact.kinds is 'event.kind of each; null for sightings';
comment on column fact.keys is 'Of events id and pubkey of each, 64 bytes; of sightings the id, 32 bytes';

create index fact_xid on fact (xid);

create table fact_dropped (
  dropped_at int8 not null,
  day int4,
  relay_id int4,
  constraint fact_dropped_shape check (num_nonnulls(day, relay_id) = 1)
);
comment on table fact_dropped is 'What is to be made again from the tables, as facts about it were dropped before they were taken';
comment on column fact_dropped.dropped_at is 'Unix seconds';
comment on column fact_dropped.day is 'Of events: created_at / 86400, from 2070 on 36525';
comment on column fact_dropped.relay_id is 'Of sightings: relay.id';

create index fact_dropped_day on fact_dropped (day);
create index fact_dropped_relay on fact_dropped (relay_id);

create table fact_follower (
  singleton boolean primary key default true check (singleton),
  until int8 not null
);
comment on table fact_follower is 'One row at most: whether somebody waits for facts, so that writers notify nobody in vain';
comment on column fact_follower.singleton is 'Always true';
comment on column fact_follower.until is 'Unix seconds';
