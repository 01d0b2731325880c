-- Sightings that wait for their page. A page is written as a whole, 4 kB, however little comes to it: a single sighting
-- cost six times what a row costs, and those that came in no order of time bloated the table to twenty times its size.

create table sighting_log (
  seen_at int8 not null,
  relay_id int4 not null,
  key bytea not null,
  primary key (relay_id, key)
) with (
  autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_analyze_scale_factor = 0.1);
alter table sighting_log alter column key set storage plain;
comment on table sighting_log is 'Sightings that wait for their page of sighting_page, which is the last that begins before them: a page takes them when there are 24';
comment on column sighting_log.seen_at is 'Unix seconds by which it was recorded';
comment on column sighting_log.relay_id is 'relay.id';
comment on column sighting_log.key is 'event.created_at as 8 bytes and event.id as 32';
comment on table sighting_page is 'Sightings: which relay held which event; those that came few at a time wait in sighting_log. Pages of one relay do not overlap; with what waits for them, their keys are the vector NIP-77 reconciles. View event_relay has a row a sighting';
