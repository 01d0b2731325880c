-- What NIP-85 asserts about authors, events and addresses, counted as events come and go.

create table author_fact (
  author int4 primary key,
  posts int4 not null default 0,
  replies int4 not null default 0,
  reactions_sent int4 not null default 0,
  reactions_received int4 not null default 0,
  reposts_sent int4 not null default 0,
  reposts_received int4 not null default 0,
  reports_sent int4 not null default 0,
  reports_received int4 not null default 0,
  zaps_sent int4 not null default 0,
  zaps_received int4 not null default 0,
  unverified_zaps int4 not null default 0,
  zap_msats_sent numeric not null default 0,
  zap_msats_received numeric not null default 0,
  hours int4[] not null,
  constraint author_fact_hours check (cardinality(hours) = 24)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
comment on table author_fact is 'What an author did and what others did to him (NIP-85); who only ever did nothing of it has no row';
comment on column author_fact.author is 'author.id';
comment on column author_fact.posts is 'Kind 1 that answer nothing';
comment on column author_fact.replies is 'Kind 1 that answer an event (NIP-10), and comments (NIP-22)';
comment on column author_fact.reactions_sent is 'Kind 7';
comment on column author_fact.reactions_received is 'Kind 7 whose last p tag he is (NIP-25)';
comment on column author_fact.reposts_sent is 'Kinds 6 and 16';
comment on column author_fact.reposts_received is 'Kinds 6 and 16 whose last p tag he is (NIP-18)';
comment on column author_fact.reports_sent is 'Kind 1984';
comment on column author_fact.reports_received is 'Kind 1984 whose first p tag he is (NIP-56)';
comment on column author_fact.zaps_sent is 'Zaps of which he signed the request; see zap';
comment on column author_fact.zaps_received is 'Zaps to him; see zap';
comment on column author_fact.unverified_zaps is 'Receipts to him that do not agree with their invoice or request';
comment on column author_fact.zap_msats_sent is 'Millisatoshis of zaps_sent';
comment on column author_fact.zap_msats_received is 'Millisatoshis of zaps_received';
comment on column author_fact.hours is 'His posts, replies, reactions, reposts and reports by hour of the day, UTC: [1] is 00:00';

create table author_topic (
  author int4 not null,
  events int4 not null check (events > 0),
  topic text not null,
  primary key (author, topic)
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
comment on table author_topic is 'Topics of an author''s posts and replies';
comment on column author_topic.author is 'author.id';
comment on column author_topic.events is 'How many of them';
comment on column author_topic.topic is 'A t tag in lower case, of 50 characters at most; the first ten of an event count';

create table target_fact (
  target bytea primary key,
  comments int4 not null default 0,
  quotes int4 not null default 0,
  reposts int4 not null default 0,
  reactions int4 not null default 0,
  zaps int4 not null default 0,
  unverified_zaps int4 not null default 0,
  zap_msats numeric not null default 0
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
alter table target_fact alter column target set storage plain;
comment on table target_fact is 'What was done to an event or an address (NIP-85), archived or not; filled only where that is configured';
comment on column target_fact.target is 'event.id, or event_address()';
comment on column target_fact.comments is 'Answers to it itself: kinds 1 (NIP-10) and 1111 (NIP-22)';
comment on column target_fact.quotes is 'Kinds 1 and 1111 with a q tag of it; the first ten of an event count';
comment on column target_fact.reposts is 'Kinds 6 and 16';
comment on column target_fact.reactions is 'Kind 7';
comment on column target_fact.zaps is 'Zaps for it; see zap';
comment on column target_fact.unverified_zaps is 'Receipts for it that do not agree with their invoice or request';
comment on column target_fact.zap_msats is 'Millisatoshis of zaps';

create table zap (
  created_at int8 not null,
  msats int8 not null check (msats > 0),
  sender int4 not null,
  recipient int4 not null,
  request bytea not null,
  id bytea not null,
  primary key (request, id)
);
comment on table zap is 'Zap receipts that agree with their invoice and with the request the sender signed (NIP-57). Of a request counts the first receipt alone: anybody can repeat one';
comment on column zap.created_at is 'event.created_at of the receipt';
comment on column zap.msats is 'Millisatoshis of the invoice';
comment on column zap.sender is 'author.id of who signed the request';
comment on column zap.recipient is 'author.id';
comment on column zap.request is 'Id of the request, which is not an archived event';
comment on column zap.id is 'event.id of the receipt';

-- An event that is deleted takes its tags with it. What they counted for is taken back when its fact is folded.
create table deleted_event (
  created_at int8 not null,
  id bytea not null,
  tags jsonb not null,
  primary key (created_at, id)
);
comment on table deleted_event is 'Tags of events that are deleted, until derived facts have taken them back';
comment on column deleted_event.created_at is 'event.created_at';
comment on column deleted_event.id is 'event.id';
comment on column deleted_event.tags is 'event.tags';

create table derived_state (
  name text primary key check (name in ('contacts', 'assertions')),
  setting text not null,
  upto bytea
);
comment on table derived_state is 'Derived facts that are kept; what is not here is not known';
comment on column derived_state.name is 'contacts: contact; assertions: author_fact and the like';
comment on column derived_state.setting is 'What of them';
comment on column derived_state.upto is 'Events with keys (created_at and id) up to here are in them; null for all';

create table derived_lost (
  lost_at int8 not null
);
comment on table derived_lost is 'Says that derived facts are to be made from the start: facts were dropped, or somebody asked for it';
comment on column derived_lost.lost_at is 'Unix seconds';
