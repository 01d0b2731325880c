-- Sightings in pages: up to 96 sightings of one relay, in the order of their keys, are one row. Where each was a row of its
-- own, it cost 190 bytes with its indexes, and three fifths of the disk of an archive.

-- Two full pages share a block of 8 kB. Nothing is compressed, as hashes cannot be, or stored out of line.
create table sighting_page (
  first_seen_at int8 not null,
  last_seen_at int8 not null,
  sum_0 int8 not null,
  sum_1 int8 not null,
  sum_2 int8 not null,
  sum_3 int8 not null,
  sum_4 int8 not null,
  sum_5 int8 not null,
  sum_6 int8 not null,
  sum_7 int8 not null,
  relay_id int4 not null,
  sightings int4 not null,
  first_key bytea not null,
  last_key bytea not null,
  keys bytea not null,
  primary key (relay_id, first_key),
  constraint sighting_page_shape check (
    sightings >= 1 and sightings <= 96 and octet_length(keys) = 40 * sightings and get_byte(first_key, 0) < 128)
) with (
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05,
  autovacuum_analyze_scale_factor = 0.02);
alter table sighting_page
  alter column first_key set storage main,
  alter column last_key set storage main,
  alter column keys set storage plain;
comment on table sighting_page is 'Sightings: which relay held which event. Pages of one relay do not overlap; their keys, one after the other, are the vector NIP-77 reconciles. View event_relay has a row a sighting';
comment on column sighting_page.first_seen_at is 'Unix seconds before which no sighting of the page was recorded';
comment on column sighting_page.last_seen_at is 'Unix seconds by which all sightings of the page were recorded';
comment on column sighting_page.sum_0 is 'Sum of the first 4 bytes of the ids as little-endian integers: with the others, what NIP-77 makes a fingerprint of';
comment on column sighting_page.sum_1 is 'Sum of the bytes 4 to 7';
comment on column sighting_page.sum_2 is 'Sum of the bytes 8 to 11';
comment on column sighting_page.sum_3 is 'Sum of the bytes 12 to 15';
comment on column sighting_page.sum_4 is 'Sum of the bytes 16 to 19';
comment on column sighting_page.sum_5 is 'Sum of the bytes 20 to 23';
comment on column sighting_page.sum_6 is 'Sum of the bytes 24 to 27';
comment on column sighting_page.sum_7 is 'Sum of the bytes 28 to 31';
comment on column sighting_page.relay_id is 'relay.id';
comment on column sighting_page.sightings is 'Number of keys, 96 at most';
comment on column sighting_page.first_key is 'The lowest key';
comment on column sighting_page.last_key is 'The highest key';
comment on column sighting_page.keys is 'event.created_at as 8 bytes and event.id as 32, each, ascending';

-- Rows that are there are moved by the program, in steps: sighting_move() in 33_sighting_move.sql.
drop view if exists event_relay_readable;
do $$
begin
  if exists (select from event_relay) then
    alter table event_relay rename to sighting_unmoved;
    -- What finds the sightings of an event is used no more, and its room is.
    drop index event_relay_event;
    create table sighting_move (
      total int8 not null,
      moved int8 not null,
      relay_id int4 not null,
      created_at int8 not null,
      event_id bytea not null
    );
    insert into sighting_move
    select pg_relation_size('sighting_unmoved') / 88 + 1, 0, -1, -1, '';
  else
    drop table event_relay;
  end if;
end
$$;
