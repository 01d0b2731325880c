-- What is proven complete, and what is not.

create table sync_coverage (
  relay_id int4 not null,
  filter_hash bytea not null,
  filter jsonb not null,
  covered int8multirange not null,
  updated_at int8 not null,
  primary key (relay_id, filter_hash)
);
comment on table sync_coverage is 'Stretches of created_at that are archived and proven complete, by relay and filter';
comment on column sync_coverage.relay_id is 'relay.id';
comment on column sync_coverage.filter_hash is 'sha256 of the filter''s canonical JSON without since, until and limit';
comment on column sync_coverage.filter is 'The filter, for readers';
comment on column sync_coverage.covered is 'Unix seconds proven complete';
comment on column sync_coverage.updated_at is 'Unix seconds';

create table sync_proof (
  relay_id int4 not null,
  filter_hash bytea not null,
  method text not null check (method in ('negentropy', 'finish', 'count', 'paging', 'split', 'empty-page')),
  covered int8multirange not null,
  primary key (relay_id, filter_hash, method)
);
comment on table sync_proof is 'What each stretch of sync_coverage was last proven by; together they are exactly the coverage';
comment on column sync_proof.relay_id is 'relay.id';
comment on column sync_proof.filter_hash is 'sync_coverage.filter_hash';
comment on column sync_proof.method is 'negentropy (NIP-77), finish (NIP-67 hint), count (NIP-45), paging, split, empty-page (weakest)';
comment on column sync_proof.covered is 'Unix seconds proven by it';

create table sync_gap (
  relay_id int4 not null,
  filter_hash bytea not null,
  since int8 not null,
  until int8 not null check (until >= since),
  reason text not null,
  found_at int8 not null,
  reported_at int8 not null,
  attempts int4 not null,
  primary key (relay_id, filter_hash, since)
);
comment on table sync_gap is 'Stretches that could not be proven complete; no part of one is covered, and none overlap';
comment on column sync_gap.relay_id is 'relay.id';
comment on column sync_gap.filter_hash is 'sha256 of the filter, as in sync_coverage';
comment on column sync_gap.since is 'Unix seconds, inclusive';
comment on column sync_gap.until is 'Unix seconds, inclusive';
comment on column sync_gap.reason is 'Why, from a small set';
comment on column sync_gap.found_at is 'Unix seconds of the first report';
comment on column sync_gap.reported_at is 'Unix seconds of the last report';
comment on column sync_gap.attempts is 'How often it was reported';
