-- Evidence: how strong each proof is, what audits came to, and where relays withhold what they list.

-- Its functions come again, with another result.
drop function if exists sync_proof_get(int4, text);

-- What was proven until now was proven by the weaker rules of its time.
alter table sync_proof add column strength text not null default 'weak'
  check (strength in ('reconciled', 'counted', 'paged', 'weak'));
alter table sync_proof alter column strength drop default;
alter table sync_proof drop constraint sync_proof_pkey;
alter table sync_proof add primary key (relay_id, filter_hash, method, strength);
comment on column sync_proof.strength is
  'reconciled (NIP-77, cross-checked by a REQ), counted (exact COUNT), paged (overlapping, ordered, audited), weak (nothing contradicted it)';

create table sync_audit (
  asked int8 not null,
  confirmed int8 not null,
  contradicted int8 not null,
  retractions int8 not null,
  retracted_seconds int8 not null,
  last_asked_at int8,
  last_contradicted_at int8,
  relay_id int4 not null,
  filter_hash bytea not null,
  primary key (relay_id, filter_hash)
) with (fillfactor = 70);
comment on table sync_audit is 'What the audits of proven time came to, by relay and filter';
comment on column sync_audit.asked is 'Questions asked in time that was claimed';
comment on column sync_audit.confirmed is 'Answers that agreed with the claim';
comment on column sync_audit.contradicted is 'Contradictions found, by audits and otherwise';
comment on column sync_audit.retractions is 'How often coverage was taken back because of one';
comment on column sync_audit.retracted_seconds is 'Seconds of coverage taken back so far';
comment on column sync_audit.last_asked_at is 'Unix seconds; null for never';
comment on column sync_audit.last_contradicted_at is 'Unix seconds; null for never';
comment on column sync_audit.relay_id is 'relay.id';
comment on column sync_audit.filter_hash is 'sha256 of the filter, as in sync_coverage';

create table sync_contradiction (
  id int8 generated always as identity primary key,
  found_at int8 not null,
  since int8 not null,
  until int8 not null check (until >= since),
  relay_id int4 not null,
  filter_hash bytea not null,
  kind text not null,
  question text not null,
  event_ids bytea[] not null,
  retracted int8multirange not null
);
comment on table sync_contradiction is 'Answers that contradicted a claim: the newest 100 of each relay';
comment on column sync_contradiction.id is 'In order of discovery';
comment on column sync_contradiction.found_at is 'Unix seconds';
comment on column sync_contradiction.since is 'Unix seconds, inclusive: the window that was claimed';
comment on column sync_contradiction.until is 'Unix seconds, inclusive';
comment on column sync_contradiction.relay_id is 'relay.id';
comment on column sync_contradiction.filter_hash is 'sha256 of the filter, as in sync_coverage';
comment on column sync_contradiction.kind is
  'hidden (a narrower question showed more), omitted (lacked what it gives by id), unlisted (not in its NIP-77), late (after EOSE), count';
comment on column sync_contradiction.question is 'What showed it, in one word: silence, sample, end, page, count';
comment on column sync_contradiction.event_ids is 'Up to 10 events that should have been known or shown';
comment on column sync_contradiction.retracted is 'Unix seconds of coverage, of any filter, taken back because of it';

create index sync_contradiction_relay on sync_contradiction (relay_id, id);

create table sync_withheld (
  relay_id int4 not null,
  filter_hash bytea not null,
  is_whole boolean not null default true,
  withheld int8multirange not null,
  primary key (relay_id, filter_hash)
) with (fillfactor = 70);
comment on table sync_withheld is 'Where relays list events that they give to nobody (relay_listing), coalesced; no part of it is covered';
comment on column sync_withheld.relay_id is 'relay.id';
comment on column sync_withheld.filter_hash is 'sha256 of the filter, as in sync_coverage';
comment on column sync_withheld.is_whole is 'Whether relay_listing has all of the events, and not only the first 100 000';
comment on column sync_withheld.withheld is 'Unix seconds, in at most 200 ranges: those next to each other are merged';

-- It takes a reason now.
drop function if exists sync_gap_subtract(int4, bytea, int8multirange);
