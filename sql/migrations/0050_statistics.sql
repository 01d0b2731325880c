-- Statistics: what the refresher folds from the queue of facts. At every commit they are what the tables hold, but for what
-- waits in the queue (fact) and what is to be made again (fact_dropped).
-- A day is created_at / 86400, UTC; from 2070 on it is 36525, the last. Hours and minutes likewise.

create table statistics_state (
  singleton boolean primary key default true check (singleton),
  facts int8 not null default 0,
  events int8 not null default 0,
  sightings int8 not null default 0,
  busy_ms int8 not null default 0,
  folded_at int8,
  hours_since int4 not null
);
comment on table statistics_state is 'How far statistics are, and what they cost; one row';
comment on column statistics_state.singleton is 'Always true';
comment on column statistics_state.facts is 'Facts folded so far';
comment on column statistics_state.events is 'Events in them';
comment on column statistics_state.sightings is 'Sightings in them';
comment on column statistics_state.busy_ms is 'Milliseconds spent folding them';
comment on column statistics_state.folded_at is 'Unix seconds of the last fold';
comment on column statistics_state.hours_since is 'First hour that kind_hour and event_minute are kept of; only ever rises';

-- Above all days that are kept: cells of hours and minutes appear once the first fold has said which are.
insert into statistics_state (hours_since) values (0);

create table event_minute (
  minute int4 primary key,
  events int4 not null check (events > 0)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
comment on table event_minute is 'Events by the minute of created_at, for windows that slide; of the last 31 days and the future';
comment on column event_minute.minute is 'created_at / 60';
comment on column event_minute.events is 'How many are archived';

create table kind_hour (
  events int8 not null check (events > 0),
  hour int4 not null,
  kind int4 not null,
  primary key (hour, kind)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
comment on table kind_hour is 'Events by hour and kind, of the last 31 days and the future';
comment on column kind_hour.events is 'How many are archived';
comment on column kind_hour.hour is 'created_at / 3600';
comment on column kind_hour.kind is 'event.kind';

create table kind_day (
  events int8 not null check (events > 0),
  day int4 not null,
  kind int4 not null,
  primary key (day, kind)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
comment on table kind_day is 'Events by day and kind';
comment on column kind_day.events is 'How many are archived';
comment on column kind_day.day is 'created_at / 86400';
comment on column kind_day.kind is 'event.kind';

create table kind_total (
  events int8 not null check (events > 0),
  kind int4 primary key
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
comment on table kind_total is 'Events by kind: the sum of kind_day';
comment on column kind_total.events is 'How many are archived';
comment on column kind_total.kind is 'event.kind';

-- Numbers are given once and not again, so that others may keep them.
create table author (
  events int8 not null default 0 check (events >= 0),
  first_at int8,
  last_at int8,
  id int4 generated always as identity primary key,
  pubkey bytea not null unique check (octet_length(pubkey) = 32)
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
alter table author alter column pubkey set storage plain;
comment on table author is 'Authors, by number; without keys that were only ever used for kinds whose keys are thrown away (kind_is_throwaway())';
comment on column author.events is 'Archived events, without those of kinds whose keys are thrown away; 0 for who is only named by others';
comment on column author.first_at is 'Their lowest created_at; null without events';
comment on column author.last_at is 'Their highest created_at; null without events';
comment on column author.id is 'The author''s number in other tables';
comment on column author.pubkey is 'event.pubkey';

create table author_day (
  day int4 not null,
  author int4 not null,
  events int4 not null check (events > 0),
  primary key (day, author)
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05);
comment on table author_day is 'Who was active on which day: distinct and new authors of any days, exactly';
comment on column author_day.day is 'created_at / 86400';
comment on column author_day.author is 'author.id';
comment on column author_day.events is 'Archived events, without those of kinds whose keys are thrown away';

create table relay_day (
  events int8 not null check (events > 0),
  relay_id int4 not null,
  day int4 not null,
  primary key (relay_id, day)
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
comment on table relay_day is 'Events that a relay was seen to hold, by day';
comment on column relay_day.events is 'How many';
comment on column relay_day.relay_id is 'relay.id';
comment on column relay_day.day is 'created_at / 86400';

create table relay_kind (
  events int8 not null check (events > 0),
  relay_id int4 not null,
  kind int4 not null,
  primary key (relay_id, kind)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
comment on table relay_kind is 'Events that a relay was seen to hold, by kind';
comment on column relay_kind.events is 'How many';
comment on column relay_kind.relay_id is 'relay.id';
comment on column relay_kind.kind is 'event.kind';

create table relay_author (
  first_at int8 not null,
  last_at int8 not null,
  relay_id int4 not null,
  author int4 not null,
  events int4 not null check (events > 0),
  kinds bytea not null,
  primary key (relay_id, author)
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05);
comment on table relay_author is 'Whose events a relay was seen to hold; without kinds whose keys are thrown away';
comment on column relay_author.first_at is 'Their lowest created_at';
comment on column relay_author.last_at is 'Their highest created_at';
comment on column relay_author.relay_id is 'relay.id';
comment on column relay_author.author is 'author.id';
comment on column relay_author.events is 'How many';
comment on column relay_author.kinds is 'Their kinds, ascending, 2 bytes each';

create table distinct_sketch (
  estimate float8 not null,
  first int4 not null,
  second int4 not null,
  subject int2 not null check (subject between 1 and 7),
  is_stale boolean not null default false,
  registers bytea not null,
  primary key (subject, first, second)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
create index distinct_sketch_stale on distinct_sketch (subject, first, second) where is_stale;
-- Dense ones do not compress.
alter table distinct_sketch alter column registers set storage external;
comment on table distinct_sketch is 'HyperLogLog sketches (p = 12) of how many distinct things there are: what is not counted exactly';
comment on column distinct_sketch.estimate is 'How many, by the registers; the relative standard error is 1.04 / 64 = 1.6 %';
comment on column distinct_sketch.first is 'Subject 1: day; 2: kind; 3, 4, 5: relay.id; 6, 7: number of the network, in the order of its type';
comment on column distinct_sketch.second is 'Subject 1, 3: kind; else 0';
comment on column distinct_sketch.subject is 'Authors of 1 a kind on a day, 2 a kind, 3 a kind on a relay, 4 a relay, 6 a network; events of 5 a relay, 7 a network. In 4 and 6 an event stands for the author whose key is thrown away; 1 to 3 are without';
comment on column distinct_sketch.is_stale is 'Something was deleted, which a sketch cannot subtract: it is to be made again';
comment on column distinct_sketch.registers is 'Registers: a byte each, or 3 bytes for each that is not zero';

create table relay_remake (
  relay_id int4 primary key,
  upto bytea not null
);
comment on table relay_remake is 'Relays whose statistics are being made again, in steps; until then they say less than there is';
comment on column relay_remake.relay_id is 'relay.id';
comment on column relay_remake.upto is 'Sightings with keys below are in the statistics';

-- What is archived already is to be made. Each day is looked up, not each event.
with recursive day as (
  select (select least(created_at / 86400, 36525)::int4 from event order by created_at limit 1) as day
  union all
  select (
    select least(created_at / 86400, 36525)::int4 from event
    where created_at >= (day.day + 1)::int8 * 86400 order by created_at limit 1)
  from day where day.day < 36525
)
insert into fact_dropped (dropped_at, day)
select 0, day from day where day is not null;
insert into fact_dropped (dropped_at, relay_id)
select 0, id from relay;
