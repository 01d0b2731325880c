-- Relays, the candidates they come from, and who works on which relay.

create table relay (
  id int4 generated always as identity primary key,
  url text not null unique check (octet_length(url) <= 2048),
  network text not null check (network in ('clearnet', 'tor', 'i2p', 'loki')),
  host text not null generated always as (substring(url from '^wss?://(\[[^]]*\]|[^/:]*)')) stored,
  domain text not null,
  discovered_at int8 not null
);
comment on table relay is 'Validated peers: each answered a REQ once';
comment on column relay.id is 'What every other table refers to';
comment on column relay.url is 'Normalised URL, as it answered';
comment on column relay.network is 'clearnet, tor, i2p or loki (NIP-66)';
comment on column relay.host is 'Host of the URL, without port';
comment on column relay.domain is 'Registrable domain; the host for overlays and addresses';
comment on column relay.discovered_at is 'Unix seconds of the first answer';

create index relay_host on relay (host);
create index relay_domain on relay (domain);

create table candidate (
  url text primary key check (octet_length(url) <= 2048),
  network text not null check (network in ('clearnet', 'tor', 'i2p', 'loki')),
  host text not null,
  domain text not null,
  source text not null,
  author bytea,
  hints jsonb not null default '{}',
  discovered_at int8 not null,
  failures int4 not null default 0,
  last_tried_at int8,
  last_failure text,
  due_at int8 not null default 0,
  claimed_until int8 not null default 0
) with (fillfactor = 70);
comment on table candidate is 'Relay URLs nobody has shaken hands with yet';
comment on column candidate.url is 'Normalised URL, as it was mentioned';
comment on column candidate.network is 'clearnet, tor, i2p or loki (NIP-66)';
comment on column candidate.host is 'Host of the URL, without port; bounded by a budget';
comment on column candidate.domain is 'Registrable domain; bounded by a budget';
comment on column candidate.source is 'Where it was mentioned first';
comment on column candidate.author is 'Public key of who mentioned it first, if an event did; bounded by a budget';
comment on column candidate.hints is 'Mentions by source: {"nip65": 12, "e-tag": 3}';
comment on column candidate.discovered_at is 'Unix seconds of the first mention';
comment on column candidate.failures is 'Tries that failed';
comment on column candidate.last_tried_at is 'Unix seconds of the last try that failed';
comment on column candidate.last_failure is 'Why it failed';
comment on column candidate.due_at is 'Unix seconds from which it may be tried';
comment on column candidate.claimed_until is 'Unix seconds until which a validator has it; 0 for none';

create index candidate_due on candidate (failures, due_at);
create index candidate_host on candidate (host);
create index candidate_domain on candidate (domain);
create index candidate_author on candidate (author) where author is not null;

create table relay_lease (
  service text not null,
  relay_id int4 not null,
  due_at int8 not null default 0,
  claimed_until int8 not null default 0,
  holder text,
  failures int4 not null default 0,
  primary key (service, relay_id)
) with (fillfactor = 70);
comment on table relay_lease is 'Which process of a service works on a relay, and when the relay is due again';
comment on column relay_lease.service is 'Name of the service';
comment on column relay_lease.relay_id is 'relay.id';
comment on column relay_lease.due_at is 'Unix seconds from which it may be leased';
comment on column relay_lease.claimed_until is 'Unix seconds at which the lease ends; a dead holder loses it then';
comment on column relay_lease.holder is 'Who holds, or last held, the lease';
comment on column relay_lease.failures is 'Failures in a row, for the backoff of the next holder';

create index relay_lease_due on relay_lease (service, due_at);
