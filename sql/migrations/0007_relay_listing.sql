-- Where the list that a relay reconciles by (NIP-77) is another than its sightings.

create table relay_listing (
  created_at int8 not null,
  noted_at int8 not null,
  relay_id int4 not null,
  filter_hash bytea not null,
  event_id bytea not null,
  state text not null check (state in ('withheld', 'gone')),
  primary key (relay_id, filter_hash, created_at, event_id)
);
comment on table relay_listing is 'Events a relay lists but gives to nobody, and events it gave once and lists no more: so that reconciling does not find them again every time';
comment on column relay_listing.created_at is 'Of a withheld event: the second that the relay lists it under';
comment on column relay_listing.noted_at is 'Unix seconds';
comment on column relay_listing.relay_id is 'relay.id';
comment on column relay_listing.filter_hash is 'sha256 of the filter, as in sync_coverage';
comment on column relay_listing.event_id is 'Of a withheld event: nothing else is known of it';
comment on column relay_listing.state is 'withheld: listed and not given; gone: given once and not listed any more';
