-- The schema as a whole, for readers. Generated from sql/migrations and sql/functions by
-- tests/support/generated_schema.ts; changes belong there.

set check_function_bodies = off;

create extension if not exists btree_gin;
create extension if not exists pgcrypto;

CREATE OR REPLACE FUNCTION public.author_kind_count(p_pubkey bytea)
 RETURNS bigint
 LANGUAGE sql
 STABLE PARALLEL SAFE COST 1000
AS $function$ select count(*) from author_kinds(p_pubkey) as kinds (kind) where not kind_is_throwaway(kind) $function$;
comment on function author_kind_count(p_pubkey bytea) is 'How many kinds an author has events of, without those whose keys are thrown away';

CREATE OR REPLACE FUNCTION public.distinct_error(p_estimate double precision)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$ select ceil(p_estimate * 1.04 / 64)::int8 $function$;
comment on function distinct_error(p_estimate double precision) is 'The standard error of an estimate of distinct_sketch';

CREATE OR REPLACE FUNCTION public.event_address(p_kind integer, p_pubkey bytea, p_identifier text)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select sha256(convert_to(p_kind || ':' || encode(p_pubkey, 'hex') || ':' || p_identifier, 'UTF8')) $function$;
comment on function event_address(p_kind integer, p_pubkey bytea, p_identifier text) is 'sha256 of kind:pubkey:identifier, what all versions of an event have in common; the identifier of replaceable kinds is empty';

CREATE OR REPLACE FUNCTION public.event_count_last(p_seconds bigint)
 RETURNS bigint
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select coalesce(sum(events), 0)::int8 from event_minute
  where minute > (unix(now()) - p_seconds) / 60 and minute <= unix(now()) / 60
$function$;
comment on function event_count_last(p_seconds bigint) is 'Events of the last seconds up to now, 31 days at most, to the minute';

CREATE OR REPLACE FUNCTION public.event_identifier(p_tags jsonb)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select coalesce((
    select tag ->> 1 from jsonb_array_elements(p_tags) with ordinality as t (tag, i)
    where tag ->> 0 = 'd' order by i limit 1), '')
$function$;
comment on function event_identifier(p_tags jsonb) is 'The value of the first d tag; empty without one';

CREATE OR REPLACE FUNCTION public.event_tag_hashes(p_created_at bigint, p_tags jsonb)
 RETURNS bigint[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
  select array(
    select hashtextextended(tag ->> 0 || ':' || (tag ->> 1), least(greatest(p_created_at >> 21, 752), 1024))
    from jsonb_array_elements(p_tags) as tag
    where length(tag ->> 0) = 1 and tag ->> 1 is not null)
$function$;
comment on function event_tag_hashes(p_created_at bigint, p_tags jsonb) is 'Hashes of name:value of the one-letter tags in the bucket of created_at, for the tag index';

CREATE OR REPLACE FUNCTION public.from_unix(p_seconds bigint)
 RETURNS timestamp with time zone
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$ select case when p_seconds between 0 and 8000000000000 then to_timestamp(p_seconds) else 'infinity' end $function$;
comment on function from_unix(p_seconds bigint) is 'Moment of Unix seconds';

CREATE OR REPLACE FUNCTION public.hex(p_bytes bytea)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$ select encode(p_bytes, 'hex') $function$;
comment on function hex(p_bytes bytea) is 'Lower-case hex digits, as NIP-01 writes ids and keys';

CREATE OR REPLACE FUNCTION public.kind_category(p_kind integer)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case
    when p_kind in (1, 2) or p_kind between 4 and 44 or p_kind between 1000 and 9999 then 'regular'
    when p_kind in (0, 3) or p_kind between 10000 and 19999 then 'replaceable'
    when p_kind between 20000 and 29999 then 'ephemeral'
    when p_kind between 30000 and 39999 then 'addressable'
    else 'other'
  end
$function$;
comment on function kind_category(p_kind integer) is 'What NIP-01 says of a kind: regular, replaceable, ephemeral, addressable, or nothing (other)';

CREATE OR REPLACE FUNCTION public.kind_is_throwaway(p_kind integer)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select p_kind in (445, 1059, 21059) $function$;
comment on function kind_is_throwaway(p_kind integer) is 'Whether events of a kind are signed by a key of their own (NIP-59, NIP-EE): each counts as one author';

CREATE OR REPLACE FUNCTION public.network_number(p_network text)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select array_position(array['clearnet', 'tor', 'i2p', 'loki'], p_network) $function$;
comment on function network_number(p_network text) is 'A network as distinct_sketch has it';

CREATE OR REPLACE FUNCTION public.npub(p_pubkey bytea)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$ select nip19_encode('npub', p_pubkey) $function$;
comment on function npub(p_pubkey bytea) is 'Public key as npub1… (NIP-19)';

CREATE OR REPLACE FUNCTION public.relay_span(p_relay_id integer, OUT first_at bigint, OUT last_at bigint)
 RETURNS record
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select
    (select sighting_time(first_key) from sighting_page where relay_id = p_relay_id order by first_key limit 1),
    greatest(
      (select sighting_time(last_key) from sighting_page where relay_id = p_relay_id order by first_key desc limit 1),
      (select sighting_time(key) from sighting_log where relay_id = p_relay_id order by key desc limit 1))
$function$;
comment on function relay_span(p_relay_id integer, OUT first_at bigint, OUT last_at bigint) is 'First and last created_at of what a relay was seen to hold';

CREATE OR REPLACE FUNCTION public.sighting_keys(p_keys bytea)
 RETURNS SETOF bytea
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE ROWS 96
AS $function$ select substr(p_keys, i, 40) from generate_series(1, octet_length(p_keys), 40) as i $function$;
comment on function sighting_keys(p_keys bytea) is 'Each key of a page, ascending';

CREATE OR REPLACE FUNCTION public.sighting_time(p_key bytea)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select ('x' || encode(substr(p_key, 1, 8), 'hex'))::bit(64)::int8 $function$;
comment on function sighting_time(p_key bytea) is 'created_at of a key';

create table archive (
  singleton boolean not null default true,
  edition text not null,
  created_at bigint not null,
  constraint archive_pkey PRIMARY KEY (singleton),
  constraint archive_edition_check CHECK ((edition = ANY (ARRAY['full'::text, 'lite'::text]))),
  constraint archive_singleton_check CHECK (singleton)
);
comment on table archive is 'One row: what this archive is';
comment on column archive.singleton is 'Always true';
comment on column archive.edition is 'full, or lite: events without tags, content and sig';
comment on column archive.created_at is 'Unix seconds';

create table author (
  events bigint not null default 0,
  first_at bigint,
  last_at bigint,
  id integer not null generated always as identity,
  pubkey bytea not null,
  constraint author_pubkey_key UNIQUE (pubkey),
  constraint author_pkey PRIMARY KEY (id),
  constraint author_events_check CHECK ((events >= 0)),
  constraint author_pubkey_check CHECK ((octet_length(pubkey) = 32))
) with (fillfactor=85, autovacuum_vacuum_scale_factor=0.05);
comment on table author is 'Authors, by number; without keys that were only ever used for kinds whose keys are thrown away (kind_is_throwaway())';
comment on column author.events is 'Archived events, without those of kinds whose keys are thrown away; 0 for who is only named by others';
comment on column author.first_at is 'Their lowest created_at; null without events';
comment on column author.last_at is 'Their highest created_at; null without events';
comment on column author.id is 'The author''s number in other tables';
comment on column author.pubkey is 'event.pubkey';

create table author_day (
  day integer not null,
  author integer not null,
  events integer not null,
  constraint author_day_pkey PRIMARY KEY (day, author),
  constraint author_day_events_check CHECK ((events > 0))
) with (fillfactor=90, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);
comment on table author_day is 'Who was active on which day: distinct and new authors of any days, exactly';
comment on column author_day.day is 'created_at / 86400';
comment on column author_day.author is 'author.id';
comment on column author_day.events is 'Archived events, without those of kinds whose keys are thrown away';

create table author_fact (
  author integer not null,
  posts integer not null default 0,
  replies integer not null default 0,
  reactions_sent integer not null default 0,
  reactions_received integer not null default 0,
  reposts_sent integer not null default 0,
  reposts_received integer not null default 0,
  reports_sent integer not null default 0,
  reports_received integer not null default 0,
  zaps_sent integer not null default 0,
  zaps_received integer not null default 0,
  unverified_zaps integer not null default 0,
  zap_msats_sent numeric not null default 0,
  zap_msats_received numeric not null default 0,
  hours integer[] not null,
  constraint author_fact_pkey PRIMARY KEY (author),
  constraint author_fact_hours CHECK ((cardinality(hours) = 24))
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.05);
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

create table author_first (
  authors integer not null,
  day integer not null,
  constraint author_first_pkey PRIMARY KEY (day),
  constraint author_first_authors_check CHECK ((authors > 0))
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.05);
comment on table author_first is 'New authors by day: the sum is the number of authors';
comment on column author_first.authors is 'Authors whose first event is of that day, without kinds whose keys are thrown away';
comment on column author_first.day is 'author.first_at / 86400';

create table author_topic (
  author integer not null,
  events integer not null,
  topic text not null,
  constraint author_topic_pkey PRIMARY KEY (author, topic),
  constraint author_topic_events_check CHECK ((events > 0))
) with (fillfactor=85, autovacuum_vacuum_scale_factor=0.05);
comment on table author_topic is 'Topics of an author''s posts and replies';
comment on column author_topic.author is 'author.id';
comment on column author_topic.events is 'How many of them';
comment on column author_topic.topic is 'A t tag in lower case, of 50 characters at most; the first ten of an event count';

create table candidate (
  url text not null,
  network text not null,
  host text not null,
  domain text not null,
  source text not null,
  author bytea,
  hints jsonb not null default '{}'::jsonb,
  discovered_at bigint not null,
  failures integer not null default 0,
  last_tried_at bigint,
  last_failure text,
  due_at bigint not null default 0,
  claimed_until bigint not null default 0,
  holder text,
  constraint candidate_pkey PRIMARY KEY (url),
  constraint candidate_network_check CHECK ((network = ANY (ARRAY['clearnet'::text, 'tor'::text, 'i2p'::text, 'loki'::text]))),
  constraint candidate_url_check CHECK ((octet_length(url) <= 2048))
) with (fillfactor=70);
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
comment on column candidate.holder is 'Who holds, or last held, the claim';
CREATE INDEX candidate_author ON candidate USING btree (author) WHERE (author IS NOT NULL);
CREATE INDEX candidate_domain ON candidate USING btree (domain);
CREATE INDEX candidate_due ON candidate USING btree (failures, due_at);
CREATE INDEX candidate_host ON candidate USING btree (host);

create table contact (
  follower integer not null,
  followed integer not null,
  constraint contact_pkey PRIMARY KEY (follower, followed)
) with (autovacuum_vacuum_insert_scale_factor=0.05);
comment on table contact is 'Who follows whom, by the newest contact list of each; nobody himself';
comment on column contact.follower is 'author.id';
comment on column contact.followed is 'author.id; he may never have written';
CREATE INDEX contact_followed ON contact USING btree (followed, follower);

create table contact_list (
  created_at bigint not null,
  author integer not null,
  follows integer not null,
  id bytea not null,
  constraint contact_list_pkey PRIMARY KEY (author),
  constraint contact_list_follows_check CHECK ((follows >= 0))
) with (fillfactor=85);
comment on table contact_list is 'The version of each author''s contact list that contact was made of';
comment on column contact_list.created_at is 'event.created_at';
comment on column contact_list.author is 'author.id';
comment on column contact_list.follows is 'How many rows of contact it made';
comment on column contact_list.id is 'event.id';

create table contact_total (
  author integer not null,
  followers integer not null,
  constraint contact_total_pkey PRIMARY KEY (author),
  constraint contact_total_followers_check CHECK ((followers > 0))
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.05);
comment on table contact_total is 'How many follow an author: the number of his rows in contact';
comment on column contact_total.author is 'author.id';
comment on column contact_total.followers is 'How many';

create table deleted_event (
  created_at bigint not null,
  id bytea not null,
  tags jsonb not null,
  constraint deleted_event_pkey PRIMARY KEY (created_at, id)
);
comment on table deleted_event is 'Tags of events that are deleted, until derived facts have taken them back';
comment on column deleted_event.created_at is 'event.created_at';
comment on column deleted_event.id is 'event.id';
comment on column deleted_event.tags is 'event.tags';

create table derived_lost (
  lost_at bigint not null
);
comment on table derived_lost is 'Says that derived facts are to be made from the start: facts were dropped, or somebody asked for it';
comment on column derived_lost.lost_at is 'Unix seconds';

create table derived_state (
  name text not null,
  setting text not null,
  upto bytea,
  constraint derived_state_pkey PRIMARY KEY (name),
  constraint derived_state_name_check CHECK ((name = ANY (ARRAY['contacts'::text, 'assertions'::text])))
);
comment on table derived_state is 'Derived facts that are kept; what is not here is not known';
comment on column derived_state.name is 'contacts: contact; assertions: author_fact and the like';
comment on column derived_state.setting is 'What of them';
comment on column derived_state.upto is 'Events with keys (created_at and id) up to here are in them; null for all';

create table distinct_sketch (
  estimate double precision not null,
  first integer not null,
  second integer not null,
  subject smallint not null,
  is_stale boolean not null default false,
  registers bytea not null,
  constraint distinct_sketch_pkey PRIMARY KEY (subject, first, second),
  constraint distinct_sketch_subject_check CHECK (((subject >= 1) AND (subject <= 7)))
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.05);
comment on table distinct_sketch is 'HyperLogLog sketches (p = 12) of how many distinct things there are: what is not counted exactly';
comment on column distinct_sketch.estimate is 'How many, by the registers; the relative standard error is 1.04 / 64 = 1.6 %';
comment on column distinct_sketch.first is 'Subject 1: day; 2: kind; 3, 4, 5: relay.id; 6, 7: number of the network, in the order of its type';
comment on column distinct_sketch.second is 'Subject 1, 3: kind; else 0';
comment on column distinct_sketch.subject is 'Authors of 1 a kind on a day, 2 a kind, 3 a kind on a relay, 4 a relay, 6 a network; events of 5 a relay, 7 a network. In 4 and 6 an event stands for the author whose key is thrown away; 1 to 3 are without';
comment on column distinct_sketch.is_stale is 'Something was deleted, which a sketch cannot subtract: it is to be made again';
comment on column distinct_sketch.registers is 'Registers: a byte each, or 3 bytes for each that is not zero';
CREATE INDEX distinct_sketch_stale ON distinct_sketch USING btree (subject, first, second) WHERE is_stale;

create table event (
  created_at bigint not null,
  seen_at bigint not null,
  kind integer not null,
  id bytea not null,
  pubkey bytea not null,
  sig bytea,
  tags jsonb,
  content text,
  constraint event_pkey PRIMARY KEY (created_at, id),
  constraint event_shape CHECK (((created_at >= 0) AND ((kind >= 0) AND (kind <= 65535)) AND (octet_length(id) = 32) AND (octet_length(pubkey) = 32) AND (octet_length(sig) = 64)))
) with (autovacuum_vacuum_insert_scale_factor=0.05, autovacuum_analyze_scale_factor=0.02);
comment on table event is 'Verified events, each once (NIP-01)';
comment on column event.created_at is 'Unix seconds, as claimed by the author';
comment on column event.seen_at is 'Unix seconds of arrival here';
comment on column event.kind is '0 to 65535';
comment on column event.id is 'sha256 of the canonical serialisation; commits to created_at, so (created_at, id) is unique iff id is';
comment on column event.pubkey is 'x-only public key of the author';
comment on column event.sig is 'BIP-340 signature of the id; null in a lite archive';
comment on column event.tags is 'Null in a lite archive';
comment on column event.content is 'Null in a lite archive';
CREATE INDEX event_address ON event USING btree (event_address(kind, pubkey, event_identifier(tags)), created_at) WHERE ((kind >= 30000) AND (kind <= 39999));
CREATE INDEX event_id ON event USING hash (id);
CREATE INDEX event_kind ON event USING btree (kind, created_at);
CREATE INDEX event_pubkey ON event USING btree (pubkey, kind, created_at);
CREATE INDEX event_seen ON event USING brin (seen_at);
CREATE INDEX event_tag ON event USING gin (event_tag_hashes(created_at, tags)) WITH (fastupdate=off) WHERE (tags IS NOT NULL);

create table event_deletion (
  until bigint not null,
  target bytea not null,
  pubkey bytea not null,
  constraint event_deletion_pkey PRIMARY KEY (target, pubkey),
  constraint event_deletion_shape CHECK (((octet_length(target) = 32) AND (octet_length(pubkey) = 32)))
);
comment on table event_deletion is 'What authors asked to delete (NIP-09), archived or not; stays when the request itself goes';
comment on column event_deletion.until is 'Newest created_at concerned: of addresses that of the request, of ids the largest number';
comment on column event_deletion.target is 'event.id, or event_address() for all versions';
comment on column event_deletion.pubkey is 'Who asked: it concerns what he wrote, and gift wraps (kind 1059) to him';

create table event_minute (
  minute integer not null,
  events integer not null,
  constraint event_minute_pkey PRIMARY KEY (minute),
  constraint event_minute_events_check CHECK ((events > 0))
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.05);
comment on table event_minute is 'Events by the minute of created_at, for windows that slide; of the last 31 days and the future';
comment on column event_minute.minute is 'created_at / 60';
comment on column event_minute.events is 'How many are archived';

create table event_raw (
  created_at bigint not null,
  id bytea not null,
  raw text not null,
  constraint event_raw_pkey PRIMARY KEY (created_at, id)
);
comment on table event_raw is 'Exact JSON of the few events PostgreSQL text cannot hold: U+0000 or lone surrogates, which are U+FFFD in event';
comment on column event_raw.created_at is 'event.created_at';
comment on column event_raw.id is 'event.id';
comment on column event_raw.raw is 'The event as JSON, such characters escaped';

create table event_vanish (
  until bigint not null,
  pubkey bytea not null,
  relay text not null,
  constraint event_vanish_pkey PRIMARY KEY (pubkey, relay),
  constraint event_vanish_shape CHECK (((octet_length(pubkey) = 32) AND (octet_length(relay) <= 1000)))
);
comment on table event_vanish is 'Who asked to vanish (NIP-62), and where; stays when the request itself goes';
comment on column event_vanish.until is 'created_at of the newest such request: it concerns what is not newer';
comment on column event_vanish.pubkey is 'The author';
comment on column event_vanish.relay is 'ALL_RELAYS, or a relay''s URL, in lower case and without a slash at its end';

create table fact (
  id bigint not null generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  queued_at bigint not null,
  taken_at bigint,
  relay_id integer,
  sign smallint not null,
  created_at bigint[] not null,
  kinds integer[],
  keys bytea not null,
  constraint fact_pkey PRIMARY KEY (id),
  constraint fact_shape CHECK (((sign = ANY (ARRAY['-1'::integer, 1])) AND ((kinds IS NULL) = (relay_id IS NOT NULL)) AND (octet_length(keys) = (cardinality(created_at) *
CASE
    WHEN (relay_id IS NULL) THEN 64
    ELSE 32
END))))
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=2000);
comment on table fact is 'What each batch changed, in the transaction that changed it: its events, or sightings of one relay. Statistics are behind the tables by what is not taken of it';
comment on column fact.id is 'In order of arrival, but for transactions that commit late';
comment on column fact.xid is 'The transaction: tells followers what became visible since they looked';
comment on column fact.queued_at is 'Unix seconds';
comment on column fact.taken_at is 'Unix seconds; null until the consumer has folded it. Followers may still read it for a while';
comment on column fact.relay_id is 'relay.id of sightings; null for events';
comment on column fact.sign is '1 for what is new, -1 for what was deleted';
comment on column fact.created_at is 'event.created_at of each';
comment on column fact.kinds is 'event.kind of each; null for sightings';
comment on column fact.keys is 'Of events id and pubkey of each, 64 bytes; of sightings the id, 32 bytes';
CREATE INDEX fact_xid ON fact USING btree (xid);

create table fact_dropped (
  dropped_at bigint not null,
  day integer,
  relay_id integer,
  constraint fact_dropped_shape CHECK ((num_nonnulls(day, relay_id) = 1))
);
comment on table fact_dropped is 'What is to be made again from the tables, as facts about it were dropped before they were taken';
comment on column fact_dropped.dropped_at is 'Unix seconds';
comment on column fact_dropped.day is 'Of events: created_at / 86400, from 2070 on 36525';
comment on column fact_dropped.relay_id is 'Of sightings: relay.id';
CREATE INDEX fact_dropped_day ON fact_dropped USING btree (day);
CREATE INDEX fact_dropped_relay ON fact_dropped USING btree (relay_id);

create table fact_follower (
  singleton boolean not null default true,
  until bigint not null,
  constraint fact_follower_pkey PRIMARY KEY (singleton),
  constraint fact_follower_singleton_check CHECK (singleton)
);
comment on table fact_follower is 'One row at most: whether somebody waits for facts, so that writers notify nobody in vain';
comment on column fact_follower.singleton is 'Always true';
comment on column fact_follower.until is 'Unix seconds';

create table forgotten_author (
  until bigint not null,
  forgotten_at bigint not null,
  pubkey bytea not null,
  is_done boolean not null default false,
  cause text not null,
  constraint forgotten_author_pkey PRIMARY KEY (pubkey),
  constraint forgotten_author_cause_check CHECK ((cause = ANY (ARRAY['operator'::text, 'vanish'::text]))),
  constraint forgotten_author_pubkey_check CHECK ((octet_length(pubkey) = 32))
);
comment on table forgotten_author is 'Authors whose events are refused';
comment on column forgotten_author.until is 'Newest created_at that is refused; the largest number for all';
comment on column forgotten_author.forgotten_at is 'Unix seconds';
comment on column forgotten_author.pubkey is 'The author';
comment on column forgotten_author.is_done is 'Whether all there was of it is deleted; what was interrupted is finished by the next';
comment on column forgotten_author.cause is 'operator: bigbrotr forget; vanish: the author asked for it (NIP-62)';

create table forgotten_event (
  created_at bigint,
  id bytea not null,
  constraint forgotten_event_pkey PRIMARY KEY (id),
  constraint forgotten_event_id_check CHECK ((octet_length(id) = 32))
);
comment on table forgotten_event is 'Events that were deleted for good, or refused for their author: who gives or lists one again tells nothing new';
comment on column forgotten_event.created_at is 'event.created_at; null for one that was never here';
comment on column forgotten_event.id is 'event.id';
CREATE INDEX forgotten_event_created_at ON forgotten_event USING btree (created_at);

create table kind_day (
  events bigint not null,
  day integer not null,
  kind integer not null,
  constraint kind_day_pkey PRIMARY KEY (day, kind),
  constraint kind_day_events_check CHECK ((events > 0))
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.05);
comment on table kind_day is 'Events by day and kind';
comment on column kind_day.events is 'How many are archived';
comment on column kind_day.day is 'created_at / 86400';
comment on column kind_day.kind is 'event.kind';

create table kind_hour (
  events bigint not null,
  hour integer not null,
  kind integer not null,
  constraint kind_hour_pkey PRIMARY KEY (hour, kind),
  constraint kind_hour_events_check CHECK ((events > 0))
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.05);
comment on table kind_hour is 'Events by hour and kind, of the last 31 days and the future';
comment on column kind_hour.events is 'How many are archived';
comment on column kind_hour.hour is 'created_at / 3600';
comment on column kind_hour.kind is 'event.kind';

create table kind_total (
  events bigint not null,
  kind integer not null,
  constraint kind_total_pkey PRIMARY KEY (kind),
  constraint kind_total_events_check CHECK ((events > 0))
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.05);
comment on table kind_total is 'Events by kind: the sum of kind_day';
comment on column kind_total.events is 'How many are archived';
comment on column kind_total.kind is 'event.kind';

create table metadata (
  id bytea not null,
  type text not null,
  data jsonb not null,
  constraint metadata_pkey PRIMARY KEY (id, type)
);
comment on table metadata is 'Documents by content: an unchanged one is stored once, whoever measured it';
comment on column metadata.id is 'sha256 of the canonical JSON';
comment on column metadata.type is 'nip11_info, nip66_rtt, nip66_ssl, nip66_dns, nip66_geo, nip66_net or nip66_http';
comment on column metadata.data is '{"data": {…}, "logs": {…}}';

create table outbox (
  id bigint not null generated always as identity,
  created_at bigint not null,
  expires_at bigint not null,
  kind integer not null,
  sender bytea not null,
  event_id bytea not null,
  fingerprint bytea not null,
  d text not null,
  event text not null,
  constraint outbox_sender_kind_d_key UNIQUE (sender, kind, d),
  constraint outbox_pkey PRIMARY KEY (id)
);
comment on table outbox is 'Signed events to publish; of each address the newest only, which stays until after its end so that the next can be compared with it';
comment on column outbox.id is 'Number';
comment on column outbox.created_at is 'Unix seconds: the age by which readers judge it';
comment on column outbox.expires_at is 'Unix seconds after which nobody tries to send it any more';
comment on column outbox.kind is 'Kind (NIP-01)';
comment on column outbox.sender is 'Public key of who publishes it: several with one key share the work';
comment on column outbox.event_id is 'Id of the event';
comment on column outbox.fingerprint is 'sha256 of what makes it differ from the one before';
comment on column outbox.d is 'The d tag of an addressable event, empty for a replaceable one, the id of any other';
comment on column outbox.event is 'The event as JSON, as it is sent';
CREATE INDEX outbox_expiry ON outbox USING btree (expires_at);

create table outbox_delivery (
  outbox_id bigint not null,
  next_try_at bigint not null default 0,
  settled_at bigint,
  target_id integer not null,
  attempts integer not null default 0,
  result text,
  reason text,
  constraint outbox_delivery_pkey PRIMARY KEY (outbox_id, target_id),
  constraint outbox_delivery_result_check CHECK ((result = ANY (ARRAY['accepted'::text, 'refused'::text, 'failed'::text, 'expired'::text])))
) with (fillfactor=70);
comment on table outbox_delivery is 'What became of each event at each relay it is meant for';
comment on column outbox_delivery.outbox_id is 'outbox.id';
comment on column outbox_delivery.next_try_at is 'Unix seconds from which it is sent (again)';
comment on column outbox_delivery.settled_at is 'Unix seconds at which it came to its end; null while it is still to be sent';
comment on column outbox_delivery.target_id is 'outbox_target.id';
comment on column outbox_delivery.attempts is 'How often it was tried';
comment on column outbox_delivery.result is 'accepted, refused, failed (too often) or expired; null while it is still to be sent';
comment on column outbox_delivery.reason is 'What the relay said, or why it could not be asked';
CREATE INDEX outbox_delivery_pending ON outbox_delivery USING btree (target_id, next_try_at) WHERE (result IS NULL);

create table outbox_target (
  id integer not null generated always as identity,
  failures integer not null default 0,
  next_try_at bigint not null default 0,
  claimed_until bigint not null default 0,
  sender bytea not null,
  relay_url text not null,
  holder text,
  constraint outbox_target_sender_relay_url_key UNIQUE (sender, relay_url),
  constraint outbox_target_pkey PRIMARY KEY (id)
) with (fillfactor=70);
comment on table outbox_target is 'Relays that events are sent to, and who is sending to them now';
comment on column outbox_target.id is 'Number';
comment on column outbox_target.failures is 'Rounds in a row in which it could not be used';
comment on column outbox_target.next_try_at is 'Unix seconds from which it may be dialled';
comment on column outbox_target.claimed_until is 'Unix seconds at which the claim ends; a dead holder loses it then';
comment on column outbox_target.sender is 'outbox.sender';
comment on column outbox_target.relay_url is 'Normalised URL; it need not be a relay of the archive';
comment on column outbox_target.holder is 'Who holds, or last held, the claim';

create table rejected_event (
  id bigint not null generated always as identity,
  relay_id integer,
  reason text not null,
  detail text not null,
  event_id bytea,
  raw text,
  rejected_at bigint not null,
  constraint rejected_event_pkey PRIMARY KEY (id)
);
comment on table rejected_event is 'What was refused and why: the newest of each relay';
comment on column rejected_event.id is 'In order of arrival';
comment on column rejected_event.relay_id is 'relay.id; null when it came from a file';
comment on column rejected_event.reason is 'Short, from a small set';
comment on column rejected_event.detail is 'What exactly was wrong';
comment on column rejected_event.event_id is 'The id it claimed, if it had one';
comment on column rejected_event.raw is 'What came, cut to a bound';
comment on column rejected_event.rejected_at is 'Unix seconds';
CREATE INDEX rejected_event_relay ON rejected_event USING btree (relay_id, id);

create table relay (
  id integer not null generated always as identity,
  url text not null,
  network text not null,
  host text not null generated always as ("substring"(url, '^wss?://(\[[^]]*\]|[^/:]*)'::text)) stored,
  domain text not null,
  discovered_at bigint not null,
  constraint relay_url_key UNIQUE (url),
  constraint relay_pkey PRIMARY KEY (id),
  constraint relay_network_check CHECK ((network = ANY (ARRAY['clearnet'::text, 'tor'::text, 'i2p'::text, 'loki'::text]))),
  constraint relay_url_check CHECK ((octet_length(url) <= 2048))
);
comment on table relay is 'Validated peers: each answered a REQ once';
comment on column relay.id is 'What every other table refers to';
comment on column relay.url is 'Normalised URL, as it answered';
comment on column relay.network is 'clearnet, tor, i2p or loki (NIP-66)';
comment on column relay.host is 'Host of the URL, without port';
comment on column relay.domain is 'Registrable domain; the host for overlays and addresses';
comment on column relay.discovered_at is 'Unix seconds of the first answer';
CREATE INDEX relay_domain ON relay USING btree (domain);
CREATE INDEX relay_host ON relay USING btree (host);

create table relay_author (
  first_at bigint not null,
  last_at bigint not null,
  relay_id integer not null,
  author integer not null,
  events integer not null,
  kinds bytea not null,
  constraint relay_author_pkey PRIMARY KEY (relay_id, author),
  constraint relay_author_events_check CHECK ((events > 0))
) with (fillfactor=90, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);
comment on table relay_author is 'Whose events a relay was seen to hold; without kinds whose keys are thrown away';
comment on column relay_author.first_at is 'Their lowest created_at';
comment on column relay_author.last_at is 'Their highest created_at';
comment on column relay_author.relay_id is 'relay.id';
comment on column relay_author.author is 'author.id';
comment on column relay_author.events is 'How many';
comment on column relay_author.kinds is 'Their kinds, ascending, 2 bytes each';

create table relay_capability (
  since bigint not null,
  relay_id integer not null,
  value boolean not null,
  capability text not null,
  judged_by text not null,
  constraint relay_capability_pkey PRIMARY KEY (relay_id, capability),
  constraint relay_capability_capability_check CHECK ((capability = ANY (ARRAY['read'::text, 'write'::text, 'auth'::text, 'payment'::text, 'writes'::text, 'pow'::text]))),
  constraint relay_capability_judged_by_check CHECK ((judged_by = ANY (ARRAY['read'::text, 'write'::text, 'nip11'::text])))
) with (fillfactor=70);
comment on table relay_capability is 'What a relay lets anybody do and what it demands, by what showed it last';
comment on column relay_capability.since is 'Unix seconds from which it was found so, by the same evidence';
comment on column relay_capability.relay_id is 'relay.id';
comment on column relay_capability.value is 'Whether it is so; there is no row while nobody knows';
comment on column relay_capability.capability is 'read, write: whether a stranger may; auth, payment, writes (not for everybody), pow: whether it is demanded (NIP-66 R)';
comment on column relay_capability.judged_by is 'The answer to a read or a written event, or nip11: the relay''s own word';

create table relay_check (
  checked_at bigint not null,
  relay_id integer not null,
  open_ms integer,
  read_ms integer,
  write_ms integer,
  online boolean not null,
  failure text,
  constraint relay_check_pkey PRIMARY KEY (relay_id, checked_at)
);
comment on table relay_check is 'The numbers of each check of a relay, for uptime and history';
comment on column relay_check.checked_at is 'Unix seconds';
comment on column relay_check.relay_id is 'relay.id';
comment on column relay_check.open_ms is 'Milliseconds to an open connection; null when it did not open';
comment on column relay_check.read_ms is 'Milliseconds from REQ to the first answer; null when there was none';
comment on column relay_check.write_ms is 'Milliseconds from EVENT to OK; null when not tried or not answered';
comment on column relay_check.online is 'It opened and spoke';
comment on column relay_check.failure is 'Why it is not online, or what else went wrong';

create table relay_check_rollup (
  starts_at bigint not null,
  open_ms_sum bigint not null,
  relay_id integer not null,
  seconds integer not null,
  observed_seconds integer not null,
  online_seconds integer not null,
  checks integer not null,
  failures integer not null,
  opened integer not null,
  open_ms_min integer,
  open_ms_max integer,
  constraint relay_check_rollup_pkey PRIMARY KEY (relay_id, seconds, starts_at),
  constraint relay_check_rollup_seconds_check CHECK ((seconds = ANY (ARRAY[3600, 86400])))
);
comment on table relay_check_rollup is 'Checks summed up by hour and by day in UTC, both; a day observed from end to end and offline throughout has no hours, nor has time in which nobody looked';
comment on column relay_check_rollup.starts_at is 'Unix seconds of the full hour or the midnight in UTC';
comment on column relay_check_rollup.open_ms_sum is 'Of the checks that opened: divided by opened it is their mean';
comment on column relay_check_rollup.relay_id is 'relay.id';
comment on column relay_check_rollup.seconds is '3600 for an hour, 86400 for a day: sum over one of them';
comment on column relay_check_rollup.observed_seconds is 'How much of it is covered by checks, as relay_observe defines it';
comment on column relay_check_rollup.online_seconds is 'How much of that it was online';
comment on column relay_check_rollup.checks is 'Checks made in it';
comment on column relay_check_rollup.failures is 'Those that found it offline';
comment on column relay_check_rollup.opened is 'Those that opened a connection';
comment on column relay_check_rollup.open_ms_min is 'The fastest opening; null when there was none';
comment on column relay_check_rollup.open_ms_max is 'The slowest';

create table relay_day (
  events bigint not null,
  relay_id integer not null,
  day integer not null,
  constraint relay_day_pkey PRIMARY KEY (relay_id, day),
  constraint relay_day_events_check CHECK ((events > 0))
) with (fillfactor=85, autovacuum_vacuum_scale_factor=0.05);
comment on table relay_day is 'Events that a relay was seen to hold, by day';
comment on column relay_day.events is 'How many';
comment on column relay_day.relay_id is 'relay.id';
comment on column relay_day.day is 'created_at / 86400';

create table relay_kind (
  events bigint not null,
  relay_id integer not null,
  kind integer not null,
  constraint relay_kind_pkey PRIMARY KEY (relay_id, kind),
  constraint relay_kind_events_check CHECK ((events > 0))
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.05);
comment on table relay_kind is 'Events that a relay was seen to hold, by kind';
comment on column relay_kind.events is 'How many';
comment on column relay_kind.relay_id is 'relay.id';
comment on column relay_kind.kind is 'event.kind';

create table relay_lease (
  service text not null,
  relay_id integer not null,
  due_at bigint not null default 0,
  claimed_until bigint not null default 0,
  holder text,
  failures integer not null default 0,
  interval_seconds integer,
  yield real not null default 0,
  yielded_at bigint,
  memory jsonb not null default '{}'::jsonb,
  live_since bigint,
  progress jsonb,
  constraint relay_lease_pkey PRIMARY KEY (service, relay_id),
  constraint relay_lease_interval_seconds_check CHECK ((interval_seconds > 0))
) with (fillfactor=70);
comment on table relay_lease is 'Which process of a service works on a relay, and when the relay is due again';
comment on column relay_lease.service is 'Name of the service';
comment on column relay_lease.relay_id is 'relay.id';
comment on column relay_lease.due_at is 'Unix seconds from which it may be leased';
comment on column relay_lease.claimed_until is 'Unix seconds at which the lease ends; a dead holder loses it then';
comment on column relay_lease.holder is 'Who holds, or last held, the lease';
comment on column relay_lease.failures is 'Failures in a row, for the backoff of the next holder';
comment on column relay_lease.interval_seconds is 'Seconds between visits; null for a relay that was never given back with an interval';
comment on column relay_lease.yield is 'New events of a visit lately: a mean in which the last one counts half';
comment on column relay_lease.yielded_at is 'Unix seconds at which there was last something new; null for never';
comment on column relay_lease.memory is 'What the last holder leaves to the next, in words of the service';
comment on column relay_lease.live_since is 'Unix seconds since which the holder is live with the relay; null when it is not';
comment on column relay_lease.progress is 'What the walk of the holder does, {doing: [state of each range], until: Unix seconds of the last question}; null for none';
CREATE INDEX relay_lease_due ON relay_lease USING btree (service, due_at);

create table relay_listing (
  created_at bigint not null,
  noted_at bigint not null,
  relay_id integer not null,
  filter_hash bytea not null,
  event_id bytea not null,
  state text not null,
  constraint relay_listing_pkey PRIMARY KEY (relay_id, filter_hash, created_at, event_id),
  constraint relay_listing_state_check CHECK ((state = ANY (ARRAY['withheld'::text, 'gone'::text])))
);
comment on table relay_listing is 'Events a relay lists but gives to nobody, and events it gave once and lists no more: so that reconciling does not find them again every time';
comment on column relay_listing.created_at is 'Of a withheld event: the second that the relay lists it under';
comment on column relay_listing.noted_at is 'Unix seconds';
comment on column relay_listing.relay_id is 'relay.id';
comment on column relay_listing.filter_hash is 'sha256 of the filter, as in sync_coverage';
comment on column relay_listing.event_id is 'Of a withheld event: nothing else is known of it';
comment on column relay_listing.state is 'withheld: listed and not given; gone: given once and not listed any more';

create table relay_metadata (
  generated_at bigint not null,
  relay_id integer not null,
  metadata_type text not null,
  metadata_id bytea not null,
  constraint relay_metadata_pkey PRIMARY KEY (relay_id, metadata_type, generated_at)
);
comment on table relay_metadata is 'Which document described a relay at which moment';
comment on column relay_metadata.generated_at is 'Unix seconds';
comment on column relay_metadata.relay_id is 'relay.id';
comment on column relay_metadata.metadata_type is 'metadata.type';
comment on column relay_metadata.metadata_id is 'metadata.id';
CREATE INDEX relay_metadata_document ON relay_metadata USING btree (metadata_id, metadata_type);

create table relay_outage (
  since bigint not null,
  until bigint,
  relay_id integer not null,
  checks integer,
  cause text,
  constraint relay_outage_pkey PRIMARY KEY (relay_id, since)
);
comment on table relay_outage is 'Times a relay was offline, one row each, from the first failing check to the next good one; never deleted';
comment on column relay_outage.since is 'Unix seconds of the first failing check';
comment on column relay_outage.until is 'Unix seconds of the first good check after it; null while it lasts';
comment on column relay_outage.relay_id is 'relay.id';
comment on column relay_outage.checks is 'How many checks failed; null while it lasts (then relay_state.streak)';
comment on column relay_outage.cause is 'Why the first of them failed';
CREATE INDEX relay_outage_open ON relay_outage USING btree (relay_id) WHERE (until IS NULL);

create table relay_rejection (
  relay_id integer not null,
  reason text not null,
  events bigint not null,
  first_at bigint not null,
  last_at bigint not null,
  constraint relay_rejection_pkey PRIMARY KEY (relay_id, reason)
) with (fillfactor=70);
comment on table relay_rejection is 'How many events of a relay were not archived, by reason; rejected_event holds samples';
comment on column relay_rejection.relay_id is 'relay.id';
comment on column relay_rejection.reason is 'Short, from a small set';
comment on column relay_rejection.events is 'How many came, each time they came';
comment on column relay_rejection.first_at is 'Unix seconds';
comment on column relay_rejection.last_at is 'Unix seconds';

create table relay_remake (
  relay_id integer not null,
  upto bytea not null,
  constraint relay_remake_pkey PRIMARY KEY (relay_id)
);
comment on table relay_remake is 'Relays whose statistics are being made again, in steps; until then they say less than there is';
comment on column relay_remake.relay_id is 'relay.id';
comment on column relay_remake.upto is 'Sightings with keys below are in the statistics';

create table relay_software (
  generated_at bigint not null,
  relay_id integer not null,
  software text not null,
  version text not null,
  nips integer[] not null,
  constraint relay_software_pkey PRIMARY KEY (relay_id)
) with (fillfactor=80);
comment on table relay_software is 'What each relay says it runs, by its newest nip11_info';
comment on column relay_software.generated_at is 'relay_metadata.generated_at of that document';
comment on column relay_software.relay_id is 'relay.id';
comment on column relay_software.software is 'As the relay has it, cut to 200 characters; unknown when it says nothing';
comment on column relay_software.version is 'Likewise';
comment on column relay_software.nips is 'Numbers in supported_nips, ascending, each once; the lowest 200';

create table relay_state (
  since bigint not null,
  last_checked_at bigint not null,
  last_online_at bigint,
  first_checked_at bigint not null,
  rolled_until bigint not null default 0,
  checks_since bigint not null default 0,
  hours_since bigint not null default 0,
  relay_id integer not null,
  streak integer not null,
  online boolean not null,
  constraint relay_state_pkey PRIMARY KEY (relay_id)
) with (fillfactor=70);
comment on table relay_state is 'Where each relay that was ever checked stands; kept by relay_check_insert';
comment on column relay_state.since is 'Unix seconds of the first of the checks in a row that found it as it is';
comment on column relay_state.last_checked_at is 'Unix seconds';
comment on column relay_state.last_online_at is 'Unix seconds of the last check that found it online; null when none did';
comment on column relay_state.first_checked_at is 'Unix seconds';
comment on column relay_state.rolled_until is 'Checks before this moment are in relay_check_rollup, and no more are taken; a midnight in UTC';
comment on column relay_state.checks_since is 'From here on relay_check is whole; before, its rows may be gone';
comment on column relay_state.hours_since is 'From here on relay_check_rollup has hours; before, only days';
comment on column relay_state.relay_id is 'relay.id';
comment on column relay_state.streak is 'Checks in a row that found it as it is';
comment on column relay_state.online is 'By the last check: it opened and spoke';
CREATE INDEX relay_state_since ON relay_state USING btree (since);

create table schema_function (
  name text not null,
  checksum text not null,
  applied_at bigint not null,
  constraint schema_function_pkey PRIMARY KEY (name)
);
comment on table schema_function is 'Files of stored functions applied; a file is applied again when its checksum changes';
comment on column schema_function.name is 'Name of the file in sql/functions';
comment on column schema_function.checksum is 'sha256 of the file, hex';
comment on column schema_function.applied_at is 'Unix seconds';

create table schema_migration (
  version integer not null,
  name text not null,
  checksum text not null,
  applied_at bigint not null,
  constraint schema_migration_pkey PRIMARY KEY (version)
);
comment on table schema_migration is 'Migrations applied, in order; a program that knows fewer refuses this database';
comment on column schema_migration.version is 'Number of the file in sql/migrations';
comment on column schema_migration.name is 'Name of the file';
comment on column schema_migration.checksum is 'sha256 of the file, hex: a migration is never edited once released';
comment on column schema_migration.applied_at is 'Unix seconds';

create table service_lease (
  claimed_until bigint not null,
  busy_share real not null,
  service text not null,
  holder text not null,
  constraint service_lease_pkey PRIMARY KEY (service)
);
comment on table service_lease is 'Which process of a service works, where the others wait';
comment on column service_lease.claimed_until is 'Unix seconds until which it does, unless it says so again';
comment on column service_lease.busy_share is 'Share of the time of late that it worked, 0 to 1';
comment on column service_lease.service is 'Name of the service';
comment on column service_lease.holder is 'Name of the process';

create table service_state (
  service_name text not null,
  state_type text not null,
  state_key text not null,
  state_value jsonb not null,
  updated_at bigint not null,
  constraint service_state_pkey PRIMARY KEY (service_name, state_type, state_key)
) with (fillfactor=70);
comment on table service_state is 'Cursors, checkpoints and runtime statistics of services';
comment on column service_state.service_name is 'Name of the service';
comment on column service_state.state_type is 'cursor, checkpoint, runtime, …';
comment on column service_state.state_key is 'What it is about';
comment on column service_state.state_value is 'Any JSON';
comment on column service_state.updated_at is 'Unix seconds';

create table sighting_log (
  seen_at bigint not null,
  relay_id integer not null,
  key bytea not null,
  constraint sighting_log_pkey PRIMARY KEY (relay_id, key)
) with (autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.2, autovacuum_analyze_scale_factor=0.1);
comment on table sighting_log is 'Sightings that wait for their page of sighting_page, which is the last that begins before them: a page takes them when there are 24';
comment on column sighting_log.seen_at is 'Unix seconds by which it was recorded';
comment on column sighting_log.relay_id is 'relay.id';
comment on column sighting_log.key is 'event.created_at as 8 bytes and event.id as 32';

create table sighting_page (
  first_seen_at bigint not null,
  last_seen_at bigint not null,
  sum_0 bigint not null,
  sum_1 bigint not null,
  sum_2 bigint not null,
  sum_3 bigint not null,
  sum_4 bigint not null,
  sum_5 bigint not null,
  sum_6 bigint not null,
  sum_7 bigint not null,
  relay_id integer not null,
  sightings integer not null,
  first_key bytea not null,
  last_key bytea not null,
  keys bytea not null,
  constraint sighting_page_pkey PRIMARY KEY (relay_id, first_key),
  constraint sighting_page_shape CHECK (((sightings >= 1) AND (sightings <= 96) AND (octet_length(keys) = (40 * sightings)) AND (get_byte(first_key, 0) < 128)))
) with (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_insert_scale_factor=0.05, autovacuum_analyze_scale_factor=0.02);
comment on table sighting_page is 'Sightings: which relay held which event; those that came few at a time wait in sighting_log. Pages of one relay do not overlap; with what waits for them, their keys are the vector NIP-77 reconciles. View event_relay has a row a sighting';
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

create table statistics_state (
  singleton boolean not null default true,
  facts bigint not null default 0,
  events bigint not null default 0,
  sightings bigint not null default 0,
  busy_ms bigint not null default 0,
  folded_at bigint,
  hours_since integer not null,
  constraint statistics_state_pkey PRIMARY KEY (singleton),
  constraint statistics_state_singleton_check CHECK (singleton)
);
comment on table statistics_state is 'How far statistics are, and what they cost; one row';
comment on column statistics_state.singleton is 'Always true';
comment on column statistics_state.facts is 'Facts folded so far';
comment on column statistics_state.events is 'Events in them';
comment on column statistics_state.sightings is 'Sightings in them';
comment on column statistics_state.busy_ms is 'Milliseconds spent folding them';
comment on column statistics_state.folded_at is 'Unix seconds of the last fold';
comment on column statistics_state.hours_since is 'First hour that kind_hour and event_minute are kept of; only ever rises';

create table sync_audit (
  asked bigint not null,
  confirmed bigint not null,
  contradicted bigint not null,
  retractions bigint not null,
  retracted_seconds bigint not null,
  last_asked_at bigint,
  last_contradicted_at bigint,
  relay_id integer not null,
  filter_hash bytea not null,
  constraint sync_audit_pkey PRIMARY KEY (relay_id, filter_hash)
) with (fillfactor=70);
comment on table sync_audit is 'The totals of audits of proven time, by relay and filter';
comment on column sync_audit.asked is 'Questions asked in time that was proven';
comment on column sync_audit.confirmed is 'Answers that agreed with the proof';
comment on column sync_audit.contradicted is 'Contradictions found, by audits and otherwise';
comment on column sync_audit.retractions is 'How often coverage was taken back because of one';
comment on column sync_audit.retracted_seconds is 'Seconds of coverage taken back so far';
comment on column sync_audit.last_asked_at is 'Unix seconds; null for never';
comment on column sync_audit.last_contradicted_at is 'Unix seconds; null for never';
comment on column sync_audit.relay_id is 'relay.id';
comment on column sync_audit.filter_hash is 'sha256 of the filter, as in sync_coverage';

create table sync_contradiction (
  id bigint not null generated always as identity,
  found_at bigint not null,
  since bigint not null,
  until bigint not null,
  relay_id integer not null,
  filter_hash bytea not null,
  kind text not null,
  question text not null,
  event_ids bytea[] not null,
  retracted int8multirange not null,
  constraint sync_contradiction_pkey PRIMARY KEY (id),
  constraint sync_contradiction_check CHECK ((until >= since))
);
comment on table sync_contradiction is 'Answers that contradicted a proof: the newest 100 of each relay';
comment on column sync_contradiction.id is 'In order of discovery';
comment on column sync_contradiction.found_at is 'Unix seconds';
comment on column sync_contradiction.since is 'Unix seconds, inclusive: the window that was proven';
comment on column sync_contradiction.until is 'Unix seconds, inclusive';
comment on column sync_contradiction.relay_id is 'relay.id';
comment on column sync_contradiction.filter_hash is 'sha256 of the filter, as in sync_coverage';
comment on column sync_contradiction.kind is 'hidden (a narrower question showed more), omitted (lacked what it gives by id), unlisted (not in its NIP-77), late (after EOSE), count';
comment on column sync_contradiction.question is 'What showed it, in one word: silence, sample, end, page, count';
comment on column sync_contradiction.event_ids is 'Up to 10 events that should have been known or shown';
comment on column sync_contradiction.retracted is 'Unix seconds of coverage, of any filter, taken back because of it';
CREATE INDEX sync_contradiction_relay ON sync_contradiction USING btree (relay_id, id);

create table sync_coverage (
  relay_id integer not null,
  filter_hash bytea not null,
  filter jsonb not null,
  covered int8multirange not null,
  updated_at bigint not null,
  wanted int8range default '[0,)'::int8range,
  constraint sync_coverage_pkey PRIMARY KEY (relay_id, filter_hash)
);
comment on table sync_coverage is 'Windows of created_at that are archived and proven complete, by relay and filter';
comment on column sync_coverage.relay_id is 'relay.id';
comment on column sync_coverage.filter_hash is 'sha256 of the filter''s canonical JSON without since, until and limit';
comment on column sync_coverage.filter is 'The filter, for readers';
comment on column sync_coverage.covered is 'Unix seconds proven complete';
comment on column sync_coverage.updated_at is 'Unix seconds';
comment on column sync_coverage.wanted is 'Unix seconds that the synchronizer wants; null when it does not want this filter any more';

create table sync_gap (
  relay_id integer not null,
  filter_hash bytea not null,
  since bigint not null,
  until bigint not null,
  reason text not null,
  found_at bigint not null,
  reported_at bigint not null,
  attempts integer not null,
  constraint sync_gap_pkey PRIMARY KEY (relay_id, filter_hash, since),
  constraint sync_gap_check CHECK ((until >= since))
);
comment on table sync_gap is 'Windows that could not be proven complete; no part of one is covered, and none overlap';
comment on column sync_gap.relay_id is 'relay.id';
comment on column sync_gap.filter_hash is 'sha256 of the filter, as in sync_coverage';
comment on column sync_gap.since is 'Unix seconds, inclusive';
comment on column sync_gap.until is 'Unix seconds, inclusive';
comment on column sync_gap.reason is 'Why, from a small set';
comment on column sync_gap.found_at is 'Unix seconds of the first report';
comment on column sync_gap.reported_at is 'Unix seconds of the last report';
comment on column sync_gap.attempts is 'How often it was reported';

create table sync_proof (
  relay_id integer not null,
  filter_hash bytea not null,
  method text not null,
  covered int8multirange not null,
  strength text not null,
  constraint sync_proof_pkey PRIMARY KEY (relay_id, filter_hash, method, strength),
  constraint sync_proof_method_check CHECK ((method = ANY (ARRAY['negentropy'::text, 'finish'::text, 'count'::text, 'paging'::text, 'split'::text, 'empty-page'::text, 'live'::text]))),
  constraint sync_proof_strength_check CHECK ((strength = ANY (ARRAY['reconciled'::text, 'counted'::text, 'paged'::text, 'weak'::text])))
);
comment on table sync_proof is 'The method and the strength by which each second of sync_coverage was last proven; together they are exactly the coverage';
comment on column sync_proof.relay_id is 'relay.id';
comment on column sync_proof.filter_hash is 'sync_coverage.filter_hash';
comment on column sync_proof.method is 'negentropy (NIP-77), finish (NIP-67 hint), count (NIP-45), paging, split, empty-page, live (an open subscription; the next sync walks it again)';
comment on column sync_proof.covered is 'Unix seconds proven by it';
comment on column sync_proof.strength is 'By the audit of the session: reconciled (NIP-77), counted (exact COUNT), paged (answers showed an event that must be there), weak (not audited, or live)';

create table sync_withheld (
  relay_id integer not null,
  filter_hash bytea not null,
  is_whole boolean not null default true,
  withheld int8multirange not null,
  constraint sync_withheld_pkey PRIMARY KEY (relay_id, filter_hash)
) with (fillfactor=70);
comment on table sync_withheld is 'Where relays list events that they give to nobody (relay_listing), coalesced; no part of it is covered';
comment on column sync_withheld.relay_id is 'relay.id';
comment on column sync_withheld.filter_hash is 'sha256 of the filter, as in sync_coverage';
comment on column sync_withheld.is_whole is 'Whether relay_listing has all of the events, and not only the first 100 000';
comment on column sync_withheld.withheld is 'Unix seconds, in at most 200 ranges: those next to each other are merged';

create table target_fact (
  target bytea not null,
  comments integer not null default 0,
  quotes integer not null default 0,
  reposts integer not null default 0,
  reactions integer not null default 0,
  zaps integer not null default 0,
  unverified_zaps integer not null default 0,
  zap_msats numeric not null default 0,
  constraint target_fact_pkey PRIMARY KEY (target)
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.05);
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
  created_at bigint not null,
  msats bigint not null,
  sender integer not null,
  recipient integer not null,
  request bytea not null,
  id bytea not null,
  constraint zap_pkey PRIMARY KEY (request, id),
  constraint zap_msats_check CHECK ((msats > 0))
);
comment on table zap is 'Zap receipts that agree with their invoice and with the request the sender signed (NIP-57). Of a request counts the first receipt alone: anybody can repeat one';
comment on column zap.created_at is 'event.created_at of the receipt';
comment on column zap.msats is 'Millisatoshis of the invoice';
comment on column zap.sender is 'author.id of who signed the request';
comment on column zap.recipient is 'author.id';
comment on column zap.request is 'Id of the request, which is not an archived event';
comment on column zap.id is 'event.id of the receipt';

create view event_daily_counts as
 SELECT ('1970-01-01'::date + day) AS day,
    event_count,
    (throwaway + ( SELECT count(*) AS count
           FROM author_day a
          WHERE (a.day = k.day))) AS unique_pubkeys,
    unique_kinds
   FROM ( SELECT kind_day.day,
            (sum(kind_day.events))::bigint AS event_count,
            count(*) AS unique_kinds,
            (COALESCE(sum(kind_day.events) FILTER (WHERE kind_is_throwaway(kind_day.kind)), (0)::numeric))::bigint AS throwaway
           FROM kind_day
          GROUP BY kind_day.day) k;
comment on view event_daily_counts is 'Events, authors and kinds of each day, exactly; 2070-01-01 stands for all days from then on';

create view event_readable as
 SELECT from_unix(created_at) AS created_time,
    hex(id) AS id_hex,
    npub(pubkey) AS npub,
    hex(pubkey) AS pubkey_hex,
    kind,
    content,
    tags,
    from_unix(seen_at) AS seen_time,
    id,
    pubkey,
    created_at,
    seen_at,
    sig
   FROM event;
comment on view event_readable is 'Events with timestamps, hex and npub to be read; id, pubkey, kind and created_at have the indexes of event';

create view event_relay as
 SELECT p.last_seen_at AS seen_at,
    sighting_time(key.key) AS created_at,
    p.relay_id,
    substr(key.key, 9) AS event_id
   FROM (sighting_page p
     CROSS JOIN LATERAL sighting_keys(p.keys) key(key))
UNION ALL
 SELECT seen_at,
    sighting_time(key) AS created_at,
    relay_id,
    substr(key, 9) AS event_id
   FROM sighting_log;
comment on view event_relay is 'Sightings, a row each: which relay held which event. seen_at: it was recorded by then, and may have been before';

create view event_relay_readable as
 SELECT from_unix(s.created_at) AS created_time,
    from_unix(s.seen_at) AS seen_time,
    r.url AS relay_url,
    r.network,
    hex(s.event_id) AS event_id_hex,
    s.event_id,
    s.relay_id,
    s.created_at,
    s.seen_at
   FROM (event_relay s
     JOIN relay r ON ((r.id = s.relay_id)));
comment on view event_relay_readable is 'Sightings with the URL of their relay, which has an index; for one event or a time: event_relays(), relay_events()';

create view event_stats as
 SELECT 1 AS singleton_key,
    k.event_count,
    (a.authors + k.throwaway) AS unique_pubkeys,
    k.unique_kinds,
    s.earliest AS earliest_event_timestamp,
    s.latest AS latest_event_timestamp,
    k.regular AS regular_event_count,
    k.replaceable AS replaceable_event_count,
    k.ephemeral AS ephemeral_event_count,
    k.addressable AS addressable_event_count,
    event_count_last((3600)::bigint) AS event_count_last_1h,
    event_count_last((86400)::bigint) AS event_count_last_24h,
    event_count_last(((7 * 86400))::bigint) AS event_count_last_7d,
    event_count_last(((30 * 86400))::bigint) AS event_count_last_30d,
    round(((k.event_count)::numeric / GREATEST((((s.latest - s.earliest))::numeric / 86400.0), (1)::numeric)), 2) AS events_per_day,
    ( SELECT statistics_state.folded_at
           FROM statistics_state) AS folded_at
   FROM ((( SELECT (COALESCE(sum(kind_total.events), (0)::numeric))::bigint AS event_count,
            count(*) AS unique_kinds,
            (COALESCE(sum(kind_total.events) FILTER (WHERE kind_is_throwaway(kind_total.kind)), (0)::numeric))::bigint AS throwaway,
            (COALESCE(sum(kind_total.events) FILTER (WHERE (kind_category(kind_total.kind) = 'regular'::text)), (0)::numeric))::bigint AS regular,
            (COALESCE(sum(kind_total.events) FILTER (WHERE (kind_category(kind_total.kind) = 'replaceable'::text)), (0)::numeric))::bigint AS replaceable,
            (COALESCE(sum(kind_total.events) FILTER (WHERE (kind_category(kind_total.kind) = 'ephemeral'::text)), (0)::numeric))::bigint AS ephemeral,
            (COALESCE(sum(kind_total.events) FILTER (WHERE (kind_category(kind_total.kind) = 'addressable'::text)), (0)::numeric))::bigint AS addressable
           FROM kind_total) k
     CROSS JOIN ( SELECT COALESCE(sum(author_first.authors), (0)::bigint) AS authors
           FROM author_first) a)
     CROSS JOIN ( SELECT ( SELECT event.created_at
                   FROM event
                  ORDER BY event.created_at
                 LIMIT 1) AS earliest,
            ( SELECT event.created_at
                   FROM event
                  ORDER BY event.created_at DESC
                 LIMIT 1) AS latest) s);
comment on view event_stats is 'The archive in one row; the last hour, day, week and month slide with the clock, to the minute';

create view events_addressable_latest as
 SELECT created_at,
    seen_at,
    kind,
    id,
    pubkey,
    sig,
    tags,
    content,
    event_identifier(tags) AS d_tag
   FROM event e
  WHERE (((kind >= 30000) AND (kind <= 39999)) AND (tags IS NOT NULL) AND (( SELECT true
           FROM event n
          WHERE ((event_address(n.kind, n.pubkey, event_identifier(n.tags)) = event_address(e.kind, e.pubkey, event_identifier(e.tags))) AND ((n.kind >= 30000) AND (n.kind <= 39999)) AND (n.created_at >= e.created_at) AND ((n.created_at > e.created_at) OR (n.id < e.id)))
         LIMIT 1) IS NULL));
comment on view events_addressable_latest is 'The newest event of each address; of those of one second the lowest id; none in a lite archive';

create view events_replaceable_latest as
 SELECT created_at,
    seen_at,
    kind,
    id,
    pubkey,
    sig,
    tags,
    content
   FROM event e
  WHERE (((kind = ANY (ARRAY[0, 3])) OR ((kind >= 10000) AND (kind <= 19999))) AND (( SELECT true
           FROM event n
          WHERE ((n.pubkey = e.pubkey) AND (n.kind = e.kind) AND (n.created_at >= e.created_at) AND ((n.created_at > e.created_at) OR (n.id < e.id)))
         LIMIT 1) IS NULL));
comment on view events_replaceable_latest is 'The newest event of each author and replaceable kind; of those of one second the lowest id';

create view kind_counts as
 SELECT k.kind,
    k.events AS event_count,
        CASE
            WHEN kind_is_throwaway(k.kind) THEN k.events
            ELSE (round(s.estimate))::bigint
        END AS unique_pubkeys,
    kind_category(k.kind) AS category,
    distinct_error(s.estimate) AS unique_pubkeys_error
   FROM (kind_total k
     LEFT JOIN distinct_sketch s ON (((s.subject = 2) AND (s.first = k.kind) AND (s.second = 0) AND (NOT s.is_stale))));
comment on view kind_counts is 'Events and authors of each kind';

create view kind_counts_by_relay as
 SELECT k.kind,
    r.url AS relay_url,
    k.events AS event_count,
        CASE
            WHEN kind_is_throwaway(k.kind) THEN k.events
            ELSE (round(s.estimate))::bigint
        END AS unique_pubkeys,
    distinct_error(s.estimate) AS unique_pubkeys_error,
    k.relay_id
   FROM ((relay_kind k
     JOIN relay r ON ((r.id = k.relay_id)))
     LEFT JOIN distinct_sketch s ON (((s.subject = 3) AND (s.first = k.relay_id) AND (s.second = k.kind) AND (NOT s.is_stale))));
comment on view kind_counts_by_relay is 'Events and authors of each kind on each relay';

create view network_stats as
 SELECT n.network,
    n.relay_count,
    COALESCE((round(e.estimate))::bigint, (
        CASE
            WHEN (k.unique_kinds IS NULL) THEN 0
            ELSE NULL::integer
        END)::bigint) AS event_count,
    COALESCE((round(a.estimate))::bigint, (
        CASE
            WHEN (k.unique_kinds IS NULL) THEN 0
            ELSE NULL::integer
        END)::bigint) AS unique_pubkeys,
    COALESCE(k.unique_kinds, (0)::bigint) AS unique_kinds,
    distinct_error(e.estimate) AS event_count_error,
    distinct_error(a.estimate) AS unique_pubkeys_error
   FROM (((( SELECT relay.network,
            count(*) AS relay_count
           FROM relay
          GROUP BY relay.network) n
     LEFT JOIN ( SELECT held.network,
            count(*) AS unique_kinds
           FROM ( SELECT DISTINCT r.network,
                    k_1.kind
                   FROM (relay_kind k_1
                     JOIN relay r ON ((r.id = k_1.relay_id)))) held
          GROUP BY held.network) k USING (network))
     LEFT JOIN distinct_sketch e ON (((e.subject = 7) AND (e.first = network_number(n.network)) AND (e.second = 0) AND (NOT e.is_stale))))
     LEFT JOIN distinct_sketch a ON (((a.subject = 6) AND (a.first = network_number(n.network)) AND (a.second = 0) AND (NOT a.is_stale))));
comment on view network_stats is 'Networks: relays, and what any of them was seen to hold, each event once';

create view pubkey_counts as
 SELECT hex(pubkey) AS pubkey,
    events AS event_count,
    author_kind_count(pubkey) AS unique_kinds,
    first_at AS first_event_timestamp,
    last_at AS last_event_timestamp,
    pubkey AS author_key
   FROM author a
  WHERE (events > 0);
comment on view pubkey_counts is 'Authors with their events, exactly; without kinds whose keys are thrown away';

create view pubkey_counts_by_relay as
 SELECT r.url AS relay_url,
    hex(a.pubkey) AS pubkey,
    c.events AS event_count,
    (octet_length(c.kinds) / 2) AS unique_kinds,
    c.first_at AS first_event_timestamp,
    c.last_at AS last_event_timestamp,
    a.pubkey AS author_key,
    c.relay_id
   FROM ((relay_author c
     JOIN relay r ON ((r.id = c.relay_id)))
     JOIN author a ON ((a.id = c.author)))
  WHERE (c.events >= 2);
comment on view pubkey_counts_by_relay is 'Authors of whom a relay holds two events or more, exactly; without kinds whose keys are thrown away';

create view relay_check_readable as
 SELECT from_unix(c.checked_at) AS checked_time,
    r.url AS relay_url,
    c.online,
    c.open_ms,
    c.read_ms,
    c.write_ms,
    c.failure,
    c.relay_id,
    c.checked_at
   FROM (relay_check c
     JOIN relay r ON ((r.id = c.relay_id)));
comment on view relay_check_readable is 'Checks with the URL of their relay; relay_url has an index, checked_at one beside it';

create view relay_health as
 SELECT s.relay_id,
    r.url,
    r.network,
    s.online,
    s.since,
    s.streak,
    s.last_checked_at,
    s.last_online_at,
    s.first_checked_at,
    c.open_ms,
    c.read_ms,
    c.write_ms,
    c.failure
   FROM ((relay_state s
     JOIN relay r ON ((r.id = s.relay_id)))
     LEFT JOIN relay_check c ON (((c.relay_id = s.relay_id) AND (c.checked_at = s.last_checked_at))));
comment on view relay_health is 'Where each relay stands, with the numbers of its last check; uptime: relay_uptime()';

create view relay_metadata_latest as
 SELECT r.id AS relay_id,
    r.url AS relay_url,
    m.metadata_type,
    m.generated_at,
    m.metadata_id,
    d.data
   FROM (((relay r
     CROSS JOIN ( VALUES ('nip11_info'::text), ('nip66_ssl'::text), ('nip66_dns'::text), ('nip66_geo'::text), ('nip66_net'::text), ('nip66_http'::text)) t(type))
     CROSS JOIN LATERAL ( SELECT relay_metadata.metadata_type,
            relay_metadata.generated_at,
            relay_metadata.metadata_id
           FROM relay_metadata
          WHERE ((relay_metadata.relay_id = r.id) AND (relay_metadata.metadata_type = t.type))
          ORDER BY relay_metadata.generated_at DESC
         LIMIT 1) m)
     JOIN metadata d ON (((d.id = m.metadata_id) AND (d.type = m.metadata_type))))
UNION ALL
 SELECT r.id AS relay_id,
    r.url AS relay_url,
    'nip66_rtt'::text AS metadata_type,
    c.checked_at AS generated_at,
    NULL::bytea AS metadata_id,
    jsonb_strip_nulls(jsonb_build_object('data', NULLIF(jsonb_strip_nulls(jsonb_build_object('rtt_open', c.open_ms, 'rtt_read', c.read_ms, 'rtt_write', c.write_ms)), '{}'::jsonb), 'logs', jsonb_build_object('open_success', (c.open_ms IS NOT NULL), 'open_reason',
        CASE
            WHEN (c.open_ms IS NULL) THEN c.failure
            ELSE NULL::text
        END, 'read_success', (c.read_ms IS NOT NULL), 'read_reason',
        CASE
            WHEN (c.read_ms IS NULL) THEN c.failure
            ELSE NULL::text
        END, 'write_success',
        CASE
            WHEN (c.write_ms IS NOT NULL) THEN true
            WHEN ((c.read_ms IS NOT NULL) AND (c.failure IS NOT NULL)) THEN false
            ELSE NULL::boolean
        END, 'write_reason',
        CASE
            WHEN ((c.read_ms IS NOT NULL) AND (c.write_ms IS NULL)) THEN c.failure
            ELSE NULL::text
        END))) AS data
   FROM (relay r
     CROSS JOIN LATERAL ( SELECT relay_check.checked_at,
            relay_check.open_ms,
            relay_check.read_ms,
            relay_check.write_ms,
            relay_check.failure
           FROM relay_check
          WHERE (relay_check.relay_id = r.id)
          ORDER BY relay_check.checked_at DESC
         LIMIT 1) c);
comment on view relay_metadata_latest is 'The newest document of each type of each relay; nip66_rtt is made of its newest relay_check and has no metadata_id';

create view relay_outage_history as
 SELECT o.relay_id,
    r.url,
    r.network,
    o.since,
    o.until,
    (COALESCE(o.until, (floor(EXTRACT(epoch FROM now())))::bigint) - o.since) AS seconds,
    COALESCE(o.checks, s.streak) AS checks,
    o.cause,
    (o.until IS NULL) AS is_open
   FROM ((relay_outage o
     JOIN relay r ON ((r.id = o.relay_id)))
     JOIN relay_state s ON ((s.relay_id = o.relay_id)));
comment on view relay_outage_history is 'Outages with the URL of their relay and how long they lasted, or have lasted so far';

create view relay_readable as
 SELECT r.url,
    r.network,
    r.host,
    r.domain,
    from_unix(r.discovered_at) AS discovered_time,
    s.online,
    from_unix(s.since) AS since_time,
    from_unix(s.last_checked_at) AS last_checked_time,
    from_unix(s.last_online_at) AS last_online_time,
    c.open_ms,
    c.read_ms,
    c.write_ms,
    c.failure,
    r.id AS relay_id
   FROM ((relay r
     LEFT JOIN relay_state s ON ((s.relay_id = r.id)))
     LEFT JOIN LATERAL ( SELECT relay_check.open_ms,
            relay_check.read_ms,
            relay_check.write_ms,
            relay_check.failure
           FROM relay_check
          WHERE ((relay_check.relay_id = s.relay_id) AND (relay_check.checked_at = s.last_checked_at))
         LIMIT 1) c ON (true));
comment on view relay_readable is 'Relays, where each stands (online since when, or offline), and the numbers of its last check';

create view relay_software_counts as
 SELECT software,
    version,
    count(*) AS relay_count
   FROM relay_software
  GROUP BY software, version;
comment on view relay_software_counts is 'Relays by the software and version they say they run; unknown where they say nothing';

create view relay_stats as
 SELECT r.url AS relay_url,
    r.network,
    r.discovered_at,
    s.first_at AS first_event_timestamp,
    s.last_at AS last_event_timestamp,
    c.avg_rtt_open,
    c.avg_rtt_read,
    c.avg_rtt_write,
    k.event_count,
        CASE
            WHEN (k.event_count = 0) THEN (0)::bigint
            ELSE (round(d.estimate))::bigint
        END AS unique_pubkeys,
    k.unique_kinds,
    i.nip11_name,
    i.nip11_software,
    i.nip11_version,
    distinct_error(d.estimate) AS unique_pubkeys_error,
    r.id AS relay_id
   FROM (((((relay r
     CROSS JOIN LATERAL relay_span(r.id) s(first_at, last_at))
     CROSS JOIN LATERAL ( SELECT (COALESCE(sum(relay_kind.events), (0)::numeric))::bigint AS event_count,
            count(*) AS unique_kinds
           FROM relay_kind
          WHERE (relay_kind.relay_id = r.id)) k)
     LEFT JOIN distinct_sketch d ON (((d.subject = 4) AND (d.first = r.id) AND (d.second = 0) AND (NOT d.is_stale))))
     CROSS JOIN LATERAL ( SELECT round(avg(last.open_ms), 2) AS avg_rtt_open,
            round(avg(last.read_ms), 2) AS avg_rtt_read,
            round(avg(last.write_ms), 2) AS avg_rtt_write
           FROM ( SELECT relay_check.open_ms,
                    relay_check.read_ms,
                    relay_check.write_ms
                   FROM relay_check
                  WHERE (relay_check.relay_id = r.id)
                  ORDER BY relay_check.checked_at DESC
                 LIMIT 10) last) c)
     LEFT JOIN LATERAL ( SELECT ((m.data -> 'data'::text) ->> 'name'::text) AS nip11_name,
            ((m.data -> 'data'::text) ->> 'software'::text) AS nip11_software,
            ((m.data -> 'data'::text) ->> 'version'::text) AS nip11_version
           FROM (( SELECT relay_metadata.metadata_id,
                    relay_metadata.metadata_type
                   FROM relay_metadata
                  WHERE ((relay_metadata.relay_id = r.id) AND (relay_metadata.metadata_type = 'nip11_info'::text))
                  ORDER BY relay_metadata.generated_at DESC
                 LIMIT 1) newest
             JOIN metadata m ON (((m.id = newest.metadata_id) AND (m.type = newest.metadata_type))))) i ON (true));
comment on view relay_stats is 'Relays: what each was seen to hold, how fast it was lately, and what it says it runs';

create view supported_nip_counts as
 SELECT nip.nip,
    count(*) AS relay_count
   FROM (relay_software
     CROSS JOIN LATERAL unnest(relay_software.nips) nip(nip))
  GROUP BY nip.nip;
comment on view supported_nip_counts is 'Relays by the NIPs they say they support';

create view sync_gap_readable as
 SELECT r.url AS relay_url,
    c.filter,
    from_unix(g.since) AS since_time,
    from_unix(g.until) AS until_time,
    g.reason,
    from_unix(g.found_at) AS found_time,
    g.attempts,
    g.since,
    g.until,
    g.relay_id
   FROM ((sync_gap g
     JOIN sync_coverage c USING (relay_id, filter_hash))
     JOIN relay r ON ((r.id = g.relay_id)));
comment on view sync_gap_readable is 'Windows of created_at (both ends included) in which events of a relay may be missing, and why';

create view sync_proof_readable as
 SELECT r.url AS relay_url,
    c.filter,
    from_unix(lower(proven.proven)) AS since_time,
    from_unix((upper(proven.proven) - 1)) AS until_time,
    p.strength,
    p.method,
    lower(proven.proven) AS since,
    (upper(proven.proven) - 1) AS until,
    p.relay_id
   FROM (((sync_proof p
     JOIN sync_coverage c USING (relay_id, filter_hash))
     JOIN relay r ON ((r.id = p.relay_id)))
     CROSS JOIN LATERAL unnest(p.covered) proven(proven));
comment on view sync_proof_readable is 'Windows of created_at (both ends included) in which a relay''s events are archived and proven complete, and by what';

CREATE OR REPLACE FUNCTION public.archive_edition()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$ select coalesce((select edition from archive), 'full') $function$;
comment on function archive_edition() is 'full or lite';

CREATE OR REPLACE FUNCTION public.archive_has_tags()
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
AS $function$
begin
  if archive_edition() = 'lite' then
    raise exception 'Cannot look up tags: this archive is lite and keeps none'
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return true;
end
$function$;
comment on function archive_has_tags() is 'True; raises in a lite archive, whose events have no tags';

CREATE OR REPLACE FUNCTION public.archive_init(p_edition text)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
declare
  v_edition text;
begin
  insert into archive (edition, created_at)
  values (coalesce(p_edition, 'full'), unix_now())
  on conflict do nothing;
  select edition into v_edition from archive;
  if v_edition <> p_edition then
    raise exception 'Cannot make this archive % as it is %: the edition is chosen once, with the first db init',
      p_edition, v_edition using errcode = 'object_not_in_prerequisite_state';
  end if;
  return v_edition;
end
$function$;
comment on function archive_init(p_edition text) is 'Sets the edition of a new archive; returns the edition';

CREATE OR REPLACE FUNCTION public.archive_reference()
 RETURNS void
 LANGUAGE sql
AS $function$ select pg_advisory_xact_lock_shared(hashtextextended('bigbrotr reference', 0)) $function$;
comment on function archive_reference() is 'Keeps what is about to be referred to from being deleted as an orphan';

CREATE OR REPLACE FUNCTION public.archive_sizes()
 RETURNS TABLE(name text, bytes bigint, rows bigint)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select relname::text, pg_total_relation_size(oid), greatest(reltuples, 0)::int8
  from pg_class
  where relnamespace = (select relnamespace from pg_class where oid = 'event'::regclass) and relkind in ('r', 'p')
$function$;
comment on function archive_sizes() is 'Bytes on disk and estimated rows of each table';

CREATE OR REPLACE FUNCTION public.archive_unreferenced()
 RETURNS void
 LANGUAGE sql
AS $function$ select pg_advisory_xact_lock(hashtextextended('bigbrotr reference', 0)) $function$;
comment on function archive_unreferenced() is 'Waits until nobody is adding references, and keeps them waiting';

CREATE OR REPLACE FUNCTION public.author_add(p_authors integer[], p_events integer[], p_first_at bigint[], p_last_at bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
declare
  v_before int4[];
  v_after int4[];
begin
  with k as materialized (
    select k.*, case when a.events > 0 and a.first_at is not null then statistics_day(a.first_at) end as day_before
    from unnest(p_authors, p_events, p_first_at, p_last_at) as k (id, n, first_at, last_at) join author a using (id)
  ), changed as (
    update author a
    set events = a.events + n, first_at = least(a.first_at, k.first_at), last_at = greatest(a.last_at, k.last_at)
    from k where a.id = k.id
    returning day_before, case when a.events > 0 and a.first_at is not null then statistics_day(a.first_at) end as day_after
  )
  select array_agg(day_before), array_agg(day_after) into v_before, v_after
  from changed where day_before is distinct from day_after;
  perform author_first_move(v_before, v_after);
end
$function$;
comment on function author_add(p_authors integer[], p_events integer[], p_first_at bigint[], p_last_at bigint[]) is 'Adds to the events of authors';

CREATE OR REPLACE FUNCTION public.author_correct(p_authors integer[])
 RETURNS void
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
declare
  v_first_days int4[] := author_first_days(p_authors);
begin
  update author a
  set (first_at, last_at) = (select span.first_at, span.last_at from author_span(a.pubkey) as span)
  where a.id = any (p_authors);
  perform author_first_move(v_first_days, author_first_days(p_authors));
  perform author_release(p_authors);
end
$function$;
comment on function author_correct(p_authors integer[]) is 'Looks up the first and last event of authors again; deletes authors without a trace';

CREATE OR REPLACE FUNCTION public.author_fact_add(p_authors integer[], p_counts integer[], p_sent numeric[], p_received numeric[])
 RETURNS void
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
begin
  with k as materialized (
    select author, p_counts[at] as n1, p_counts[at + 1] as n2, p_counts[at + 2] as n3, p_counts[at + 3] as n4,
      p_counts[at + 4] as n5, p_counts[at + 5] as n6, p_counts[at + 6] as n7, p_counts[at + 7] as n8,
      p_counts[at + 8] as n9, p_counts[at + 9] as n10, p_counts[at + 10] as n11, p_counts[at + 11 : at + 34] as hours,
      sent, received, exists (select from author_fact f where f.author = change.author) as is_there
    from (
      select author, i::int4 * 35 - 34 as at, sent, received
      from unnest(p_authors, p_sent, p_received) with ordinality as t (author, sent, received, i)
    ) as change
  ), more as (
    update author_fact f
    set posts = f.posts + n1, replies = f.replies + n2, reactions_sent = f.reactions_sent + n3,
      reactions_received = f.reactions_received + n4, reposts_sent = f.reposts_sent + n5,
      reposts_received = f.reposts_received + n6, reports_sent = f.reports_sent + n7,
      reports_received = f.reports_received + n8, zaps_sent = f.zaps_sent + n9, zaps_received = f.zaps_received + n10,
      unverified_zaps = f.unverified_zaps + n11, zap_msats_sent = f.zap_msats_sent + sent,
      zap_msats_received = f.zap_msats_received + received, hours = hours_add(f.hours, k.hours)
    from k where k.is_there and f.author = k.author
  )
  insert into author_fact (author, posts, replies, reactions_sent, reactions_received, reposts_sent, reposts_received,
    reports_sent, reports_received, zaps_sent, zaps_received, unverified_zaps, zap_msats_sent, zap_msats_received, hours)
  select author, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, sent, received, hours
  from k where not is_there
  order by author;
end
$function$;
comment on function author_fact_add(p_authors integer[], p_counts integer[], p_sent numeric[], p_received numeric[]) is 'Adds to what is counted of authors';

CREATE OR REPLACE FUNCTION public.author_fact_clear()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  delete from author_fact;
  delete from author_topic;
  delete from target_fact;
  delete from zap;
  perform author_release_all();
end
$function$;
comment on function author_fact_clear() is 'Empties what is counted for NIP-85';

CREATE OR REPLACE FUNCTION public.author_fact_drop_empty(p_authors integer[])
 RETURNS void
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
begin
  delete from author_fact
  where author = any (p_authors) and (posts, replies, reactions_sent, reactions_received, reposts_sent, reposts_received,
    reports_sent, reports_received, zaps_sent, zaps_received, unverified_zaps) = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  perform author_release(p_authors);
end
$function$;
comment on function author_fact_drop_empty(p_authors integer[]) is 'Deletes rows of authors without anything counted';

CREATE OR REPLACE FUNCTION public.author_fact_page(p_after bytea, p_limit integer, OUT created_at text, OUT kinds text, OUT keys bytea, OUT upto bytea, OUT events integer)
 RETURNS record
 LANGUAGE sql
 STABLE
 SET enable_seqscan TO 'off'
AS $function$
  with page as materialized (
    select e.created_at, e.id, e.kind, e.pubkey from event e
    where (e.created_at, e.id) > (sighting_time(p_after), substr(p_after, 9))
    order by e.created_at, e.id limit p_limit
  ), counting as (
    select * from page where kind_is_asserted(kind) order by created_at, id
  )
  select
    (select coalesce(string_agg(created_at::text, ',' order by created_at, id), '') from counting),
    (select coalesce(string_agg(kind::text, ',' order by created_at, id), '') from counting),
    (select coalesce(string_agg(id || pubkey, '' order by created_at, id), '') from counting),
    case when count(*) = p_limit then (select sighting_key(created_at, id) from page order by created_at desc, id desc limit 1) end,
    count(*)
  from page
$function$;
comment on function author_fact_page(p_after bytea, p_limit integer, OUT created_at text, OUT kinds text, OUT keys bytea, OUT upto bytea, OUT events integer) is 'Events after a key, as derived facts read them';

CREATE OR REPLACE FUNCTION public.author_first_days(p_authors integer[])
 RETURNS integer[]
 LANGUAGE sql
 STABLE
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
  select array(
    select case when a.events > 0 and a.first_at is not null then least(a.first_at / 86400, 36525)::int4 end
    from unnest(p_authors) with ordinality as wanted (id, i) left join author a using (id)
    order by i)
$function$;
comment on function author_first_days(p_authors integer[]) is 'The day of the first event of each author';

CREATE OR REPLACE FUNCTION public.author_first_move(p_before integer[], p_after integer[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_moved record;
begin
  if p_before is not distinct from p_after then
    return;
  end if;
  select array_agg(day) as days, array_agg(n) as numbers into v_moved
  from (
    select day, sum(n)::int4 as n
    from (select unnest(p_before) as day, -1 as n union all select unnest(p_after), 1) as each
    where day is not null
    group by day having sum(n) <> 0
    order by day) as moved;
  insert into author_first as f (day, authors)
  select day, n from unnest(v_moved.days, v_moved.numbers) as k (day, n) where n > 0
  on conflict (day) do update set authors = f.authors + excluded.authors;
  delete from author_first f using unnest(v_moved.days, v_moved.numbers) as k (day, n)
  where n < 0 and f.day = k.day and f.authors + n <= 0;
  update author_first f set authors = f.authors + n
  from unnest(v_moved.days, v_moved.numbers) as k (day, n) where n < 0 and f.day = k.day;
end
$function$;
comment on function author_first_move(p_before integer[], p_after integer[]) is 'Counts new authors by day anew after a change of authors';

CREATE OR REPLACE FUNCTION public.author_is_unused(p_author integer)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select not exists (select from contact_list where author = p_author)
    and not exists (select from contact_total where author = p_author)
    and not exists (select from author_fact where author = p_author)
    and not exists (
      select from relay r cross join lateral (
        select from relay_author where relay_id = r.id and author = p_author limit 1) as held)
$function$;
comment on function author_is_unused(p_author integer) is 'Whether no other table refers to an author';

CREATE OR REPLACE FUNCTION public.author_kinds(p_pubkey bytea)
 RETURNS SETOF integer
 LANGUAGE sql
 STABLE PARALLEL SAFE ROWS 5
AS $function$
  with recursive kinds as (
    (select kind from event where pubkey = p_pubkey order by kind limit 1)
    union all
    select (select kind from event where pubkey = p_pubkey and kind > kinds.kind order by kind limit 1)
    from kinds where kinds.kind is not null
  )
  select kind from kinds where kind is not null
$function$;
comment on function author_kinds(p_pubkey bytea) is 'The kinds of an author''s events, ascending';

CREATE OR REPLACE FUNCTION public.author_numbers(p_pubkeys bytea)
 RETURNS integer[]
 LANGUAGE sql
AS $function$
  with wanted as materialized (
    select i, key.pubkey, (select id from author a where a.pubkey = key.pubkey) as id
    from generate_series(1, octet_length(p_pubkeys) / 32) as i
    cross join lateral (select substr(p_pubkeys, i * 32 - 31, 32) as pubkey) as key
  ), made as (
    insert into author (pubkey)
    select distinct pubkey from wanted where id is null order by pubkey
    returning id, pubkey
  )
  select coalesce(array_agg(coalesce(w.id, m.id) order by w.i), '{}')
  from wanted w left join made m on w.id is null and m.pubkey = w.pubkey
$function$;
comment on function author_numbers(p_pubkeys bytea) is 'author.id of public keys; those that are new are added';

CREATE OR REPLACE FUNCTION public.author_release(p_authors integer[])
 RETURNS void
 LANGUAGE sql
AS $function$ delete from author a where a.id = any (p_authors) and a.events = 0 and author_is_unused(a.id) $function$;
comment on function author_release(p_authors integer[]) is 'Deletes those of authors who have left no trace';

CREATE OR REPLACE FUNCTION public.author_release_all()
 RETURNS void
 LANGUAGE sql
AS $function$
  delete from author a
  where a.events = 0
    and not exists (select from contact_list where author = a.id)
    and not exists (select from contact_total where author = a.id)
    and not exists (select from author_fact where author = a.id)
    and not exists (select from relay_author where author = a.id)
$function$;
comment on function author_release_all() is 'Deletes all authors who have left no trace; reads all that may have one';

CREATE OR REPLACE FUNCTION public.author_span(p_pubkey bytea, OUT first_at bigint, OUT last_at bigint)
 RETURNS record
 LANGUAGE sql
 STABLE
AS $function$
  select min(first.created_at), max(last.created_at)
  from author_kinds(p_pubkey) as kinds (kind)
  cross join lateral (
    select created_at from event e where e.pubkey = p_pubkey and e.kind = kinds.kind order by created_at limit 1) as first
  cross join lateral (
    select created_at from event e where e.pubkey = p_pubkey and e.kind = kinds.kind order by created_at desc limit 1) as last
  where not kind_is_throwaway(kinds.kind)
$function$;
comment on function author_span(p_pubkey bytea, OUT first_at bigint, OUT last_at bigint) is 'First and last created_at of an author, without kinds whose keys are thrown away';

CREATE OR REPLACE FUNCTION public.author_topic_add(p_authors integer[], p_topics jsonb, p_events integer[])
 RETURNS void
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
begin
  with less as materialized (
    select author, topic, events
    from rows from (unnest(p_authors), jsonb_array_elements_text(p_topics), unnest(p_events)) as t (author, topic, events)
    where events < 0
  ), gone as (
    delete from author_topic t using less l where t.author = l.author and t.topic = l.topic and t.events + l.events <= 0
  )
  update author_topic t set events = t.events + l.events
  from less l where t.author = l.author and t.topic = l.topic and t.events + l.events > 0;
  insert into author_topic as t (author, topic, events)
  select author, topic, events
  from rows from (unnest(p_authors), jsonb_array_elements_text(p_topics), unnest(p_events)) as t (author, topic, events)
  where events > 0
  order by author, topic
  on conflict (author, topic) do update set events = t.events + excluded.events;
end
$function$;
comment on function author_topic_add(p_authors integer[], p_topics jsonb, p_events integer[]) is 'Adds to the topics of authors';

CREATE OR REPLACE FUNCTION public.bech32_prefix_check(p_prefix text)
 RETURNS integer
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
declare
  c_generator constant int4[] := '{0,996825010,642813549,490396127,513874426,634080840,955357079,60538917,1027748829,103310447,454213040,544795138,602090023,411663765,95659082,1054471160,705979059,293483777,205843678,925809516,884308809,266284283,317060388,697279126,391532910,742131420,822533891,174885041,167200916,849157926,799524601,349016395}';
  v_check int4 := 1;
  v_codes int4[];
  v_digit int4;
begin
  select array_agg(ascii(letter) order by i) into v_codes
  from unnest(string_to_array(p_prefix, null)) with ordinality as letters (letter, i);
  foreach v_digit in array
    array(select code >> 5 from unnest(v_codes) as code) || 0 || array(select code & 31 from unnest(v_codes) as code)
  loop
    v_check := ((v_check & 33554431) << 5) # v_digit # c_generator[(v_check >> 25) + 1];
  end loop;
  return v_check;
end
$function$;
comment on function bech32_prefix_check(p_prefix text) is 'State of the checksum of bech32 (BIP-173) after the prefix';

CREATE OR REPLACE FUNCTION public.bytea_unpack(p_packed bytea, p_size integer)
 RETURNS bytea[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
  select array(
    select substr(p_packed, i * p_size + 1, p_size) from generate_series(0, octet_length(p_packed) / p_size - 1) as i
    order by i)
$function$;
comment on function bytea_unpack(p_packed bytea, p_size integer) is 'Parts of one size that were packed one after the other';

CREATE OR REPLACE FUNCTION public.candidate_claim(p_request jsonb)
 RETURNS SETOF candidate
 LANGUAGE plpgsql
AS $function$
declare
  v_now int8 := unix_now();
  v_due text[];
begin
  -- One claimer at a time: two that chose the same few of a crowd would leave one of them with nothing.
  perform pg_advisory_xact_lock(hashtextextended('bigbrotr candidate claim', 0));
  v_due := candidate_due(p_request);
  return query
  with free as (
    select c.url, chosen.place
    from unnest(v_due) with ordinality as chosen (url, place) join candidate c on c.url = chosen.url
    -- Another process may have claimed it meanwhile.
    where c.claimed_until <= v_now
    order by chosen.place
    limit (p_request ->> 'limit')::int4
    for update of c skip locked
  ), claimed as (
    update candidate c set claimed_until = v_now + (p_request ->> 'claimSeconds')::int8,
      holder = p_request ->> 'holder'
    from free where c.url = free.url
    returning c.*
  )
  select claimed.* from claimed join free on free.url = claimed.url order by free.place;
end
$function$;
comment on function candidate_claim(p_request jsonb) is 'Claims due candidates, fewest failures first; two claimers never get the same one';

CREATE OR REPLACE FUNCTION public.candidate_drop(p_max_failures integer)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_now int8 := unix_now();
  v_dropped int4;
begin
  with locked as (
    select url from candidate
    where claimed_until <= v_now and (failures >= p_max_failures or relay_is_known(url))
    order by url
    for update
  )
  delete from candidate c using locked where c.url = locked.url;
  get diagnostics v_dropped = row_count;
  return v_dropped;
end
$function$;
comment on function candidate_drop(p_max_failures integer) is 'Drops candidates that failed too often and those that are relays; returns their number';

CREATE OR REPLACE FUNCTION public.candidate_due(p_request jsonb)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
  v_now int8 := unix_now();
  v_limit int4 := (p_request ->> 'limit')::int4;
  v_per_authority int4 := coalesce((p_request ->> 'perAuthority')::int4, 2147483647);
  v_except text[] := array(select jsonb_array_elements_text(p_request -> 'exceptAuthorities'));
  v_window int4 := 1000 + 2 * v_limit;
  v_seen int4;
  v_due text[];
begin
  loop
    with due as (
      select url, failures, due_at, url_authority(url) as authority from candidate
      where due_at <= v_now and claimed_until <= v_now and p_request -> 'networks' ? network
        and url_authority(url) <> all (v_except)
      order by failures, due_at, url
      limit v_window
    ), placed as (
      select due.*, row_number() over (partition by authority order by failures, due_at, url) as place from due
    )
    select (select count(*) from due),
      array_agg(url order by failures, place, due_at, url) filter (where place <= v_per_authority)
    into v_seen, v_due from placed;
    exit when v_seen < v_window or cardinality(v_due) >= v_limit;
    v_window := 8 * v_window;
  end loop;
  return coalesce(v_due, '{}');
end
$function$;
comment on function candidate_due(p_request jsonb) is 'Candidates that are due and free, those to be claimed first coming first';

CREATE OR REPLACE FUNCTION public.candidate_fail(p_failures jsonb, p_initial_seconds integer, p_max_seconds integer)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_now int8 := unix_now();
  v_failed int4;
begin
  with tried as (
    select c.url, min(new.failure) as failure, max(coalesce(new."waitSeconds", 0)) as wait
    from jsonb_to_recordset(p_failures) as new (url text, failure text, "waitSeconds" int4)
    join candidate c on c.url = new.url
    group by c.url
  ), locked as (
    select url from candidate where url in (select url from tried) order by url for update
  )
  update candidate c
  set failures = c.failures + 1,
    last_tried_at = v_now,
    last_failure = left(tried.failure, 1024),
    due_at = v_now + greatest(
      tried.wait, least(p_max_seconds, p_initial_seconds * 2::float8 ^ least(c.failures, 30)))::int8,
    claimed_until = 0
  from tried join locked using (url)
  where c.url = tried.url;
  get diagnostics v_failed = row_count;
  return v_failed;
end
$function$;
comment on function candidate_fail(p_failures jsonb, p_initial_seconds integer, p_max_seconds integer) is 'Counts failed tries and sets when they are due again; returns the number of candidates found';

CREATE OR REPLACE FUNCTION public.candidate_fits(p_host text, p_domain text, p_author bytea, p_budgets jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
  v_per_host int4 := p_budgets ->> 'maxPerHost';
  v_per_domain int4 := p_budgets ->> 'maxPerDomain';
  v_per_author int4 := p_budgets ->> 'maxPerAuthor';
begin
  return (v_per_host = 0 or v_per_host >
      (select count(*) from candidate where host = p_host) + (select count(*) from relay where host = p_host))
    and (v_per_domain = 0 or v_per_domain >
      (select count(*) from candidate where domain = p_domain) + (select count(*) from relay where domain = p_domain))
    and (v_per_author = 0 or p_author is null or v_per_author >
      (select count(*) from candidate where author = p_author));
end
$function$;
comment on function candidate_fits(p_host text, p_domain text, p_author bytea, p_budgets jsonb) is 'Whether a candidate is within the budgets';

CREATE OR REPLACE FUNCTION public.candidate_hints_add(p_hints jsonb, p_more jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
  select jsonb_object_agg(source, mentions)
  from (
    select source, sum(mentions::int8) as mentions
    from (
      select * from jsonb_each_text(p_hints)
      union all
      select * from jsonb_each_text(p_more)
    ) as hint (source, mentions)
    group by source
  ) as total
$function$;
comment on function candidate_hints_add(p_hints jsonb, p_more jsonb) is 'Sums {"source": mentions}';

CREATE OR REPLACE FUNCTION public.candidate_insert(p_hints jsonb, p_budgets jsonb, OUT inserted integer, OUT over_budget integer, OUT known integer)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
declare
  v_now int8 := unix_now();
  v_hints jsonb;
  v_updated int4;
  v_hint record;
begin
  inserted := 0;
  over_budget := 0;
  known := jsonb_array_length(p_hints);
  -- Nearly all hints are about relays: those are gone after this.
  select jsonb_agg(hint) into v_hints
  from jsonb_array_elements(p_hints) as hint
  where not exists (select from relay where url = hint ->> 'url')
    and not exists (select from relay where url = relay_twin(hint ->> 'url'));
  if v_hints is null then
    return;
  end if;

  -- Budgets hold only when one writer at a time adds to them. The lock comes before any row is locked (no deadlock),
  -- and is not taken when there is nothing new.
  if exists (
    select from jsonb_array_elements(v_hints) as hint
    where not exists (select from candidate where url = hint ->> 'url')
  ) then
    perform pg_advisory_xact_lock(hashtextextended('bigbrotr candidate budget', 0));
  end if;

  with counted as (
    select c.url, hint -> 'hints' as hints
    from jsonb_array_elements(v_hints) as hint
    join candidate c on c.url = hint ->> 'url'
    order by c.url
    for update of c
  )
  update candidate c set hints = candidate_hints_add(c.hints, counted.hints)
  from counted
  where c.url = counted.url;
  get diagnostics v_updated = row_count;
  if v_updated = jsonb_array_length(v_hints) then
    return;
  end if;

  for v_hint in
    select url, network, host, domain, source, decode(author, 'hex') as author, hints
    from jsonb_to_recordset(v_hints) as hint (
      url text, network text, host text, domain text, source text, author text, hints jsonb)
    where not exists (select from candidate c where c.url = hint.url)
    order by url
  loop
    known := known - 1;
    if not candidate_fits(v_hint.host, v_hint.domain, v_hint.author, p_budgets) then
      over_budget := over_budget + 1;
      continue;
    end if;
    insert into candidate (url, network, host, domain, source, author, hints, discovered_at, due_at)
    values (v_hint.url, v_hint.network, v_hint.host, v_hint.domain, v_hint.source, v_hint.author, v_hint.hints,
      v_now, v_now);
    inserted := inserted + 1;
  end loop;
end
$function$;
comment on function candidate_insert(p_hints jsonb, p_budgets jsonb, OUT inserted integer, OUT over_budget integer, OUT known integer) is 'Stores mentioned URLs within the budgets and counts mentions; returns counts by URL';

CREATE OR REPLACE FUNCTION public.candidate_list(p_urls jsonb)
 RETURNS TABLE(url text, network text, source text, discovered_at bigint, failures integer, last_tried_at bigint, last_failure text, due_at bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select c.url, c.network, c.source, c.discovered_at, c.failures, c.last_tried_at, c.last_failure, c.due_at
  from candidate c
  where p_urls is null or c.url = any (array(select jsonb_array_elements_text(p_urls)))
  order by c.url
$function$;
comment on function candidate_list(p_urls jsonb) is 'Candidates and how their trials went, by URL';

CREATE OR REPLACE FUNCTION public.candidate_promote(p_promotions jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_promoted int4;
begin
  select relay_insert(jsonb_agg(jsonb_build_object('url', new.url, 'network', new.network, 'domain', c.domain)))
  into v_promoted
  from jsonb_to_recordset(p_promotions) as new ("candidateUrl" text, url text, network text)
  left join candidate c on c.url = new."candidateUrl";

  delete from candidate
  where url in (
    select c.url from candidate c
    where c.url in (select new ->> 'candidateUrl' from jsonb_array_elements(p_promotions) as new)
    order by c.url
    for update);
  return v_promoted;
end
$function$;
comment on function candidate_promote(p_promotions jsonb) is 'Makes relays of candidates that answered; returns the number of new relays';

CREATE OR REPLACE FUNCTION public.candidate_release(p_urls jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_released int4;
begin
  with locked as (
    select url from candidate
    where url = any (array(select jsonb_array_elements_text(p_urls))) and claimed_until > 0
    order by url
    for update
  )
  update candidate c set claimed_until = 0 from locked where c.url = locked.url;
  get diagnostics v_released = row_count;
  return v_released;
end
$function$;
comment on function candidate_release(p_urls jsonb) is 'Gives claims back without counting a try; returns their number';

CREATE OR REPLACE FUNCTION public.cell_add(p_table text, p_first_name text, p_second_name text, p_first integer[], p_second integer[], p_events integer[])
 RETURNS void
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
declare
  v_names text := concat_ws(', ', p_first_name, p_second_name);
  v_keys text := case when p_second is null then 'k.first' else 'k.first, k.second' end;
  v_matches text := format('c.%I = k.first', p_first_name)
    || case when p_second is null then '' else format(' and c.%I = k.second', p_second_name) end;
begin
  -- Not `on conflict`: nobody else writes, and a look-up beforehand costs two thirds of a speculative insertion.
  execute format(
    'with k as materialized (
       select k.*, exists (select from %1$I c where %2$s) as is_there
       from unnest($1, $2, $3) as k (first, second, n) where n > 0
     ), more as (
       update %1$I c set events = c.events + n from k where is_there and %2$s
     )
     insert into %1$I (%3$s, events) select %4$s, n from k where not is_there order by first, second',
    p_table, v_matches, v_names, v_keys)
  using p_first, p_second, p_events;
  if 0 > any (p_events) then
    execute format(
      'delete from %I c using unnest($1, $2, $3) as k (first, second, n) where n < 0 and %s and c.events + n <= 0',
      p_table, v_matches)
    using p_first, p_second, p_events;
    execute format(
      'update %I c set events = c.events + n from unnest($1, $2, $3) as k (first, second, n) where n < 0 and %s',
      p_table, v_matches)
    using p_first, p_second, p_events;
  end if;
end
$function$;
comment on function cell_add(p_table text, p_first_name text, p_second_name text, p_first integer[], p_second integer[], p_events integer[]) is 'Adds numbers of events to cells of statistics';

CREATE OR REPLACE FUNCTION public.clock_get()
 RETURNS double precision
 LANGUAGE sql
 PARALLEL SAFE
AS $function$ select extract(epoch from clock_timestamp())::float8 $function$;
comment on function clock_get() is 'Unix seconds by the clock of this server, with their fraction';

CREATE OR REPLACE FUNCTION public.contact_changes(p_pubkeys bytea)
 RETURNS TABLE(pubkey text, created_at text, id text, tags text)
 LANGUAGE sql
 STABLE
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
  select encode(wanted.pubkey, 'hex'), n.created_at::text, encode(n.id, 'hex'), n.tags::text
  from (
    select distinct substr(p_pubkeys, i * 32 + 1, 32) as pubkey
    from generate_series(0, octet_length(p_pubkeys) / 32 - 1) as i) as wanted
  left join lateral contact_newest(wanted.pubkey) as n on true
  left join author a on a.pubkey = wanted.pubkey
  left join contact_list l on l.author = a.id
  where l.id is distinct from n.id
  order by wanted.pubkey
$function$;
comment on function contact_changes(p_pubkeys bytea) is 'Newest contact lists of authors, where contacts are not made of them yet';

CREATE OR REPLACE FUNCTION public.contact_clear()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  delete from contact;
  delete from contact_list;
  delete from contact_total;
  perform author_release_all();
end
$function$;
comment on function contact_clear() is 'Empties the contact graph';

CREATE OR REPLACE FUNCTION public.contact_newest(p_pubkey bytea)
 RETURNS TABLE(created_at bigint, id bytea, tags jsonb)
 LANGUAGE sql
 STABLE
AS $function$
  select e.created_at, e.id, e.tags from event e
  where e.pubkey = p_pubkey and e.kind = 3
  order by e.created_at desc, e.id limit 1
$function$;
comment on function contact_newest(p_pubkey bytea) is 'The contact list that counts (NIP-01: of those of one second the lowest id)';

CREATE OR REPLACE FUNCTION public.contact_page(p_after bytea, p_limit integer, OUT pubkeys bytea, OUT upto bytea, OUT lists integer)
 RETURNS record
 LANGUAGE sql
 STABLE
 SET enable_seqscan TO 'off'
AS $function$
  with page as (
    select created_at, id, pubkey from event
    where kind = 3 and created_at >= sighting_time(p_after)
      and (created_at, id) > (sighting_time(p_after), substr(p_after, 9))
    order by created_at, id limit p_limit
  )
  select coalesce(string_agg(pubkey, ''), ''),
    case when count(*) = p_limit then (select sighting_key(created_at, id) from page order by created_at desc, id desc limit 1) end,
    count(*)
  from page
$function$;
comment on function contact_page(p_after bytea, p_limit integer, OUT pubkeys bytea, OUT upto bytea, OUT lists integer) is 'Authors of the contact lists after a key';

CREATE OR REPLACE FUNCTION public.contact_replace(p_lists jsonb, p_followers integer[], p_followed integer[])
 RETURNS integer
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
AS $function$
declare
  v_authors int4[];
  v_gone int4[];
  v_changed int4;
begin
  with list as materialized (
    select author, "createdAt" as created_at, decode(id, 'hex') as id, follows
    from jsonb_to_recordset(p_lists) as t (author int4, "createdAt" int8, id text, follows int4)
  ), without as (
    delete from contact_list l using list where l.author = list.author and list.id is null
  ), kept as (
    insert into contact_list as l (created_at, author, follows, id)
    select created_at, author, follows, id from list where id is not null order by author
    on conflict (author) do update
    set created_at = excluded.created_at, follows = excluded.follows, id = excluded.id
  ), wanted as materialized (
    select follower, followed from unnest(p_followers, p_followed) as t (follower, followed)
  ), was as materialized (
    select c.follower, c.followed from list join contact c on c.follower = list.author
  ), gone as materialized (
    select * from was except select * from wanted
  ), come as materialized (
    select * from wanted except select * from was
  ), ended as (
    delete from contact c using gone g where c.follower = g.follower and c.followed = g.followed
  ), begun as (
    insert into contact (follower, followed) select follower, followed from come order by 1, 2
  ), change as materialized (
    select followed, sum(n)::int4 as n, exists (select from contact_total where author = followed) as is_there
    from (select followed, -1 as n from gone union all select followed, 1 from come) as pair
    group by followed having sum(n) <> 0
  ), first as (
    insert into contact_total (author, followers)
    select followed, n from change where not is_there order by followed
  ), last as (
    delete from contact_total t using change c where c.is_there and t.author = c.followed and t.followers + c.n <= 0
  ), more as (
    update contact_total t set followers = t.followers + c.n
    from change c where c.is_there and t.author = c.followed and t.followers + c.n > 0
  )
  select (select array_agg(author) from list), (select array_agg(distinct followed) from gone),
    (select count(*) from gone) + (select count(*) from come)
  into v_authors, v_gone, v_changed;
  perform author_release(v_authors || v_gone);
  return v_changed;
end
$function$;
comment on function contact_replace(p_lists jsonb, p_followers integer[], p_followed integer[]) is 'Makes the contacts of authors those of their newest lists';

CREATE OR REPLACE FUNCTION public.deleted_event_wanted()
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (select from derived_state where name = 'assertions')
    and (select count(*) from (select from deleted_event limit 100000) as kept) < 100000
$function$;
comment on function deleted_event_wanted() is 'Whether tags of events that are deleted are to be kept';

CREATE OR REPLACE FUNCTION public.derived_clear(p_name text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  delete from derived_state where name = p_name;
  if p_name = 'contacts' then
    perform contact_clear();
  else
    perform author_fact_clear();
  end if;
end
$function$;
comment on function derived_clear(p_name text) is 'Forgets derived facts';

CREATE OR REPLACE FUNCTION public.derived_lose()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  perform from derived_lost limit 1 for share skip locked;
  if not found then
    insert into derived_lost (lost_at) values (unix_now());
  end if;
end
$function$;
comment on function derived_lose() is 'Has derived facts made from the start';

CREATE OR REPLACE FUNCTION public.derived_status()
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select case when archive_edition() = 'full' then jsonb_object_agg(name, (
    select case when upto is null then 'whole' else 'unfinished' end from derived_state s where s.name = known.name)) end
  from unnest(array['contacts', 'assertions']) as known (name)
$function$;
comment on function derived_status() is 'How far each of the derived facts is: whole, unfinished, or null when it is not kept';

CREATE OR REPLACE FUNCTION public.derived_tags(p_created_at bigint[], p_ids bytea)
 RETURNS TABLE(i integer, tags text)
 LANGUAGE sql
 STABLE
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
  select wanted.i::int4, coalesce(
    (select e.tags from event e
      where e.created_at = wanted.created_at and e.id = substr(p_ids, wanted.i::int4 * 32 - 31, 32) limit 1),
    (select d.tags from deleted_event d
      where d.created_at = wanted.created_at and d.id = substr(p_ids, wanted.i::int4 * 32 - 31, 32) limit 1))::text
  from unnest(p_created_at) with ordinality as wanted (created_at, i)
$function$;
comment on function derived_tags(p_created_at bigint[], p_ids bytea) is 'Tags of events, also of those whose deletion is not folded yet';

CREATE OR REPLACE FUNCTION public.distinct_sketch_put(p_subjects smallint[], p_first integer[], p_second integer[], p_estimates double precision[], p_stale boolean[], p_registers text[])
 RETURNS void
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
begin
  insert into distinct_sketch (estimate, first, second, subject, is_stale, registers)
  select estimate, first, second, subject, is_stale, decode(registers, 'base64')
  from unnest(p_subjects, p_first, p_second, p_estimates, p_stale, p_registers)
    as k (subject, first, second, estimate, is_stale, registers)
  where registers <> ''
  order by subject, first, second
  on conflict (subject, first, second) do update
  set estimate = excluded.estimate, is_stale = excluded.is_stale, registers = excluded.registers;
  if '' = any (p_registers) then
    delete from distinct_sketch s
    using unnest(p_subjects, p_first, p_second, p_registers) as k (subject, first, second, registers)
    where k.registers = '' and s.subject = k.subject and s.first = k.first and s.second = k.second;
  end if;
end
$function$;
comment on function distinct_sketch_put(p_subjects smallint[], p_first integer[], p_second integer[], p_estimates double precision[], p_stale boolean[], p_registers text[]) is 'Stores sketches';

CREATE OR REPLACE FUNCTION public.distinct_sketch_spoil(p_subjects smallint[], p_first integer[], p_second integer[])
 RETURNS void
 LANGUAGE sql
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
  update distinct_sketch s set is_stale = true
  from unnest(p_subjects, p_first, p_second) as k (subject, first, second)
  where s.subject = k.subject and s.first = k.first and s.second = k.second and not s.is_stale
$function$;
comment on function distinct_sketch_spoil(p_subjects smallint[], p_first integer[], p_second integer[]) is 'Marks sketches of which something was deleted';

CREATE OR REPLACE FUNCTION public.distinct_sketches(p_subjects smallint[], p_first integer[], p_second integer[])
 RETURNS TABLE(i integer, is_stale boolean, registers text)
 LANGUAGE sql
 STABLE
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
  select k.i::int4, s.is_stale, encode(s.registers, 'base64')
  from unnest(p_subjects, p_first, p_second) with ordinality as k (subject, first, second, i)
  join distinct_sketch s on s.subject = k.subject and s.first = k.first and s.second = k.second
$function$;
comment on function distinct_sketches(p_subjects smallint[], p_first integer[], p_second integer[]) is 'Some sketches';

CREATE OR REPLACE FUNCTION public.event_author_kinds(p_pubkeys bytea, p_kinds integer[], OUT pubkeys bytea, OUT kinds integer[])
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
 SET enable_sort TO 'off'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
begin
  select coalesce(string_agg(author.pubkey, ''::bytea order by i, found.kind), ''),
    coalesce(array_agg(found.kind order by i, found.kind), '{}')
  into pubkeys, kinds
  from unnest(bytea_unpack(p_pubkeys, 32)) with ordinality as author (pubkey, i)
  cross join lateral (
    with recursive step (kind) as (
      select -1
      union all
      select (
        select case when e.pubkey = author.pubkey then e.kind end from event e
        where (e.pubkey, e.kind) > (author.pubkey, step.kind)
        order by e.pubkey, e.kind, e.created_at limit 1)
      from step where step.kind is not null
    )
    select kind from step where kind >= 0 and (p_kinds is null or kind = any (p_kinds))
  ) as found;
end
$function$;
comment on function event_author_kinds(p_pubkeys bytea, p_kinds integer[], OUT pubkeys bytea, OUT kinds integer[]) is 'Pairs of author and kind that have events';

CREATE OR REPLACE FUNCTION public.event_author_sample(p_count integer)
 RETURNS TABLE(pubkey text)
 LANGUAGE sql
AS $function$
  with span as (
    select (select min(created_at) from event) as first, (select max(created_at) from event) as last
  ), moment as materialized (
    select first + ((least(last, unix_now()) - first) * random())::int8 as at
    from span, generate_series(1, p_count)
    where first is not null
  )
  select distinct encode(found.pubkey, 'hex')
  from moment cross join lateral (
    select e.pubkey from event e where e.created_at >= moment.at order by e.created_at limit 1) as found
$function$;
comment on function event_author_sample(p_count integer) is 'Some authors, drawn at random';

CREATE OR REPLACE FUNCTION public.event_authors(p_created_at bigint[], p_ids bytea)
 RETURNS TABLE(i integer, kind integer, pubkey text)
 LANGUAGE plpgsql
 STABLE
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
#variable_conflict use_column
begin
  return query
  select wanted.i::int4, e.kind, encode(e.pubkey, 'hex')
  from unnest(p_created_at) with ordinality as wanted (created_at, i)
  cross join lateral (
    select kind, pubkey from event e
    where e.created_at = wanted.created_at and e.id = substr(p_ids, wanted.i::int4 * 32 - 31, 32)
    limit 1) as e;
end
$function$;
comment on function event_authors(p_created_at bigint[], p_ids bytea) is 'Kind and author of events';

CREATE OR REPLACE FUNCTION public.event_deletion_targets(p_pubkey bytea, p_created_at bigint, p_tags jsonb)
 RETURNS TABLE(target bytea, until bigint)
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select decode(tag ->> 1, 'hex'), 9223372036854775807
  from jsonb_array_elements(p_tags) as tag
  where tag ->> 0 = 'e' and tag ->> 1 ~ '^[0-9a-f]{64}$'
  union
  select event_address(kind, p_pubkey, case when kind between 30000 and 39999 then identifier else '' end), p_created_at
  from (
    select (regexp_match(tag ->> 1, '^(\d{1,5}):'))[1]::int4 as kind,
      substr(tag ->> 1, strpos(tag ->> 1, ':') + 65, 1) as colon,
      substr(tag ->> 1, strpos(tag ->> 1, ':') + 66) as identifier
    from jsonb_array_elements(p_tags) as tag
    where tag ->> 0 = 'a' and tag ->> 1 ~ ('^\d{1,5}:' || encode(p_pubkey, 'hex') || '(:|$)')
  ) as address
  -- Replaceable kinds are also written without the second colon.
  where event_is_replaceable(kind) or event_is_addressable(kind) and colon = ':'
$function$;
comment on function event_deletion_targets(p_pubkey bytea, p_created_at bigint, p_tags jsonb) is 'Ids and addresses that a deletion request names, and up to which created_at';

CREATE OR REPLACE FUNCTION public.event_filter_parse(p_filter jsonb, OUT kinds integer[], OUT authors bytea[], OUT tags jsonb, OUT can_tell boolean)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  select jsonb_object_agg(substr(key, 2), value) into tags from jsonb_each(p_filter) where key like '#_';
  if p_filter ? 'kinds' then
    kinds := array(select kind::int4 from jsonb_array_elements_text(p_filter -> 'kinds') as kind);
  end if;
  if p_filter ? 'authors' then
    authors := array(select decode(author, 'hex') from jsonb_array_elements_text(p_filter -> 'authors') as author);
  end if;
  can_tell := not p_filter ?| array['ids', 'search'] and (tags is null or archive_edition() = 'full');
end
$function$;
comment on function event_filter_parse(p_filter jsonb, OUT kinds integer[], OUT authors bytea[], OUT tags jsonb, OUT can_tell boolean) is 'The parts of a filter, and whether the archive can tell what it selects';

CREATE OR REPLACE FUNCTION public.event_has_tags(p_tags jsonb, p_wanted jsonb)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE STRICT
AS $function$
  select not exists (
    select from jsonb_each(p_wanted) as wanted (name, accepted)
    where not exists (
      select from jsonb_array_elements(p_tags) as tag
      where tag ->> 0 = wanted.name and wanted.accepted ? (tag ->> 1)))
$function$;
comment on function event_has_tags(p_tags jsonb, p_wanted jsonb) is 'Whether tags have one of the values wanted of each name';

CREATE OR REPLACE FUNCTION public.event_ids(p_keys bytea)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
  select coalesce(string_agg(substr(p_keys, i * 128 + 1, 32), ''::bytea order by i), ''::bytea)
  from generate_series(0, octet_length(p_keys) / 128 - 1) as i
$function$;
comment on function event_ids(p_keys bytea) is 'The ids of packed id, pubkey and sig';

CREATE OR REPLACE FUNCTION public.event_insert(p_keys bytea, p_created_at bigint[], p_kinds integer[], p_tags jsonb, p_contents jsonb, p_raw jsonb, p_seen_at bigint)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_lite boolean := archive_edition() = 'lite';
  v_inserted int4;
  v_created_at int8[];
  v_kinds int4[];
  v_keys bytea;
begin
  -- Also for an import: what is being forgotten must not come in beside it.
  perform archive_reference();
  if forgotten_any() then
    select * into p_keys, p_created_at, p_kinds, p_tags, p_contents, p_raw
    from forgotten_refuse(p_keys, p_created_at, p_kinds, p_tags, p_contents, p_raw);
  end if;

  with new as (
    insert into event (created_at, seen_at, kind, id, pubkey, sig, tags, content)
    select created_at, p_seen_at, kind,
      substr(p_keys, i::int4 * 128 - 127, 32) as id,
      substr(p_keys, i::int4 * 128 - 95, 32),
      case when not v_lite then substr(p_keys, i::int4 * 128 - 63, 64) end,
      case when not v_lite then tags end,
      case when not v_lite then content end
    from rows from (
      unnest(p_created_at), unnest(p_kinds), jsonb_array_elements(p_tags), jsonb_array_elements_text(p_contents)
    ) with ordinality as batch (created_at, kind, tags, content, i)
    -- Every writer sorts alike, so none waits for another in a circle. By id and not by time, because a run in the order of
    -- the key through the middle of the index splits its pages in halves that stay half empty: 131 bytes an entry of such
    -- an index instead of 102, measured.
    order by id
    on conflict do nothing
    returning event.created_at, event.kind, event.id, event.pubkey
  )
  select count(*), array_agg(created_at), array_agg(kind), string_agg(id || pubkey, '')
  into v_inserted, v_created_at, v_kinds, v_keys
  from new;

  if p_raw is not null and not v_lite then
    insert into event_raw (created_at, id, raw)
    select p_created_at[position::int4 + 1], substr(p_keys, position::int4 * 128 + 1, 32) as id, json
    from jsonb_each_text(p_raw) as exact (position, json)
    order by 1, 2
    on conflict do nothing;
  end if;
  perform event_request_add(p_keys, p_created_at, p_kinds, p_tags);
  perform fact_add(1, null, v_created_at, v_kinds, v_keys);
  return v_inserted;
end
$function$;
comment on function event_insert(p_keys bytea, p_created_at bigint[], p_kinds integer[], p_tags jsonb, p_contents jsonb, p_raw jsonb, p_seen_at bigint) is 'Stores events; returns the number of new ones';

CREATE OR REPLACE FUNCTION public.event_is_addressable(p_kind integer)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select p_kind between 30000 and 39999 $function$;
comment on function event_is_addressable(p_kind integer) is 'Whether only the newest event of an author, kind and d tag is current (NIP-01)';

CREATE OR REPLACE FUNCTION public.event_is_lasting(p_created_at bigint, p_id bytea, p_kind integer, p_pubkey bytea, p_tags jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  return p_kind not in (0, 3, 5, 62) and p_kind not between 10000 and 39999
    and (p_tags @> '[["expiration"]]') is not true
    and not exists (
      select from event where pubkey = p_pubkey and kind = 62 and created_at >= p_created_at)
    and not coalesce((
      select count(*) > 200 or bool_or(tags is null or tags @> jsonb_build_array(jsonb_build_array('e', encode(p_id, 'hex'))))
      from (
        select tags from event where pubkey = p_pubkey and kind = 5 and created_at >= p_created_at
        order by created_at limit 201
      ) as deletion), false);
end
$function$;
comment on function event_is_lasting(p_created_at bigint, p_id bytea, p_kind integer, p_pubkey bytea, p_tags jsonb) is 'Whether an honest relay that gave an event once still has it';

CREATE OR REPLACE FUNCTION public.event_is_party(p_pubkey bytea, p_tags jsonb, p_viewers bytea[])
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select p_pubkey = any (p_viewers) or exists (
    select from unnest(p_viewers) as viewer
    where p_tags @> jsonb_build_array(jsonb_build_array('p', encode(viewer, 'hex'))) and exists (
      select from jsonb_array_elements(p_tags) as tag
      where tag ->> 0 = 'p' and tag ->> 1 = encode(viewer, 'hex')))
$function$;
comment on function event_is_party(p_pubkey bytea, p_tags jsonb, p_viewers bytea[]) is 'Whether one of these keys wrote an event or is named by its p tags';

CREATE OR REPLACE FUNCTION public.event_is_private(p_kind integer)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select p_kind in (4, 13, 14, 15, 1059, 1060, 10059, 21059) $function$;
comment on function event_is_private(p_kind integer) is 'Whether events of a kind are for their author and those they name only';

CREATE OR REPLACE FUNCTION public.event_is_rare(p_pubkeys bytea, p_kinds integer[], p_since bigint, p_until bigint, p_most integer)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
 SET enable_sort TO 'off'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
begin
  if p_pubkeys is null then
    return (
      select count(*) <= p_most
      from (
        select from unnest(p_kinds) as wanted (kind)
        cross join lateral (
          select from event e
          where (e.kind, e.created_at) >= (wanted.kind, p_since) and (e.kind, e.created_at) <= (wanted.kind, p_until)
          order by e.kind desc, e.created_at desc limit p_most + 1
        ) as walk
        limit p_most + 1
      ) as entry);
  end if;
  return (
    select count(*) <= p_most
    from (
      select from unnest(p_kinds) with ordinality as wanted (kind, i)
      cross join lateral (
        select from event e
        where (e.pubkey, e.kind, e.created_at) >= (substr(p_pubkeys, i::int4 * 32 - 31, 32), wanted.kind, p_since)
          and (e.pubkey, e.kind, e.created_at) <= (substr(p_pubkeys, i::int4 * 32 - 31, 32), wanted.kind, p_until)
        order by e.pubkey desc, e.kind desc, e.created_at desc limit p_most + 1
      ) as walk
      limit p_most + 1
    ) as entry);
end
$function$;
comment on function event_is_rare(p_pubkeys bytea, p_kinds integer[], p_since bigint, p_until bigint, p_most integer) is 'Whether authors and kinds have few events in a time';

CREATE OR REPLACE FUNCTION public.event_is_replaceable(p_kind integer)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select p_kind in (0, 3) or p_kind between 10000 and 19999 $function$;
comment on function event_is_replaceable(p_kind integer) is 'Whether only the newest event of an author and kind is current (NIP-01)';

CREATE OR REPLACE FUNCTION public.event_is_requested(p_id bytea)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (
    select from event e
    where e.id = p_id and (
      exists (
        select from event_deletion d
        where d.pubkey = e.pubkey and d.until >= e.created_at
          and d.target in (e.id, event_address(e.kind, e.pubkey, case
            when event_is_addressable(e.kind) then event_identifier(e.tags) else '' end))
          and not exists (
            select from event r cross join lateral event_deletion_targets(r.pubkey, r.created_at, r.tags) t
            where r.pubkey = e.pubkey and r.kind = 5 and t.target = d.target and t.until >= e.created_at))
      or exists (
        select from event_vanish v
        where v.pubkey = e.pubkey and v.until >= e.created_at and v.relay = 'ALL_RELAYS' and not exists (
          select from event r where r.pubkey = e.pubkey and r.kind = 62 and r.created_at >= e.created_at))))
$function$;
comment on function event_is_requested(p_id bytea) is 'Whether an event is hidden by a request that is not archived any more';

CREATE OR REPLACE FUNCTION public.event_is_returned(p_id bytea, p_tags jsonb)
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select exists (
    select from jsonb_array_elements(p_tags) as tag
      join event_deletion d on d.target = p_id and encode(d.pubkey, 'hex') = tag ->> 1
    where tag ->> 0 = 'p')
$function$;
comment on function event_is_returned(p_id bytea, p_tags jsonb) is 'Whether a recipient of a gift wrap asked to delete it';

CREATE OR REPLACE FUNCTION public.event_is_withheld(p_tags jsonb, p_now bigint)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select exists (
    select from jsonb_array_elements(p_tags) as tag
    where tag ->> 0 = '-'
      or tag ->> 0 = 'expiration' and tag ->> 1 ~ '^\d{1,15}$' and (tag ->> 1)::int8 <= p_now)
$function$;
comment on function event_is_withheld(p_tags jsonb, p_now bigint) is 'Whether tags say that an event is protected, or expired';

CREATE OR REPLACE FUNCTION public.event_key_matches(p_kind integer, p_pubkey bytea, p_tags jsonb, p_kinds integer[], p_pubkeys bytea[], p_wanted jsonb)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select (p_kinds is null or p_kind = any (p_kinds)) and (p_pubkeys is null or p_pubkey = any (p_pubkeys))
    and (p_wanted is null or event_has_tags(p_tags, p_wanted))
$function$;
comment on function event_key_matches(p_kind integer, p_pubkey bytea, p_tags jsonb, p_kinds integer[], p_pubkeys bytea[], p_wanted jsonb) is 'Whether an event has one of these kinds, authors and values of each tag';

CREATE OR REPLACE FUNCTION public.event_keys_by_author(p_pubkeys bytea, p_kinds integer[], p_tags jsonb, p_since bigint, p_until bigint, p_limit integer, OUT keys bytea, OUT next_until bigint, OUT work integer)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
 SET enable_sort TO 'off'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
  v_depth int4 := greatest(5, least(p_limit, 4 * p_limit / greatest(1, cardinality(p_kinds))));
  v_pairs int4[];
begin
  with pair as materialized (
    select i::int4, substr(p_pubkeys, i::int4 * 32 - 31, 32) as pubkey, kind
    from unnest(p_kinds) with ordinality as wanted (kind, i)
  ), shallow as materialized (
    select pair.i, walk.created_at
    from pair
    cross join lateral (
      select created_at from event e
      where (e.pubkey, e.kind, e.created_at) >= (pair.pubkey, pair.kind, p_since)
        and (e.pubkey, e.kind, e.created_at) <= (pair.pubkey, pair.kind, p_until)
      order by e.pubkey desc, e.kind desc, e.created_at desc limit v_depth
    ) as walk
  ), edge as materialized (
    select coalesce((select created_at from shallow order by created_at desc offset p_limit - 1 limit 1), p_since) as at
  ), unfinished as materialized (
    select i from shallow group by i having count(*) = v_depth and min(created_at) >= (select at from edge)
  ), deep as materialized (
    select pair.i, walk.created_at
    from unfinished join pair using (i)
    cross join lateral (
      select created_at from event e
      where (e.pubkey, e.kind, e.created_at) >= (pair.pubkey, pair.kind, (select at from edge))
        and (e.pubkey, e.kind, e.created_at) <= (pair.pubkey, pair.kind, p_until)
      order by e.pubkey desc, e.kind desc, e.created_at desc limit p_limit
    ) as walk
  ), read as materialized (
    select i, created_at from shallow where i not in (select i from unfinished)
    union all select i, created_at from deep
  ), last as materialized (
    select (select created_at from read order by created_at desc offset p_limit - 1 limit 1) as at
  )
  select last.at, array(select distinct i from read where created_at > coalesce(last.at, -1)),
    cardinality(p_kinds) + (select count(*) from shallow) + (select count(*) from deep)
  into next_until, v_pairs, work
  from last;
  select coalesce(string_agg(int8send(created_at) || id, '') filter (where p_tags is null or event_has_tags(tags, p_tags)), ''),
    work + count(*)
  into keys, work
  from unnest(v_pairs) as wanted (i)
  cross join lateral (
    select e.created_at, e.id, e.tags from event e
    where (e.pubkey, e.kind, e.created_at)
        > (substr(p_pubkeys, i * 32 - 31, 32), p_kinds[i], coalesce(next_until, p_since - 1))
      and (e.pubkey, e.kind, e.created_at) <= (substr(p_pubkeys, i * 32 - 31, 32), p_kinds[i], p_until)
    order by e.pubkey desc, e.kind desc, e.created_at desc
  ) as page;
end
$function$;
comment on function event_keys_by_author(p_pubkeys bytea, p_kinds integer[], p_tags jsonb, p_since bigint, p_until bigint, p_limit integer, OUT keys bytea, OUT next_until bigint, OUT work integer) is 'Keys of the newest events of some pairs of author and kind';

CREATE OR REPLACE FUNCTION public.event_keys_by_id(p_ids bytea, p_kinds integer[], p_pubkeys bytea, p_tags jsonb, p_since bigint, p_until bigint, OUT keys bytea, OUT next_until bigint, OUT work integer)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
  v_pubkeys bytea[] := bytea_unpack(p_pubkeys, 32);
begin
  select coalesce(string_agg(int8send(created_at) || id, ''), ''), octet_length(p_ids) / 32
  into keys, work
  from generate_series(0, octet_length(p_ids) / 32 - 1) as i
  cross join lateral (select * from event e where e.id = substr(p_ids, i * 32 + 1, 32) limit 1) as found
  where created_at between p_since and p_until
    and event_key_matches(kind, pubkey, tags, p_kinds, v_pubkeys, p_tags);
end
$function$;
comment on function event_keys_by_id(p_ids bytea, p_kinds integer[], p_pubkeys bytea, p_tags jsonb, p_since bigint, p_until bigint, OUT keys bytea, OUT next_until bigint, OUT work integer) is 'Keys of the events with these ids';

CREATE OR REPLACE FUNCTION public.event_keys_by_kind(p_kinds integer[], p_tags jsonb, p_since bigint, p_until bigint, p_limit integer, OUT keys bytea, OUT next_until bigint, OUT work integer)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
 SET enable_sort TO 'off'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
  -- As a rule enough; a kind that has more of the newest is read again, up to the edge of those first read.
  v_depth int4 := greatest(5, least(p_limit, 4 * p_limit / cardinality(p_kinds)));
  v_kinds int4[];
begin
  with shallow as materialized (
    select wanted.kind, walk.created_at
    from unnest(p_kinds) as wanted (kind)
    cross join lateral (
      select created_at from event e
      where (e.kind, e.created_at) >= (wanted.kind, p_since) and (e.kind, e.created_at) <= (wanted.kind, p_until)
      order by e.kind desc, e.created_at desc limit v_depth
    ) as walk
  ), edge as materialized (
    select coalesce((select created_at from shallow order by created_at desc offset p_limit - 1 limit 1), p_since) as at
  ), unfinished as materialized (
    select kind from shallow group by kind having count(*) = v_depth and min(created_at) >= (select at from edge)
  ), deep as materialized (
    select unfinished.kind, walk.created_at
    from unfinished
    cross join lateral (
      select created_at from event e
      where (e.kind, e.created_at) >= (unfinished.kind, (select at from edge))
        and (e.kind, e.created_at) <= (unfinished.kind, p_until)
      order by e.kind desc, e.created_at desc limit p_limit
    ) as walk
  ), read as materialized (
    select kind, created_at from shallow where kind not in (select kind from unfinished)
    union all select kind, created_at from deep
  ), last as materialized (
    select (select created_at from read order by created_at desc offset p_limit - 1 limit 1) as at
  )
  select last.at, array(select distinct kind from read where created_at > coalesce(last.at, -1)),
    cardinality(p_kinds) + (select count(*) from shallow) + (select count(*) from deep)
  into next_until, v_kinds, work
  from last;
  select coalesce(string_agg(int8send(created_at) || id, '') filter (where p_tags is null or event_has_tags(tags, p_tags)), ''),
    work + count(*)
  into keys, work
  from unnest(v_kinds) as wanted (kind)
  cross join lateral (
    select e.created_at, e.id, e.tags from event e
    where (e.kind, e.created_at) > (wanted.kind, coalesce(next_until, p_since - 1))
      and (e.kind, e.created_at) <= (wanted.kind, p_until)
    order by e.kind desc, e.created_at desc
  ) as page;
end
$function$;
comment on function event_keys_by_kind(p_kinds integer[], p_tags jsonb, p_since bigint, p_until bigint, p_limit integer, OUT keys bytea, OUT next_until bigint, OUT work integer) is 'Keys of the newest events of some kinds';

CREATE OR REPLACE FUNCTION public.event_keys_by_tag(p_tags jsonb, p_kinds integer[], p_pubkeys bytea, p_since bigint, p_until bigint, p_buckets integer, p_limit integer, OUT keys bytea, OUT next_until bigint, OUT work integer)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
  v_pubkeys bytea[] := bytea_unpack(p_pubkeys, 32);
  v_present int8 := event_tag_bucket(unix_now());
  v_newest int8;
  v_from int8;
  v_lowest int8;
  v_names text[];
  v_first int8[];
  v_second int8[];
begin
  select created_at into v_newest from event
  where created_at between p_since and p_until order by created_at desc, id desc limit 1;
  if v_newest is null then
    keys := '';
    work := 1;
    return;
  end if;
  v_from := event_tag_bucket(v_newest) - p_buckets + 1;
  if event_tag_bucket(v_newest) > v_present then
    v_from := greatest(v_from, v_present + 1);
  end if;
  -- The first bucket has everything before it, too.
  v_lowest := case when v_from <= event_tag_bucket(0) then p_since else greatest(p_since, v_from << 21) end;
  -- The index intersects two names by itself; those with the fewest values cost the fewest look-ups.
  v_names := array(select name from jsonb_each(p_tags) as field (name, accepted) order by jsonb_array_length(accepted), name);
  v_first := event_tag_probes(v_names[1], p_tags -> v_names[1], v_lowest, v_newest);
  v_second := event_tag_probes(v_names[2], p_tags -> v_names[2], v_lowest, v_newest);
  -- Tags are compared newest first and no further than the page: the index is nearly always right.
  if v_second is null then
    with candidate as materialized (
      select e.created_at, e.id, e.tags,
        (p_kinds is null or e.kind = any (p_kinds)) and (v_pubkeys is null or e.pubkey = any (v_pubkeys)) as is_wanted
      from event e
      where e.tags is not null and event_tag_hashes(e.created_at, e.tags) && v_first
        and e.created_at + 0 between v_lowest and p_until
      order by e.created_at + 0 desc
    ), page as materialized (
      select created_at, id from candidate where is_wanted and event_has_tags(tags, p_tags) limit p_limit
    ), last as materialized (
      select case when count(*) = p_limit then min(created_at) end as at from page
    )
    select last.at, (select count(*) from candidate) + cardinality(v_first),
      (select coalesce(string_agg(int8send(created_at) || id, ''), '') from page
        where created_at > coalesce(last.at, -1))
    into next_until, work, keys
    from last;
  else
    with candidate as materialized (
      select e.created_at, e.id, e.tags,
        (p_kinds is null or e.kind = any (p_kinds)) and (v_pubkeys is null or e.pubkey = any (v_pubkeys)) as is_wanted
      from event e
      where e.tags is not null and event_tag_hashes(e.created_at, e.tags) && v_first
        and event_tag_hashes(e.created_at, e.tags) && v_second
        and e.created_at + 0 between v_lowest and p_until
      order by e.created_at + 0 desc
    ), page as materialized (
      select created_at, id from candidate where is_wanted and event_has_tags(tags, p_tags) limit p_limit
    ), last as materialized (
      select case when count(*) = p_limit then min(created_at) end as at from page
    )
    select last.at, (select count(*) from candidate) + cardinality(v_first) + cardinality(v_second),
      (select coalesce(string_agg(int8send(created_at) || id, ''), '') from page
        where created_at > coalesce(last.at, -1))
    into next_until, work, keys
    from last;
  end if;
  if next_until is null and v_lowest > p_since then
    next_until := v_lowest - 1;
  end if;
end
$function$;
comment on function event_keys_by_tag(p_tags jsonb, p_kinds integer[], p_pubkeys bytea, p_since bigint, p_until bigint, p_buckets integer, p_limit integer, OUT keys bytea, OUT next_until bigint, OUT work integer) is 'Keys of the newest events with some one-letter tags';

CREATE OR REPLACE FUNCTION public.event_keys_by_time(p_since bigint, p_until bigint, p_limit integer, OUT keys bytea, OUT next_until bigint, OUT work integer)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
 SET enable_sort TO 'off'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
begin
  select created_at into next_until from event
  where created_at between p_since and p_until
  order by created_at desc, id desc offset p_limit - 1 limit 1;
  select coalesce(string_agg(int8send(created_at) || id, ''), ''), count(*) into keys, work
  from (
    select created_at, id from event
    where created_at > coalesce(next_until, p_since - 1) and created_at <= p_until
    order by created_at desc, id desc
  ) as page;
  work := work + case when next_until is null then 0 else p_limit end;
end
$function$;
comment on function event_keys_by_time(p_since bigint, p_until bigint, p_limit integer, OUT keys bytea, OUT next_until bigint, OUT work integer) is 'Keys of the newest events of a time';

CREATE OR REPLACE FUNCTION public.event_keys_of_second(p_second bigint, p_after bytea, p_kinds integer[], p_pubkeys bytea, p_tags jsonb, p_limit integer, OUT keys bytea, OUT last_id bytea, OUT work integer)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
 SET enable_sort TO 'off'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
  v_pubkeys bytea[] := bytea_unpack(p_pubkeys, 32);
begin
  select coalesce(string_agg(int8send(created_at) || id, '')
      filter (where event_key_matches(kind, pubkey, tags, p_kinds, v_pubkeys, p_tags)), ''),
    case when count(*) = p_limit then (array_agg(id))[p_limit] end, count(*)
  into keys, last_id, work
  from (
    select * from event e
    where (e.created_at, e.id) > (p_second, p_after) and e.created_at <= p_second
    order by e.created_at, e.id limit p_limit
  ) as page;
end
$function$;
comment on function event_keys_of_second(p_second bigint, p_after bytea, p_kinds integer[], p_pubkeys bytea, p_tags jsonb, p_limit integer, OUT keys bytea, OUT last_id bytea, OUT work integer) is 'Keys of the events of one second, by id';

CREATE OR REPLACE FUNCTION public.event_keys_served(p_keys bytea, p_viewers bytea[], p_own_url text, p_all_versions boolean)
 RETURNS bytea
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
AS $function$
begin
  return (
    select coalesce(string_agg(key, '' order by i), '')
    from sighting_keys(p_keys) with ordinality as wanted (key, i)
    cross join lateral (
      select from event_served(p_viewers, p_own_url, p_all_versions) as e
      where e.created_at = sighting_time(key) and e.id = substr(key, 9)
      limit 1) as served);
end
$function$;
comment on function event_keys_served(p_keys bytea, p_viewers bytea[], p_own_url text, p_all_versions boolean) is 'Keys of the events among these that may be served';

CREATE OR REPLACE FUNCTION public.event_known(p_created_at bigint[], p_ids bytea)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  -- The limit keeps the planner from reading the table as a whole because the batch looks large to it.
  return (
    select coalesce(string_agg(coalesce(found.flag, '0'), '' order by i), '')
    from unnest(p_created_at) with ordinality as wanted (created_at, i)
    left join lateral (
      select '1' as flag from event e
      where e.created_at = wanted.created_at and e.id = substr(p_ids, i::int4 * 32 - 31, 32)
      limit 1
    ) as found on true);
end
$function$;
comment on function event_known(p_created_at bigint[], p_ids bytea) is 'Which of these events are archived: 1 or 0 each';

CREATE OR REPLACE FUNCTION public.event_lines(p_keys bytea)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET enable_seqscan TO 'off'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
begin
  return (
    select string_agg(coalesce(exact.raw, concat(
      '{"id":"', encode(e.id, 'hex'), '","pubkey":"', encode(e.pubkey, 'hex'), '","created_at":', e.created_at,
      ',"kind":', e.kind, ',"tags":', json_strip_nulls(e.tags::text::json), ',"content":', to_json(e.content), ',"sig":"', encode(e.sig, 'hex'), '"}')),
      chr(10) order by i)
    from generate_series(0, octet_length(p_keys) / 40 - 1) as i
    cross join lateral (
      select * from event
      where event.created_at = ('x' || encode(substr(p_keys, i * 40 + 1, 8), 'hex'))::bit(64)::int8
        and event.id = substr(p_keys, i * 40 + 9, 32)
      limit 1
    ) as e
    left join lateral (
      select raw from event_raw r where r.created_at = e.created_at and r.id = e.id limit 1
    ) as exact on true);
end
$function$;
comment on function event_lines(p_keys bytea) is 'Events as lines of JSON';

CREATE OR REPLACE FUNCTION public.event_relay_authors(p_relay_id integer, p_since bigint, p_until bigint, p_kind integer, p_limit integer)
 RETURNS TABLE(pubkey text, events integer)
 LANGUAGE sql
 STABLE
AS $function$
  select encode(author, 'hex'), count(*)::int4
  from sighting_before(p_relay_id, sighting_key(p_since), sighting_key(p_until + 1), 20000) as key
  cross join lateral (
    select e.pubkey as author from event e
    where e.created_at = sighting_time(key) and e.id = substr(key, 9) and (p_kind is null or e.kind = p_kind)
    limit 1) as found
  group by author
  order by count(*) desc, author
  limit p_limit
$function$;
comment on function event_relay_authors(p_relay_id integer, p_since bigint, p_until bigint, p_kind integer, p_limit integer) is 'Authors of the events that a relay was seen to hold in a window, the most frequent first';

CREATE OR REPLACE FUNCTION public.event_relay_count(p_relay_id integer, p_windows jsonb)
 RETURNS bigint
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(sum(sightings), 0)::int8
  from (
    select sighting_key(since) as lower, sighting_key(until + 1) as upper
    from jsonb_to_recordset(p_windows) as wanted (since int8, until int8)) as wanted
  cross join lateral (
    select case
        when p.first_key >= lower and p.last_key < upper then p.sightings
        else octet_length(sighting_cut(p.keys, lower, upper)) / 40
      end as sightings
    from sighting_pages(p_relay_id, lower, upper) as p
    union all
    select count(*) from sighting_log l where l.relay_id = p_relay_id and l.key >= lower and l.key < upper) as counted
$function$;
comment on function event_relay_count(p_relay_id integer, p_windows jsonb) is 'How many events of these windows of created_at a relay was seen to hold';

CREATE OR REPLACE FUNCTION public.event_relay_delete(p_created_at bigint[], p_ids bytea)
 RETURNS TABLE(relay_id integer, keys bytea)
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
#variable_conflict use_column
declare
  v_keys bytea[] := array(
    select sighting_key(created_at, substr(p_ids, i::int4 * 32 - 31, 32))
    from unnest(p_created_at) with ordinality as batch (created_at, i));
  v_relays int4[];
  v_relay_id int4;
  v_deleted bytea;
begin
  -- Who holds any of them is looked up before anybody is made to wait.
  v_relays := array(
    select id from relay r
    where exists (
      select from unnest(v_keys) as key
      cross join lateral (
        select keys from sighting_page
        where relay_id = r.id and first_key <= key order by first_key desc limit 1) as p
      where position(key in p.keys) > 0
        or exists (select from sighting_log l where l.relay_id = r.id and l.key = key offset 0))
    order by id);
  foreach v_relay_id in array v_relays loop
    perform sync_lock(v_relay_id);
    -- What waits for a page goes with it into those that are made of the rest.
    with target as materialized (
      select q.first_key, array_agg(key) as gone
      from unnest(v_keys) as key
      cross join lateral (
        select first_key, keys from sighting_page
        where relay_id = v_relay_id and first_key <= key order by first_key desc limit 1) as q
      where position(key in q.keys) > 0
        or exists (select from sighting_log l where l.relay_id = v_relay_id and l.key = key offset 0)
      group by q.first_key
    ), hit as materialized (
      delete from sighting_page p using target t
      where p.relay_id = v_relay_id and p.first_key = t.first_key
      returning p.*, t.gone
    ), waiting as (
      delete from sighting_log l using hit h
      where l.relay_id = v_relay_id and l.key >= h.first_key and l.key < coalesce((
        select first_key from sighting_page
        where relay_id = v_relay_id and first_key > h.first_key order by first_key limit 1), '\xff')
      returning h.first_key, l.seen_at, l.key, h.gone
    ), parted as materialized (
      select first_key, min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at,
        string_agg(key, '' order by key) filter (where key <> all (gone)) as rest,
        string_agg(key, '' order by key) filter (where key = any (gone)) as deleted
      from (
        select first_key, first_seen_at, last_seen_at, key, gone from hit cross join lateral sighting_keys(hit.keys) as key
        union all
        select first_key, seen_at, seen_at, key, gone from waiting) as held
      group by first_key
    ), kept as (
      insert into sighting_page (first_seen_at, last_seen_at, sum_0, sum_1, sum_2, sum_3, sum_4, sum_5, sum_6, sum_7,
        relay_id, sightings, first_key, last_key, keys)
      select first_seen_at, last_seen_at, s.*, v_relay_id, octet_length(keys) / 40,
        substr(keys, 1, 40), substr(keys, octet_length(keys) - 39), keys
      from parted
      cross join lateral sighting_parts(rest) as keys
      cross join lateral sighting_sums(keys) as s
      where rest is not null
    )
    select string_agg(deleted, '' order by first_key) into v_deleted from parted;
    if v_deleted is not null then
      return query select v_relay_id, v_deleted;
    end if;
  end loop;
end
$function$;
comment on function event_relay_delete(p_created_at bigint[], p_ids bytea) is 'Deletes the sightings of events; returns their keys, a row a relay';

CREATE OR REPLACE FUNCTION public.event_relay_find(p_relay_id integer, p_filter_hash text, p_ids bytea)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
declare
  v_times text;
begin
  with found as materialized (
    select i, id, created_at
    from (
      select i, substr(p_ids, i * 32 + 1, 32) as id from generate_series(0, octet_length(p_ids) / 32 - 1) as i
    ) as wanted
    left join lateral (
      select created_at from event e where e.id = wanted.id
      union all
      -- Not to be fetched again.
      select created_at from forgotten_event f where f.id = wanted.id and created_at is not null
      limit 1) as archived on true
  ), returned as (
    delete from relay_listing l using found f
    where l.relay_id = p_relay_id and l.filter_hash = decode(p_filter_hash, 'hex') and l.state = 'gone'
      and l.created_at = f.created_at and l.event_id = f.id
  )
  select string_agg(coalesce(created_at::text, ''), ',' order by i) into v_times from found;
  return coalesce(v_times, '');
end
$function$;
comment on function event_relay_find(p_relay_id integer, p_filter_hash text, p_ids bytea) is 'Which of the events that a relay lists are archived, by their ids';

CREATE OR REPLACE FUNCTION public.event_relay_insert(p_relay_id integer, p_seen_at bigint, p_created_at bigint[], p_ids bytea)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_new bytea[];
begin
  if forgotten_any() then
    select * into p_created_at, p_ids from forgotten_leave_out(p_created_at, p_ids);
  end if;
  v_new := sighting_insert(p_relay_id, p_seen_at, array(
    select distinct sighting_key(created_at, substr(p_ids, i::int4 * 32 - 31, 32)) as key
    from unnest(p_created_at) with ordinality as batch (created_at, i)
    order by key));
  perform sighting_fact_add(1, p_relay_id, (select string_agg(key, '' order by i) from unnest(v_new) with ordinality as new (key, i)));
  return cardinality(v_new);
end
$function$;
comment on function event_relay_insert(p_relay_id integer, p_seen_at bigint, p_created_at bigint[], p_ids bytea) is 'Records that a relay holds events; returns the number of new sightings';

CREATE OR REPLACE FUNCTION public.event_relay_near(p_relay_id integer, p_filter_hash text, p_filter jsonb, p_at bigint, p_below integer, p_above integer)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
  v_filter record;
  v_hashes bytea[];
  v_near text;
begin
  v_filter := event_filter_parse(p_filter);
  if not v_filter.can_tell then
    return null;
  end if;
  -- Events gone from one list are gone from all.
  v_hashes := array(select filter_hash from sync_coverage where relay_id = p_relay_id) || decode(p_filter_hash, 'hex');
  with below as (
    select key, is_lasting
    from sighting_before(p_relay_id, '', sighting_key(p_at + 1), 5000) as key
    cross join lateral (select event_relay_stands(
      p_relay_id, key, v_hashes, v_filter.kinds, v_filter.authors, v_filter.tags) as is_lasting offset 0) as sighting
    where is_lasting is not null
    limit p_below
  ), above as (
    select key, is_lasting
    from sighting_after(p_relay_id, sighting_key(p_at + 1), 5000) as key
    cross join lateral (select event_relay_stands(
      p_relay_id, key, v_hashes, v_filter.kinds, v_filter.authors, v_filter.tags) as is_lasting offset 0) as sighting
    where is_lasting is not null
    limit p_above
  )
  select encode(string_agg(
    key || case when is_lasting then '\x01'::bytea else '\x00'::bytea end, '' order by key), 'base64')
  into v_near
  from (select * from below union all select * from above) as near;
  return coalesce(v_near, '');
end
$function$;
comment on function event_relay_near(p_relay_id integer, p_filter_hash text, p_filter jsonb, p_at bigint, p_below integer, p_above integer) is 'Sightings of a relay next to a moment, and which of them must last; null when the archive cannot tell';

CREATE OR REPLACE FUNCTION public.event_relay_sighted(p_relay_id integer, p_filter_hash text, p_filter jsonb, p_since bigint, p_until bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
  v_filter record;
  v_filter_hash bytea := decode(p_filter_hash, 'hex');
  v_sighted int8;
begin
  v_filter := event_filter_parse(p_filter);
  if not v_filter.can_tell or exists (
    select from forgotten_event where created_at between p_since and p_until)
  then
    return null;
  end if;
  v_sighted := event_relay_count(p_relay_id, jsonb_build_array(jsonb_build_object('since', p_since, 'until', p_until)));
  if p_filter = '{}' then
    return v_sighted - (
      select count(*) from relay_listing
      where relay_id = p_relay_id and filter_hash = v_filter_hash and state = 'gone'
        and created_at between p_since and p_until);
  end if;
  if v_sighted > 100000 then
    return null;
  end if;
  return (
    select count(*)
    from relay_events(p_relay_id, p_since, p_until) as s
    cross join lateral (
      select from event e
      where e.created_at = s.created_at and e.id = s.event_id
        and (v_filter.kinds is null or e.kind = any (v_filter.kinds))
        and (v_filter.authors is null or e.pubkey = any (v_filter.authors))
        and (v_filter.tags is null or event_has_tags(e.tags, v_filter.tags))
      limit 1) as matched
    where not exists (
      select from relay_listing l
      where l.relay_id = p_relay_id and l.filter_hash = v_filter_hash and l.state = 'gone'
        and l.created_at = s.created_at and l.event_id = s.event_id));
end
$function$;
comment on function event_relay_sighted(p_relay_id integer, p_filter_hash text, p_filter jsonb, p_since bigint, p_until bigint) is 'How many events of a window a relay was seen to hold; null when the archive cannot tell';

CREATE OR REPLACE FUNCTION public.event_relay_stands(p_relay_id integer, p_key bytea, p_filter_hashes bytea[], p_kinds integer[], p_authors bytea[], p_tags jsonb)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select event_is_lasting(e.created_at, e.id, e.kind, e.pubkey, e.tags)
  from event e
  where e.created_at = sighting_time(p_key) and e.id = substr(p_key, 9)
    and (p_kinds is null or e.kind = any (p_kinds))
    and (p_authors is null or e.pubkey = any (p_authors))
    and (p_tags is null or event_has_tags(e.tags, p_tags))
    and not exists (
      select from relay_listing l
      where l.relay_id = p_relay_id and l.filter_hash = any (p_filter_hashes) and l.state = 'gone'
        and l.created_at = e.created_at and l.event_id = e.id)
  limit 1
$function$;
comment on function event_relay_stands(p_relay_id integer, p_key bytea, p_filter_hashes bytea[], p_kinds integer[], p_authors bytea[], p_tags jsonb) is 'Whether a sighting that a filter selects is lasting; null when it does not select it';

CREATE OR REPLACE FUNCTION public.event_relay_sums(p_relay_id integer, p_filter_hash text, p_since bigint, p_until bigint, p_seconds bigint, p_withheld_since bigint)
 RETURNS TABLE(since bigint, events bigint, sums text)
 LANGUAGE sql
 STABLE
AS $function$
  with unpaged as (
    select key from sighting_log
    where relay_id = p_relay_id and key >= sighting_key(p_since) and key < sighting_key(p_until + 1)
  ), page as materialized (
    select p.*, sighting_time(p.first_key) as first_at, sighting_time(p.last_key) as last_at
    from sighting_pages(p_relay_id, sighting_key(p_since), sighting_key(p_until + 1)) as p
  ), part as (
    -- Pages that lie in one part as a whole, the keys of the others, and those that wait for a page.
    select (first_at - p_since) / p_seconds as number, sightings::int8 as events,
      sum_0, sum_1, sum_2, sum_3, sum_4, sum_5, sum_6, sum_7
    from page
    where first_at >= p_since and last_at <= p_until and (first_at - p_since) / p_seconds = (last_at - p_since) / p_seconds
    union all
    select (sighting_time(key) - p_since) / p_seconds, 1,
      sighting_word(key, 8), sighting_word(key, 12), sighting_word(key, 16), sighting_word(key, 20),
      sighting_word(key, 24), sighting_word(key, 28), sighting_word(key, 32), sighting_word(key, 36)
    from (
      select key from page cross join lateral sighting_keys(keys) as key
      where (first_at < p_since or last_at > p_until
          or (first_at - p_since) / p_seconds <> (last_at - p_since) / p_seconds)
        and sighting_time(key) between p_since and p_until
      union all
      select key from unpaged) as single
    union all
    select (created_at - p_since) / p_seconds, sign,
      sign * sighting_word(event_id, 0), sign * sighting_word(event_id, 4), sign * sighting_word(event_id, 8),
      sign * sighting_word(event_id, 12), sign * sighting_word(event_id, 16), sign * sighting_word(event_id, 20),
      sign * sighting_word(event_id, 24), sign * sighting_word(event_id, 28)
    from relay_listing l
    cross join lateral (
      select case state when 'gone' then -1 else 1 end as sign,
        sighting_exists(p_relay_id, sighting_key(l.created_at, l.event_id)) as is_sighted) as exception
    where l.relay_id = p_relay_id and l.filter_hash = decode(p_filter_hash, 'hex')
      and l.created_at between p_since and p_until
      and case state when 'gone' then is_sighted else not is_sighted and noted_at >= p_withheld_since end
  )
  select p_since + number * p_seconds, sum(events)::int8,
    concat_ws(',', sum(sum_0), sum(sum_1), sum(sum_2), sum(sum_3), sum(sum_4), sum(sum_5), sum(sum_6), sum(sum_7))
  from part
  group by number
  having sum(events) > 0
  order by number
$function$;
comment on function event_relay_sums(p_relay_id integer, p_filter_hash text, p_since bigint, p_until bigint, p_seconds bigint, p_withheld_since bigint) is 'Numbers and sums of the ids that a relay is known to list, by time: what fingerprints of NIP-77 are made of';

CREATE OR REPLACE FUNCTION public.event_relay_vector(p_relay_id integer, p_filter_hash text, p_filter jsonb, p_since bigint, p_until bigint, p_before_created_at bigint, p_before_id bytea, p_limit integer, p_withheld_since bigint, OUT vector text, OUT next_created_at bigint, OUT next_id text)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
  v_filter_hash bytea := decode(p_filter_hash, 'hex');
  v_filter record := event_filter_parse(p_filter);
  v_lower bytea := sighting_key(p_since);
  v_upper bytea := least(sighting_key(p_until + 1), sighting_key(p_before_created_at, p_before_id));
  v_pages int4 := p_limit / 96 + 2;
  v_keys bytea;
  v_found int4;
begin
  if not v_filter.can_tell then
    return;
  end if;
  -- Whole pages as they are; only the first and the last are cut.
  select count(*), coalesce(string_agg(case
      when p.first_key >= v_lower and substr(p.keys, octet_length(p.keys) - 39) < v_upper then p.keys
      else sighting_cut(p.keys, v_lower, v_upper)
    end, '' order by p.first_key), '')
  into v_found, v_keys
  from (
    select * from sighting_runs(p_relay_id, v_lower, v_upper) order by first_key desc limit v_pages) as p;
  v_keys := substr(v_keys, greatest(1, octet_length(v_keys) - 40 * p_limit + 1));
  if v_found = v_pages or octet_length(v_keys) = 40 * p_limit then
    v_lower := substr(v_keys, 1, 40);
    next_created_at := sighting_time(v_lower);
    next_id := encode(substr(v_lower, 9), 'hex');
  end if;

  if p_filter <> '{}' then
    -- The limit has the planner look up one event after the other, whatever it thinks of their number.
    select coalesce(string_agg(key, '' order by key), '') into v_keys
    from sighting_keys(v_keys) as key
    cross join lateral (
      select from event e
      where e.created_at = sighting_time(key) and e.id = substr(key, 9)
        and (v_filter.kinds is null or e.kind = any (v_filter.kinds))
        and (v_filter.authors is null or e.pubkey = any (v_filter.authors))
        and (v_filter.tags is null or event_has_tags(e.tags, v_filter.tags))
      limit 1) as matched;
  end if;
  if exists (
    select from relay_listing
    where relay_id = p_relay_id and filter_hash = v_filter_hash and created_at between p_since and p_until
  ) then
    with listing as materialized (
      select sighting_key(created_at, event_id) as key, state from relay_listing
      where relay_id = p_relay_id and filter_hash = v_filter_hash and created_at between p_since and p_until
        and (state = 'gone' or noted_at >= p_withheld_since)
    )
    select coalesce(string_agg(key, '' order by key), '') into v_keys
    from (
      select k.key from sighting_keys(v_keys) as k (key)
      where not exists (select from listing l where l.state = 'gone' and l.key = k.key)
      union
      select key from listing where state = 'withheld' and key >= v_lower and key < v_upper) as listed;
  end if;
  vector := encode(v_keys, 'base64');
end
$function$;
comment on function event_relay_vector(p_relay_id integer, p_filter_hash text, p_filter jsonb, p_since bigint, p_until bigint, p_before_created_at bigint, p_before_id bytea, p_limit integer, p_withheld_since bigint, OUT vector text, OUT next_created_at bigint, OUT next_id text) is 'Keys of what a relay is known to list, for NIP-77, a chunk at a time; null when the archive cannot tell';

CREATE OR REPLACE FUNCTION public.event_relays(p_event_id bytea)
 RETURNS TABLE(seen_at bigint, created_at bigint, relay_id integer, event_id bytea)
 LANGUAGE sql
 STABLE PARALLEL SAFE ROWS 10
AS $function$
  select seen_at, e.created_at, r.id, e.id
  from (select created_at, id, sighting_key(created_at, id) as key from event where id = p_event_id limit 1) as e
    cross join relay r
    cross join lateral (
      select p.last_seen_at as seen_at
      from (
        select last_seen_at, keys from sighting_page
        where relay_id = r.id and first_key <= e.key order by first_key desc limit 1) as p
      where position(e.key in p.keys) > 0
      union all
      select l.seen_at from sighting_log l where l.relay_id = r.id and l.key = e.key) as sighting
$function$;
comment on function event_relays(p_event_id bytea) is 'Sightings of an event: event_relays(from_note(''note1…''))';

CREATE OR REPLACE FUNCTION public.event_request_add(p_keys bytea, p_created_at bigint[], p_kinds integer[], p_tags jsonb)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  if not p_kinds && array[5, 62] then
    return;
  end if;
  with request as materialized (
    select created_at, kind, substr(p_keys, i::int4 * 128 - 95, 32) as pubkey, p_tags -> (i::int4 - 1) as tags
    from unnest(p_created_at, p_kinds) with ordinality as batch (created_at, kind, i)
    where kind in (5, 62)
  ), deletion as (
    -- Sorted alike by every writer, so that none waits for another in a circle.
    insert into event_deletion as d (until, target, pubkey)
    select max(t.until), t.target, r.pubkey
    from request r cross join lateral event_deletion_targets(r.pubkey, r.created_at, r.tags) as t
    where r.kind = 5
    group by t.target, r.pubkey
    order by t.target, r.pubkey
    on conflict (target, pubkey) do update set until = excluded.until where d.until < excluded.until
  )
  insert into event_vanish as v (until, pubkey, relay)
  select max(r.created_at), r.pubkey, w.relay
  from request r cross join lateral event_vanish_relays(r.tags) as w
  where r.kind = 62
  group by r.pubkey, w.relay
  order by r.pubkey, w.relay
  on conflict (pubkey, relay) do update set until = excluded.until where v.until < excluded.until;
end
$function$;
comment on function event_request_add(p_keys bytea, p_created_at bigint[], p_kinds integer[], p_tags jsonb) is 'Remembers the deletion requests and requests to vanish of a batch';

CREATE OR REPLACE FUNCTION public.event_require(p_created_at bigint[], p_ids bytea)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_missing int4;
begin
  perform archive_reference();
  if forgotten_any() then
    select * into p_created_at, p_ids from forgotten_leave_out(p_created_at, p_ids);
  end if;
  v_missing := length(replace(event_known(p_created_at, p_ids), '1', ''));
  if v_missing > 0 then
    raise exception 'Cannot record sightings as % of % events are not archived: fetch them again',
      v_missing, cardinality(p_created_at) using errcode = 'foreign_key_violation';
  end if;
end
$function$;
comment on function event_require(p_created_at bigint[], p_ids bytea) is 'Raises unless all these events are archived; they stay so until the end of the transaction';

CREATE OR REPLACE FUNCTION public.event_served(p_viewers bytea[] DEFAULT '{}'::bytea[], p_own_url text DEFAULT NULL::text, p_all_versions boolean DEFAULT false, p_now bigint DEFAULT NULL::bigint)
 RETURNS TABLE(created_at bigint, seen_at bigint, kind integer, id bytea, pubkey bytea, sig bytea, tags jsonb, content text)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select e.created_at, e.seen_at, e.kind, e.id, e.pubkey, e.sig, e.tags, e.content
  from event e
  where e.kind <> 22242 and e.tags is not null
    -- `nullif … is not null` tells the planner that nearly all rows pass. Else it takes each condition for one that half
    -- of them fail, and sorts all there is for the newest few.
    and nullif(
      case when event_is_private(e.kind) then event_is_party(e.pubkey, e.tags, p_viewers) else true end
      -- The cheap look says no for nearly all: only then are the tags taken apart.
      and case when e.tags @> '[["-"]]' or e.tags @> '[["expiration"]]'
        then not event_is_withheld(e.tags, coalesce(p_now, unix_now())) else true end
      -- A limit keeps each of these a probe of an index, whatever the planner thinks of the number of rows.
      and case when e.kind = 62 then true else (
        select true from event_vanish v
        where v.pubkey = e.pubkey and v.until >= e.created_at and v.relay in ('ALL_RELAYS', p_own_url)
        limit 1) is null end
      and case when e.kind in (5, 62) then true else (
        select true from event_deletion d where d.target = e.id and d.pubkey = e.pubkey limit 1) is null end
      and case when e.kind = 1059 then not event_is_returned(e.id, e.tags) else true end
      and case
        when event_is_replaceable(e.kind) then (
          select true from event_deletion d
          where d.target = event_address(e.kind, e.pubkey, '') and d.pubkey = e.pubkey and d.until >= e.created_at
          limit 1) is null
        when event_is_addressable(e.kind) then (
          select true from event_deletion d
          where d.target = event_address(e.kind, e.pubkey, event_identifier(e.tags)) and d.pubkey = e.pubkey
            and d.until >= e.created_at
          limit 1) is null
        else true end
      and case
        when p_all_versions then true
        when event_is_replaceable(e.kind) then (
          select true from event n
          where n.pubkey = e.pubkey and n.kind = e.kind and n.created_at >= e.created_at
            and (n.created_at > e.created_at or n.id < e.id)
          limit 1) is null
        when event_is_addressable(e.kind) then (
          select true from event n
          where event_address(n.kind, n.pubkey, event_identifier(n.tags)) =
              event_address(e.kind, e.pubkey, event_identifier(e.tags))
            and n.kind between 30000 and 39999 and n.created_at >= e.created_at
            and (n.created_at > e.created_at or n.id < e.id)
          limit 1) is null
        else true end,
      false) is not null
$function$;
comment on function event_served(p_viewers bytea[], p_own_url text, p_all_versions boolean, p_now bigint) is 'The events that may be served; stands in for the table event';

CREATE OR REPLACE FUNCTION public.event_tag_bucket(p_created_at bigint)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$ select least(greatest(p_created_at >> 21, 752), 1024) $function$;
comment on function event_tag_bucket(p_created_at bigint) is 'The bucket of time that the tag index has an event in';

CREATE OR REPLACE FUNCTION public.event_tag_lookups(p_name text, p_value text, p_since timestamp with time zone, p_until timestamp with time zone)
 RETURNS bigint[]
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
AS $function$
begin
  if length(p_name) <> 1 then
    raise exception 'Cannot look up tags named "%": only names of one letter are indexed (NIP-01)', p_name
      using errcode = 'invalid_parameter_value',
        hint = 'Narrow events down by kind, author or time, and compare tag_value(tags, name)';
  end if;
  return event_tag_probes(
    p_name, jsonb_build_array(p_value), coalesce(unix(p_since), 0), coalesce(unix(p_until), 9223372036854775807));
end
$function$;
comment on function event_tag_lookups(p_name text, p_value text, p_since timestamp with time zone, p_until timestamp with time zone) is 'Hashes that the tag index has a one-letter tag under, one for each 24 days of a time';

CREATE OR REPLACE FUNCTION public.event_tag_probes(p_name text, p_values jsonb, p_since bigint, p_until bigint)
 RETURNS bigint[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
  select array(
    select hashtextextended(p_name || ':' || value, bucket)
    from jsonb_array_elements_text(p_values) as value
    cross join generate_series(event_tag_bucket(p_since), event_tag_bucket(p_until)) as bucket)
$function$;
comment on function event_tag_probes(p_name text, p_values jsonb, p_since bigint, p_until bigint) is 'Hashes that the tag index has the values of a tag under, in a time';

CREATE OR REPLACE FUNCTION public.event_vanish_relays(p_tags jsonb)
 RETURNS TABLE(relay text)
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select distinct case tag ->> 1 when 'ALL_RELAYS' then 'ALL_RELAYS' else rtrim(lower(tag ->> 1), '/') end
  from jsonb_array_elements(p_tags) as tag
  where tag ->> 0 = 'relay' and (tag ->> 1 = 'ALL_RELAYS' or tag ->> 1 ~* '^wss?://') and octet_length(tag ->> 1) <= 500
$function$;
comment on function event_vanish_relays(p_tags jsonb) is 'ALL_RELAYS or URLs that a request to vanish names';

CREATE OR REPLACE FUNCTION public.events_by_tag(p_name text, p_value text, p_kinds integer[] DEFAULT NULL::integer[], p_since timestamp with time zone DEFAULT NULL::timestamp with time zone, p_until timestamp with time zone DEFAULT NULL::timestamp with time zone, p_limit bigint DEFAULT NULL::bigint)
 RETURNS SETOF event_readable
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select *
  from event_readable
  where (select archive_has_tags())
    and tags is not null
    and event_tag_hashes(created_at, tags) && event_tag_lookups(p_name, p_value, p_since, p_until)
    and p_value in (select tag_values(tags, p_name))
    and (p_kinds is null or kind + 0 = any (p_kinds))
    and (p_since is null or created_at + 0 >= unix(p_since))
    and (p_until is null or created_at + 0 <= unix(p_until))
  order by created_at + 0 desc, id
  limit p_limit
$function$;
comment on function events_by_tag(p_name text, p_value text, p_kinds integer[], p_since timestamp with time zone, p_until timestamp with time zone, p_limit bigint) is 'Events with a one-letter tag of this name and value, newest first: events_by_tag(''t'', ''bitcoin'', p_limit => 100)';

CREATE OR REPLACE FUNCTION public.fact_add(p_sign integer, p_relay_id integer, p_created_at bigint[], p_kinds integer[], p_keys bytea)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_id int8;
begin
  if coalesce(cardinality(p_created_at), 0) = 0 then
    return;
  end if;
  insert into fact (queued_at, relay_id, sign, created_at, kinds, keys)
  values (unix_now(), p_relay_id, p_sign, p_created_at, p_kinds, p_keys)
  returning id into v_id;
  -- Looking at the size of the queue each time would cost more than the row.
  if v_id % 64 = 0 then
    perform fact_trim();
  end if;
  -- Notifying makes commits wait for each other, so nobody is notified who does not listen.
  if exists (select from fact_follower where until >= unix_now()) then
    perform pg_notify('bigbrotr_fact', '');
  end if;
end
$function$;
comment on function fact_add(p_sign integer, p_relay_id integer, p_created_at bigint[], p_kinds integer[], p_keys bytea) is 'Queues what a batch changed: events, or sightings of one relay';

CREATE OR REPLACE FUNCTION public.fact_bound(OUT rows integer, OUT bytes bigint)
 RETURNS record
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select 50000, 256 * 1024 * 1024::int8 $function$;
comment on function fact_bound(OUT rows integer, OUT bytes bigint) is 'How many rows and bytes of the queue of facts are kept';

CREATE OR REPLACE FUNCTION public.fact_bytes(p_fact fact)
 RETURNS bigint
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select 100 + octet_length(p_fact.keys)::int8 * case when p_fact.relay_id is null then 76 else 80 end / 64
$function$;
comment on function fact_bytes(p_fact fact) is 'About how many bytes a fact takes';

CREATE OR REPLACE FUNCTION public.fact_deleted()
 RETURNS TABLE(id bytea, kind integer, pubkey bytea)
 LANGUAGE sql
 STABLE
AS $function$
  select substr(f.keys, k.i::int4 * 64 - 63, 32), k.kind, substr(f.keys, k.i::int4 * 64 - 31, 32)
  from fact f cross join lateral unnest(f.kinds) with ordinality as k (kind, i)
  where f.relay_id is null and f.sign = -1
$function$;
comment on function fact_deleted() is 'Events that were deleted just now';

CREATE OR REPLACE FUNCTION public.fact_deleted_events(p_ids bytea)
 RETURNS TABLE(i integer, kind integer, pubkey text)
 LANGUAGE sql
 STABLE
AS $function$
  select distinct wanted.i, deleted.kind, encode(deleted.pubkey, 'hex')
  from (
    select i, substr(p_ids, i * 32 - 31, 32) as id from generate_series(1, octet_length(p_ids) / 32) as i) as wanted
  join (
    select substr(f.keys, k.i::int4 * 64 - 63, 32) as id, substr(f.keys, k.i::int4 * 64 - 31, 32) as pubkey, k.kind
    from fact f cross join lateral unnest(f.kinds) with ordinality as k (kind, i)
    where f.sign = -1 and f.relay_id is null) as deleted using (id)
$function$;
comment on function fact_deleted_events(p_ids bytea) is 'Kind and author of events that were deleted just now';

CREATE OR REPLACE FUNCTION public.fact_is_dropped(p_day integer, p_relay_id integer)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
begin
  if p_relay_id is null then
    perform from fact_dropped where day = p_day limit 1 for share skip locked;
  else
    perform from fact_dropped where relay_id = p_relay_id limit 1 for share skip locked;
  end if;
  return found;
end
$function$;
comment on function fact_is_dropped(p_day integer, p_relay_id integer) is 'Whether a day or relay is to be made again, whatever others do now';

CREATE OR REPLACE FUNCTION public.fact_status()
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'rows', count(*),
    'bytes', coalesce(sum(fact_bytes(f)), 0),
    'oldestSeconds', case when count(*) > 0 then greatest(0, unix_now() - min(f.queued_at)) end,
    'droppedDays', (select count(distinct day) from fact_dropped),
    'droppedRelays', (select count(distinct relay_id) from fact_dropped))
  from fact f where taken_at is null
$function$;
comment on function fact_status() is 'What waits in the queue of facts, and what is to be made again, as JSON';

CREATE OR REPLACE FUNCTION public.fact_tail(p_snapshot text, p_seen_at bigint, p_limit integer, OUT snapshot text, OUT seen_at bigint, OUT is_whole boolean, OUT facts jsonb)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
declare
  v_now int8 := unix_now();
  v_found int4;
begin
  insert into fact_follower (until) values (v_now + 60)
  on conflict (singleton) do update set until = excluded.until where fact_follower.until < v_now + 30;
  -- One statement, and so one snapshot: none is left out between what is read and where the next look begins.
  with fresh as (
    select * from fact f
    where p_snapshot is not null and f.xid >= pg_snapshot_xmin(p_snapshot::pg_snapshot)
      and not pg_visible_in_snapshot(f.xid, p_snapshot::pg_snapshot)
    order by f.id limit p_limit + 1
  ), page as (
    select * from fresh order by id limit p_limit
  )
  select pg_current_snapshot()::text, (select count(*) from fresh), coalesce((
    select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'relayId', relay_id, 'sign', sign, 'createdAt', array_to_string(created_at, ','),
      'kinds', array_to_string(kinds, ','), 'keys', encode(keys, 'base64'))) order by id) from page), '[]')
  into snapshot, v_found, facts;
  seen_at := v_now;
  is_whole := v_found <= p_limit and (p_seen_at is null or v_now - p_seen_at <= 30);
end
$function$;
comment on function fact_tail(p_snapshot text, p_seen_at bigint, p_limit integer, OUT snapshot text, OUT seen_at bigint, OUT is_whole boolean, OUT facts jsonb) is 'The facts that became visible since another look, taken or not';

CREATE OR REPLACE FUNCTION public.fact_take(p_limit integer)
 RETURNS TABLE(relay_id integer, sign smallint, created_at text, kinds text, keys text)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
  perform pg_advisory_xact_lock(hashtextextended('bigbrotr facts', 0));
  delete from fact where taken_at < unix_now() - 30;
  return query
  with next as (
    select f.id from fact f where taken_at is null order by f.id limit p_limit for update
  ), taken as (
    update fact f set taken_at = unix_now() from next where f.id = next.id
    returning f.id, f.relay_id, f.sign, f.created_at, f.kinds, f.keys
  )
  select t.relay_id, t.sign, array_to_string(t.created_at, ','), array_to_string(t.kinds, ','), encode(t.keys, 'base64')
  from taken t order by t.id;
end
$function$;
comment on function fact_take(p_limit integer) is 'The oldest facts, for the one consumer, which folds them in the same transaction';

CREATE OR REPLACE FUNCTION public.fact_trim()
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_bound record := fact_bound();
  v_dropped int4;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('bigbrotr facts drop', 0)) then
    return 0;
  end if;
  with excess as (
    select id
    from (
      select id, row_number() over newest as rows, sum(fact_bytes(f)) over newest as bytes
      from fact f window newest as (order by id desc)
    ) as kept
    where rows > v_bound.rows or bytes > v_bound.bytes
  ), locked as (
    select f.id from fact f where f.id in (select id from excess) order by f.id for update skip locked
  ), dropped as (
    delete from fact f using locked where f.id = locked.id
    returning f.relay_id, f.created_at, f.taken_at
  ), lost as (
    select distinct case when relay_id is null then least(at / 86400, 36525)::int4 end as day, relay_id
    from dropped cross join lateral unnest(case when relay_id is null then created_at else array[0::int8] end) as at
    where taken_at is null
  ), remembered as (
    insert into fact_dropped (dropped_at, day, relay_id)
    select unix_now(), day, relay_id from lost
    where not fact_is_dropped(day, relay_id)
    order by day, relay_id
  )
  select count(*) into v_dropped from dropped;
  if v_dropped > 0 then
    perform derived_lose();
  end if;
  return v_dropped;
end
$function$;
comment on function fact_trim() is 'Drops the oldest facts above the bound; returns their number';

CREATE OR REPLACE FUNCTION public.fact_waiting_events()
 RETURNS TABLE(sign integer, created_at bigint, kind integer, id bytea, pubkey bytea)
 LANGUAGE sql
 STABLE
AS $function$
  select f.sign::int4, k.created_at, k.kind, substr(f.keys, k.i::int4 * 64 - 63, 32), substr(f.keys, k.i::int4 * 64 - 31, 32)
  from fact f cross join lateral unnest(f.created_at, f.kinds) with ordinality as k (created_at, kind, i)
  where f.relay_id is null and f.taken_at is null
$function$;
comment on function fact_waiting_events() is 'Events of facts that statistics have not taken';

CREATE OR REPLACE FUNCTION public.forget_begin(p_pubkeys bytea, p_ids bytea, p_until bigint, p_cause text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  -- Waits for writers that have not seen it.
  perform archive_unreferenced();
  insert into forgotten_author as f (until, forgotten_at, pubkey, cause)
  select distinct p_until, unix_now(), substr(p_pubkeys, i * 32 + 1, 32), p_cause
  from generate_series(0, octet_length(p_pubkeys) / 32 - 1) as i
  on conflict (pubkey) do update
  set until = greatest(f.until, excluded.until), is_done = false,
    cause = case when 'operator' in (f.cause, excluded.cause) then 'operator' else 'vanish' end;
  insert into forgotten_event (id)
  select distinct substr(p_ids, i * 32 + 1, 32) from generate_series(0, octet_length(p_ids) / 32 - 1) as i
  on conflict do nothing;
end
$function$;
comment on function forget_begin(p_pubkeys bytea, p_ids bytea, p_until bigint, p_cause text) is 'Refuses authors and events from now on';

CREATE OR REPLACE FUNCTION public.forget_count(p_pubkey bytea, p_id bytea, OUT events bigint, OUT sightings bigint)
 RETURNS record
 LANGUAGE sql
 STABLE
AS $function$
  select count(*), coalesce(sum(seen), 0)
  from event e cross join lateral (select count(*) as seen from event_relays(e.id)) as sighting
  where e.pubkey = p_pubkey or e.id = p_id
$function$;
comment on function forget_count(p_pubkey bytea, p_id bytea, OUT events bigint, OUT sightings bigint) is 'Events and sightings of an author, or of one event';

CREATE OR REPLACE FUNCTION public.forget_page(p_pubkey bytea, p_id bytea, p_limit integer, OUT events integer, OUT sightings integer)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
declare
  v_ids bytea[];
  v_created_at int8[];
  v_kinds int4[];
  v_keys bytea;
begin
  perform archive_unreferenced();
  v_ids := array(
    select e.id from event e
    where e.id = p_id
      or e.pubkey = p_pubkey and exists (
        select from forgotten_author f
        where f.pubkey = p_pubkey and f.until >= e.created_at and (e.kind <> 62 or f.cause = 'operator'))
    limit p_limit);
  sightings := forget_sightings(v_ids);
  delete from event_deletion d
  using event e, event_deletion_targets(e.pubkey, e.created_at, e.tags) as t
  where p_pubkey is not null and e.id = any (v_ids) and e.kind = 5 and d.target = t.target and d.pubkey = e.pubkey;
  with gone as (
    delete from event e where e.id = any (v_ids) returning e.created_at, e.kind, e.id, e.pubkey, e.tags
  ), kept as (
    insert into deleted_event (created_at, id, tags)
    select created_at, id, tags from gone
    where tags is not null and kind_is_asserted(kind) and deleted_event_wanted()
    order by created_at, id
    on conflict do nothing
  ), without_raw as (
    delete from event_raw r using gone g where r.created_at = g.created_at and r.id = g.id
  ), unlisted as (
    delete from relay_listing l using gone g
    where l.created_at = g.created_at and l.event_id = g.id and l.state = 'gone'
  ), noted as (
    insert into forgotten_event as f (created_at, id)
    select created_at, id from gone order by id
    on conflict (id) do update set created_at = excluded.created_at where f.created_at is null
  )
  select array_agg(created_at), array_agg(kind), string_agg(id || pubkey, '')
  into v_created_at, v_kinds, v_keys
  from gone;
  events := coalesce(cardinality(v_created_at), 0);
  perform fact_add(-1, null, v_created_at, v_kinds, v_keys);
  -- Samples of what was refused may hold it, too.
  if events < p_limit then
    delete from rejected_event
    where event_id = p_id or event_id = any (v_ids)
      or strpos(raw, encode(coalesce(p_pubkey, p_id), 'hex')) > 0;
    delete from event_vanish v using forgotten_author f
    where v.pubkey = p_pubkey and f.pubkey = p_pubkey and f.cause = 'operator';
    update forgotten_author set is_done = true where pubkey = p_pubkey;
  end if;
end
$function$;
comment on function forget_page(p_pubkey bytea, p_id bytea, p_limit integer, OUT events integer, OUT sightings integer) is 'Deletes some of the events that are forgotten; returns how many, with their sightings';

CREATE OR REPLACE FUNCTION public.forget_sightings(p_ids bytea[])
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_relay record;
  v_deleted int4 := 0;
begin
  for v_relay in
    select deleted.*
    from (
      select array_agg(created_at) as created_at, string_agg(id, '') as ids from event where id = any (p_ids)) as e
    cross join lateral event_relay_delete(e.created_at, e.ids) as deleted
    where e.ids is not null
  loop
    perform sighting_fact_add(-1, v_relay.relay_id, v_relay.keys);
    v_deleted := v_deleted + octet_length(v_relay.keys) / 40;
  end loop;
  return v_deleted;
end
$function$;
comment on function forget_sightings(p_ids bytea[]) is 'Deletes the sightings of events; returns their number';

CREATE OR REPLACE FUNCTION public.forget_type(p_key bytea)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select case
    when exists (select from event where id = p_key) then 'event'
    when exists (select from event where pubkey = p_key) then 'author' end
$function$;
comment on function forget_type(p_key bytea) is 'event when it is the id of one, author when it is the key of one, else null';

CREATE OR REPLACE FUNCTION public.forget_unfinished()
 RETURNS TABLE(pubkey text)
 LANGUAGE sql
 STABLE
AS $function$ select encode(f.pubkey, 'hex') from forgotten_author f where not f.is_done order by f.pubkey $function$;
comment on function forget_unfinished() is 'Authors of whom something may still be there';

CREATE OR REPLACE FUNCTION public.forget_vanished(p_own_url text)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_author record;
  v_begun int4 := 0;
begin
  for v_author in
    select v.pubkey, max(v.until) as until
    from event_vanish v
    where v.relay in ('ALL_RELAYS', p_own_url)
      and not exists (select from forgotten_author f where f.pubkey = v.pubkey and f.until >= v.until)
    group by v.pubkey
    order by v.pubkey
  loop
    perform forget_begin(v_author.pubkey, '', v_author.until, 'vanish');
    v_begun := v_begun + 1;
  end loop;
  return v_begun;
end
$function$;
comment on function forget_vanished(p_own_url text) is 'Refuses authors who asked to vanish, up to when they asked; returns their number';

CREATE OR REPLACE FUNCTION public.forgotten_any()
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$ select exists (select from forgotten_author) or exists (select from forgotten_event) $function$;
comment on function forgotten_any() is 'Whether anything is forgotten; in most archives nothing is';

CREATE OR REPLACE FUNCTION public.forgotten_leave_out(INOUT p_created_at bigint[], INOUT p_ids bytea)
 RETURNS record
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(array_agg(created_at order by i), '{}'), coalesce(string_agg(id, '' order by i), '')
  from (
    select created_at, i, substr(p_ids, i::int4 * 32 - 31, 32) as id
    from unnest(p_created_at) with ordinality as batch (created_at, i)
  ) as key
  where not exists (select from forgotten_event f where f.id = key.id)
$function$;
comment on function forgotten_leave_out(INOUT p_created_at bigint[], INOUT p_ids bytea) is 'Keys without those of events that are forgotten';

CREATE OR REPLACE FUNCTION public.forgotten_refuse(INOUT p_keys bytea, INOUT p_created_at bigint[], INOUT p_kinds integer[], INOUT p_tags jsonb, INOUT p_contents jsonb, INOUT p_raw jsonb)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
declare
  v_left int4[];
begin
  with batch as materialized (
    select created_at, kind, i::int4, substr(p_keys, i::int4 * 128 - 127, 32) as id,
      substr(p_keys, i::int4 * 128 - 95, 32) as pubkey
    from unnest(p_created_at, p_kinds) with ordinality as batch (created_at, kind, i)
  ), judged as materialized (
    select b.*, exists (select from forgotten_event f where f.id = b.id) as is_forgotten, exists (
      select from forgotten_author f
      -- A request to vanish says until when, and may itself stay.
      where f.pubkey = b.pubkey and f.until >= b.created_at and (b.kind <> 62 or f.cause = 'operator')) as is_refused
    from batch b
  ), noted as (
    insert into forgotten_event as f (created_at, id)
    select distinct on (id) created_at, id from judged where is_forgotten or is_refused order by id
    on conflict (id) do update set created_at = excluded.created_at where f.created_at is null
  )
  select coalesce(array_agg(i order by i), '{}') into v_left from judged where not is_forgotten and not is_refused;
  if cardinality(v_left) = cardinality(p_created_at) then
    return;
  end if;
  select string_agg(substr(p_keys, i * 128 - 127, 128), '' order by i), array_agg(p_created_at[i] order by i),
    array_agg(p_kinds[i] order by i), jsonb_agg(p_tags -> (i - 1) order by i), jsonb_agg(p_contents -> (i - 1) order by i),
    jsonb_object_agg(place - 1, p_raw -> (i - 1)::text) filter (where p_raw ? (i - 1)::text)
  into p_keys, p_created_at, p_kinds, p_tags, p_contents, p_raw
  from unnest(v_left) with ordinality as t (i, place);
  if p_keys is null then
    p_keys := '';
    p_created_at := '{}';
    p_kinds := '{}';
    p_tags := '[]';
    p_contents := '[]';
  end if;
end
$function$;
comment on function forgotten_refuse(INOUT p_keys bytea, INOUT p_created_at bigint[], INOUT p_kinds integer[], INOUT p_tags jsonb, INOUT p_contents jsonb, INOUT p_raw jsonb) is 'A batch of events without those that are forgotten';

CREATE OR REPLACE FUNCTION public.from_hex(p_hex text)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$ select decode(p_hex, 'hex') $function$;
comment on function from_hex(p_hex text) is 'Bytes of hex digits';

CREATE OR REPLACE FUNCTION public.from_note(p_text text)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$ select nip19_subject('note', 'nevent', 'the id of an event', p_text) $function$;
comment on function from_note(p_text text) is 'Id of an event of note1…, nevent1… or hex digits';

CREATE OR REPLACE FUNCTION public.from_npub(p_text text)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$ select nip19_subject('npub', 'nprofile', 'a public key', p_text) $function$;
comment on function from_npub(p_text text) is 'Public key of npub1…, nprofile1… or hex digits';

CREATE OR REPLACE FUNCTION public.holder_list()
 RETURNS TABLE(holder text)
 LANGUAGE sql
 STABLE
AS $function$
  select holder from candidate where claimed_until > unix_now() and holder is not null
  union
  select holder from relay_lease where claimed_until > unix_now() and holder is not null
  union
  select holder from outbox_target where claimed_until > unix_now() and holder is not null
  union
  select holder from service_lease where claimed_until > unix_now()
$function$;
comment on function holder_list() is 'Everybody who holds something now';

CREATE OR REPLACE FUNCTION public.holder_release(p_holders jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_holders text[] := array(select jsonb_array_elements_text(p_holders));
  v_freed int4;
  v_released int4;
begin
  delete from service_lease where holder = any (v_holders);
  get diagnostics v_released = row_count;
  if not has_table_privilege('relay_lease', 'update') then
    return v_released;
  end if;
  with held as (
    select url from candidate where holder = any (v_holders) and claimed_until > 0 order by url for update
  )
  update candidate c set claimed_until = 0 from held where c.url = held.url;
  get diagnostics v_freed = row_count;
  v_released := v_released + v_freed;
  with held as (
    select service, relay_id from relay_lease
    where holder = any (v_holders) and claimed_until > 0
    order by service, relay_id
    for update
  )
  update relay_lease l set claimed_until = 0, holder = null, live_since = null, progress = null
  from held where l.service = held.service and l.relay_id = held.relay_id;
  get diagnostics v_freed = row_count;
  v_released := v_released + v_freed;
  with held as (
    select id from outbox_target where holder = any (v_holders) and claimed_until > 0 order by id for update
  )
  update outbox_target t set claimed_until = 0 from held where t.id = held.id;
  get diagnostics v_freed = row_count;
  return v_released + v_freed;
end
$function$;
comment on function holder_release(p_holders jsonb) is 'Frees what processes held that are gone; returns how much that was';

CREATE OR REPLACE FUNCTION public.hours_add(p_one integer[], p_other integer[])
 RETURNS integer[]
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select array[
    p_one[1] + p_other[1], p_one[2] + p_other[2], p_one[3] + p_other[3], p_one[4] + p_other[4], p_one[5] +
    p_other[5], p_one[6] + p_other[6], p_one[7] + p_other[7], p_one[8] + p_other[8], p_one[9] + p_other[9],
    p_one[10] + p_other[10], p_one[11] + p_other[11], p_one[12] + p_other[12], p_one[13] + p_other[13], p_one[14]
    + p_other[14], p_one[15] + p_other[15], p_one[16] + p_other[16], p_one[17] + p_other[17], p_one[18] +
    p_other[18], p_one[19] + p_other[19], p_one[20] + p_other[20], p_one[21] + p_other[21], p_one[22] +
    p_other[22], p_one[23] + p_other[23], p_one[24] + p_other[24]]
$function$;
comment on function hours_add(p_one integer[], p_other integer[]) is 'Sums of two arrays, element by element';

CREATE OR REPLACE FUNCTION public.kind_is_asserted(p_kind integer)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select p_kind in (1, 6, 7, 16, 1111, 1984, 9735) $function$;
comment on function kind_is_asserted(p_kind integer) is 'Whether events of a kind count for the assertions of NIP-85';

CREATE OR REPLACE FUNCTION public.kind_set_union(p_one bytea, p_other bytea)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select string_agg(kind, '' order by kind)
  from (
    select substr(p_one, i, 2) as kind from generate_series(1, octet_length(p_one), 2) as i
    union
    select substr(p_other, i, 2) from generate_series(1, octet_length(p_other), 2) as i) as kinds
$function$;
comment on function kind_set_union(p_one bytea, p_other bytea) is 'Two sets of kinds as relay_author has them';

CREATE OR REPLACE FUNCTION public.metadata_insert(p_documents jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_inserted int4;
begin
  insert into metadata (id, type, data)
  select distinct sha256(convert_to(data, 'UTF8')) as id, type, data::jsonb
  from jsonb_to_recordset(p_documents) as new (type text, data text)
  order by id, type
  on conflict do nothing;
  get diagnostics v_inserted = row_count;
  return v_inserted;
end
$function$;
comment on function metadata_insert(p_documents jsonb) is 'Stores documents by content; returns the number of new ones';

CREATE OR REPLACE FUNCTION public.nip19_decode(p_prefix text, p_text text)
 RETURNS bytea
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
declare
  c_digits constant text := 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
  c_generator constant int4[] := '{0,996825010,642813549,490396127,513874426,634080840,955357079,60538917,1027748829,103310447,454213040,544795138,602090023,411663765,95659082,1054471160,705979059,293483777,205843678,925809516,884308809,266284283,317060388,697279126,391532910,742131420,822533891,174885041,167200916,849157926,799524601,349016395}';
  v_text text := lower(p_text);
  v_first int4 := length(p_prefix) + 2;
  v_last int4 := length(p_text) - 6;
  v_check int4 := bech32_prefix_check(p_prefix);
  v_bytes bytea := '';
  v_held int4 := 0;
  v_bits int4 := 0;
  v_digit int4;
begin
  if p_text not in (v_text, upper(p_text)) or not starts_with(v_text, p_prefix || '1')
    or v_last < v_first or length(p_text) > 5000 then
    raise exception 'Cannot read this as %: it is not bech32 (NIP-19)', p_prefix
      using errcode = 'invalid_parameter_value';
  end if;
  for i in v_first .. length(v_text) loop
    v_digit := strpos(c_digits, substr(v_text, i, 1)) - 1;
    if v_digit < 0 then
      raise exception 'Cannot read this as %: its character % is not of bech32 (NIP-19)', p_prefix, i
        using errcode = 'invalid_parameter_value';
    end if;
    v_check := ((v_check & 33554431) << 5) # v_digit # c_generator[(v_check >> 25) + 1];
    if i <= v_last then
      v_held := ((v_held << 5) | v_digit) & 4095;
      v_bits := v_bits + 5;
      if v_bits >= 8 then
        v_bits := v_bits - 8;
        v_bytes := v_bytes || set_byte('\x00', 0, (v_held >> v_bits) & 255);
      end if;
    end if;
  end loop;
  if v_check <> 1 then
    raise exception 'Cannot read this as %: its checksum is wrong, so that a character is wrong or missing', p_prefix
      using errcode = 'invalid_parameter_value';
  end if;
  return v_bytes;
end
$function$;
comment on function nip19_decode(p_prefix text, p_text text) is 'Bytes of a bech32 text with this prefix (NIP-19)';

CREATE OR REPLACE FUNCTION public.nip19_encode(p_prefix text, p_bytes bytea)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
declare
  c_digits constant text := 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
  c_generator constant int4[] := '{0,996825010,642813549,490396127,513874426,634080840,955357079,60538917,1027748829,103310447,454213040,544795138,602090023,411663765,95659082,1054471160,705979059,293483777,205843678,925809516,884308809,266284283,317060388,697279126,391532910,742131420,822533891,174885041,167200916,849157926,799524601,349016395}';
  v_text text := p_prefix || '1';
  v_check int4 := bech32_prefix_check(p_prefix);
  v_held int4 := 0;
  v_bits int4 := 0;
  v_digit int4;
begin
  if octet_length(p_bytes) <> 32 then
    raise exception 'Cannot write these bytes as %: it has 32 bytes, not %', p_prefix, octet_length(p_bytes)
      using errcode = 'invalid_parameter_value';
  end if;
  for i in 0 .. 31 loop
    v_held := ((v_held << 8) | get_byte(p_bytes, i)) & 4095;
    v_bits := v_bits + 8;
    while v_bits >= 5 loop
      v_bits := v_bits - 5;
      v_digit := (v_held >> v_bits) & 31;
      v_check := ((v_check & 33554431) << 5) # v_digit # c_generator[(v_check >> 25) + 1];
      v_text := v_text || substr(c_digits, v_digit + 1, 1);
    end loop;
  end loop;
  -- 256 bits are 51 digits and a bit.
  v_digit := (v_held << 4) & 31;
  v_check := ((v_check & 33554431) << 5) # v_digit # c_generator[(v_check >> 25) + 1];
  v_text := v_text || substr(c_digits, v_digit + 1, 1);
  for i in 1 .. 6 loop
    v_check := ((v_check & 33554431) << 5) # c_generator[(v_check >> 25) + 1];
  end loop;
  v_check := v_check # 1;
  for i in reverse 5 .. 0 loop
    v_text := v_text || substr(c_digits, ((v_check >> (5 * i)) & 31) + 1, 1);
  end loop;
  return v_text;
end
$function$;
comment on function nip19_encode(p_prefix text, p_bytes bytea) is '32 bytes as bech32 with a prefix of NIP-19: npub or note';

CREATE OR REPLACE FUNCTION public.nip19_subject(p_plain text, p_entity text, p_what text, p_text text)
 RETURNS bytea
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
declare
  v_text text := regexp_replace(p_text, '^\s*(nostr:)?|\s+$', '', 'gi');
  v_bytes bytea;
  v_at int4 := 0;
begin
  if v_text ~ '^[0-9a-fA-F]{64}$' then
    return decode(v_text, 'hex');
  elsif starts_with(lower(v_text), p_plain || '1') then
    v_bytes := nip19_decode(p_plain, v_text);
    if octet_length(v_bytes) = 32 then
      return v_bytes;
    end if;
  elsif starts_with(lower(v_text), p_entity || '1') then
    v_bytes := nip19_decode(p_entity, v_text);
    while v_at + 2 <= octet_length(v_bytes) loop
      if get_byte(v_bytes, v_at) = 0 and get_byte(v_bytes, v_at + 1) = 32 and v_at + 34 <= octet_length(v_bytes) then
        return substr(v_bytes, v_at + 3, 32);
      end if;
      v_at := v_at + 2 + get_byte(v_bytes, v_at + 1);
    end loop;
  end if;
  raise exception 'Cannot read this as %: expected is %1…, %1… or 64 hex digits', p_what, p_plain, p_entity
    using errcode = 'invalid_parameter_value';
end
$function$;
comment on function nip19_subject(p_plain text, p_entity text, p_what text, p_text text) is 'The key or id that hex digits or a NIP-19 text name';

CREATE OR REPLACE FUNCTION public.note(p_id bytea)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$ select nip19_encode('note', p_id) $function$;
comment on function note(p_id bytea) is 'Id of an event as note1… (NIP-19)';

CREATE OR REPLACE FUNCTION public.orphan_event_delete(p_after_created_at bigint, p_after_id bytea, p_limit integer, OUT last_created_at bigint, OUT last_id bytea, OUT deleted integer)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
declare
  v_created_at int8[];
  v_kinds int4[];
  v_keys bytea;
begin
  perform archive_unreferenced();
  with page as (
    select created_at, id from event
    where (created_at, id) > (p_after_created_at, p_after_id)
    order by created_at, id
    limit p_limit
  ), sighted as materialized (
    -- All sightings between the first and the last event, some pages a relay, and not one look-up an event and relay.
    select key
    from (
      select sighting_key(first.created_at, first.id) as lower, sighting_key(last.created_at, last.id || '\x00') as upper
      from (select * from page order by created_at, id limit 1) as first,
        (select * from page order by created_at desc, id desc limit 1) as last) as bounds
    cross join relay r
    -- `offset 0`: the planner cannot read all pages there are instead.
    cross join lateral (select keys from sighting_runs(r.id, lower, upper) offset 0) as p
    cross join lateral sighting_keys(p.keys) as key
    where key >= lower and key < upper
  ), orphan as (
    select created_at, id from page
    where not exists (select from sighted where key = sighting_key(created_at, id))
  ), without_raw as (
    delete from event_raw r using orphan o where r.created_at = o.created_at and r.id = o.id
  ), gone as (
    delete from event e using orphan o where e.created_at = o.created_at and e.id = o.id
    returning e.created_at, e.kind, e.id, e.pubkey, e.tags
  ), kept as (
    insert into deleted_event (created_at, id, tags)
    select created_at, id, tags from gone
    where tags is not null and kind_is_asserted(kind) and deleted_event_wanted()
    order by created_at, id
    on conflict do nothing
  ), facts as (
    select array_agg(created_at) as created_at, array_agg(kind) as kinds, string_agg(id || pubkey, '') as keys from gone
  )
  select edge.created_at, edge.id, facts.created_at, facts.kinds, facts.keys
  into last_created_at, last_id, v_created_at, v_kinds, v_keys
  from facts
  left join (select * from page order by created_at desc, id desc limit 1) as edge
    on (select count(*) from page) = p_limit;
  deleted := coalesce(cardinality(v_created_at), 0);
  perform fact_add(-1, null, v_created_at, v_kinds, v_keys);
end
$function$;
comment on function orphan_event_delete(p_after_created_at bigint, p_after_id bytea, p_limit integer, OUT last_created_at bigint, OUT last_id bytea, OUT deleted integer) is 'Deletes events without a sighting among the next p_limit; returns where it stopped';

CREATE OR REPLACE FUNCTION public.orphan_metadata_delete(p_after_id bytea, p_after_type text, p_limit integer, OUT last_id bytea, OUT last_type text, OUT deleted integer)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
begin
  perform archive_unreferenced();
  with page as (
    select id, type from metadata
    where (id, type) > (p_after_id, p_after_type)
    order by id, type
    limit p_limit
  ), gone as (
    delete from metadata m using page p
    where m.id = p.id and m.type = p.type and not exists (
      select from relay_metadata r where r.metadata_id = p.id and r.metadata_type = p.type)
    returning 1
  )
  select edge.id, edge.type, (select count(*) from gone)
  into last_id, last_type, deleted
  from (select 1) as one
  left join (select * from page order by id desc, type desc limit 1) as edge
    on (select count(*) from page) = p_limit;
end
$function$;
comment on function orphan_metadata_delete(p_after_id bytea, p_after_type text, p_limit integer, OUT last_id bytea, OUT last_type text, OUT deleted integer) is 'Deletes documents of no relay among the next p_limit; returns where it stopped';

CREATE OR REPLACE FUNCTION public.outbox_add(p_sender text, p_events jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_sender bytea := decode(p_sender, 'hex');
  v_ids int8[];
begin
  insert into outbox_target (sender, relay_url)
  select distinct v_sender, url
  from jsonb_array_elements(p_events) as item, jsonb_array_elements_text(item -> 'relays') as url
  where not exists (select from outbox_target t where t.sender = v_sender and t.relay_url = url)
  order by url
  on conflict do nothing;

  with stored as (
    insert into outbox as old (created_at, expires_at, kind, sender, event_id, fingerprint, d, event)
    select distinct on (kind, d) "createdAt", "expiresAt", kind, v_sender, decode("eventId", 'hex'),
      decode(fingerprint, 'hex'), d, event
    from jsonb_to_recordset(p_events) as new (
      "eventId" text, kind int4, d text, event text, "createdAt" int8, "expiresAt" int8, fingerprint text)
    order by kind, d, "createdAt" desc
    on conflict (sender, kind, d) do update
    set created_at = excluded.created_at, expires_at = excluded.expires_at, event_id = excluded.event_id,
      fingerprint = excluded.fingerprint, event = excluded.event
    where old.created_at < excluded.created_at
    returning id
  )
  select coalesce(array_agg(id), '{}') into v_ids from stored;

  delete from outbox_delivery where outbox_id = any (v_ids);
  insert into outbox_delivery (outbox_id, target_id)
  select distinct o.id, t.id
  from jsonb_array_elements(p_events) as item
  cross join jsonb_array_elements_text(item -> 'relays') as url
  join outbox o on o.sender = v_sender and o.kind = (item ->> 'kind')::int4 and o.d = item ->> 'd'
    and o.event_id = decode(item ->> 'eventId', 'hex')
  join outbox_target t on t.sender = v_sender and t.relay_url = url
  where o.id = any (v_ids)
  order by 1, 2;
  return cardinality(v_ids);
end
$function$;
comment on function outbox_add(p_sender text, p_events jsonb) is 'Takes signed events to be sent to relays; a newer one supersedes that of the same address';

CREATE OR REPLACE FUNCTION public.outbox_claim(p_sender text, p_request jsonb)
 RETURNS TABLE(target_id integer, relay_url text, failures integer, outbox_id bigint, event_id text, kind integer, attempts integer, event text)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  v_now int8 := unix_now();
  v_except text[] := array(select jsonb_array_elements_text(p_request -> 'exceptAuthorities'));
  v_target int4;
begin
  select t.id into v_target
  from outbox_target t
  where t.sender = decode(p_sender, 'hex') and t.claimed_until <= v_now and t.next_try_at <= v_now
    and url_authority(t.relay_url) <> all (v_except) and exists (
    select from outbox_delivery d join outbox o on o.id = d.outbox_id
    where d.target_id = t.id and d.result is null and d.next_try_at <= v_now and o.expires_at > v_now)
  order by t.next_try_at, t.id
  limit 1
  for update of t skip locked;
  if not found then
    return;
  end if;
  update outbox_target
  set holder = p_request ->> 'holder', claimed_until = v_now + (p_request ->> 'leaseSeconds')::int8
  where id = v_target;
  return query
  select t.id, t.relay_url, t.failures, o.id, encode(o.event_id, 'hex'), o.kind, d.attempts, o.event
  from outbox_target t
  join outbox_delivery d on d.target_id = t.id
  join outbox o on o.id = d.outbox_id
  where t.id = v_target and d.result is null and d.next_try_at <= v_now and o.expires_at > v_now
  order by o.kind <> 1059, o.kind, o.created_at, o.id
  limit (p_request ->> 'limit')::int4;
end
$function$;
comment on function outbox_claim(p_sender text, p_request jsonb) is 'Claims a relay and returns the events that are due there';

CREATE OR REPLACE FUNCTION public.outbox_count(p_sender text)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'pending', count(*) filter (where d.result is null),
    'oldestSeconds', unix_now() - min(o.created_at) filter (where d.result is null),
    'accepted', count(*) filter (where d.result = 'accepted'),
    'refused', count(*) filter (where d.result = 'refused'),
    'failed', count(*) filter (where d.result = 'failed'),
    'expired', count(*) filter (where d.result = 'expired'))
  from outbox_delivery d join outbox o on o.id = d.outbox_id
  where p_sender is null or o.sender = decode(p_sender, 'hex')
$function$;
comment on function outbox_count(p_sender text) is 'How many deliveries wait, since when, and how the others ended';

CREATE OR REPLACE FUNCTION public.outbox_expire(p_before bigint, p_limit integer, OUT expired integer, OUT deleted integer)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
declare
  v_ids int8[];
begin
  update outbox_delivery d set result = 'expired', settled_at = unix_now()
  from outbox o
  where d.result is null and o.id = d.outbox_id and o.expires_at <= unix_now();
  get diagnostics expired = row_count;

  with gone as (
    delete from outbox
    where id in (select id from outbox where expires_at < p_before limit p_limit for update skip locked)
    returning id
  )
  select coalesce(array_agg(id), '{}') into v_ids from gone;
  delete from outbox_delivery where outbox_id = any (v_ids);
  deleted := cardinality(v_ids);
end
$function$;
comment on function outbox_expire(p_before bigint, p_limit integer, OUT expired integer, OUT deleted integer) is 'Ends what is too old to be sent and deletes what is long past';

CREATE OR REPLACE FUNCTION public.outbox_latest(p_sender text, p_keys jsonb)
 RETURNS TABLE(kind integer, d text, fingerprint text, created_at bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select o.kind, o.d, encode(o.fingerprint, 'hex'), o.created_at
  from jsonb_to_recordset(p_keys) as wanted (kind int4, d text)
  join outbox o on o.sender = decode(p_sender, 'hex') and o.kind = wanted.kind and o.d = wanted.d
$function$;
comment on function outbox_latest(p_sender text, p_keys jsonb) is 'The newest event of each address, for comparison';

CREATE OR REPLACE FUNCTION public.outbox_settle(p_round jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_target int4 := p_round ->> 'targetId';
  v_settled int4;
begin
  with given as (
    select g.*
    from jsonb_to_recordset(p_round -> 'results') as g (
      "outboxId" int8, "eventId" text, attempts int4, "nextTryInSeconds" int8, result text, reason text)
  ), held as (
    select d.outbox_id from outbox_delivery d
    join given g on g."outboxId" = d.outbox_id
    join outbox o on o.id = d.outbox_id and o.event_id = decode(g."eventId", 'hex')
    where d.target_id = v_target and d.result is null
    order by d.outbox_id
    for update of d
  )
  update outbox_delivery d
  set attempts = g.attempts, next_try_at = unix_now() + g."nextTryInSeconds", result = g.result,
    reason = left(g.reason, 500),
    settled_at = case when g.result is not null then unix_now() end
  from given g join held on held.outbox_id = g."outboxId"
  where d.outbox_id = g."outboxId" and d.target_id = v_target;
  get diagnostics v_settled = row_count;

  update outbox_target
  set claimed_until = 0, failures = (p_round ->> 'failures')::int4,
    next_try_at = unix_now() + (p_round ->> 'nextTryInSeconds')::int8
  where id = v_target and holder = p_round ->> 'holder' and claimed_until > 0;
  return v_settled;
end
$function$;
comment on function outbox_settle(p_round jsonb) is 'Writes down what a relay answered and gives the claim back';

CREATE OR REPLACE FUNCTION public.pipeline_count()
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
  v_now int8 := unix_now();
begin
  return jsonb_build_object(
    'edition', archive_edition(),
    'candidates', (
      select coalesce(jsonb_object_agg(network, counts), '{}')
      from (
        select network, jsonb_build_object(
          'total', count(*),
          'due', count(*) filter (where due_at <= v_now and claimed_until <= v_now),
          'claimed', count(*) filter (where claimed_until > v_now),
          'failed', count(*) filter (where failures > 0)) as counts
        from candidate group by network
      ) as by_network),
    'relays', (
      select coalesce(jsonb_object_agg(network, counts), '{}')
      from (
        select network, jsonb_build_object(
          'total', count(*),
          'online', count(*) filter (where state.online),
          'offline', count(*) filter (where not state.online),
          'unchecked', count(*) filter (where state.online is null),
          'synced', count(*) filter (where exists (
            select from sync_coverage c where c.relay_id = r.id and not isempty(c.covered)))) as counts
        from relay r
        left join relay_state state on state.relay_id = r.id
        group by network
      ) as by_network),
    'events', pipeline_count_table('event'),
    'sightings', sighting_count(),
    'metadata', pipeline_count_table('metadata'),
    'checks', pipeline_count_table('relay_check'),
    'rejected', pipeline_count_table('rejected_event'),
    'coverage', sync_status(),
    'databaseBytes', pg_database_size(current_database()));
end
$function$;
comment on function pipeline_count() is 'Counts of each stage, as JSON';

CREATE OR REPLACE FUNCTION public.pipeline_count_table(p_table regclass)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
  v_pages int8 := pg_relation_size(p_table) / current_setting('block_size')::int8;
  v_count int8;
begin
  select reltuples / relpages * v_pages into v_count
  from pg_class where oid = p_table and relpages > 0 and reltuples >= 0;
  if v_pages > 5000 and v_count is not null then
    return jsonb_build_object('count', v_count, 'exact', false);
  end if;
  execute format('select count(*) from %s', p_table) into v_count;
  return jsonb_build_object('count', v_count, 'exact', true);
end
$function$;
comment on function pipeline_count_table(p_table regclass) is 'Rows of a table; an estimate when it is large';

CREATE OR REPLACE FUNCTION public.pipeline_health(p_since bigint, p_names integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
  v_now int8 := unix_now();
  v_live int4[];
begin
  select coalesce(array_agg(relay_id), '{}') into v_live
  from relay_state where last_online_at >= v_now - 30 * 86400;
  return jsonb_build_object(
    'since', p_since,
    'cameOnline', (
      select relay_names(array_agg(url order by since desc, url), p_names)
      from relay_state s join relay r on r.id = s.relay_id
      where online and since >= p_since and first_checked_at < since),
    'wentOffline', (
      select relay_names(array_agg(url order by since desc, url), p_names)
      from relay_state s join relay r on r.id = s.relay_id
      where not online and since >= p_since and first_checked_at < since),
    'discovered', (
      select relay_names(array_agg(url order by discovered_at desc, url), p_names)
      from relay where discovered_at >= p_since),
    'medianUptime', (
      select jsonb_build_object(
        '24h', percentile_disc(0.5) within group (order by uptime_24h),
        '7d', percentile_disc(0.5) within group (order by uptime_7d),
        '30d', percentile_disc(0.5) within group (order by uptime_30d))
      from relay_uptime(v_now, v_live)));
end
$function$;
comment on function pipeline_health(p_since bigint, p_names integer) is 'Changes among relays since a moment, and their median uptime, as JSON';

CREATE OR REPLACE FUNCTION public.rejected_event_expire(p_before bigint, p_limit integer)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_deleted int4;
begin
  delete from rejected_event
  where id in (select id from rejected_event where rejected_at < p_before order by id limit p_limit for update skip locked);
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$function$;
comment on function rejected_event_expire(p_before bigint, p_limit integer) is 'Deletes old rejections; returns their number';

CREATE OR REPLACE FUNCTION public.rejected_event_insert(p_relay_id integer, p_rejections jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_inserted int4;
begin
  insert into rejected_event (relay_id, reason, detail, event_id, raw, rejected_at)
  select p_relay_id, reason, detail, case when "eventId" ~ '^([0-9a-f]{2})*$' then decode("eventId", 'hex') end, raw,
    unix_now()
  from jsonb_to_recordset(p_rejections) as new (reason text, detail text, "eventId" text, raw text)
  where detail is not null;
  get diagnostics v_inserted = row_count;

  insert into relay_rejection as r (relay_id, reason, events, first_at, last_at)
  select p_relay_id, reason, sum(coalesce(events, 1)), unix_now(), unix_now()
  from jsonb_to_recordset(p_rejections) as new (reason text, events int8)
  where p_relay_id is not null
  group by reason
  order by reason
  on conflict (relay_id, reason) do update
  set events = r.events + excluded.events, last_at = excluded.last_at;

  delete from rejected_event
  where id in (
    select id from rejected_event
    where relay_id is not distinct from p_relay_id and id <= (
      select id from rejected_event where relay_id is not distinct from p_relay_id
      order by id desc offset 1000 limit 1)
    for update skip locked);
  return v_inserted;
end
$function$;
comment on function rejected_event_insert(p_relay_id integer, p_rejections jsonb) is 'Counts rejections and stores samples within their bound; returns the number of samples';

CREATE OR REPLACE FUNCTION public.relay_author_add(p_relays integer[], p_authors integer[], p_events integer[], p_first_at bigint[], p_last_at bigint[], p_kinds text[])
 RETURNS void
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
begin
  with k as materialized (
    select *, exists (select from relay_author a where a.relay_id = k.relay_id and a.author = k.author) as is_there
    from unnest(p_relays, p_authors, p_events, p_first_at, p_last_at, p_kinds)
      as k (relay_id, author, n, first_at, last_at, kinds)
    where n > 0
  ), changed as (
    update relay_author a
    set events = a.events + n, first_at = least(a.first_at, k.first_at), last_at = greatest(a.last_at, k.last_at),
      kinds = case when a.kinds = decode(k.kinds, 'hex') then a.kinds else kind_set_union(a.kinds, decode(k.kinds, 'hex')) end
    from k where k.is_there and a.relay_id = k.relay_id and a.author = k.author
  )
  insert into relay_author as a (first_at, last_at, relay_id, author, events, kinds)
  select first_at, last_at, relay_id, author, n, decode(kinds, 'hex')
  from k where not is_there
  order by relay_id, author;
end
$function$;
comment on function relay_author_add(p_relays integer[], p_authors integer[], p_events integer[], p_first_at bigint[], p_last_at bigint[], p_kinds text[]) is 'Adds to whose events relays hold';

CREATE OR REPLACE FUNCTION public.relay_author_remove(p_relays integer[], p_authors integer[], p_events integer[])
 RETURNS void
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
begin
  delete from relay_author a
  using unnest(p_relays, p_authors, p_events) as k (relay_id, author, n)
  where a.relay_id = k.relay_id and a.author = k.author and a.events + n <= 0;
  update relay_author a
  set events = a.events + n, first_at = coalesce(held.first_at, a.first_at), last_at = coalesce(held.last_at, a.last_at),
    kinds = coalesce(held.kinds, a.kinds)
  from unnest(p_relays, p_authors, p_events) as k (relay_id, author, n)
  cross join lateral relay_author_span(k.relay_id, k.author) as held
  where a.relay_id = k.relay_id and a.author = k.author;
end
$function$;
comment on function relay_author_remove(p_relays integer[], p_authors integer[], p_events integer[]) is 'Takes away from whose events relays hold';

CREATE OR REPLACE FUNCTION public.relay_author_span(p_relay_id integer, p_author integer, OUT first_at bigint, OUT last_at bigint, OUT kinds bytea)
 RETURNS record
 LANGUAGE sql
 STABLE
AS $function$
  select min(created_at), max(created_at), string_agg(distinct substr(int4send(kind), 3, 2), '' order by substr(int4send(kind), 3, 2))
  from event e
  where e.pubkey = (select pubkey from author where id = p_author) and not kind_is_throwaway(e.kind)
    and sighting_exists(p_relay_id, sighting_key(e.created_at, e.id))
$function$;
comment on function relay_author_span(p_relay_id integer, p_author integer, OUT first_at bigint, OUT last_at bigint, OUT kinds bytea) is 'First, last and kinds of an author''s events on a relay';

CREATE OR REPLACE FUNCTION public.relay_capability_upsert(p_capabilities jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_written int4;
begin
  insert into relay_capability as known (since, relay_id, value, capability, judged_by)
  select distinct on ("relayId", capability) "judgedAt", "relayId", value, capability, "judgedBy"
  from jsonb_to_recordset(p_capabilities) as new (
    "relayId" int4, capability text, value boolean, "judgedBy" text, "judgedAt" int8)
  order by "relayId", capability, "judgedAt" desc
  on conflict (relay_id, capability) do update
  set since = excluded.since, value = excluded.value, judged_by = excluded.judged_by
  where (known.value, known.judged_by) is distinct from (excluded.value, excluded.judged_by);
  get diagnostics v_written = row_count;
  return v_written;
end
$function$;
comment on function relay_capability_upsert(p_capabilities jsonb) is 'Stores what relays let one do; returns the number of rows that changed';

CREATE OR REPLACE FUNCTION public.relay_check_expire(p_checks_before bigint, p_hours_before bigint, p_limit integer, OUT relays integer, OUT checks integer, OUT hours integer)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
declare
  v_checks_before int8 := coalesce(p_checks_before / 86400 * 86400, 0);
  v_hours_before int8 := coalesce(p_hours_before / 86400 * 86400, 0);
  v_relay_ids int4[];
begin
  select array_agg(relay_id) into v_relay_ids
  from (
    select relay_id from relay_state
    where checks_since < least(v_checks_before, rolled_until) or hours_since < least(v_hours_before, rolled_until)
    order by relay_id
    limit p_limit
    for no key update skip locked
  ) as page;

  update relay_state
  set checks_since = greatest(checks_since, least(v_checks_before, rolled_until)),
    hours_since = greatest(hours_since, least(v_hours_before, rolled_until))
  where relay_id = any (v_relay_ids);
  -- Older checks stay while they still speak for the time that is kept (relay_check_max_gap).
  delete from relay_check c using relay_state s
  where s.relay_id = any (v_relay_ids) and c.relay_id = s.relay_id
    and c.checked_at < s.checks_since - relay_check_max_gap() and c.checked_at < s.last_checked_at;
  get diagnostics checks = row_count;
  delete from relay_check_rollup r using relay_state s
  where s.relay_id = any (v_relay_ids) and r.relay_id = s.relay_id and r.seconds = 3600
    and r.starts_at < s.hours_since;
  get diagnostics hours = row_count;
  relays := coalesce(cardinality(v_relay_ids), 0);
end
$function$;
comment on function relay_check_expire(p_checks_before bigint, p_hours_before bigint, p_limit integer, OUT relays integer, OUT checks integer, OUT hours integer) is 'Deletes checks and hours that are rolled up, for up to p_limit relays; returns how many';

CREATE OR REPLACE FUNCTION public.relay_check_insert(p_checks jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_inserted int4;
begin
  insert into relay_state (since, last_checked_at, first_checked_at, relay_id, streak, online)
  select distinct 0, -1, -1, "relayId", 0, false
  from jsonb_to_recordset(p_checks) as new ("relayId" int4)
  where not exists (select from relay_state s where s.relay_id = "relayId")
  order by "relayId"
  on conflict do nothing;
  -- Other transactions that store or roll up checks of these relays go before or after, never between.
  perform from relay_state
  where relay_id in (select "relayId" from jsonb_to_recordset(p_checks) as new ("relayId" int4))
  order by relay_id
  for no key update;

  with new as (
    select distinct on ("relayId", least("checkedAt", unix_now()))
      "relayId" as relay_id, least("checkedAt", unix_now()) as checked_at, online, "openMs" as open_ms,
      "readMs" as read_ms, "writeMs" as write_ms, left(failure, 1024) as failure
    from jsonb_to_recordset(p_checks) as new (
      "checkedAt" int8, "relayId" int4, "openMs" int4, "readMs" int4, "writeMs" int4, online boolean, failure text)
    order by "relayId", least("checkedAt", unix_now())
  ), fresh as (
    select new.*, state.since as was_since, state.streak as was_streak, state.last_checked_at < 0 as is_first,
      new.online is distinct from lag(new.online, 1, case when state.last_checked_at >= 0 then state.online end)
        over (partition by relay_id order by checked_at) as is_turn
    from new join relay_state state using (relay_id)
    where checked_at > last_checked_at and checked_at >= rolled_until
  ), stored as (
    insert into relay_check (checked_at, relay_id, open_ms, read_ms, write_ms, online, failure)
    select checked_at, relay_id, open_ms, read_ms, write_ms, online, failure
    from fresh order by relay_id, checked_at
  ), numbered as (
    select *, count(*) filter (where is_turn) over (partition by relay_id order by checked_at) as run
    from fresh
  ), run as (
    -- Run 0 goes on with the state the relay was in.
    select relay_id, run, bool_and(online) as online, max(checked_at) as last_checked_at,
      case when run = 0 then min(was_since) else min(checked_at) end as since,
      (count(*) + case when run = 0 then min(was_streak) else 0 end)::int4 as checks,
      (array_agg(failure order by checked_at))[1] as cause,
      lead(min(checked_at)) over (partition by relay_id order by run) as until,
      bool_or(is_first) as is_first, min(was_since) as was_since, min(was_streak) as was_streak
    from numbered group by relay_id, run
  ), ended as (
    -- The outage that was open: it ends where run 0 does, or, without one, with run 1.
    update relay_outage o
    set until = case when run.run = 0 then run.until else run.since end,
      checks = case when run.run = 0 then run.checks else run.was_streak end
    from run
    where o.relay_id = run.relay_id and o.since = run.was_since and o.until is null and not run.is_first
      and (run.run = 0 and not run.online and run.until is not null
        or run.run = 1 and run.online
          and not exists (select from run zero where zero.relay_id = run.relay_id and zero.run = 0))
  ), begun as (
    insert into relay_outage (since, until, relay_id, checks, cause)
    select since, until, relay_id, case when until is not null then checks end, cause
    from run where run > 0 and not online
    order by relay_id, since
  ), last as (
    select relay_id, min(since) as first_since,
      max(last_checked_at) as last_checked_at, max(last_checked_at) filter (where online) as last_online_at,
      max(since) filter (where until is null) as since, max(checks) filter (where until is null) as streak,
      bool_or(online) filter (where until is null) as online
    from run group by relay_id
  ), moved as (
    update relay_state state
    set online = last.online, since = last.since, streak = last.streak, last_checked_at = last.last_checked_at,
      last_online_at = coalesce(last.last_online_at, state.last_online_at),
      first_checked_at = case when state.first_checked_at < 0 then last.first_since else state.first_checked_at end
    from last where state.relay_id = last.relay_id
  )
  select count(*) into v_inserted from fresh;
  return v_inserted;
end
$function$;
comment on function relay_check_insert(p_checks jsonb) is 'Stores checks that are newer than the last of their relay, and what they change; returns their number';

CREATE OR REPLACE FUNCTION public.relay_check_max_gap()
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select 26 * 3600::int8 $function$;
comment on function relay_check_max_gap() is 'Seconds that a check speaks for, unless the next one comes earlier';

CREATE OR REPLACE FUNCTION public.relay_check_roll_up(p_until bigint, p_limit integer)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_until int8 := p_until / 86400 * 86400;
  v_relay_ids int4[];
begin
  select array_agg(relay_id) into v_relay_ids
  from (
    select relay_id from relay_state
    where rolled_until < v_until
    order by relay_id
    limit p_limit
    for no key update skip locked
  ) as page;

  with span as (
    select relay_id, start.since, least(v_until, start.since + 31 * 86400) as until
    from relay_state
    cross join lateral (
      select least(v_until, greatest(rolled_until, first_checked_at / 86400 * 86400)) as since) as start
    where relay_id = any (v_relay_ids)
  ), held as (
    select span.relay_id, starts_at, sum(length)::int4 as observed_seconds,
      coalesce(sum(length) filter (where online), 0)::int4 as online_seconds
    from span
    cross join lateral relay_check_slice(span.relay_id, span.since, span.until) as slice
    cross join lateral generate_series(slice.since / 3600 * 3600, slice.until - 1, 3600) as hour (starts_at)
    cross join lateral (
      select least(slice.until, starts_at + 3600) - greatest(slice.since, starts_at) as length) as part
    group by 1, 2
  ), made as (
    select span.relay_id, checked_at / 3600 * 3600 as starts_at, count(*)::int4 as checks,
      count(*) filter (where not online)::int4 as failures, count(open_ms)::int4 as opened,
      coalesce(sum(open_ms), 0)::int8 as open_ms_sum, min(open_ms) as open_ms_min, max(open_ms) as open_ms_max
    from span join relay_check c
      on c.relay_id = span.relay_id and c.checked_at >= span.since and c.checked_at < span.until
    group by 1, 2
  ), hour as (
    select relay_id, starts_at, observed_seconds, online_seconds, coalesce(checks, 0) as checks,
      coalesce(failures, 0) as failures, coalesce(opened, 0) as opened, coalesce(open_ms_sum, 0) as open_ms_sum,
      open_ms_min, open_ms_max
    from held left join made using (relay_id, starts_at)
  ), day as (
    select relay_id, starts_at / 86400 * 86400 as starts_at, sum(observed_seconds)::int4 as observed_seconds,
      sum(online_seconds)::int4 as online_seconds, sum(checks)::int4 as checks, sum(failures)::int4 as failures,
      sum(opened)::int4 as opened, sum(open_ms_sum)::int8 as open_ms_sum, min(open_ms_min) as open_ms_min,
      max(open_ms_max) as open_ms_max
    from hour group by 1, 2
  ), stored as (
    insert into relay_check_rollup (starts_at, open_ms_sum, relay_id, seconds, observed_seconds, online_seconds,
      checks, failures, opened, open_ms_min, open_ms_max)
    select starts_at, open_ms_sum, relay_id, 86400, observed_seconds, online_seconds,
      checks, failures, opened, open_ms_min, open_ms_max
    from day
    union all
    select hour.starts_at, hour.open_ms_sum, relay_id, 3600, hour.observed_seconds, hour.online_seconds,
      hour.checks, hour.failures, hour.opened, hour.open_ms_min, hour.open_ms_max
    from hour join day using (relay_id)
    where day.starts_at = hour.starts_at / 86400 * 86400
      and not (day.observed_seconds = 86400 and day.online_seconds = 0)
  )
  update relay_state state set rolled_until = span.until
  from span where state.relay_id = span.relay_id;
  return coalesce(cardinality(v_relay_ids), 0);
end
$function$;
comment on function relay_check_roll_up(p_until bigint, p_limit integer) is 'Sums checks up by hour and day for up to p_limit relays; returns their number';

CREATE OR REPLACE FUNCTION public.relay_check_slice(p_relay_id integer, p_since bigint, p_until bigint)
 RETURNS TABLE(since bigint, until bigint, online boolean)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select greatest(checked_at, p_since), least(next_at, checked_at + relay_check_max_gap(), p_until), online
  from (
    select checked_at, online, lead(checked_at, 1, p_until) over (order by checked_at) as next_at
    from (
      -- Only the last of the checks before can still speak.
      (select checked_at, online from relay_check
      where relay_id = p_relay_id and checked_at < p_since and checked_at > p_since - relay_check_max_gap()
      order by checked_at desc limit 1)
      union all
      select checked_at, online from relay_check
      where relay_id = p_relay_id and checked_at >= p_since and checked_at < p_until
    ) as spoken
  ) as held
$function$;
comment on function relay_check_slice(p_relay_id integer, p_since bigint, p_until bigint) is 'What the stored checks of a relay say about a window of time';

CREATE OR REPLACE FUNCTION public.relay_coverage_report(c sync_coverage)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'filter', c.filter, 'until', upper(c.covered) - 1,
    'windows', (select count(*) from unnest(c.covered)),
    'strengths', sync_proof_share(c.relay_id, jsonb_build_array(jsonb_build_object(
      'filterHash', encode(c.filter_hash, 'hex'), 'since', coalesce(lower(c.wanted), 0), 'until', upper(c.wanted) - 1))),
    'proven', (
      select coalesce(jsonb_agg(jsonb_build_object('since', since, 'until', until, 'strength', strength)
        order by since desc), '[]')
      from (
        select strength, lower(proven) as since, upper(proven) - 1 as until
        from (
          select strength, range_agg(piece) as covered
          from sync_proof p, unnest(p.covered) as piece
          where p.relay_id = c.relay_id and p.filter_hash = c.filter_hash
          group by strength
        ) as by_strength, unnest(covered) as proven
        order by 2 desc limit 10
      ) as newest),
    'gaps', (
      select count(*) from sync_gap g where g.relay_id = c.relay_id and g.filter_hash = c.filter_hash),
    'gapReasons', (
      select coalesce(jsonb_object_agg(reason, gaps), '{}')
      from (
        select reason, count(*) as gaps from sync_gap g
        where g.relay_id = c.relay_id and g.filter_hash = c.filter_hash group by reason
      ) as by_reason),
    'withheld', (
      select count(*) from relay_listing l
      where l.relay_id = c.relay_id and l.filter_hash = c.filter_hash and l.state = 'withheld'),
    'audit', (
      select jsonb_build_object('asked', asked, 'confirmed', confirmed, 'contradicted', contradicted,
        'retractions', retractions, 'retractedSeconds', retracted_seconds, 'lastAskedAt', last_asked_at,
        'lastContradictedAt', last_contradicted_at)
      from sync_audit a where a.relay_id = c.relay_id and a.filter_hash = c.filter_hash))
$function$;
comment on function relay_coverage_report(c sync_coverage) is 'One walk of a relay with its evidence, as JSON';

CREATE OR REPLACE FUNCTION public.relay_events(p_relay_id integer, p_since bigint, p_until bigint)
 RETURNS TABLE(seen_at bigint, created_at bigint, relay_id integer, event_id bytea)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select p.last_seen_at, sighting_time(key), p_relay_id, substr(key, 9)
  from (
    select * from sighting_runs(p_relay_id, sighting_key(p_since), sighting_key(p_until + 1)) offset 0) as p
    cross join lateral sighting_keys(p.keys) as key
  where key >= sighting_key(p_since) and key < sighting_key(p_until + 1)
$function$;
comment on function relay_events(p_relay_id integer, p_since bigint, p_until bigint) is 'Sightings of a relay, of events created from p_since to p_until: relay_events(id, unix(now() - interval ''1 day''), unix(now()))';

CREATE OR REPLACE FUNCTION public.relay_find(p_networks jsonb, p_urls jsonb)
 RETURNS TABLE(id integer, url text, network text, discovered_at bigint)
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  -- Two statements: a long list of URLs must use the index.
  if p_urls is null then
    return query
    select r.id, r.url, r.network, r.discovered_at from relay r
    where p_networks is null or p_networks ? r.network
    order by r.id;
  else
    return query
    select r.id, r.url, r.network, r.discovered_at from relay r
    where r.url = any (array(select jsonb_array_elements_text(p_urls)))
      and (p_networks is null or p_networks ? r.network)
    order by r.id;
  end if;
end
$function$;
comment on function relay_find(p_networks jsonb, p_urls jsonb) is 'Relays of these networks and URLs, by id';

CREATE OR REPLACE FUNCTION public.relay_insert(p_relays jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_inserted int4;
begin
  -- The check before the insert: on conflict would use up a number of the identity for each relay that is there.
  insert into relay (url, network, domain, discovered_at)
  select url, min(network), coalesce(min(domain), substring(url from '^wss?://(\[[^]]*\]|[^/:]*)')), unix_now()
  from jsonb_to_recordset(p_relays) as new (url text, network text, domain text)
  where not exists (select from relay r where r.url = new.url)
  group by url
  order by url
  on conflict (url) do nothing;
  get diagnostics v_inserted = row_count;

  delete from candidate
  where url in (
    select c.url from candidate c
    where c.url in (
      select new ->> 'url' from jsonb_array_elements(p_relays) as new
      union
      select relay_twin(new ->> 'url') from jsonb_array_elements(p_relays) as new)
    order by c.url
    for update);
  return v_inserted;
end
$function$;
comment on function relay_insert(p_relays jsonb) is 'Stores relays; returns the number of new ones';

CREATE OR REPLACE FUNCTION public.relay_is_known(p_url text)
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$ select exists (select from relay where url in (p_url, relay_twin(p_url))) $function$;
comment on function relay_is_known(p_url text) is 'Whether a URL is a relay, in its ws or wss form';

CREATE OR REPLACE FUNCTION public.relay_lease_correct(p_service text, p_longest_seconds bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_now int8 := unix_now();
begin
  with wrong as (
    select relay_id from relay_lease
    where service = p_service and due_at > v_now + p_longest_seconds
    order by relay_id
    for update skip locked
  )
  update relay_lease l set due_at = v_now from wrong
  where l.service = p_service and l.relay_id = wrong.relay_id;
end
$function$;
comment on function relay_lease_correct(p_service text, p_longest_seconds bigint) is 'Makes relays due that only a wrong clock can have set due so late';

CREATE OR REPLACE FUNCTION public.relay_lease_due(p_request jsonb)
 RETURNS integer[]
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
  v_now int8 := unix_now();
  v_service text := p_request ->> 'service';
  v_online boolean := coalesce((p_request ->> 'onlineOnly')::boolean, false);
  v_checked_since int8 := v_now - (p_request ->> 'checkedWithinSeconds')::int8;
  v_networks text[] := array(select jsonb_array_elements_text(p_request -> 'networks'));
  v_urls text[] := array(select jsonb_array_elements_text(p_request -> 'urls'));
  v_except_urls text[] := array(select jsonb_array_elements_text(p_request -> 'exceptUrls'));
  v_except int4[] := array(select id from relay where url = any (v_except_urls));
  v_crowded text[] := array(select jsonb_array_elements_text(p_request -> 'exceptAuthorities'));
  v_per_authority int4 := coalesce((p_request ->> 'perAuthority')::int4, 2147483647);
  v_limit int4 := (p_request ->> 'limit')::int4;
  v_window int4 := 500 + v_limit;
  v_seen int4;
  v_due int4[];
begin
  -- Two statements: named relays are found by their URLs, the others by when they are due.
  if p_request -> 'urls' is not null then
    return array(
      select relay_id from (
        select relay_id, overdue, row_number() over (partition by authority order by overdue desc, relay_id) as place
        from (
          select l.relay_id, url_authority(r.url) as authority,
            (v_now - l.due_at)::float8 / coalesce(l.interval_seconds, 900) as overdue
          from relay r join relay_lease l on l.service = v_service and l.relay_id = r.id
          where r.url = any (v_urls) and r.network = any (v_networks) and r.id <> all (v_except)
            and l.claimed_until <= v_now and l.due_at <= v_now
        ) as named
        where authority <> all (v_crowded)
      ) as placed
      where place <= v_per_authority
      order by overdue / place desc, relay_id);
  end if;
  -- Ever more are looked at while a few authorities have all of them.
  loop
    with longest as (
      select l.relay_id, url_authority(r.url) as authority,
        (v_now - l.due_at)::float8 / coalesce(l.interval_seconds, 900) as overdue
      from relay_lease l join relay r on r.id = l.relay_id
      where l.service = v_service and l.claimed_until <= v_now and l.due_at <= v_now
        and r.network = any (v_networks) and l.relay_id <> all (v_except)
        and url_authority(r.url) <> all (v_crowded)
        and (not v_online or exists (select from relay_state s where s.relay_id = l.relay_id and s.online))
        and (v_checked_since is null or exists (
          select from relay_state s where s.relay_id = l.relay_id and s.last_checked_at >= v_checked_since))
      order by l.due_at
      limit v_window
    ), placed as (
      select longest.*, row_number() over (partition by authority order by overdue desc, relay_id) as place from longest
    )
    select (select count(*) from longest),
      array_agg(relay_id order by overdue / place desc, relay_id) filter (where place <= v_per_authority)
    into v_seen, v_due from placed;
    exit when v_seen < v_window or cardinality(v_due) >= v_limit;
    v_window := 8 * v_window;
  end loop;
  return coalesce(v_due, '{}');
end
$function$;
comment on function relay_lease_due(p_request jsonb) is 'Relays that are due and free, those to be leased first coming first';

CREATE OR REPLACE FUNCTION public.relay_lease_enroll(p_service text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  if coalesce((select max(id) from relay), 0)
      > coalesce((select max(l.relay_id) from relay_lease l where l.service = p_service), 0)
    or random() < 0.01
  then
    insert into relay_lease (service, relay_id)
    select p_service, r.id from relay r
    where not exists (select from relay_lease l where l.service = p_service and l.relay_id = r.id)
    order by r.id
    on conflict do nothing;
  end if;
end
$function$;
comment on function relay_lease_enroll(p_service text) is 'Makes relays that are new to a service due at once';

CREATE OR REPLACE FUNCTION public.relay_lease_go_live(p_service text, p_holder text, p_relay_id integer)
 RETURNS void
 LANGUAGE sql
AS $function$
  update relay_lease set live_since = unix_now()
  where service = p_service and relay_id = p_relay_id and holder = p_holder and claimed_until > 0
$function$;
comment on function relay_lease_go_live(p_service text, p_holder text, p_relay_id integer) is 'Records that the holder of a lease is live with the relay, until it gives the lease back';

CREATE OR REPLACE FUNCTION public.relay_lease_hasten(p_service text, p_request jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_latest int8 := unix_now() + (p_request ->> 'withinSeconds')::int8;
  v_urls text[] := array(select jsonb_array_elements_text(p_request -> 'urls'));
  v_hosts text[] := array(select jsonb_array_elements_text(p_request -> 'hosts'));
  v_hastened int4;
begin
  with late as (
    select l.relay_id from relay_lease l join relay r on r.id = l.relay_id
    where l.service = p_service and l.due_at > v_latest
      and (l.failures = 0 and r.url = any (v_urls)
        or exists (
          select from unnest(v_hosts) as named (host)
          where r.host = named.host
            or starts_with(named.host, '*.')
              and (r.host = substr(named.host, 3) or right(r.host, length(named.host) - 1) = substr(named.host, 2))))
    order by l.relay_id
    for update of l
  )
  update relay_lease l set due_at = v_latest from late
  where l.service = p_service and l.relay_id = late.relay_id;
  get diagnostics v_hastened = row_count;
  return v_hastened;
end
$function$;
comment on function relay_lease_hasten(p_service text, p_request jsonb) is 'Makes relays due sooner than they were given back for; returns how many';

CREATE OR REPLACE FUNCTION public.relay_lease_release(p_service text, p_holder text, p_relays jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_released int4;
begin
  with given as (
    select "relayId" as relay_id, max("nextDueInSeconds") as due_in, max(failures) as failures,
      max("intervalSeconds") as interval_seconds, max("newEvents") as new_events,
      (array_agg(memory) filter (where memory is not null))[1] as memory
    from jsonb_to_recordset(p_relays)
      as new ("relayId" int4, "nextDueInSeconds" int8, failures int4, "intervalSeconds" int4, "newEvents" int8, memory jsonb)
    group by 1
  ), held as (
    select l.relay_id from relay_lease l
    where service = p_service and holder = p_holder and claimed_until > 0
      and l.relay_id in (select relay_id from given)
    order by l.relay_id
    for update
  )
  update relay_lease l
  set due_at = coalesce(unix_now() + given.due_in, l.due_at), failures = coalesce(given.failures, l.failures),
    claimed_until = 0, holder = null, live_since = null, progress = null,
    memory = coalesce(given.memory, l.memory),
    interval_seconds = coalesce(given.interval_seconds, l.interval_seconds),
    yield = coalesce((l.yield + given.new_events) / 2, l.yield),
    yielded_at = case when given.new_events > 0 then unix_now() else l.yielded_at end
  from held join given using (relay_id)
  where l.service = p_service and l.relay_id = held.relay_id;
  get diagnostics v_released = row_count;
  return v_released;
end
$function$;
comment on function relay_lease_release(p_service text, p_holder text, p_relays jsonb) is 'Gives leases back and sets when the relays are due again; returns how many were held';

CREATE OR REPLACE FUNCTION public.relay_lease_renew(p_service text, p_holder text, p_relay_ids jsonb, p_lease_seconds integer)
 RETURNS TABLE(relay_id integer)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
  return query
  with held as (
    select l.relay_id from relay_lease l
    where service = p_service and holder = p_holder and claimed_until > 0
      and l.relay_id in (select id::int4 from jsonb_array_elements_text(p_relay_ids) as wanted (id))
    order by l.relay_id
    for update
  )
  update relay_lease l set claimed_until = unix_now() + p_lease_seconds
  from held
  where l.service = p_service and l.relay_id = held.relay_id
  returning l.relay_id;
end
$function$;
comment on function relay_lease_renew(p_service text, p_holder text, p_relay_ids jsonb, p_lease_seconds integer) is 'Extends leases; returns the relays still held';

CREATE OR REPLACE FUNCTION public.relay_lease_report(p_service text, p_holder text, p_walks jsonb)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  with held as (
    select l.relay_id, jsonb_build_object('doing', doing, 'until', until) as progress
    from relay_lease l join jsonb_to_recordset(p_walks) as walk ("relayId" int4, doing jsonb, until int8)
      on l.relay_id = "relayId"
    where l.service = p_service and l.holder = p_holder and l.claimed_until > 0
    order by l.relay_id
    for update of l
  )
  update relay_lease l set progress = held.progress
  from held
  where l.service = p_service and l.relay_id = held.relay_id;
end
$function$;
comment on function relay_lease_report(p_service text, p_holder text, p_walks jsonb) is 'Records what the walks of leased relays do, for status';

CREATE OR REPLACE FUNCTION public.relay_lease_take(p_request jsonb)
 RETURNS TABLE(relay_id integer, url text, network text, failures integer, due_at bigint, interval_seconds integer, yield real, memory jsonb)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  v_service text := p_request ->> 'service';
  v_now int8 := unix_now();
  v_due int4[];
begin
  perform relay_lease_enroll(v_service);
  if p_request -> 'longestWaitSeconds' is not null then
    perform relay_lease_correct(v_service, (p_request ->> 'longestWaitSeconds')::int8);
  end if;
  -- One process at a time: two that chose the same few of a crowd would leave one of them with nothing.
  perform pg_advisory_xact_lock(hashtextextended('bigbrotr lease of ' || v_service, 0));
  v_due := relay_lease_due(p_request);

  return query
  with free as (
    select l.relay_id, chosen.place
    from unnest(v_due) with ordinality as chosen (id, place)
      join relay_lease l on l.service = v_service and l.relay_id = chosen.id
    -- Another process may have taken it meanwhile.
    where l.claimed_until <= v_now
    order by chosen.place
    limit (p_request ->> 'limit')::int4
    for update of l skip locked
  ), taken as (
    update relay_lease l
    set holder = p_request ->> 'holder', claimed_until = v_now + (p_request ->> 'leaseSeconds')::int8,
      live_since = null, progress = null
    from free
    where l.service = v_service and l.relay_id = free.relay_id
    returning l.relay_id, l.failures, l.due_at, l.interval_seconds, l.yield, l.memory, free.place
  )
  select t.relay_id, r.url, r.network, t.failures, t.due_at, t.interval_seconds, t.yield, t.memory
  from taken t join relay r on r.id = t.relay_id
  order by t.place;
end
$function$;
comment on function relay_lease_take(p_request jsonb) is 'Leases relays that are due and free, the longest due first';

CREATE OR REPLACE FUNCTION public.relay_list(p_request jsonb)
 RETURNS TABLE(url text, network text, discovered_at bigint, online boolean, since bigint, last_checked_at bigint, failure text, holder text, live_since bigint, due_at bigint, sync_failures integer, gaps bigint, proven_until bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select r.url, r.network, r.discovered_at, h.online, h.since, h.last_checked_at, h.failure,
    case when l.claimed_until > unix_now() then l.holder end, l.live_since, l.due_at, coalesce(l.failures, 0),
    (select count(*) from sync_gap g where g.relay_id = r.id),
    (select max(upper(c.covered) - 1) from sync_coverage c where c.relay_id = r.id)
  from relay r
    left join relay_health h on h.relay_id = r.id
    left join relay_lease l on l.service = 'synchronizer' and l.relay_id = r.id
  where (p_request -> 'urls' is null or r.url = any (array(select jsonb_array_elements_text(p_request -> 'urls'))))
    and (p_request -> 'networks' is null or p_request -> 'networks' ? r.network)
    and (p_request ->> 'state' is null
      or p_request ->> 'state' = case h.online when true then 'online' when false then 'offline' else 'unchecked' end)
  order by r.url
$function$;
comment on function relay_list(p_request jsonb) is 'Relays with their health, and how the synchronizer stands with them, by URL';

CREATE OR REPLACE FUNCTION public.relay_listing_get(p_url text)
 RETURNS TABLE(filter jsonb, created_at bigint, event_id text, noted_at bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select c.filter, l.created_at, encode(l.event_id, 'hex'), l.noted_at
  from relay r
    join relay_listing l on l.relay_id = r.id and l.state = 'withheld'
    left join sync_coverage c on c.relay_id = l.relay_id and c.filter_hash = l.filter_hash
  where r.url = p_url
  order by l.created_at desc, l.event_id, l.filter_hash
$function$;
comment on function relay_listing_get(p_url text) is 'Events that a relay lists and gives to nobody, newest first';

CREATE OR REPLACE FUNCTION public.relay_listing_give(p_relay_id integer, p_created_at bigint[], p_ids bytea)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_filter_hash bytea;
begin
  perform sync_lock(p_relay_id);
  for v_filter_hash in select filter_hash from sync_withheld where relay_id = p_relay_id order by 1 loop
    delete from relay_listing l
    using unnest(p_created_at) with ordinality as given (created_at, i)
    where l.relay_id = p_relay_id and l.filter_hash = v_filter_hash and l.state = 'withheld'
      and l.created_at = given.created_at and l.event_id = substr(p_ids, i::int4 * 32 - 31, 32);
    if found then
      perform sync_withheld_recount(p_relay_id, v_filter_hash);
    end if;
  end loop;
end
$function$;
comment on function relay_listing_give(p_relay_id integer, p_created_at bigint[], p_ids bytea) is 'Forgets that a relay withheld events, as it gave them';

CREATE OR REPLACE FUNCTION public.relay_listing_note(p_relay_id integer, p_filter_hash text, p_state text, p_created_at bigint[], p_ids bytea)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_filter_hash bytea := decode(p_filter_hash, 'hex');
  v_forgotten int4;
begin
  perform sync_lock(p_relay_id);
  with noted as materialized (
    select created_at, substr(p_ids, i::int4 * 32 - 31, 32) as id
    from unnest(p_created_at) with ordinality as batch (created_at, i)
  ), forgotten as (
    delete from relay_listing l using noted n
    where p_state = 'gone' and l.relay_id = p_relay_id and l.filter_hash = v_filter_hash and l.state = 'withheld'
      and l.created_at = n.created_at and l.event_id = n.id
    returning l.created_at, l.event_id
  ), kept as (
    insert into relay_listing (created_at, noted_at, relay_id, filter_hash, event_id, state)
    select created_at, unix_now(), p_relay_id, v_filter_hash, id, p_state
    from noted
    where (created_at, id) not in (select created_at, event_id from forgotten)
    order by created_at, id
    limit case when p_state = 'withheld' then greatest(0, 100000 - (
      select count(*) from relay_listing
      where relay_id = p_relay_id and filter_hash = v_filter_hash and state = 'withheld')) end
    on conflict (relay_id, filter_hash, created_at, event_id) do update set noted_at = excluded.noted_at
    where relay_listing.state = excluded.state
  )
  select count(*) into v_forgotten from forgotten;

  if p_state = 'withheld' then
    perform sync_withheld_set(p_relay_id, v_filter_hash, sync_ranges_coalesce(
      (select range_agg(int8range(at, at, '[]')) from unnest(p_created_at) as at) + coalesce((
        select withheld from sync_withheld where relay_id = p_relay_id and filter_hash = v_filter_hash), '{}')));
    update sync_withheld set is_whole = false
    where relay_id = p_relay_id and filter_hash = v_filter_hash and is_whole and 100000 <= (
      select count(*) from relay_listing
      where relay_id = p_relay_id and filter_hash = v_filter_hash and state = 'withheld');
  elsif v_forgotten > 0 then
    perform sync_withheld_recount(p_relay_id, v_filter_hash);
  end if;
end
$function$;
comment on function relay_listing_note(p_relay_id integer, p_filter_hash text, p_state text, p_created_at bigint[], p_ids bytea) is 'Records events that a relay lists and does not give, or lists no more';

CREATE OR REPLACE FUNCTION public.relay_metadata_expire(p_before bigint, p_limit integer)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_deleted int4;
begin
  delete from relay_metadata old
  using (
    select relay_id, metadata_type, generated_at from relay_metadata
    where generated_at < p_before and exists (
      select from relay_metadata newer
      where newer.relay_id = relay_metadata.relay_id and newer.metadata_type = relay_metadata.metadata_type
        and newer.generated_at > relay_metadata.generated_at)
    limit p_limit
    for update skip locked
  ) as expired
  where old.relay_id = expired.relay_id and old.metadata_type = expired.metadata_type
    and old.generated_at = expired.generated_at;
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$function$;
comment on function relay_metadata_expire(p_before bigint, p_limit integer) is 'Deletes old references to documents, never the newest; returns their number';

CREATE OR REPLACE FUNCTION public.relay_metadata_insert(p_documents jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_inserted int4;
begin
  perform archive_reference();
  perform metadata_insert(p_documents);
  insert into relay_metadata (generated_at, relay_id, metadata_type, metadata_id)
  select "generatedAt", "relayId", type, sha256(convert_to(data, 'UTF8'))
  from jsonb_to_recordset(p_documents) as new ("relayId" int4, type text, "generatedAt" int8, data text)
  order by "relayId", type, "generatedAt"
  on conflict do nothing;
  get diagnostics v_inserted = row_count;
  perform relay_software_update(array(
    select "relayId" from jsonb_to_recordset(p_documents) as new ("relayId" int4, type text) where type = 'nip11_info'));
  return v_inserted;
end
$function$;
comment on function relay_metadata_insert(p_documents jsonb) is 'Stores documents and whose they are; returns the number of new rows';

CREATE OR REPLACE FUNCTION public.relay_names(p_urls text[], p_names integer)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select jsonb_build_object('count', coalesce(cardinality(p_urls), 0),
    'urls', to_jsonb(coalesce(p_urls[1:p_names], '{}')))
$function$;
comment on function relay_names(p_urls text[], p_names integer) is 'A count and the first few, as JSON';

CREATE OR REPLACE FUNCTION public.relay_observe(p_since bigint, p_until bigint, p_relay_ids integer[] DEFAULT NULL::integer[])
 RETURNS TABLE(relay_id integer, observed_seconds bigint, online_seconds bigint)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  with relays as (
    select s.relay_id, rolled_until, checks_since, hours_since, days_from,
      greatest(days_from, least(p_until / 86400 * 86400, rolled_until)) as days_to
    from relay_state s
    cross join (select least((p_since + 86399) / 86400 * 86400, p_until) as days_from) as whole
    where p_relay_ids is null or s.relay_id = any (p_relay_ids)
  ), edge as (
    select relays.*, edges.*
    from relays cross join lateral (values (p_since, days_from), (days_to, p_until)) as edges (since, until)
    where edges.since < edges.until
  ), part as (
    select r.relay_id, r.observed_seconds::int8, r.online_seconds::int8
    from relays join relay_check_rollup r
      on r.relay_id = relays.relay_id and r.seconds = 86400 and r.starts_at >= days_from and r.starts_at < days_to
    union all
    select edge.relay_id, slice.until - slice.since, case when online then slice.until - slice.since else 0 end
    from edge cross join lateral relay_check_slice(edge.relay_id, edge.since, edge.until) as slice
    where edge.since >= checks_since
    union all
    select edge.relay_id, r.observed_seconds * overlap / r.seconds, r.online_seconds * overlap / r.seconds
    from edge join relay_check_rollup r
      on r.relay_id = edge.relay_id and r.starts_at < edge.until and r.starts_at + r.seconds > edge.since
      and case when edge.since < hours_since or exists (
          select from relay_check_rollup day
          where day.relay_id = edge.relay_id and day.seconds = 86400
            and day.starts_at = edge.since / 86400 * 86400 and day.observed_seconds = 86400 and day.online_seconds = 0)
        then r.seconds = 86400 else r.seconds = 3600 end
    cross join lateral (
      select least(edge.until, r.starts_at + r.seconds) - greatest(edge.since, r.starts_at) as overlap) as shared
    where edge.since < checks_since
  )
  select relays.relay_id, coalesce(sum(part.observed_seconds), 0)::int8, coalesce(sum(part.online_seconds), 0)::int8
  from relays left join part using (relay_id)
  group by relays.relay_id
$function$;
comment on function relay_observe(p_since bigint, p_until bigint, p_relay_ids integer[]) is 'Seconds that relays were observed, and online, in a window of time';

CREATE OR REPLACE FUNCTION public.relay_removal(p_url text)
 RETURNS TABLE(holder text, has_sightings boolean)
 LANGUAGE sql
 STABLE
AS $function$
  select
    (select string_agg(l.service || ' of ' || coalesce(l.holder, 'somebody'), ', ' order by l.service)
      from relay_lease l where l.relay_id = r.id and l.claimed_until > unix_now()),
    exists (select from sighting_page p where p.relay_id = r.id)
  from relay r where r.url = p_url
$function$;
comment on function relay_removal(p_url text) is 'What stands against removing a relay';

CREATE OR REPLACE FUNCTION public.relay_remove(p_url text)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
declare
  v_relay_id int4;
begin
  delete from candidate where url = p_url;
  if found then
    return true;
  end if;
  select id into v_relay_id from relay where url = p_url for update;
  if v_relay_id is null then
    return false;
  end if;
  perform from relay_lease where relay_id = v_relay_id order by service for update;
  if exists (select from relay_lease where relay_id = v_relay_id and claimed_until > unix_now())
    or exists (select from sighting_page where relay_id = v_relay_id)
    or exists (select from sighting_log where relay_id = v_relay_id)
  then
    raise exception using errcode = 'object_in_use', message = 'the relay is in work';
  end if;
  delete from relay_lease where relay_id = v_relay_id;
  perform statistics_remove_relay(v_relay_id);
  delete from relay_capability where relay_id = v_relay_id;
  delete from relay_check where relay_id = v_relay_id;
  delete from relay_check_rollup where relay_id = v_relay_id;
  delete from relay_listing where relay_id = v_relay_id;
  delete from relay_metadata where relay_id = v_relay_id;
  delete from relay_outage where relay_id = v_relay_id;
  delete from relay_rejection where relay_id = v_relay_id;
  delete from relay_software where relay_id = v_relay_id;
  delete from relay_state where relay_id = v_relay_id;
  delete from rejected_event where relay_id = v_relay_id;
  delete from sync_audit where relay_id = v_relay_id;
  delete from sync_contradiction where relay_id = v_relay_id;
  delete from sync_coverage where relay_id = v_relay_id;
  delete from sync_gap where relay_id = v_relay_id;
  delete from sync_proof where relay_id = v_relay_id;
  delete from sync_withheld where relay_id = v_relay_id;
  delete from service_state where service_name in ('monitor', 'synchronizer') and state_key = p_url;
  delete from relay where id = v_relay_id;
  return true;
end
$function$;
comment on function relay_remove(p_url text) is 'Deletes a candidate, or a relay with all that is known of it; whether there was one';

CREATE OR REPLACE FUNCTION public.relay_report(p_url text, p_outages integer)
 RETURNS jsonb
 LANGUAGE sql
AS $function$
  select jsonb_build_object(
    'url', r.url, 'network', r.network, 'discoveredAt', r.discovered_at,
    'state', (
      select jsonb_build_object('online', online, 'since', since, 'streak', streak, 'lastCheckedAt', last_checked_at,
        'lastOnlineAt', last_online_at, 'openMs', open_ms, 'readMs', read_ms, 'writeMs', write_ms, 'failure', failure)
      from relay_health h where h.relay_id = r.id),
    'uptime', (
      select jsonb_build_object('24h', uptime_24h, '7d', uptime_7d, '30d', uptime_30d)
      from relay_uptime(unix_now(), array[r.id])),
    'outages', (
      select coalesce(jsonb_agg(jsonb_build_object('since', since, 'until', until, 'seconds', seconds,
        'checks', checks, 'cause', cause) order by since desc), '[]')
      from (
        select * from relay_outage_history o where o.relay_id = r.id order by since desc limit p_outages) as latest),
    'capabilities', (
      select coalesce(jsonb_agg(jsonb_build_object('capability', capability, 'value', value, 'judgedBy', judged_by,
        'since', since) order by capability), '[]')
      from relay_capability a where a.relay_id = r.id),
    'documents', (
      select coalesce(jsonb_agg(jsonb_build_object('type', metadata_type, 'generatedAt', generated_at)
        order by metadata_type), '[]')
      from relay_metadata_latest m where m.relay_id = r.id),
    'sync', (
      select jsonb_build_object('dueAt', due_at, 'failures', failures, 'liveSince', live_since,
        'progress', case when claimed_until > unix_now() then progress end,
        'holder', case when claimed_until > unix_now() then holder end)
      from relay_lease l where l.relay_id = r.id and l.service = 'synchronizer'),
    'contradictions', sync_contradiction_get(r.id, 5),
    'coverage', (
      select coalesce(jsonb_agg(relay_coverage_report(c) order by filter_hash), '[]')
      from sync_coverage c where c.relay_id = r.id))
  from relay r where r.url = p_url
$function$;
comment on function relay_report(p_url text, p_outages integer) is 'All about one relay as JSON; null when there is none of that URL';

CREATE OR REPLACE FUNCTION public.relay_retry(p_urls jsonb)
 RETURNS TABLE(url text, is_relay boolean)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  v_now int8 := unix_now();
  v_urls text[] := array(select jsonb_array_elements_text(p_urls));
begin
  with locked as (
    select c.url from candidate c where c.url = any (v_urls) order by c.url for update
  )
  update candidate c set due_at = v_now, failures = 0 from locked where c.url = locked.url;

  with locked as (
    select l.service, l.relay_id
    from relay_lease l join relay r on r.id = l.relay_id
    where r.url = any (v_urls)
    order by l.service, l.relay_id
    for update of l
  )
  update relay_lease l set due_at = least(l.due_at, v_now), failures = 0
  from locked where l.service = locked.service and l.relay_id = locked.relay_id;

  -- Reported so long ago that no wait is left.
  update sync_gap g set reported_at = 0 from relay r where r.id = g.relay_id and r.url = any (v_urls);

  return query
  select c.url, false from candidate c where c.url = any (v_urls)
  union all
  select r.url, true from relay r where r.url = any (v_urls);
end
$function$;
comment on function relay_retry(p_urls jsonb) is 'Makes candidates and relays due at once, and their gaps with them; returns those found';

CREATE OR REPLACE FUNCTION public.relay_sighting_delete(p_url text, p_limit integer)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_relay_id int4 := (select id from relay where url = p_url);
  v_keys bytea;
begin
  perform sync_lock(v_relay_id);
  with gone as (
    delete from sighting_page
    where relay_id = v_relay_id and first_key in (
      select first_key from sighting_page where relay_id = v_relay_id
      order by first_key limit greatest(1, p_limit / 96))
    returning keys
  ), unpaged as (
    delete from sighting_log
    where relay_id = v_relay_id and key < coalesce((
      select first_key from sighting_page where relay_id = v_relay_id
      order by first_key offset greatest(1, p_limit / 96) limit 1), '\xff')
    returning key
  )
  select string_agg(keys, '') into v_keys from (select keys from gone union all select key from unpaged) as deleted;
  perform sighting_fact_add(-1, v_relay_id, v_keys);
  return coalesce(octet_length(v_keys) / 40, 0);
end
$function$;
comment on function relay_sighting_delete(p_url text, p_limit integer) is 'Deletes pages of sightings of a relay, the oldest first, until p_limit; returns the number of sightings, 0 at the end';

CREATE OR REPLACE FUNCTION public.relay_software_of(p_document jsonb, OUT software text, OUT version text, OUT nips integer[])
 RETURNS record
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select
    case when jsonb_typeof(p_document #> '{data,software}') = 'string'
      then coalesce(nullif(left(p_document #>> '{data,software}', 200), ''), 'unknown') else 'unknown' end,
    case when jsonb_typeof(p_document #> '{data,version}') = 'string'
      then coalesce(nullif(left(p_document #>> '{data,version}', 200), ''), 'unknown') else 'unknown' end,
    array(
      select distinct nip::text::int4
      from jsonb_array_elements(
        case when jsonb_typeof(p_document #> '{data,supported_nips}') = 'array' then p_document #> '{data,supported_nips}'
          else '[]' end) as nip
      where jsonb_typeof(nip) = 'number' and nip::text ~ '^\d{1,5}$'
      order by 1 limit 200)
$function$;
comment on function relay_software_of(p_document jsonb, OUT software text, OUT version text, OUT nips integer[]) is 'Software, version and NIPs that a nip11_info document gives';

CREATE OR REPLACE FUNCTION public.relay_software_update(p_relays integer[])
 RETURNS void
 LANGUAGE sql
AS $function$
  insert into relay_software as s (generated_at, relay_id, software, version, nips)
  select newest.generated_at, wanted.id, said.software, said.version, said.nips
  from (select distinct unnest(p_relays) as id) as wanted
  cross join lateral (
    select m.generated_at, m.metadata_id from relay_metadata m
    where m.relay_id = wanted.id and m.metadata_type = 'nip11_info'
    order by m.generated_at desc limit 1) as newest
  join metadata d on d.id = newest.metadata_id and d.type = 'nip11_info'
  cross join lateral relay_software_of(d.data) as said
  order by wanted.id
  on conflict (relay_id) do update
  set generated_at = excluded.generated_at, software = excluded.software, version = excluded.version, nips = excluded.nips
  where s.generated_at <= excluded.generated_at
$function$;
comment on function relay_software_update(p_relays integer[]) is 'Reads the newest documents of relays again';

CREATE OR REPLACE FUNCTION public.relay_state_count()
 RETURNS TABLE(network text, online integer, offline integer, outages integer)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select network, count(*) filter (where online)::int4, count(*) filter (where not online)::int4,
    count(*) filter (where not online and last_online_at is not null)::int4
  from relay_state s join relay r on r.id = s.relay_id
  group by network
$function$;
comment on function relay_state_count() is 'Relays online, offline, and offline after having been online, by network';

CREATE OR REPLACE FUNCTION public.relay_twin(p_url text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
  select case when p_url like 'wss://%' then 'ws://' || substr(p_url, 7) else 'wss://' || substr(p_url, 6) end
$function$;
comment on function relay_twin(p_url text) is 'wss://x for ws://x and the other way round';

CREATE OR REPLACE FUNCTION public.relay_uptime(p_at bigint DEFAULT NULL::bigint, p_relay_ids integer[] DEFAULT NULL::integer[])
 RETURNS TABLE(relay_id integer, uptime_24h double precision, uptime_7d double precision, uptime_30d double precision)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select relay_id, day.online_seconds::float8 / nullif(day.observed_seconds, 0),
    week.online_seconds::float8 / nullif(week.observed_seconds, 0),
    month.online_seconds::float8 / nullif(month.observed_seconds, 0)
  from (select coalesce(p_at, unix_now()) as until) as moment
  cross join lateral relay_observe(until - 86400, until, p_relay_ids) as day
  join lateral relay_observe(until - 7 * 86400, until, p_relay_ids) as week using (relay_id)
  join lateral relay_observe(until - 30 * 86400, until, p_relay_ids) as month using (relay_id)
$function$;
comment on function relay_uptime(p_at bigint, p_relay_ids integer[]) is 'Share of the observed time that relays were online, over 24 h, 7 d and 30 d before a moment';

CREATE OR REPLACE FUNCTION public.service_lease_find(p_service text, OUT holder text, OUT busy_share real)
 RETURNS record
 LANGUAGE sql
 STABLE
AS $function$
  select holder, busy_share from service_lease where service = p_service and claimed_until > unix_now()
$function$;
comment on function service_lease_find(p_service text, OUT holder text, OUT busy_share real) is 'Which process of a service works now, and how much of late; null for none';

CREATE OR REPLACE FUNCTION public.service_lease_release(p_service text, p_holder text)
 RETURNS void
 LANGUAGE sql
AS $function$
  delete from service_lease where service = p_service and holder = p_holder
$function$;
comment on function service_lease_release(p_service text, p_holder text) is 'Ends the lease of a service, if this process holds it';

CREATE OR REPLACE FUNCTION public.service_lease_take(p_service text, p_holder text, p_seconds integer, p_busy_share real)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
declare
  v_now int8 := unix_now();
  v_holder text;
begin
  select holder into v_holder from service_lease
  where service = p_service and claimed_until > v_now and holder <> p_holder;
  if found then
    return v_holder;
  end if;
  insert into service_lease as l (claimed_until, busy_share, service, holder)
  values (v_now + p_seconds, p_busy_share, p_service, p_holder)
  on conflict (service) do update
  set claimed_until = excluded.claimed_until, busy_share = excluded.busy_share, holder = excluded.holder
  where l.claimed_until <= v_now or l.holder = excluded.holder;
  return (select holder from service_lease where service = p_service);
end
$function$;
comment on function service_lease_take(p_service text, p_holder text, p_seconds integer, p_busy_share real) is 'Takes or renews the lease of a service; returns who holds it now';

CREATE OR REPLACE FUNCTION public.service_state_delete(p_keys jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_deleted int4;
begin
  with wanted as (
    select "serviceName", "stateType", "stateKey"
    from jsonb_to_recordset(p_keys) as gone ("serviceName" text, "stateType" text, "stateKey" text)
  ), locked as (
    select service_name, state_type, state_key from service_state
    where (service_name, state_type, state_key) in (select * from wanted)
    order by 1, 2, 3
    for update
  )
  delete from service_state s using locked l
  where s.service_name = l.service_name and s.state_type = l.state_type and s.state_key = l.state_key;
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$function$;
comment on function service_state_delete(p_keys jsonb) is 'Deletes states; returns the number that were there';

CREATE OR REPLACE FUNCTION public.service_state_get(p_service_name text, p_state_type text, p_state_key text)
 RETURNS TABLE(state_key text, state_value jsonb, updated_at bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select state_key, state_value, updated_at from service_state
  where service_name = p_service_name and state_type = p_state_type and (p_state_key is null or state_key = p_state_key)
  order by state_key
$function$;
comment on function service_state_get(p_service_name text, p_state_type text, p_state_key text) is 'The states of a service and type, by key';

CREATE OR REPLACE FUNCTION public.service_state_upsert(p_states jsonb)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_stored int4;
begin
  insert into service_state (service_name, state_type, state_key, state_value, updated_at)
  select distinct on (1, 2, 3) state ->> 'serviceName', state ->> 'stateType', state ->> 'stateKey', state -> 'value',
    unix_now()
  from jsonb_array_elements(p_states) with ordinality as new (state, position)
  order by 1, 2, 3, position desc
  on conflict (service_name, state_type, state_key) do update
  set state_value = excluded.state_value, updated_at = excluded.updated_at;
  get diagnostics v_stored = row_count;
  return v_stored;
end
$function$;
comment on function service_state_upsert(p_states jsonb) is 'Stores states, replacing those of the same key';

CREATE OR REPLACE FUNCTION public.sighting_after(p_relay_id integer, p_key bytea, p_limit integer)
 RETURNS SETOF bytea
 LANGUAGE sql
 STABLE ROWS 100
AS $function$
  select key
  from (
    select keys from sighting_runs(p_relay_id, p_key, '\xff') order by first_key) as p
  cross join lateral sighting_keys(keys) as key
  where key >= p_key
  limit p_limit
$function$;
comment on function sighting_after(p_relay_id integer, p_key bytea, p_limit integer) is 'Keys of sightings of a relay from a key on, the oldest first';

CREATE OR REPLACE FUNCTION public.sighting_before(p_relay_id integer, p_lower bytea, p_upper bytea, p_limit integer)
 RETURNS SETOF bytea
 LANGUAGE sql
 STABLE ROWS 100
AS $function$
  select key
  from (
    select keys from sighting_runs(p_relay_id, p_lower, p_upper) order by first_key desc) as p
  cross join lateral (
    select substr(keys, 40 * i + 1, 40) as key from generate_series(octet_length(keys) / 40 - 1, 0, -1) as i) as k
  where key < p_upper and key >= p_lower
  limit p_limit
$function$;
comment on function sighting_before(p_relay_id integer, p_lower bytea, p_upper bytea, p_limit integer) is 'Keys of sightings of a relay from p_lower on and before p_upper, the newest first';

CREATE OR REPLACE FUNCTION public.sighting_count()
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
  v_pages jsonb := pipeline_count_table('sighting_page');
  v_waiting jsonb := pipeline_count_table('sighting_log');
  v_exact boolean := (v_pages ->> 'exact')::bool;
  v_paged numeric;
begin
  if v_exact then
    v_paged := (select coalesce(sum(sightings), 0) from sighting_page);
  else
    execute format('select avg(sightings) from sighting_page tablesample system (%s)',
      least(100, 100 * 500.0 / (pg_relation_size('sighting_page') / current_setting('block_size')::int8)))
    into v_paged;
    v_paged := round((v_pages ->> 'count')::numeric * coalesce(v_paged, 96));
  end if;
  return jsonb_build_object('count', v_paged + round((v_waiting ->> 'count')::numeric),
    'exact', v_exact and (v_waiting ->> 'exact')::bool);
end
$function$;
comment on function sighting_count() is 'How many sightings there are; an estimate when they are many';

CREATE OR REPLACE FUNCTION public.sighting_cut(p_keys bytea, p_lower bytea, p_upper bytea)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select coalesce(string_agg(key, '' order by key), '')
  from sighting_keys(p_keys) as key
  where key >= p_lower and key < p_upper
$function$;
comment on function sighting_cut(p_keys bytea, p_lower bytea, p_upper bytea) is 'The keys from p_lower on and before p_upper';

CREATE OR REPLACE FUNCTION public.sighting_exists(p_relay_id integer, p_key bytea)
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select exists (select from sighting_log where relay_id = p_relay_id and key = p_key) or coalesce((
    select position(p_key in keys) > 0 from sighting_page
    where relay_id = p_relay_id and first_key <= p_key order by first_key desc limit 1), false)
$function$;
comment on function sighting_exists(p_relay_id integer, p_key bytea) is 'Whether a relay was seen to hold an event, by its key';

CREATE OR REPLACE FUNCTION public.sighting_fact_add(p_sign integer, p_relay_id integer, p_keys bytea)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  if octet_length(p_keys) > 0 then
    perform fact_add(p_sign, p_relay_id, array_agg(sighting_time(key) order by i), null, string_agg(substr(key, 9), '' order by i))
    from sighting_keys(p_keys) with ordinality as k (key, i);
  end if;
end
$function$;
comment on function sighting_fact_add(p_sign integer, p_relay_id integer, p_keys bytea) is 'Queues sightings of one relay that were stored or deleted';

CREATE OR REPLACE FUNCTION public.sighting_insert(p_relay_id integer, p_seen_at bigint, p_keys bytea[])
 RETURNS bytea[]
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
declare
  v_size int4 := cardinality(p_keys);
  v_first bytea := p_keys[1];
  v_last bytea := p_keys[v_size];
  v_before sighting_page;
  v_after sighting_page;
  v_pages int4;
  v_room int4 := 0;
  v_waiting boolean;
begin
  if v_size = 0 then
    return p_keys;
  end if;
  perform sync_lock(p_relay_id);
  -- The page that the first key falls in or comes after, how many begin among the keys, and whether something waits there.
  select * into v_before from sighting_page
  where relay_id = p_relay_id and first_key <= v_first order by first_key desc limit 1;
  select count(*) into v_pages from (
    select from sighting_page
    where relay_id = p_relay_id and first_key > v_first and first_key <= v_last limit 1 + v_size / 8) as among;
  v_waiting := exists (select from sighting_log where relay_id = p_relay_id and key >= v_first and key <= v_last);

  if v_pages = 0 and not v_waiting and (v_before.last_key >= v_first) is not true
    and v_size > 96 - coalesce(v_before.sightings, 48) and v_size >= sighting_log_bound() then
    -- A run where nothing is yet, as a walk brings them, the newest first: its newest keys fill up what the run before left
    -- half empty, the others get pages of their own, full ones from the newest on.
    select * into v_after from sighting_page
    where relay_id = p_relay_id and first_key > v_last order by first_key limit 1;
    if v_after.sightings <= 48 then
      v_room := least(96 - v_after.sightings, v_size - 1);
      update sighting_page p set
        first_seen_at = least(p.first_seen_at, p_seen_at),
        last_seen_at = greatest(p.last_seen_at, p_seen_at),
        sum_0 = p.sum_0 + s.sum_0, sum_1 = p.sum_1 + s.sum_1, sum_2 = p.sum_2 + s.sum_2, sum_3 = p.sum_3 + s.sum_3,
        sum_4 = p.sum_4 + s.sum_4, sum_5 = p.sum_5 + s.sum_5, sum_6 = p.sum_6 + s.sum_6, sum_7 = p.sum_7 + s.sum_7,
        sightings = p.sightings + v_room,
        first_key = p_keys[v_size - v_room + 1],
        keys = more || p.keys
      from (
        select string_agg(key, '' order by i) as more
        from unnest(p_keys[v_size - v_room + 1:]) with ordinality as newest (key, i)) as newest
      cross join lateral sighting_sums(more) as s
      where p.relay_id = p_relay_id and p.first_key = v_after.first_key;
    end if;
    insert into sighting_page (first_seen_at, last_seen_at, sum_0, sum_1, sum_2, sum_3, sum_4, sum_5, sum_6, sum_7,
      relay_id, sightings, first_key, last_key, keys)
    select p_seen_at, p_seen_at, s.*, p_relay_id, octet_length(keys) / 40,
      substr(keys, 1, 40), substr(keys, octet_length(keys) - 39), keys
    from (
      select string_agg(key, '' order by i) as keys
      from unnest(p_keys[:v_size - v_room]) with ordinality as run (key, i)
      group by (v_size - v_room - i) / 96) as page
    cross join lateral sighting_sums(keys) as s;
    return p_keys;
  end if;

  if v_size = 1 then
    if v_waiting or position(v_first in v_before.keys) > 0 then
      return '{}';
    end if;
  elsif v_size <= 8 or v_pages > v_size / 8 then
    -- Far apart: two probes each cost less than reading all that lies between.
    p_keys := array(
      select wanted.key from unnest(p_keys) as wanted (key)
      left join lateral (
        select keys from sighting_page
        where relay_id = p_relay_id and first_key <= wanted.key order by first_key desc limit 1) as p on true
      where (p.keys is null or position(wanted.key in p.keys) = 0)
        and not exists (select from sighting_log l where l.relay_id = p_relay_id and l.key = wanted.key offset 0)
      order by wanted.key);
  elsif v_pages > 0 or v_waiting or v_before.last_key >= v_first then
    p_keys := array(
      select unnest(p_keys) as key
      except
      select key from (
        select key from sighting_page p cross join lateral sighting_keys(p.keys) as key
        where relay_id = p_relay_id and first_key >= coalesce(v_before.first_key, v_first) and first_key <= v_last
        union all
        select key from sighting_log where relay_id = p_relay_id and key >= v_first and key <= v_last) as there
      order by key);
  end if;
  v_size := cardinality(p_keys);
  if v_pages = 0 and v_size < sighting_log_bound() and v_before.sightings > 0 and v_size + (
      select count(*) from (
        select from sighting_log
        where relay_id = p_relay_id and key >= v_before.first_key and key < coalesce((
          select first_key from sighting_page
          where relay_id = p_relay_id and first_key > v_last order by first_key limit 1), '\xff')
        limit sighting_log_bound()) as waiting) < sighting_log_bound()
  then
    -- All for one page, and few: as a live subscription brings them.
    insert into sighting_log (seen_at, relay_id, key) select p_seen_at, p_relay_id, unnest(p_keys);
  elsif v_size > 0 then
    perform sighting_place(p_relay_id, p_seen_at, p_keys);
  end if;
  return p_keys;
end
$function$;
comment on function sighting_insert(p_relay_id integer, p_seen_at bigint, p_keys bytea[]) is 'Records sightings of one relay by their keys; returns the new ones';

CREATE OR REPLACE FUNCTION public.sighting_key(p_created_at bigint, p_id bytea DEFAULT '\x'::bytea)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select int8send(p_created_at) || p_id $function$;
comment on function sighting_key(p_created_at bigint, p_id bytea) is 'The key of a sighting; without an id, what comes before all keys of that second';

CREATE OR REPLACE FUNCTION public.sighting_log_bound()
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select 24 $function$;
comment on function sighting_log_bound() is 'How many sightings a page takes at once; fewer wait for it in sighting_log';

CREATE OR REPLACE FUNCTION public.sighting_move(p_limit integer)
 RETURNS TABLE(moved bigint, total bigint)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  v_at record;
  v_relay_id int4;
  v_keys bytea[];
  v_seen int8[];
begin
  if not exists (
    select from pg_class where relname = 'sighting_unmoved' and relnamespace = current_schema()::regnamespace)
  then
    return;
  end if;
  select * into strict v_at from sighting_move;
  select relay_id into v_relay_id from sighting_unmoved
  where (relay_id, created_at, event_id) > (v_at.relay_id, v_at.created_at, v_at.event_id)
  order by relay_id, created_at, event_id limit 1;
  if v_relay_id is null then
    drop table sighting_unmoved, sighting_move;
    return;
  end if;

  perform sync_lock(v_relay_id);
  select array_agg(sighting_key(created_at, event_id) order by created_at, event_id),
    array_agg(seen_at order by created_at, event_id)
  into v_keys, v_seen
  from (
    select created_at, event_id, seen_at from sighting_unmoved
    where relay_id = v_relay_id
      and (relay_id, created_at, event_id) > (v_at.relay_id, v_at.created_at, v_at.event_id)
    order by relay_id, created_at, event_id limit p_limit) as step;

  if exists (select from sighting_pages(v_relay_id, v_keys[1], v_keys[cardinality(v_keys)] || '\x00'))
    or exists (
      select from sighting_log where relay_id = v_relay_id and key >= v_keys[1] and key <= v_keys[cardinality(v_keys)])
  then
    -- Somebody wrote there meanwhile.
    perform sighting_insert(v_relay_id, seen_at, array_agg(key order by key))
    from unnest(v_keys, v_seen) as step (key, seen_at) group by seen_at;
  else
    insert into sighting_page (first_seen_at, last_seen_at, sum_0, sum_1, sum_2, sum_3, sum_4, sum_5, sum_6, sum_7,
      relay_id, sightings, first_key, last_key, keys)
    select first_seen_at, last_seen_at, s.*, v_relay_id, octet_length(keys) / 40,
      substr(keys, 1, 40), substr(keys, octet_length(keys) - 39), keys
    from (
      select min(seen_at) as first_seen_at, max(seen_at) as last_seen_at, string_agg(key, '' order by i) as keys
      from rows from (unnest(v_keys), unnest(v_seen)) with ordinality as step (key, seen_at, i)
      group by (i - 1) / 96) as page
    cross join lateral sighting_sums(keys) as s;
  end if;

  return query
  update sighting_move m
  set moved = m.moved + cardinality(v_keys), relay_id = v_relay_id,
    created_at = sighting_time(v_keys[cardinality(v_keys)]), event_id = substr(v_keys[cardinality(v_keys)], 9)
  returning m.moved, greatest(m.total, m.moved);
end
$function$;
comment on function sighting_move(p_limit integer) is 'Moves sightings of an older schema into pages, a step at a time; returns how far it is';

CREATE OR REPLACE FUNCTION public.sighting_page_merge(p_relay_id integer, p_first_seen_at bigint, p_last_seen_at bigint, p_keys bytea[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  with touched as materialized (
    select t.*, coalesce(p.sightings + added <= 96, false) as fits,
      coalesce(p.last_key >= low and p.first_key <= high, false) as is_within
    from (
      select page, count(*)::int4 as added, p_keys[min(i)] as low, p_keys[max(i)] as high,
        string_agg(key, '' order by i) as more
      from (
        select key, i, coalesce(p.first_key, (
          select first_key from sighting_page where relay_id = p_relay_id order by first_key limit 1), '') as page
        from unnest(p_keys) with ordinality as fresh (key, i)
          left join lateral (
            select first_key from sighting_page
            where relay_id = p_relay_id and first_key <= key order by first_key desc limit 1) as p on true) as fresh
      group by page) as t
    left join sighting_page p on p.relay_id = p_relay_id and p.first_key = t.page
  ), filled as (
    update sighting_page p set
      first_seen_at = least(p.first_seen_at, p_first_seen_at),
      last_seen_at = greatest(p.last_seen_at, p_last_seen_at),
      sum_0 = p.sum_0 + s.sum_0, sum_1 = p.sum_1 + s.sum_1, sum_2 = p.sum_2 + s.sum_2, sum_3 = p.sum_3 + s.sum_3,
      sum_4 = p.sum_4 + s.sum_4, sum_5 = p.sum_5 + s.sum_5, sum_6 = p.sum_6 + s.sum_6, sum_7 = p.sum_7 + s.sum_7,
      sightings = p.sightings + added,
      first_key = least(p.first_key, low),
      last_key = greatest(p.last_key, high),
      keys = case
        when is_within then sighting_sort(p.keys || more)
        when low > p.last_key then p.keys || more
        else more || p.keys
      end
    from touched t cross join lateral sighting_sums(more) as s
    where p.relay_id = p_relay_id and p.first_key = t.page and fits
  ), split as (
    delete from sighting_page p using touched t
    where p.relay_id = p_relay_id and p.first_key = t.page and is_within and not fits
    returning p.first_seen_at, p.last_seen_at, sighting_sort(p.keys || t.more) as keys
  ), made as (
    -- A page that is split, in parts of one size; else full pages from the newest on.
    select first_seen_at, last_seen_at, part as keys
    from split cross join lateral sighting_parts(split.keys) as part
    union all
    select null, null, part.keys
    from touched t
    cross join lateral (
      select string_agg(key, '' order by i) as keys
      from sighting_keys(more) with ordinality as k (key, i)
      group by (added - i) / 96) as part
    where not fits and not is_within
  )
  insert into sighting_page (first_seen_at, last_seen_at, sum_0, sum_1, sum_2, sum_3, sum_4, sum_5, sum_6, sum_7,
    relay_id, sightings, first_key, last_key, keys)
  select least(first_seen_at, p_first_seen_at), greatest(last_seen_at, p_last_seen_at), s.*,
    p_relay_id, octet_length(keys) / 40, substr(keys, 1, 40), substr(keys, octet_length(keys) - 39), keys
  from made cross join lateral sighting_sums(keys) as s;
end
$function$;
comment on function sighting_page_merge(p_relay_id integer, p_first_seen_at bigint, p_last_seen_at bigint, p_keys bytea[]) is 'Puts keys into the pages they belong to';

CREATE OR REPLACE FUNCTION public.sighting_pages(p_relay_id integer, p_lower bytea, p_upper bytea)
 RETURNS SETOF sighting_page
 LANGUAGE sql
 STABLE PARALLEL SAFE ROWS 10
AS $function$
  select p.* from sighting_page p
  where p.relay_id = p_relay_id and p.first_key < p_upper and p.last_key >= p_lower
    and p.first_key >= coalesce((
      select first_key from sighting_page
      where relay_id = p_relay_id and first_key <= p_lower
      order by first_key desc limit 1), p_lower)
$function$;
comment on function sighting_pages(p_relay_id integer, p_lower bytea, p_upper bytea) is 'Pages of a relay with keys from p_lower on and before p_upper';

CREATE OR REPLACE FUNCTION public.sighting_parts(p_keys bytea)
 RETURNS SETOF bytea
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE ROWS 2
AS $function$
  select string_agg(key, '' order by i)
  from (select octet_length(p_keys) / 40 as total) as t
  cross join lateral sighting_keys(p_keys) with ordinality as k (key, i)
  group by (i - 1) * ((total - 1) / 96 + 1) / total
$function$;
comment on function sighting_parts(p_keys bytea) is 'Ascending keys in parts that fit pages';

CREATE OR REPLACE FUNCTION public.sighting_place(p_relay_id integer, p_seen_at bigint, p_keys bytea[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_full bytea[];
  v_first_seen_at int8;
  v_last_seen_at int8;
begin
  with touched as materialized (
    select page, keys, page_end, page is null or cardinality(keys) + waiting >= sighting_log_bound() as is_full
    from (
      select page, array_agg(key) as keys, coalesce((
          select first_key from sighting_page
          where relay_id = p_relay_id and first_key > page order by first_key limit 1), '\xff') as page_end
      from (
        select key, (
          select first_key from sighting_page
          where relay_id = p_relay_id and first_key <= key order by first_key desc limit 1) as page
        from unnest(p_keys) as key) as fresh
      group by page) as t
    cross join lateral (
      select count(*) as waiting
      from (
        select from sighting_log
        where relay_id = p_relay_id and key >= page and key < page_end limit sighting_log_bound()) as among) as w
  ), logged as (
    insert into sighting_log (seen_at, relay_id, key)
    select p_seen_at, p_relay_id, unnest(keys) from touched where not is_full
  ), taken as (
    delete from sighting_log l using touched t
    where t.is_full and l.relay_id = p_relay_id and l.key >= t.page and l.key < t.page_end
    returning l.key, l.seen_at
  )
  select array_agg(key order by key), min(seen_at), max(seen_at)
  into v_full, v_first_seen_at, v_last_seen_at
  from (
    select unnest(keys) as key, p_seen_at as seen_at from touched where is_full
    union all
    select key, seen_at from taken) as ready;
  if v_full is not null then
    perform sighting_page_merge(p_relay_id, v_first_seen_at, v_last_seen_at, v_full);
  end if;
end
$function$;
comment on function sighting_place(p_relay_id integer, p_seen_at bigint, p_keys bytea[]) is 'Puts keys into their pages, or into sighting_log to wait for them';

CREATE OR REPLACE FUNCTION public.sighting_runs(p_relay_id integer, p_lower bytea, p_upper bytea)
 RETURNS TABLE(first_key bytea, last_seen_at bigint, keys bytea)
 LANGUAGE sql
 STABLE PARALLEL SAFE ROWS 10
AS $function$
  select p.first_key, greatest(p.last_seen_at, waiting.seen_at),
    case when waiting.keys is null then p.keys else sighting_sort(p.keys || waiting.keys) end
  from sighting_page p
  cross join lateral (
    select max(l.seen_at) as seen_at, string_agg(l.key, '') as keys from sighting_log l
    where l.relay_id = p.relay_id and l.key >= p.first_key and l.key < coalesce((
      select n.first_key from sighting_page n
      where n.relay_id = p.relay_id and n.first_key > p.first_key order by n.first_key limit 1), '\xff')) as waiting
  where p.relay_id = p_relay_id and p.first_key < p_upper
    and p.first_key >= coalesce((
      select q.first_key from sighting_page q
      where q.relay_id = p_relay_id and q.first_key <= p_lower
      order by q.first_key desc limit 1), p_lower)
$function$;
comment on function sighting_runs(p_relay_id integer, p_lower bytea, p_upper bytea) is 'Keys of a relay from p_lower on and before p_upper, page by page';

CREATE OR REPLACE FUNCTION public.sighting_sort(p_keys bytea)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select string_agg(key, '' order by key) from sighting_keys(p_keys) as key $function$;
comment on function sighting_sort(p_keys bytea) is 'The same keys, ascending';

CREATE OR REPLACE FUNCTION public.sighting_sums(p_keys bytea)
 RETURNS TABLE(sum_0 bigint, sum_1 bigint, sum_2 bigint, sum_3 bigint, sum_4 bigint, sum_5 bigint, sum_6 bigint, sum_7 bigint)
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE ROWS 1
AS $function$
  select sum(sighting_word(p_keys, i))::int8, sum(sighting_word(p_keys, i + 4))::int8,
    sum(sighting_word(p_keys, i + 8))::int8, sum(sighting_word(p_keys, i + 12))::int8,
    sum(sighting_word(p_keys, i + 16))::int8, sum(sighting_word(p_keys, i + 20))::int8,
    sum(sighting_word(p_keys, i + 24))::int8, sum(sighting_word(p_keys, i + 28))::int8
  from generate_series(8, octet_length(p_keys) - 1, 40) as i
$function$;
comment on function sighting_sums(p_keys bytea) is 'Sums of the ids, word by word, as sighting_page has them';

CREATE OR REPLACE FUNCTION public.sighting_word(p_keys bytea, p_offset integer)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select get_byte(p_keys, p_offset)::int8 + (get_byte(p_keys, p_offset + 1) << 8)
    + (get_byte(p_keys, p_offset + 2) << 16) + (get_byte(p_keys, p_offset + 3)::int8 << 24)
$function$;
comment on function sighting_word(p_keys bytea, p_offset integer) is 'Four bytes as a little-endian integer';

CREATE OR REPLACE FUNCTION public.statistics_authors(p_since integer, p_until integer, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  if p_since <= 0 and p_until >= 36525 then
    return (
      select coalesce(jsonb_agg(jsonb_build_object(
        'pubkey', hex(pubkey), 'npub', npub(pubkey), 'events', events, 'firstAt', first_at, 'lastAt', last_at,
        'kinds', author_kind_count(pubkey)) order by events desc, id), '[]')
      from (select * from author where events > 0 order by events desc, id limit p_limit) as top);
  end if;
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'pubkey', hex(pubkey), 'npub', npub(pubkey), 'events', top.events, 'firstAt', first_at, 'lastAt', last_at,
      'kinds', author_kind_count(pubkey)) order by top.events desc, id), '[]')
    from (
      select author, sum(events) as events from author_day where day between p_since and p_until
      group by author order by events desc, author limit p_limit) as top
    join author on id = author);
end
$function$;
comment on function statistics_authors(p_since integer, p_until integer, p_limit integer) is 'The authors with most events in some days, as JSON';

CREATE OR REPLACE FUNCTION public.statistics_begin_relay(p_relay_id integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  delete from fact_dropped where relay_id = p_relay_id;
  perform statistics_clear_relay(p_relay_id);
  delete from relay_remake where relay_id = p_relay_id;
  if exists (select from relay where id = p_relay_id) then
    insert into relay_remake (relay_id, upto) values (p_relay_id, '');
  end if;
end
$function$;
comment on function statistics_begin_relay(p_relay_id integer) is 'Begins to make a relay again';

CREATE OR REPLACE FUNCTION public.statistics_check_authors(p_pubkeys bytea)
 RETURNS TABLE(cell text, expected bigint, found bigint)
 LANGUAGE sql
 STABLE
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
  with wanted as materialized (
    select distinct substr(p_pubkeys, i * 32 - 31, 32) as pubkey from generate_series(1, octet_length(p_pubkeys) / 32) as i
  ), waiting as materialized (
    select pubkey, sum(sign)::int8 as n
    from fact_waiting_events() where pubkey in (select pubkey from wanted) and not kind_is_throwaway(kind)
    group by pubkey
  ), looked as materialized (
    select w.pubkey, coalesce(a.events, 0) as events, a.first_at, a.last_at,
      coalesce((select sum(d.events) from author_day d where d.author = a.id and d.day in (select distinct day from kind_day)), 0)
        as days,
      (select count(*) from event e where e.pubkey = w.pubkey and not kind_is_throwaway(e.kind)) as archived,
      span.first_at as first_archived, span.last_at as last_archived, q.n as waiting
    from wanted w left join author a using (pubkey) left join waiting q using (pubkey)
    cross join lateral author_span(w.pubkey) as span
  ), compared as (
    select pubkey, 'events, by days' as what, days::int8 as expected, events as found from looked
    union all
    select pubkey, 'events', archived - coalesce(waiting, 0), events from looked
    where not exists (select from fact_dropped where day is not null)
    union all
    select pubkey, what, coalesce(expected, -1), coalesce(found, -1)
    from looked cross join lateral (values
      ('first_at', first_archived, first_at), ('last_at', last_archived, last_at)) as moment (what, expected, found)
    where waiting is null and not exists (select from fact_dropped where day is not null)
  )
  select format('author %s: %s', encode(pubkey, 'hex'), what), expected, found
  from compared where expected <> found
  order by 1
  limit 100
$function$;
comment on function statistics_check_authors(p_pubkeys bytea) is 'Authors that are not what the tables say';

CREATE OR REPLACE FUNCTION public.statistics_check_days(p_days integer[])
 RETURNS TABLE(cell text, expected bigint, found bigint)
 LANGUAGE sql
 STABLE
AS $function$
  with day as materialized (
    select day, day::int8 * 86400 as since, case when day = 36525 then 9223372036854775807 else day::int8 * 86400 + 86399 end as until
    from unnest(p_days) as day
    where not exists (select from fact_dropped d where d.day = day.day)
  ), one as materialized (
    select day, e.created_at, e.kind, e.pubkey, 1 as n
    from day join event e on e.created_at between since and until
    union all
    select day, f.created_at, f.kind, f.pubkey, -f.sign
    from day join fact_waiting_events() f on f.created_at between since and until
  ), counted as (
    select format('kind_day of %s, kind %s', statistics_day_text(day), kind) as cell, sum(n) as n
    from one group by day, kind
    union all
    select format('author_day of %s, author %s', statistics_day_text(day), encode(pubkey, 'hex')), sum(n)
    from one where not kind_is_throwaway(kind) group by day, pubkey
    union all
    select format('kind_hour of hour %s, kind %s', statistics_hour(created_at), kind), sum(n)
    from one where statistics_hour(created_at) >= (select hours_since from statistics_state)
    group by statistics_hour(created_at), kind
    union all
    select format('event_minute of minute %s', statistics_minute(created_at)), sum(n)
    from one where statistics_hour(created_at) >= (select hours_since from statistics_state)
    group by statistics_minute(created_at)
  ), stored as (
    select format('kind_day of %s, kind %s', statistics_day_text(day), kind) as cell, events as n
    from day join kind_day using (day)
    union all
    select format('author_day of %s, author %s', statistics_day_text(day), coalesce(encode(a.pubkey, 'hex'), d.author::text)), d.events
    from day join author_day d using (day) left join author a on a.id = d.author
    union all
    select format('kind_hour of hour %s, kind %s', hour, kind), events
    from day join kind_hour on hour between statistics_hour(since) and statistics_hour(until)
    union all
    select format('event_minute of minute %s', minute), events
    from day join event_minute on minute between statistics_minute(since) and statistics_minute(until)
  )
  select cell, coalesce(c.n, 0)::int8, coalesce(s.n, 0)::int8
  from (select * from counted where n <> 0) as c full join stored s using (cell)
  where c.n is distinct from s.n
  order by cell
  limit 100
$function$;
comment on function statistics_check_days(p_days integer[]) is 'Cells of days that are not what the tables say';

CREATE OR REPLACE FUNCTION public.statistics_check_relay(p_relay_id integer)
 RETURNS TABLE(cell text, expected bigint, found bigint)
 LANGUAGE plpgsql
 STABLE
AS $function$
#variable_conflict use_column
begin
  if exists (select from fact_dropped where relay_id = p_relay_id)
    or exists (select from relay_remake where relay_id = p_relay_id)
  then
    return;
  end if;
  return query
  with waiting as materialized (
    select -f.sign::int4 as n, k.created_at, substr(f.keys, k.i::int4 * 32 - 31, 32) as id
    from fact f cross join lateral unnest(f.created_at) with ordinality as k (created_at, i)
    where f.relay_id = p_relay_id and f.taken_at is null
  ), deleted as materialized (
    select f.id, f.kind, f.pubkey from fact_deleted() f where exists (select from waiting)
  ), one as materialized (
    select s.created_at, e.kind, e.pubkey, 1 as n
    from event_relay s join event e on e.created_at = s.created_at and e.id = s.event_id
    where s.relay_id = p_relay_id
    union all
    select w.created_at, coalesce(e.kind, d.kind), coalesce(e.pubkey, d.pubkey), w.n
    from waiting w
    left join lateral (select kind, pubkey from event where created_at = w.created_at and id = w.id limit 1) as e on true
    left join lateral (select kind, pubkey from deleted where deleted.id = w.id limit 1) as d on true
  ), counted as (
    select format('relay_day of relay %s, %s', p_relay_id, statistics_day_text(statistics_day(created_at))) as cell, sum(n) as n
    from one group by statistics_day(created_at) having sum(n) <> 0
    union all
    select format('relay_kind of relay %s, kind %s', p_relay_id, kind), sum(n) from one group by kind having sum(n) <> 0
    union all
    select format('relay_author of relay %s, author %s', p_relay_id, encode(pubkey, 'hex')), sum(n)
    from one where not kind_is_throwaway(kind) group by pubkey having sum(n) <> 0
    union all
    select format('relay_author of relay %s, author %s: %s', p_relay_id, encode(pubkey, 'hex'), what), value
    from (
      select pubkey, min(created_at) as first_at, max(created_at) as last_at, count(distinct kind) as kinds
      from one where not kind_is_throwaway(kind) group by pubkey) as author
    cross join lateral (values ('first_at', first_at), ('last_at', last_at), ('kinds', kinds)) as span (what, value)
    where not exists (select from waiting)
  ), stored as (
    select format('relay_day of relay %s, %s', p_relay_id, statistics_day_text(day)) as cell, events as n
    from relay_day where relay_id = p_relay_id
    union all
    select format('relay_kind of relay %s, kind %s', p_relay_id, kind), events from relay_kind where relay_id = p_relay_id
    union all
    select format('relay_author of relay %s, author %s', p_relay_id, coalesce(encode(a.pubkey, 'hex'), r.author::text)), r.events
    from relay_author r left join author a on a.id = r.author where r.relay_id = p_relay_id
    union all
    select format('relay_author of relay %s, author %s: %s', p_relay_id, coalesce(encode(a.pubkey, 'hex'), r.author::text), what), value
    from relay_author r left join author a on a.id = r.author
    cross join lateral (values
      ('first_at', r.first_at), ('last_at', r.last_at), ('kinds', octet_length(r.kinds) / 2::int8)) as span (what, value)
    where r.relay_id = p_relay_id and not exists (select from waiting)
  )
  select cell, coalesce(c.n, 0)::int8, coalesce(s.n, 0)::int8
  from counted c full join stored s using (cell)
  where c.n is distinct from s.n and not exists (select from one where kind is null)
  order by cell
  limit 100;
end
$function$;
comment on function statistics_check_relay(p_relay_id integer) is 'Cells of a relay that are not what the tables say';

CREATE OR REPLACE FUNCTION public.statistics_check_sums()
 RETURNS TABLE(cell text, expected bigint, found bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select format('kind_total, kind %s', kind), coalesce(d.events, 0)::int8, coalesce(t.events, 0)
  from (select kind, sum(events) as events from kind_day group by kind) as d full join kind_total t using (kind)
  where d.events is distinct from t.events
  order by kind
  limit 100
$function$;
comment on function statistics_check_sums() is 'Sums over days that are not what the days say';

CREATE OR REPLACE FUNCTION public.statistics_clear_relay(p_relay_id integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  delete from relay_day where relay_id = p_relay_id;
  delete from relay_kind where relay_id = p_relay_id;
  delete from relay_author where relay_id = p_relay_id;
  delete from distinct_sketch where subject in (3, 4, 5) and first = p_relay_id;
  update distinct_sketch s set is_stale = true
  from relay r where r.id = p_relay_id and s.subject in (6, 7) and s.first = network_number(r.network) and s.second = 0;
end
$function$;
comment on function statistics_clear_relay(p_relay_id integer) is 'Deletes the cells of a relay';

CREATE OR REPLACE FUNCTION public.statistics_day(p_created_at bigint)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select least(p_created_at / 86400, 36525)::int4 $function$;
comment on function statistics_day(p_created_at bigint) is 'The day of a created_at in statistics';

CREATE OR REPLACE FUNCTION public.statistics_day_authors(p_day integer, p_kind integer)
 RETURNS TABLE(kind integer, pubkeys text)
 LANGUAGE sql
 STABLE
AS $function$
  select kind, encode(string_agg(pubkey, ''), 'base64')
  from (
    select distinct kind, pubkey from event
    where created_at >= p_day::int8 * 86400
      and created_at < case when p_day = 36525 then 9223372036854775807 else (p_day + 1)::int8 * 86400 end
      and (p_kind is null or kind = p_kind) and not kind_is_throwaway(kind)) as pair
  group by kind
$function$;
comment on function statistics_day_authors(p_day integer, p_kind integer) is 'Who wrote which kinds on a day';

CREATE OR REPLACE FUNCTION public.statistics_day_text(p_day integer)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$ select to_char(to_timestamp(p_day::int8 * 86400) at time zone 'UTC', 'YYYY-MM-DD') $function$;
comment on function statistics_day_text(p_day integer) is 'A day of statistics as people write it';

CREATE OR REPLACE FUNCTION public.statistics_hour(p_created_at bigint)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select least(p_created_at / 3600, 876600)::int4 $function$;
comment on function statistics_hour(p_created_at bigint) is 'The hour of a created_at in statistics';

CREATE OR REPLACE FUNCTION public.statistics_kind_sketches(p_kind integer, p_since integer, p_until integer)
 RETURNS TABLE(registers text)
 LANGUAGE sql
 STABLE ROWS 30
AS $function$
  select case when not is_stale then encode(registers, 'base64') end
  from distinct_sketch
  where p_since <= 0 and p_until >= 36525 and subject = 2 and first = p_kind and second = 0
  union all
  select case when not is_stale then encode(registers, 'base64') end
  from distinct_sketch
  where (p_since > 0 or p_until < 36525) and subject = 1 and first between p_since and p_until and second = p_kind
$function$;
comment on function statistics_kind_sketches(p_kind integer, p_since integer, p_until integer) is 'Sketches of the authors of a kind in some days';

CREATE OR REPLACE FUNCTION public.statistics_kinds(p_since integer, p_until integer, p_limit integer)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(jsonb_build_object(
    'kind', kind, 'category', kind_category(kind), 'events', events, 'isThrowaway', kind_is_throwaway(kind))
    order by events desc, kind), '[]')
  from (
    select kind, sum(events) as events from kind_day where day between p_since and p_until
    group by kind order by events desc, kind limit p_limit) as top
$function$;
comment on function statistics_kinds(p_since integer, p_until integer, p_limit integer) is 'The kinds with most events in some days, as JSON';

CREATE OR REPLACE FUNCTION public.statistics_make_day(p_day integer)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  v_since int8 := p_day::int8 * 86400;
  v_until int8 := case when p_day = 36525 then 9223372036854775807 else v_since + 86399 end;
  v_hours_since int4 := statistics_retain();
  v_lost int4[];
  v_authors int4[];
  v_first_days int4[];
  v_events int8;
begin
  -- Empty at the begin of each transaction: emptying them here as well would take longer than a small day does.
  create temporary table if not exists made_kind (events int8 not null, kind int4 not null) on commit delete rows;
  create temporary table if not exists made_author (
    first_at int8 not null, last_at int8 not null, events int4 not null, author int4 not null) on commit delete rows;

  insert into made_kind
  select count(*), kind from event where created_at between v_since and v_until group by kind;
  select coalesce(sum(events), 0) into v_events from made_kind;
  insert into kind_total as t (events, kind)
  select made - was, kind
  from (
    select kind, coalesce(m.events, 0) as made, coalesce(d.events, 0) as was
    from made_kind m full join (select * from kind_day where day = p_day) as d using (kind)) as change
  where made > was
  on conflict (kind) do update set events = t.events + excluded.events;
  with less as materialized (
    select kind, d.events - coalesce(m.events, 0) as n
    from kind_day d left join made_kind m using (kind)
    where d.day = p_day and d.events > coalesce(m.events, 0)
  ), gone as (
    delete from kind_total t using less where t.kind = less.kind and t.events <= less.n
  )
  update kind_total t set events = t.events - less.n from less where t.kind = less.kind and t.events > less.n;
  delete from kind_day where day = p_day;
  insert into kind_day (events, day, kind) select events, p_day, kind from made_kind;

  delete from kind_hour where hour >= p_day * 24 and (p_day = 36525 or hour < (p_day + 1) * 24);
  delete from event_minute where minute >= p_day * 1440 and (p_day = 36525 or minute < (p_day + 1) * 1440);
  if p_day >= v_hours_since / 24 then
    insert into kind_hour (events, hour, kind)
    select count(*), statistics_hour(created_at), kind
    from event
    where created_at between greatest(v_since, v_hours_since::int8 * 3600) and v_until
    group by 2, 3;
    insert into event_minute (events, minute)
    select count(*), statistics_minute(created_at)
    from event
    where created_at between greatest(v_since, v_hours_since::int8 * 3600) and v_until
    group by 2;
  end if;

  with found as materialized (
    select pubkey, min(created_at) as first_at, max(created_at) as last_at, count(*) as events
    from event
    where created_at between v_since and v_until and not kind_is_throwaway(kind)
    group by pubkey
  ), numbered as (
    select array_agg(pubkey) as pubkeys, author_numbers(string_agg(pubkey, '')) as numbers from found
  )
  insert into made_author
  select first_at, last_at, events, author
  from numbered cross join lateral unnest(pubkeys, numbers) as n (pubkey, author) join found using (pubkey);
  -- Also whose first or last event was deleted without a fact that was counted: they were looked up while it was there.
  v_lost := array(
    select d.author from author_day d left join made_author m using (author)
    where d.day = p_day and d.events > coalesce(m.events, 0)
    union
    select m.author from made_author m join author a on a.id = m.author
    where a.first_at between v_since and m.first_at - 1 or a.last_at between m.last_at + 1 and v_until);
  v_authors := array(select author from made_author union select author from author_day where day = p_day);
  v_first_days := author_first_days(v_authors);
  update author a
  set events = a.events + made - was, first_at = least(a.first_at, change.first_at),
    last_at = greatest(a.last_at, change.last_at)
  from (
    select author, coalesce(m.events, 0) as made, coalesce(d.events, 0) as was, m.first_at, m.last_at
    from made_author m full join (select * from author_day where day = p_day) as d using (author)) as change
  where a.id = change.author;
  perform author_first_move(v_first_days, author_first_days(v_authors));
  delete from author_day where day = p_day;
  insert into author_day (day, author, events) select p_day, author, events from made_author order by author;
  perform author_correct(v_lost);
  return v_events;
end
$function$;
comment on function statistics_make_day(p_day integer) is 'Makes the cells of a day again from the events; returns their number';

CREATE OR REPLACE FUNCTION public.statistics_minute(p_created_at bigint)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select least(p_created_at / 60, 52596000)::int4 $function$;
comment on function statistics_minute(p_created_at bigint) is 'The minute of a created_at in statistics';

CREATE OR REPLACE FUNCTION public.statistics_networks()
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(jsonb_build_object(
    'network', network, 'relays', relay_count, 'events', event_count, 'eventsError', event_count_error,
    'authors', unique_pubkeys, 'authorsError', unique_pubkeys_error, 'kinds', unique_kinds)
    order by relay_count desc, network), '[]')
  from network_stats
$function$;
comment on function statistics_networks() is 'Relays, events and authors of each network, of all days, as JSON';

CREATE OR REPLACE FUNCTION public.statistics_networks(p_relays integer[])
 RETURNS TABLE(relay_id integer, network integer)
 LANGUAGE sql
 STABLE
AS $function$ select id, network_number(network) from relay where id = any (p_relays) $function$;
comment on function statistics_networks(p_relays integer[]) is 'Networks of those of these relays that there are';

CREATE OR REPLACE FUNCTION public.statistics_next()
 RETURNS TABLE(day integer, relay_id integer, upto text)
 LANGUAGE sql
 STABLE
AS $function$
  select d.day, null::int4, null::text from (select max(day) as day from fact_dropped) as d where d.day is not null
  union all
  (select null, m.relay_id, encode(m.upto, 'hex') from relay_remake m
    where not exists (select from fact_dropped d where d.relay_id = m.relay_id)
    order by m.relay_id limit 1)
  union all
  (select null, d.relay_id, null from fact_dropped d where d.relay_id is not null order by d.relay_id limit 1)
  limit 1
$function$;
comment on function statistics_next() is 'The next day or relay to be made again';

CREATE OR REPLACE FUNCTION public.statistics_relay_authors(p_relay_id integer, p_kind integer)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select encode(string_agg(a.pubkey, ''), 'base64')
  from relay_author r join author a on a.id = r.author
  where r.relay_id = p_relay_id and (p_kind is null or exists (
    select from generate_series(1, octet_length(r.kinds), 2) as i
    where substr(r.kinds, i, 2) = substr(int4send(p_kind), 3, 2)))
$function$;
comment on function statistics_relay_authors(p_relay_id integer, p_kind integer) is 'Whose events a relay was seen to hold, of a kind or of any';

CREATE OR REPLACE FUNCTION public.statistics_relay_events(p_relay_id integer, p_throwaway boolean)
 RETURNS SETOF text
 LANGUAGE sql
 STABLE
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
  select encode(string_agg(substr(key, 9), ''), 'base64')
  from sighting_runs(p_relay_id, '', '\xff') as p cross join lateral sighting_keys(p.keys) as key
  where (not p_throwaway or (
    select kind_is_throwaway(kind) from event
    where created_at = sighting_time(key) and id = substr(key, 9) limit 1))
  group by p.first_key
$function$;
comment on function statistics_relay_events(p_relay_id integer, p_throwaway boolean) is 'Ids of the events that a relay was seen to hold';

CREATE OR REPLACE FUNCTION public.statistics_relay_page(p_relay_id integer, p_from bytea, p_limit integer)
 RETURNS TABLE(key text, kind integer, pubkey text)
 LANGUAGE sql
 STABLE
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
  select encode(held.key, 'hex'), e.kind, encode(e.pubkey, 'hex')
  from (
    select key
    from (
      select keys from sighting_runs(p_relay_id, p_from, '\xff')
      order by first_key limit p_limit / 48 + 2
    ) as page
    cross join lateral sighting_keys(page.keys) as key
    where key >= p_from
    order by key limit p_limit
  ) as held
  left join lateral (
    select kind, pubkey from event
    where created_at = sighting_time(held.key) and id = substr(held.key, 9) limit 1) as e on true
  order by held.key
$function$;
comment on function statistics_relay_page(p_relay_id integer, p_from bytea, p_limit integer) is 'Sightings of a relay from a key on, with kind and author';

CREATE OR REPLACE FUNCTION public.statistics_relays(p_since integer, p_until integer, p_limit integer)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(jsonb_build_object(
    'url', r.url, 'network', r.network, 'events', top.events,
    'authors', round(s.estimate)::int8, 'authorsError', distinct_error(s.estimate),
    'isWhole', not exists (select from fact_dropped d where d.relay_id = r.id)
      and not exists (select from relay_remake m where m.relay_id = r.id))
    order by top.events desc, r.id), '[]')
  from (
    select relay_id, sum(events) as events
    from (
      select relay_id, events from relay_day
      where (p_since > 0 or p_until < 36525) and day between p_since and p_until
      union all
      -- Of all days there are fewer cells by kind.
      select relay_id, events from relay_kind where p_since <= 0 and p_until >= 36525) as cell
    group by relay_id order by events desc, relay_id limit p_limit) as top
  join relay r on r.id = top.relay_id
  left join distinct_sketch s on s.subject = 4 and s.first = r.id and s.second = 0 and not s.is_stale
$function$;
comment on function statistics_relays(p_since integer, p_until integer, p_limit integer) is 'The relays that hold most events of some days, with their authors of all days, as JSON';

CREATE OR REPLACE FUNCTION public.statistics_remove_relay(p_relay_id integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_advisory_xact_lock(hashtextextended('bigbrotr facts', 0));
  delete from fact_dropped where relay_id = p_relay_id;
  perform statistics_clear_relay(p_relay_id);
  delete from relay_remake where relay_id = p_relay_id;
end
$function$;
comment on function statistics_remove_relay(p_relay_id integer) is 'Deletes all statistics of a relay';

CREATE OR REPLACE FUNCTION public.statistics_request(p_since bigint, p_until bigint, OUT days integer, OUT relays integer)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
begin
  with recursive found as (
    select least(p_since / 86400, 36525)::int4 as since, least(p_until / 86400, 36525)::int4 as until
  ), day as (
    select (select statistics_day(created_at) from event where created_at >= since::int8 * 86400 order by created_at limit 1) as day
    from found
    union all
    select (
      select statistics_day(created_at) from event
      where created_at >= (day.day + 1)::int8 * 86400 order by created_at limit 1)
    from day where day.day < 36525
  ), wanted as (
    select day from day, found where day between since and until
    union
    select kind_day.day from kind_day, found where kind_day.day between since and until
    union
    select author_day.day from author_day, found where author_day.day between since and until
  ), asked as (
    insert into fact_dropped (dropped_at, day) select unix_now(), day from wanted order by day returning 1
  )
  select count(*) into days from asked;
  relays := 0;
  if p_since <= 0 and p_until = 9223372036854775807 then
    insert into fact_dropped (dropped_at, relay_id) select unix_now(), id from relay order by id;
    get diagnostics relays = row_count;
    perform statistics_reset_sums();
  end if;
end
$function$;
comment on function statistics_request(p_since bigint, p_until bigint, OUT days integer, OUT relays integer) is 'Asks for days to be made again, and for all relays when the days are all';

CREATE OR REPLACE FUNCTION public.statistics_reset_sums()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  lock table relay_remake in exclusive mode;
  delete from kind_total t where not exists (select from kind_day d where d.kind = t.kind);
  insert into kind_total (events, kind)
  select sum(events), kind from kind_day group by kind
  on conflict (kind) do update set events = excluded.events;
  update author a set events = coalesce(d.events, 0), first_at = null, last_at = null
  from author w left join (select author, sum(events) as events from author_day group by author) as d on d.author = w.id
  where a.id = w.id;
  delete from author_first;
  update distinct_sketch set is_stale = true where subject = 2 and not is_stale;
end
$function$;
comment on function statistics_reset_sums() is 'Makes sums of statistics what the days say';

CREATE OR REPLACE FUNCTION public.statistics_retain()
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  v_since int4 := unix_now() / 3600 - 31 * 24;
  v_hours_since int4;
begin
  update statistics_state set hours_since = v_since where hours_since < v_since;
  if found then
    delete from kind_hour where hour < v_since;
    delete from event_minute where minute < v_since * 60;
  end if;
  select hours_since into strict v_hours_since from statistics_state;
  return v_hours_since;
end
$function$;
comment on function statistics_retain() is 'Drops hours and minutes that are older than 31 days; returns the first hour kept';

CREATE OR REPLACE FUNCTION public.statistics_retention(p_since integer, p_until integer)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  with bounds as (
    select greatest((p_since + 2) / 7, last_week - 103) as first_week, last_week
    from (select (least(p_until, unix(now()) / 86400)::int4 - 3) / 7 - 1 as last_week) as ended
  ), active as (
    select author, (day - 4) / 7 as week
    from author_day cross join bounds
    where day between first_week * 7 + 4 and last_week * 7 + 10
    group by 1, 2
  ), person as (
    -- Each author is looked up once: reading all of them takes longer than those of some weeks.
    select min(week) as week, array_agg(week) as weeks, (select first_at from author where id = active.author) as first_at
    from active group by author
  ), returned as materialized (
    select week, active_week - week as later, count(*) as authors
    from person cross join lateral unnest(weeks) as active_week
    where first_at >= (week::int8 * 7 + 4) * 86400 and first_at < (week::int8 * 7 + 11) * 86400
    group by 1, 2
  )
  select coalesce(jsonb_agg(jsonb_build_object('at', (week * 7 + 4)::int8 * 86400, 'active', active) order by week), '[]')
  from (
    select w as week, (
      select jsonb_agg(coalesce(r.authors, 0) order by k)
      from generate_series(0, last_week - w) as k left join returned r on r.week = w and r.later = k) as active
    from bounds cross join lateral generate_series(first_week, last_week) as w) as cohort
$function$;
comment on function statistics_retention(p_since integer, p_until integer) is 'Authors by the week of their first event, and how many of them were active how many weeks later, as JSON';

CREATE OR REPLACE FUNCTION public.statistics_sample_days(p_count integer)
 RETURNS SETOF integer
 LANGUAGE sql
AS $function$
  with bounds as (
    select (select created_at from event order by created_at limit 1) as first_at,
      (select created_at from event order by created_at desc limit 1) as last_at
  )
  (select day from (select distinct day from kind_day) as said order by random() limit p_count)
  union
  select statistics_day(created_at)
  from bounds
  cross join lateral (
    select first_at + (random() * (last_at - first_at))::int8 + 0 * i as at from generate_series(1, p_count / 2) as i) as drawn
  cross join lateral (
    select created_at from event where created_at >= drawn.at order by created_at limit 1) as near
$function$;
comment on function statistics_sample_days(p_count integer) is 'Some days, drawn at random';

CREATE OR REPLACE FUNCTION public.statistics_sample_relays(p_count integer)
 RETURNS SETOF integer
 LANGUAGE sql
AS $function$ select id from relay order by random() limit p_count $function$;
comment on function statistics_sample_relays(p_count integer) is 'Some relays, drawn at random';

CREATE OR REPLACE FUNCTION public.statistics_sample_sketches(p_count integer)
 RETURNS TABLE(subject integer, first integer, second integer)
 LANGUAGE sql
AS $function$
  with day as materialized (
    select distinct statistics_day(created_at) as day from fact_waiting_events()
    union
    select day from fact_dropped where day is not null
  ), relay_id as materialized (
    select relay_id as id from fact where relay_id is not null and taken_at is null
    union
    select relay_id from fact_dropped where relay_id is not null
    union
    select relay_id from relay_remake
  )
  select subject::int4, first, second from distinct_sketch
  where not is_stale and case
    when subject = 1 then first not in (select day from day)
    when subject in (3, 4, 5) then first not in (select id from relay_id)
    else not exists (select from distinct_sketch where is_stale) end
  order by random()
  limit p_count
$function$;
comment on function statistics_sample_sketches(p_count integer) is 'Some sketches, drawn at random';

CREATE OR REPLACE FUNCTION public.statistics_sketch_parts(p_subject smallint, p_first integer)
 RETURNS TABLE(registers text)
 LANGUAGE sql
 STABLE
AS $function$
  select encode(s.registers, 'base64') from distinct_sketch s
  where p_subject = 2 and s.subject = 1 and s.second = p_first
  union all
  select encode(s.registers, 'base64')
  from relay r join distinct_sketch s on s.first = r.id and s.subject = p_subject - 2 and s.second = 0
  where p_subject in (6, 7) and network_number(r.network) = p_first
$function$;
comment on function statistics_sketch_parts(p_subject smallint, p_first integer) is 'The sketches that another is made of';

CREATE OR REPLACE FUNCTION public.statistics_status()
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'foldedAt', s.folded_at, 'facts', s.facts, 'events', s.events, 'sightings', s.sightings, 'busyMs', s.busy_ms,
    'waiting', w.value -> 'rows', 'oldestSeconds', w.value -> 'oldestSeconds', 'daysToMake', w.value -> 'droppedDays',
    'relaysToMake', (
      select count(*) from (
        select relay_id from fact_dropped where relay_id is not null union select relay_id from relay_remake) as relay),
    'staleSketches', (select count(*) from distinct_sketch where is_stale))
  from statistics_state s cross join fact_status() as w (value)
$function$;
comment on function statistics_status() is 'How far statistics are, as JSON';

CREATE OR REPLACE FUNCTION public.statistics_sweep_authors()
 RETURNS void
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
begin
  if exists (select from fact_dropped where day is not null) then
    return;
  end if;
  perform author_correct(array(
    select a.id from author a
    where a.first_at is not null and (
      not exists (select from author_day d where d.day = statistics_day(a.first_at) and d.author = a.id)
      or not exists (select from author_day d where d.day = statistics_day(a.last_at) and d.author = a.id))));
end
$function$;
comment on function statistics_sweep_authors() is 'Looks up first and last event again of authors that have none where it says';

CREATE OR REPLACE FUNCTION public.statistics_today()
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'at', unix(now()),
    'lastHour', event_count_last(3600),
    'lastDay', event_count_last(86400),
    'lastWeek', event_count_last(7 * 86400),
    'lastMonth', event_count_last(30 * 86400),
    'events', coalesce((select sum(events) from kind_total), 0),
    'kinds', (select count(*) from kind_total),
    'authors', coalesce((select sum(authors) from author_first), 0)
      + coalesce((select sum(events) from kind_total where kind_is_throwaway(kind)), 0))
$function$;
comment on function statistics_today() is 'Events of the last hour, day, week and month, and of all times, as JSON';

CREATE OR REPLACE FUNCTION public.statistics_totals(p_since integer, p_until integer)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET max_parallel_workers_per_gather TO '0'
AS $function$
  select jsonb_build_object(
    'events', k.events,
    'kinds', k.kinds,
    'authors', k.throwaway + case
      when p_since <= 0 and p_until >= 36525 then (select coalesce(sum(authors), 0) from author_first)
      else (select count(*) from (select from author_day where day between p_since and p_until group by author) as active)
    end,
    'newAuthors', k.throwaway + (
      select coalesce(sum(authors), 0) from author_first where day between p_since and p_until))
  from (
    select coalesce(sum(events), 0) as events, count(distinct kind) as kinds,
      coalesce(sum(events) filter (where kind_is_throwaway(kind)), 0) as throwaway
    from kind_day where day between p_since and p_until) as k
$function$;
comment on function statistics_totals(p_since integer, p_until integer) is 'Events, kinds, authors and new authors of some days, as JSON';

CREATE OR REPLACE FUNCTION public.statistics_trend(p_since integer, p_until integer, p_step integer)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(jsonb_build_object(
    'at', (p_since + step * p_step)::int8 * 86400, 'events', k.events,
    'authors', k.throwaway + coalesce(a.authors, 0),
    'newAuthors', k.throwaway + coalesce(f.authors, 0)) order by step), '[]')
  from (
    select (day - p_since) / p_step as step, sum(events) as events,
      coalesce(sum(events) filter (where kind_is_throwaway(kind)), 0) as throwaway
    from kind_day where day between p_since and p_until group by 1) as k
  left join (
    select step, count(*) as authors
    from (
      select (day - p_since) / p_step as step from author_day
      where day between p_since and p_until group by 1, author) as active
    group by step) as a using (step)
  left join (
    select (day - p_since) / p_step as step, sum(authors) as authors
    from author_first where day between p_since and p_until group by 1) as f using (step)
$function$;
comment on function statistics_trend(p_since integer, p_until integer, p_step integer) is 'Events, authors and new authors of some days, step by step, as JSON';

CREATE OR REPLACE FUNCTION public.statistics_unmade()
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'days', (
      select coalesce(jsonb_agg(day), '[]') from (select distinct day from fact_dropped where day is not null) as day),
    'relays', (
      select coalesce(jsonb_agg(jsonb_build_object('id', relay_id, 'upto', encode(upto, 'hex'))), '[]')
      from (
        select distinct relay_id, ''::bytea as upto from fact_dropped where relay_id is not null
        union all
        select relay_id, upto from relay_remake m
        where not exists (select from fact_dropped d where d.relay_id = m.relay_id)) as relay))
$function$;
comment on function statistics_unmade() is 'Days and relays that are to be made again, as JSON {days, relays: [{id, upto}]}';

CREATE OR REPLACE FUNCTION public.sync_audit_add(p_relay_id integer, p_filter_hash bytea, p_counts jsonb)
 RETURNS void
 LANGUAGE sql
AS $function$
  insert into sync_audit as a (relay_id, filter_hash, asked, confirmed, contradicted, retractions, retracted_seconds,
    last_asked_at, last_contradicted_at)
  select p_relay_id, p_filter_hash, asked, confirmed, contradicted, retractions, retracted_seconds,
    case when asked > 0 then unix_now() end, case when contradicted > 0 then unix_now() end
  from (
    select coalesce(asked, 0) as asked, coalesce(confirmed, 0) as confirmed,
      coalesce(contradicted, 0) as contradicted, coalesce(retractions, 0) as retractions,
      coalesce("retractedSeconds", 0) as retracted_seconds
    from jsonb_to_record(p_counts) as new (
      asked int8, confirmed int8, contradicted int8, retractions int8, "retractedSeconds" int8)
  ) as counts
  where asked + confirmed + contradicted + retractions > 0
  on conflict (relay_id, filter_hash) do update
  set asked = a.asked + excluded.asked, confirmed = a.confirmed + excluded.confirmed,
    contradicted = a.contradicted + excluded.contradicted, retractions = a.retractions + excluded.retractions,
    retracted_seconds = a.retracted_seconds + excluded.retracted_seconds,
    last_asked_at = coalesce(excluded.last_asked_at, a.last_asked_at),
    last_contradicted_at = coalesce(excluded.last_contradicted_at, a.last_contradicted_at)
$function$;
comment on function sync_audit_add(p_relay_id integer, p_filter_hash bytea, p_counts jsonb) is 'Adds to the audit counters of a walk';

CREATE OR REPLACE FUNCTION public.sync_audit_record(p_relay_id integer, p_filter_hash text, p_asked integer, p_confirmed integer, p_contradictions jsonb, p_retractions jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  v_cause record;
  v_retraction jsonb;
  v_seconds int8;
  v_contradicted int4 := 0;
  v_retracted_seconds int8 := 0;
  v_retractions jsonb := '{}';
begin
  perform sync_lock(p_relay_id);
  perform sync_audit_add(p_relay_id, decode(p_filter_hash, 'hex'), jsonb_build_object(
    'asked', p_asked, 'confirmed', p_confirmed));
  for v_cause in
    select cause, sync_contradiction_insert(p_relay_id, cause) as id
    from (
      select cause from (
        select value as cause from jsonb_array_elements(p_contradictions)
        union all
        select value -> 'cause' from jsonb_array_elements(p_retractions)
      ) as found group by 1 order by (min(cause ->> 'since'))::int8, 1
    ) as cause
  loop
    v_contradicted := v_contradicted + 1;
    for v_retraction in
      select value from jsonb_array_elements(p_retractions) where value -> 'cause' = v_cause.cause
    loop
      v_seconds := sync_retraction_apply(p_relay_id, v_cause.id, v_retraction);
      if v_seconds > 0 then
        v_retracted_seconds := v_retracted_seconds + v_seconds;
        v_retractions := v_retractions || jsonb_build_object(
          v_cause.cause ->> 'kind', coalesce((v_retractions ->> (v_cause.cause ->> 'kind'))::int4, 0) + 1);
      end if;
    end loop;
  end loop;
  delete from sync_contradiction
  where relay_id = p_relay_id and id <= (
    select id from sync_contradiction where relay_id = p_relay_id order by id desc limit 1 offset 100);
  return jsonb_build_object(
    'contradicted', v_contradicted, 'retractedSeconds', v_retracted_seconds, 'retractions', v_retractions);
end
$function$;
comment on function sync_audit_record(p_relay_id integer, p_filter_hash text, p_asked integer, p_confirmed integer, p_contradictions jsonb, p_retractions jsonb) is 'Counts what an audit asked and found, and takes back what it contradicts';

CREATE OR REPLACE FUNCTION public.sync_audit_status()
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'asked', coalesce(sum(asked), 0), 'confirmed', coalesce(sum(confirmed), 0),
    'contradicted', coalesce(sum(contradicted), 0), 'retractions', coalesce(sum(retractions), 0),
    'retractedSeconds', coalesce(sum(retracted_seconds), 0),
    'caughtRelays', count(distinct relay_id) filter (where contradicted > 0),
    'underAudit', (
      select jsonb_build_object('windows', count(*), 'relays', count(distinct relay_id),
        'seconds', coalesce(sum(until - since + 1), 0))
      from sync_gap where reason in ('contradicted', 'unconfirmed')),
    'kinds', (
      select coalesce(jsonb_object_agg(kind, times), '{}')
      from (select kind, count(*) as times from sync_contradiction group by kind) as by_kind),
    'last', (
      select jsonb_build_object('url', url, 'at', found_at, 'kind', kind, 'question', question)
      from sync_contradiction c join relay r on r.id = c.relay_id
      order by c.id desc limit 1))
  from sync_audit
$function$;
comment on function sync_audit_status() is 'Totals of all audits, as JSON';

CREATE OR REPLACE FUNCTION public.sync_batch_store(p_relay_id integer, p_seen_at bigint, p_keys bytea, p_created_at bigint[], p_kinds integer[], p_tags jsonb, p_contents jsonb, p_raw jsonb, p_known_created_at bigint[], p_known_ids bytea, p_rejected jsonb, p_coverage jsonb, p_gaps jsonb, p_hints jsonb, p_budgets jsonb, OUT stored integer, OUT known integer)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
declare
  v_created_at int8[] := p_created_at || p_known_created_at;
  v_ids bytea := event_ids(p_keys) || p_known_ids;
  v_sighted int4;
begin
  p_seen_at := coalesce(p_seen_at, unix_now());
  -- Also for new events: one of them may be there by now, without a sighting.
  perform archive_reference();
  stored := 0;
  if cardinality(p_known_created_at) > 0 then
    perform event_require(p_known_created_at, p_known_ids);
  end if;
  if cardinality(p_created_at) > 0 then
    stored := event_insert(p_keys, p_created_at, p_kinds, p_tags, p_contents, p_raw, p_seen_at);
  end if;
  known := cardinality(v_created_at) - stored;
  v_sighted := event_relay_insert(p_relay_id, p_seen_at, v_created_at, v_ids);
  if p_rejected is not null then
    perform rejected_event_insert(p_relay_id, p_rejected);
  end if;
  if p_coverage is not null or p_gaps is not null then
    perform sync_lock(p_relay_id);
  end if;
  if v_sighted > 0 and exists (select from sync_withheld where relay_id = p_relay_id) then
    perform relay_listing_give(p_relay_id, v_created_at, v_ids);
  end if;
  if p_coverage is not null then
    perform sync_coverage_advance(p_relay_id, p_coverage);
  end if;
  if p_gaps is not null then
    perform sync_gap_insert(p_relay_id, p_gaps);
  end if;
  -- Last: candidates are what other writers may be waiting for.
  if p_hints is not null then
    perform candidate_insert(p_hints, p_budgets);
  end if;
end
$function$;
comment on function sync_batch_store(p_relay_id integer, p_seen_at bigint, p_keys bytea, p_created_at bigint[], p_kinds integer[], p_tags jsonb, p_contents jsonb, p_raw jsonb, p_known_created_at bigint[], p_known_ids bytea, p_rejected jsonb, p_coverage jsonb, p_gaps jsonb, p_hints jsonb, p_budgets jsonb, OUT stored integer, OUT known integer) is 'Stores events, sightings, rejections, coverage, gaps and hints of one relay; returns counts';

CREATE OR REPLACE FUNCTION public.sync_contradiction_get(p_relay_id integer, p_limit integer)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(jsonb_build_object('at', found_at, 'filter', filter, 'kind', kind, 'question', question,
    'since', since, 'until', until, 'eventIds', (
      select coalesce(jsonb_agg(encode(id, 'hex')), '[]') from unnest(event_ids) as id),
    'retractedSeconds', sync_seconds_count(retracted)) order by id desc), '[]')
  from (
    select s.*, c.filter
    from sync_contradiction s left join sync_coverage c using (relay_id, filter_hash)
    where s.relay_id = p_relay_id order by s.id desc limit p_limit
  ) as latest
$function$;
comment on function sync_contradiction_get(p_relay_id integer, p_limit integer) is 'The last contradictions of a relay as a JSON array';

CREATE OR REPLACE FUNCTION public.sync_contradiction_insert(p_relay_id integer, p_contradiction jsonb)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  v_filter_hash bytea := decode(p_contradiction ->> 'filterHash', 'hex');
  v_id int8;
begin
  insert into sync_contradiction (found_at, since, until, relay_id, filter_hash, kind, question, event_ids, retracted)
  select unix_now(), since, until, p_relay_id, v_filter_hash, kind, question,
    array(select decode(id, 'hex') from jsonb_array_elements_text("eventIds") as id limit 10), '{}'
  from jsonb_to_record(p_contradiction) as new (since int8, until int8, kind text, question text, "eventIds" jsonb)
  returning id into v_id;
  perform sync_audit_add(p_relay_id, v_filter_hash, '{"contradicted": 1}');
  return v_id;
end
$function$;
comment on function sync_contradiction_insert(p_relay_id integer, p_contradiction jsonb) is 'Notes a contradiction; returns its id';

CREATE OR REPLACE FUNCTION public.sync_counted_range(p_wanted int8range, p_now bigint)
 RETURNS int8range
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select int8range(since, greatest(since, least(upper(p_wanted), p_now)))
  from (
    select case when upper(p_wanted) <= 1604188800 then lower(p_wanted)
      else greatest(lower(p_wanted), 1604188800) end as since) as counted
$function$;
comment on function sync_counted_range(p_wanted int8range, p_now bigint) is 'The part of what is wanted of which shares are given';

CREATE OR REPLACE FUNCTION public.sync_coverage_advance(p_relay_id integer, p_coverage jsonb)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_walk record;
  v_withheld int8multirange;
  v_ranges int8multirange;
begin
  for v_walk in
    select decode("filterHash", 'hex') as filter_hash, method, strength, (array_agg(filter))[1] as filter,
      range_agg(int8range(since, until, '[]')) as ranges
    from jsonb_to_recordset(p_coverage) as new (
      "filterHash" text, filter jsonb, since int8, until int8, method text, strength text)
    group by 1, 2, 3
    order by 1, array_position(array['weak', 'paged', 'counted', 'reconciled'], strength),
      array_position(array['live', 'empty-page', 'split', 'paging', 'count', 'finish', 'negentropy'], method)
  loop
    -- Each such gap as a whole, so that it does not fall into pieces.
    select coalesce(range_agg(piece), '{}') into v_withheld
    from sync_withheld, unnest(withheld) as piece
    where relay_id = p_relay_id and filter_hash = v_walk.filter_hash and piece && v_walk.ranges;
    v_ranges := v_walk.ranges - v_withheld;
    -- Wanted only by who says so: a sync of once, by hand, is not to be kept up.
    insert into sync_coverage as c (relay_id, filter_hash, filter, covered, wanted, updated_at)
    values (p_relay_id, v_walk.filter_hash, v_walk.filter, v_ranges, null, unix_now())
    on conflict (relay_id, filter_hash) do update
    set covered = c.covered + excluded.covered, updated_at = excluded.updated_at;

    if not isempty(v_ranges) then
      perform sync_proof_subtract(p_relay_id, v_walk.filter_hash, v_ranges);
      insert into sync_proof as p (relay_id, filter_hash, method, strength, covered)
      values (p_relay_id, v_walk.filter_hash, v_walk.method, v_walk.strength, v_ranges)
      on conflict (relay_id, filter_hash, method, strength) do update
      set covered = p.covered + excluded.covered;
      perform sync_gap_subtract(p_relay_id, v_walk.filter_hash, v_ranges);
    end if;
    if not isempty(v_withheld) then
      perform sync_gap_add(p_relay_id, v_walk.filter_hash, v_withheld, 'withheld');
    end if;
  end loop;
end
$function$;
comment on function sync_coverage_advance(p_relay_id integer, p_coverage jsonb) is 'Adds what is proven complete; call it in the transaction that stores the events';

CREATE OR REPLACE FUNCTION public.sync_coverage_get(p_relay_id integer, p_filter_hash text)
 RETURNS TABLE(since bigint, until bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select lower(piece), upper(piece) - 1
  from sync_coverage, unnest(covered) as piece
  where relay_id = p_relay_id and filter_hash = decode(p_filter_hash, 'hex')
  order by 1
$function$;
comment on function sync_coverage_get(p_relay_id integer, p_filter_hash text) is 'Windows proven complete, ascending';

CREATE OR REPLACE FUNCTION public.sync_coverage_retract(p_relay_id integer, p_filter_hash text, p_windows jsonb)
 RETURNS void
 LANGUAGE sql
AS $function$
  select sync_coverage_subtract(p_relay_id, decode(p_filter_hash, 'hex'), range_agg(int8range(since, until, '[]')))
  from jsonb_to_recordset(p_windows) as new (since int8, until int8)
$function$;
comment on function sync_coverage_retract(p_relay_id integer, p_filter_hash text, p_windows jsonb) is 'Takes coverage back: these windows are wanted again';

CREATE OR REPLACE FUNCTION public.sync_coverage_retract_all(p_relay_id integer, p_methods text[], p_reason text)
 RETURNS TABLE(filter_hash bytea, retracted int8multirange)
 LANGUAGE plpgsql
AS $function$
declare
  v_walk record;
begin
  for v_walk in
    select p.filter_hash, range_agg(piece) as ranges
    from sync_proof p, unnest(p.covered) as piece
    where p.relay_id = p_relay_id and p.method = any (p_methods)
    group by 1 order by 1
  loop
    perform sync_gap_add(p_relay_id, v_walk.filter_hash, v_walk.ranges, p_reason);
    filter_hash := v_walk.filter_hash;
    retracted := v_walk.ranges;
    return next;
  end loop;
end
$function$;
comment on function sync_coverage_retract_all(p_relay_id integer, p_methods text[], p_reason text) is 'Takes back everything that rests on some methods; returns what that was';

CREATE OR REPLACE FUNCTION public.sync_coverage_subtract(p_relay_id integer, p_filter_hash bytea, p_ranges int8multirange)
 RETURNS int8multirange
 LANGUAGE plpgsql
AS $function$
declare
  v_taken int8multirange := '{}';
begin
  select covered * p_ranges into v_taken
  from sync_coverage
  where relay_id = p_relay_id and filter_hash = p_filter_hash and covered && p_ranges
  for update;
  if not found then
    return '{}';
  end if;
  update sync_coverage set covered = covered - v_taken, updated_at = unix_now()
  where relay_id = p_relay_id and filter_hash = p_filter_hash;
  perform sync_proof_subtract(p_relay_id, p_filter_hash, v_taken);
  return v_taken;
end
$function$;
comment on function sync_coverage_subtract(p_relay_id integer, p_filter_hash bytea, p_ranges int8multirange) is 'Takes coverage back with its proofs; returns what was covered';

CREATE OR REPLACE FUNCTION public.sync_gap_add(p_relay_id integer, p_filter_hash bytea, p_ranges int8multirange, p_reason text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_now int8 := unix_now();
  v_piece int8range;
  v_found_at int8;
  v_attempts int4;
begin
  if p_reason in ('count-mismatch', 'contradicted', 'withheld') then
    perform sync_coverage_subtract(p_relay_id, p_filter_hash, p_ranges);
  end if;
  for v_piece in
    select unnest(p_ranges - coalesce((
      select covered from sync_coverage where relay_id = p_relay_id and filter_hash = p_filter_hash), '{}'))
  loop
    select min(found_at), max(attempts) into v_found_at, v_attempts
    from sync_gap
    where relay_id = p_relay_id and filter_hash = p_filter_hash and int8range(since, until, '[]') && v_piece;

    perform sync_gap_subtract(p_relay_id, p_filter_hash, int8multirange(v_piece));
    insert into sync_gap (relay_id, filter_hash, since, until, reason, found_at, reported_at, attempts)
    values (p_relay_id, p_filter_hash, lower(v_piece), upper(v_piece) - 1, p_reason,
      coalesce(v_found_at, v_now), v_now, coalesce(v_attempts, 0) + 1);
  end loop;
end
$function$;
comment on function sync_gap_add(p_relay_id integer, p_filter_hash bytea, p_ranges int8multirange, p_reason text) is 'Records ranges of a walk that could not be proven complete';

CREATE OR REPLACE FUNCTION public.sync_gap_get(p_relay_id integer, p_filter_hash text)
 RETURNS TABLE(since bigint, until bigint, reason text, found_at bigint, reported_at bigint, attempts integer)
 LANGUAGE sql
 STABLE
AS $function$
  select since, until, reason, found_at, reported_at, attempts from sync_gap
  where relay_id = p_relay_id and filter_hash = decode(p_filter_hash, 'hex')
  order by since
$function$;
comment on function sync_gap_get(p_relay_id integer, p_filter_hash text) is 'Windows that could not be proven complete, ascending';

CREATE OR REPLACE FUNCTION public.sync_gap_insert(p_relay_id integer, p_gaps jsonb)
 RETURNS void
 LANGUAGE sql
AS $function$
  select sync_gap_add(p_relay_id, decode("filterHash", 'hex'), int8multirange(int8range(since, until, '[]')), reason)
  from jsonb_to_recordset(p_gaps) as new ("filterHash" text, since int8, until int8, reason text)
$function$;
comment on function sync_gap_insert(p_relay_id integer, p_gaps jsonb) is 'Records what could not be proven complete';

CREATE OR REPLACE FUNCTION public.sync_gap_subtract(p_relay_id integer, p_filter_hash bytea, p_ranges int8multirange, p_reason text DEFAULT NULL::text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  with hit as (
    delete from sync_gap
    where relay_id = p_relay_id and filter_hash = p_filter_hash
      and int8range(since, until, '[]') && p_ranges and (p_reason is null or reason = p_reason)
    returning *
  )
  insert into sync_gap (relay_id, filter_hash, since, until, reason, found_at, reported_at, attempts)
  select p_relay_id, p_filter_hash, lower(rest), upper(rest) - 1, reason, found_at, reported_at, attempts
  from hit, unnest(int8multirange(int8range(since, until, '[]')) - p_ranges) as rest;
end
$function$;
comment on function sync_gap_subtract(p_relay_id integer, p_filter_hash bytea, p_ranges int8multirange, p_reason text) is 'Removes ranges from the gaps of a walk';

CREATE OR REPLACE FUNCTION public.sync_live_get(p_relay_id integer, p_filter_hashes jsonb)
 RETURNS TABLE(filter_hash text, since bigint, until bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select encode(p.filter_hash, 'hex'), lower(piece), upper(piece) - 1
  from sync_proof p, unnest(p.covered) as piece
  where p.relay_id = p_relay_id and p.method = 'live' and p.filter_hash in (
    select decode(hash, 'hex') from jsonb_array_elements_text(p_filter_hashes) as hash)
  order by 1, 2
$function$;
comment on function sync_live_get(p_relay_id integer, p_filter_hashes jsonb) is 'Windows of walks that only an open subscription has proven, ascending';

CREATE OR REPLACE FUNCTION public.sync_lock(p_relay_id integer)
 RETURNS void
 LANGUAGE sql
AS $function$ select pg_advisory_xact_lock(hashtextextended('bigbrotr sync', p_relay_id)) $function$;
comment on function sync_lock(p_relay_id integer) is 'Keeps others from writing coverage of a relay until the end of the transaction';

CREATE OR REPLACE FUNCTION public.sync_proof_get(p_relay_id integer, p_filter_hash text)
 RETURNS TABLE(method text, strength text, since bigint, until bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select method, strength, lower(piece), upper(piece) - 1
  from sync_proof, unnest(covered) as piece
  where relay_id = p_relay_id and filter_hash = decode(p_filter_hash, 'hex')
  order by 3
$function$;
comment on function sync_proof_get(p_relay_id integer, p_filter_hash text) is 'Windows proven complete, what proved them and how strongly, ascending';

CREATE OR REPLACE FUNCTION public.sync_proof_share(p_relay_id integer, p_walks jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select sync_strength_shares(jsonb_object_agg(strength, seconds))
  from (
    select strength, sum(sync_seconds_count(
      covered * int8multirange(sync_counted_range(int8range(since, until, '[]'), unix_now())))) as seconds
    from jsonb_to_recordset(p_walks) as walk ("filterHash" text, since int8, until int8)
      join sync_proof p on p.relay_id = p_relay_id and p.filter_hash = decode("filterHash", 'hex')
    group by 1
  ) as by_strength
$function$;
comment on function sync_proof_share(p_relay_id integer, p_walks jsonb) is 'How strongly walks of a relay are proven, as shares of what is proven';

CREATE OR REPLACE FUNCTION public.sync_proof_subtract(p_relay_id integer, p_filter_hash bytea, p_ranges int8multirange)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  update sync_proof set covered = covered - p_ranges
  where relay_id = p_relay_id and filter_hash = p_filter_hash and covered && p_ranges;
  delete from sync_proof where relay_id = p_relay_id and filter_hash = p_filter_hash and isempty(covered);
end
$function$;
comment on function sync_proof_subtract(p_relay_id integer, p_filter_hash bytea, p_ranges int8multirange) is 'Removes ranges from the proofs of a walk';

CREATE OR REPLACE FUNCTION public.sync_ranges_coalesce(p_ranges int8multirange)
 RETURNS int8multirange
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
  with piece as (
    select lower(range) as since, upper(range) as until, lower(range) - lag(upper(range)) over (order by range) as silence
    from unnest(p_ranges) as range
  ), parted as (
    select since, until, row_number() over (order by silence desc nulls first, since) <= 200 as begins from piece
  ), numbered as (
    select since, until, count(*) filter (where begins) over (order by since) as number from parted
  )
  select coalesce(range_agg(merged), '{}')
  from (select int8range(min(since), max(until)) as merged from numbered group by number) as part
$function$;
comment on function sync_ranges_coalesce(p_ranges int8multirange) is 'Merges the nearest ranges until there are 200 at most';

CREATE OR REPLACE FUNCTION public.sync_retraction_apply(p_relay_id integer, p_contradiction_id bigint, p_retraction jsonb)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  v_walk record;
  v_filter_hash bytea := decode(p_retraction ->> 'filterHash', 'hex');
  v_covered int8multirange;
  v_seconds int8 := 0;
begin
  if v_filter_hash is not null then
    select covered * int8multirange(int8range(
      (p_retraction ->> 'since')::int8, (p_retraction ->> 'until')::int8, '[]')) into v_covered
    from sync_coverage where relay_id = p_relay_id and filter_hash = v_filter_hash;
    perform sync_gap_add(p_relay_id, v_filter_hash, coalesce(v_covered, '{}'), 'contradicted');
  end if;
  for v_walk in
    select v_filter_hash as filter_hash, v_covered as retracted
    where v_filter_hash is not null and not isempty(v_covered)
    union all
    select filter_hash, retracted from sync_coverage_retract_all(p_relay_id,
      case when v_filter_hash is null then array(select jsonb_array_elements_text(p_retraction -> 'methods')) else '{}' end,
      'contradicted')
  loop
    v_seconds := v_seconds + sync_seconds_count(v_walk.retracted);
    update sync_contradiction set retracted = retracted + v_walk.retracted where id = p_contradiction_id;
    perform sync_audit_add(p_relay_id, v_walk.filter_hash, jsonb_build_object(
      'retractions', 1, 'retractedSeconds', sync_seconds_count(v_walk.retracted)));
  end loop;
  return v_seconds;
end
$function$;
comment on function sync_retraction_apply(p_relay_id integer, p_contradiction_id bigint, p_retraction jsonb) is 'Takes back what a contradiction concerns; returns how many seconds';

CREATE OR REPLACE FUNCTION public.sync_seconds_count(p_ranges int8multirange)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$ select coalesce(sum(upper(piece) - lower(piece)), 0)::int8 from unnest(p_ranges) as piece $function$;
comment on function sync_seconds_count(p_ranges int8multirange) is 'How many seconds these ranges have';

CREATE OR REPLACE FUNCTION public.sync_status()
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
declare
  v_now int8 := unix_now();
begin
  return (
    with walk as (
      select relay_id, filter_hash, covered,
        lower(wanted) as since,
        least(upper(wanted), v_now) as until,
        upper(covered) as edge,
        int8multirange(sync_counted_range(wanted, v_now)) as counted
      from sync_coverage where wanted is not null
    ), measured as (
      select relay_id, edge,
        sync_seconds_count(counted) as wanted_seconds,
        sync_seconds_count(covered * counted) as covered_seconds,
        case when edge is not null then greatest(until - edge, 0) end as lag,
        coalesce(int8multirange(int8range(since, greatest(since, least(edge, until)))) <@ covered, false) as complete
      from walk
    ), relay_walks as (
      select relay_id, bool_and(complete and edge is not null) as complete, bool_or(edge is not null) as begun
      from measured group by relay_id
    ), by_strength as (
      select strength, sum(sync_seconds_count(p.covered * counted)) as seconds
      from walk join sync_proof p using (relay_id, filter_hash)
      group by strength
    )
    select jsonb_build_object(
      'walks', (select count(*) from measured),
      'relays', (select count(*) from relay_walks where begun),
      'completeRelays', (select count(*) from relay_walks where complete),
      'wantedRelays', (select count(*) from relay_walks),
      'coveredShare', (select round(sum(covered_seconds) / nullif(sum(wanted_seconds), 0), 6) from measured),
      'strengths', sync_strength_shares((select jsonb_object_agg(strength, seconds) from by_strength)),
      'medianLagSeconds', (select percentile_disc(0.5) within group (order by lag) from measured),
      'worstLagSeconds', (select max(lag) from measured),
      'gaps', (select count(*) from sync_gap),
      'gapReasons', (
        select coalesce(jsonb_object_agg(reason, gaps), '{}')
        from (select reason, count(*) as gaps from sync_gap group by reason) as by_reason),
      'audit', sync_audit_status(),
      'rejectedReasons', (
        select coalesce(jsonb_object_agg(reason, events), '{}')
        from (select reason, sum(events) as events from relay_rejection group by reason) as by_reason),
      'running', (
        select count(*) from relay_lease where service = 'synchronizer' and claimed_until > v_now),
      'live', (
        select count(*) from relay_lease
        where service = 'synchronizer' and claimed_until > v_now and live_since is not null)));
end
$function$;
comment on function sync_status() is 'Coverage of what is wanted, with its strength and audits, as JSON';

CREATE OR REPLACE FUNCTION public.sync_strength_shares(p_seconds jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select jsonb_object_agg(strength, coalesce(round(seconds / nullif(total, 0), 6), 0))
  from (
    select strength, (p_seconds ->> strength)::numeric as seconds, sum((p_seconds ->> strength)::numeric) over () as total
    from unnest(array['reconciled', 'counted', 'paged', 'weak']) as strength
  ) as measured
$function$;
comment on function sync_strength_shares(p_seconds jsonb) is 'Seconds by strength as shares of all of them';

CREATE OR REPLACE FUNCTION public.sync_walk_get(p_relay_id integer, p_filter_hashes jsonb)
 RETURNS TABLE(filter_hash text, covered jsonb, gaps jsonb)
 LANGUAGE sql
 STABLE
AS $function$
  select hash,
    (select coalesce(jsonb_agg(jsonb_build_array(since, until) order by since), '[]')
      from sync_coverage_get(p_relay_id, hash)),
    (select coalesce(jsonb_agg(jsonb_build_object('since', since, 'until', until, 'reason', reason,
        'foundAt', found_at, 'reportedAt', reported_at, 'attempts', attempts) order by since), '[]')
      from sync_gap_get(p_relay_id, hash))
  from jsonb_array_elements_text(p_filter_hashes) as hash
$function$;
comment on function sync_walk_get(p_relay_id integer, p_filter_hashes jsonb) is 'Coverage and gaps of walks of a relay';

CREATE OR REPLACE FUNCTION public.sync_walk_want(p_relay_id integer, p_walks jsonb)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  insert into sync_coverage as c (relay_id, filter_hash, filter, covered, wanted, updated_at)
  select p_relay_id, decode("filterHash", 'hex'), filter, '{}', int8range(since, until, '[]'), unix_now()
  from jsonb_to_recordset(p_walks) as new ("filterHash" text, filter jsonb, since int8, until int8)
  order by 2
  on conflict (relay_id, filter_hash) do update set wanted = excluded.wanted
  where c.wanted is distinct from excluded.wanted;

  update sync_coverage set wanted = null
  where relay_id = p_relay_id and wanted is not null and filter_hash not in (
    select decode(walk ->> 'filterHash', 'hex') from jsonb_array_elements(p_walks) as walk);
end
$function$;
comment on function sync_walk_want(p_relay_id integer, p_walks jsonb) is 'Sets what is wanted of a relay';

CREATE OR REPLACE FUNCTION public.sync_withheld_recount(p_relay_id integer, p_filter_hash bytea)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_ranges int8multirange;
begin
  select range_agg(int8range(created_at, created_at, '[]')) into v_ranges
  from relay_listing where relay_id = p_relay_id and filter_hash = p_filter_hash and state = 'withheld';
  if v_ranges is null or (
    select is_whole from sync_withheld where relay_id = p_relay_id and filter_hash = p_filter_hash)
  then
    perform sync_withheld_set(p_relay_id, p_filter_hash, sync_ranges_coalesce(coalesce(v_ranges, '{}')));
  end if;
end
$function$;
comment on function sync_withheld_recount(p_relay_id integer, p_filter_hash bytea) is 'Sets where a relay withholds what it lists, by what is recorded';

CREATE OR REPLACE FUNCTION public.sync_withheld_set(p_relay_id integer, p_filter_hash bytea, p_withheld int8multirange)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  v_before int8multirange;
begin
  v_before := coalesce((
    select withheld from sync_withheld where relay_id = p_relay_id and filter_hash = p_filter_hash), '{}');
  if p_withheld = v_before then
    return;
  end if;
  if isempty(p_withheld) then
    delete from sync_withheld where relay_id = p_relay_id and filter_hash = p_filter_hash;
  else
    insert into sync_withheld (relay_id, filter_hash, withheld) values (p_relay_id, p_filter_hash, p_withheld)
    on conflict (relay_id, filter_hash) do update set withheld = excluded.withheld;
  end if;
  perform sync_gap_subtract(p_relay_id, p_filter_hash, v_before - p_withheld, 'withheld');
  perform sync_gap_add(p_relay_id, p_filter_hash, range_agg(piece), 'withheld')
  from unnest(p_withheld) as piece
  where not exists (
    select from sync_gap
    where relay_id = p_relay_id and filter_hash = p_filter_hash and reason = 'withheld'
      and since = lower(piece) and until = upper(piece) - 1);
end
$function$;
comment on function sync_withheld_set(p_relay_id integer, p_filter_hash bytea, p_withheld int8multirange) is 'Sets where a relay withholds what it lists';

CREATE OR REPLACE FUNCTION public.tag_value(p_tags jsonb, p_name text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select tag ->> 1
  from jsonb_array_elements(p_tags) with ordinality as tags (tag, i)
  where tag ->> 0 = p_name
  order by i
  limit 1
$function$;
comment on function tag_value(p_tags jsonb, p_name text) is 'Value of the first tag of this name';

CREATE OR REPLACE FUNCTION public.tag_values(p_tags jsonb, p_name text)
 RETURNS SETOF text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ select tag ->> 1 from jsonb_array_elements(p_tags) as tag where tag ->> 0 = p_name $function$;
comment on function tag_values(p_tags jsonb, p_name text) is 'Values of the tags of this name, in order';

CREATE OR REPLACE FUNCTION public.target_fact_add(p_targets bytea, p_counts integer[], p_msats numeric[])
 RETURNS void
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
begin
  insert into target_fact as f
  select substr(p_targets, i * 32 - 31, 32) as target, p_counts[i * 6 - 5], p_counts[i * 6 - 4], p_counts[i * 6 - 3],
    p_counts[i * 6 - 2], p_counts[i * 6 - 1], p_counts[i * 6], p_msats[i]
  from generate_series(1, cardinality(p_msats)) as i
  order by target
  on conflict (target) do update
  set comments = f.comments + excluded.comments, quotes = f.quotes + excluded.quotes, reposts = f.reposts + excluded.reposts,
    reactions = f.reactions + excluded.reactions, zaps = f.zaps + excluded.zaps,
    unverified_zaps = f.unverified_zaps + excluded.unverified_zaps, zap_msats = f.zap_msats + excluded.zap_msats;
  if 0 > any (p_counts) then
    delete from target_fact
    where target = any (array(
        select substr(p_targets, i * 32 - 31, 32) from generate_series(1, cardinality(p_msats)) as i
        where 0 > any (p_counts[i * 6 - 5 : i * 6])))
      and (comments, quotes, reposts, reactions, zaps, unverified_zaps) = (0, 0, 0, 0, 0, 0);
  end if;
end
$function$;
comment on function target_fact_add(p_targets bytea, p_counts integer[], p_msats numeric[]) is 'Adds to what is counted of events and addresses';

CREATE OR REPLACE FUNCTION public.unix(p_time timestamp with time zone)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
  select case p_time
    when 'infinity' then 9223372036854775807
    when '-infinity' then 0
    else floor(extract(epoch from p_time))::int8
  end
$function$;
comment on function unix(p_time timestamp with time zone) is 'Unix seconds of a moment: created_at >= unix(now() - interval ''7 days'')';

CREATE OR REPLACE FUNCTION public.unix_now()
 RETURNS bigint
 LANGUAGE sql
 PARALLEL SAFE
AS $function$ select floor(extract(epoch from clock_timestamp()))::int8 $function$;
comment on function unix_now() is 'Unix seconds by the clock of this server';

CREATE OR REPLACE FUNCTION public.url_authority(p_url text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
  select split_part(p_url, '/', 3)
$function$;
comment on function url_authority(p_url text) is 'Host and port of a URL, as they stand there';

CREATE OR REPLACE FUNCTION public.wal_position_advance(p_earlier text)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
declare
  v_earlier text[] := string_to_array(p_earlier, ' ');
  v_now text[];
begin
  begin
    select array[s.system_identifier::text, left(pg_walfile_name(w.lsn), 8), w.lsn::text] into v_now
    from pg_control_system() s, pg_current_wal_insert_lsn() w(lsn);
  exception when feature_not_supported or insufficient_privilege then
    return null;
  end;
  if v_earlier[1:2] <> v_now[1:2] or v_earlier[3]::pg_lsn > v_now[3]::pg_lsn then
    raise exception 'This server may lack what was committed: its log is at %, and was at %',
      array_to_string(v_now, ' '), p_earlier using errcode = 'BB001';
  end if;
  return array_to_string(v_now, ' ');
end
$function$;
comment on function wal_position_advance(p_earlier text) is 'Where the log of this server stands; raises when an earlier position is not in it';

CREATE OR REPLACE FUNCTION public.zap_add(p_keys bytea, p_created_at bigint[], p_msats bigint[], p_senders integer[], p_recipients integer[])
 RETURNS void
 LANGUAGE sql
AS $function$
  insert into zap (created_at, msats, sender, recipient, request, id)
  select created_at, msats, sender, recipient, substr(p_keys, i::int4 * 64 - 31, 32) as request,
    substr(p_keys, i::int4 * 64 - 63, 32) as id
  from unnest(p_created_at, p_msats, p_senders, p_recipients) with ordinality as t (created_at, msats, sender, recipient, i)
  order by request, id
$function$;
comment on function zap_add(p_keys bytea, p_created_at bigint[], p_msats bigint[], p_senders integer[], p_recipients integer[]) is 'Stores zap receipts';

CREATE OR REPLACE FUNCTION public.zap_delete(p_keys bytea)
 RETURNS void
 LANGUAGE sql
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
  delete from zap z using generate_series(1, octet_length(p_keys) / 64) as i
  where z.request = substr(p_keys, i * 64 - 31, 32) and z.id = substr(p_keys, i * 64 - 63, 32)
$function$;
comment on function zap_delete(p_keys bytea) is 'Deletes zap receipts';

CREATE OR REPLACE FUNCTION public.zap_find(p_requests bytea)
 RETURNS TABLE(request text, id text, created_at text, msats text)
 LANGUAGE sql
 STABLE
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET enable_seqscan TO 'off'
AS $function$
  select encode(z.request, 'hex'), encode(z.id, 'hex'), z.created_at::text, z.msats::text
  from generate_series(1, octet_length(p_requests) / 32) as i
  join zap z on z.request = substr(p_requests, i * 32 - 31, 32)
$function$;
comment on function zap_find(p_requests bytea) is 'Receipts of zap requests';
