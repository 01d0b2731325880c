-- The tables of the Python system that does this job, as reference/prior-art.md 2.1 and 2.4 have them, to compare the
-- disk they take. The function computes what its event_insert did.
create function tags_to_tagvalues(p_tags jsonb) returns text[] language sql immutable as $$
  select coalesce(array_agg((tag ->> 0) || ':' || (tag ->> 1)), '{}')
  from jsonb_array_elements(p_tags) as tag where length(tag ->> 0) = 1
$$;

create table relay (url text primary key, network text not null, discovered_at bigint not null);

create table event (
  id bytea not null, pubkey bytea not null, created_at bigint not null, kind integer not null,
  tags jsonb not null, tagvalues text[] not null, content text not null, sig bytea not null,
  primary key (id)
) partition by hash (id);
create index on event (created_at desc, id desc);
create index on event (kind, created_at desc);
create index on event (pubkey, created_at desc);
create index on event (pubkey, kind, created_at desc);
create index on event using gin (tagvalues);

create table event_relay (
  event_id bytea not null references event (id) on delete cascade,
  relay_url text not null references relay (url) on delete cascade,
  seen_at bigint not null,
  primary key (event_id, relay_url)
) partition by hash (event_id);
create index on event_relay (seen_at desc);
create index on event_relay (relay_url, seen_at, event_id);

do $$
begin
  for i in 0 .. 15 loop
    execute format('create table event_%s partition of event for values with (modulus 16, remainder %s)', i, i);
    execute format('create table event_relay_%s partition of event_relay for values with (modulus 16, remainder %s)', i, i);
  end loop;
end
$$;
