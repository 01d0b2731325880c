-- What ranks relays, what is wanted of each, and what of each was refused.

alter table relay_lease
  add column interval_seconds int4 check (interval_seconds > 0),
  add column yield float4 not null default 0,
  add column yielded_at int8;
comment on column relay_lease.interval_seconds is 'How often the relay is worth a look; null for a relay that was never given back with one';
comment on column relay_lease.yield is 'New events of a look lately: a mean in which the last one counts half';
comment on column relay_lease.yielded_at is 'Unix seconds at which there was last something new; null for never';

-- Its functions come again, with another result.
drop function if exists relay_lease_take(jsonb);

alter table sync_coverage add column wanted int8range default '[0,)';
comment on column sync_coverage.wanted is 'Unix seconds that the synchronizer wants; null when it does not want this filter any more';

create table relay_rejection (
  relay_id int4 not null,
  reason text not null,
  events int8 not null,
  first_at int8 not null,
  last_at int8 not null,
  primary key (relay_id, reason)
) with (fillfactor = 70);
comment on table relay_rejection is 'How many events of a relay were not archived, by reason; rejected_event holds samples';
comment on column relay_rejection.relay_id is 'relay.id';
comment on column relay_rejection.reason is 'Short, from a small set';
comment on column relay_rejection.events is 'How many came, each time they came';
comment on column relay_rejection.first_at is 'Unix seconds';
comment on column relay_rejection.last_at is 'Unix seconds';
