-- Services of which one process at a time works.

create table service_lease (
  claimed_until int8 not null,
  busy_share float4 not null,
  service text primary key,
  holder text not null
);
comment on table service_lease is 'Which process of a service works, where the others wait';
comment on column service_lease.claimed_until is 'Unix seconds until which it does, unless it says so again';
comment on column service_lease.busy_share is 'Share of the time of late that it worked, 0 to 1';
comment on column service_lease.service is 'Name of the service';
comment on column service_lease.holder is 'Name of the process';
