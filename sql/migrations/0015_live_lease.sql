-- Who stays connected to its relay.

alter table relay_lease add column live_since int8;
comment on column relay_lease.live_since is 'Unix seconds since which the holder is live with the relay; null when it is not';
