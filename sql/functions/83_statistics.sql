-- Statistics for people, under the names and columns that the prior art's views have, filled by the refresher as events come.
-- Beside a figure that is estimated stands its standard error, in the same unit; it is null where the figure is exact. A
-- figure is null until it is made again after something was deleted that it could not subtract. What is not folded yet is
-- not in any of them: statistics_status() says how much that is.

create or replace function kind_category(p_kind int4) returns text
language sql immutable parallel safe
as $$
  select case
    when p_kind in (1, 2) or p_kind between 4 and 44 or p_kind between 1000 and 9999 then 'regular'
    when p_kind in (0, 3) or p_kind between 10000 and 19999 then 'replaceable'
    when p_kind between 20000 and 29999 then 'ephemeral'
    when p_kind between 30000 and 39999 then 'addressable'
    else 'other'
  end
$$;
comment on function kind_category(int4) is 'What NIP-01 says of a kind: regular, replaceable, ephemeral, addressable, or nothing (other)';

create or replace function distinct_error(p_estimate float8) returns int8
language sql immutable strict parallel safe
as $$ select ceil(p_estimate * 1.04 / 64)::int8 $$;
comment on function distinct_error(float8) is 'The standard error of an estimate of distinct_sketch';

-- The second now is included, as are those of its minute to come.
create or replace function event_count_last(p_seconds int8) returns int8
language sql stable parallel safe
as $$
  select coalesce(sum(events), 0)::int8 from event_minute
  where minute > (unix(now()) - p_seconds) / 60 and minute <= unix(now()) / 60
$$;
comment on function event_count_last(int8) is 'Events of the last seconds up to now, 31 days at most, to the minute';

create or replace view event_stats as
select 1 as singleton_key, k.event_count, a.authors + k.throwaway as unique_pubkeys, k.unique_kinds,
  s.earliest as earliest_event_timestamp, s.latest as latest_event_timestamp,
  k.regular as regular_event_count, k.replaceable as replaceable_event_count, k.ephemeral as ephemeral_event_count,
  k.addressable as addressable_event_count,
  event_count_last(3600) as event_count_last_1h, event_count_last(86400) as event_count_last_24h,
  event_count_last(7 * 86400) as event_count_last_7d, event_count_last(30 * 86400) as event_count_last_30d,
  round(k.event_count / greatest((s.latest - s.earliest) / 86400.0, 1), 2) as events_per_day,
  (select folded_at from statistics_state) as folded_at
from (
  select coalesce(sum(events), 0)::int8 as event_count, count(*) as unique_kinds,
    coalesce(sum(events) filter (where kind_is_throwaway(kind)), 0)::int8 as throwaway,
    coalesce(sum(events) filter (where kind_category(kind) = 'regular'), 0)::int8 as regular,
    coalesce(sum(events) filter (where kind_category(kind) = 'replaceable'), 0)::int8 as replaceable,
    coalesce(sum(events) filter (where kind_category(kind) = 'ephemeral'), 0)::int8 as ephemeral,
    coalesce(sum(events) filter (where kind_category(kind) = 'addressable'), 0)::int8 as addressable
  from kind_total) as k
cross join (select coalesce(sum(authors), 0)::int8 as authors from author_first) as a
cross join (
  select (select created_at from event order by created_at limit 1) as earliest,
    (select created_at from event order by created_at desc limit 1) as latest) as s;
comment on view event_stats is 'The archive in one row; the last hour, day, week and month slide with the clock, to the minute';
comment on column event_stats.singleton_key is 'Always 1';
comment on column event_stats.event_count is 'Archived events';
comment on column event_stats.unique_pubkeys is 'Authors, exactly; each event of a kind whose keys are thrown away is one';
comment on column event_stats.unique_kinds is 'Kinds, exactly';
comment on column event_stats.earliest_event_timestamp is 'Lowest created_at';
comment on column event_stats.latest_event_timestamp is 'Highest created_at, which may be in the future';
comment on column event_stats.regular_event_count is 'Events of kinds 1, 2, 4 to 44, 1000 to 9999';
comment on column event_stats.replaceable_event_count is 'Events of kinds 0, 3, 10000 to 19999; all archived versions';
comment on column event_stats.ephemeral_event_count is 'Events of kinds 20000 to 29999';
comment on column event_stats.addressable_event_count is 'Events of kinds 30000 to 39999; all archived versions';
comment on column event_stats.event_count_last_1h is 'Events created within the last hour';
comment on column event_stats.event_count_last_24h is 'Events created within the last 24 hours';
comment on column event_stats.event_count_last_7d is 'Events created within the last 7 days';
comment on column event_stats.event_count_last_30d is 'Events created within the last 30 days';
comment on column event_stats.events_per_day is 'Events a day, from the earliest to the latest';
comment on column event_stats.folded_at is 'Unix seconds of the last fold; null before the first';

create or replace view event_daily_counts as
select date '1970-01-01' + k.day as day, k.event_count,
  k.throwaway + (select count(*) from author_day a where a.day = k.day) as unique_pubkeys, k.unique_kinds
from (
  select day, sum(events)::int8 as event_count, count(*) as unique_kinds,
    coalesce(sum(events) filter (where kind_is_throwaway(kind)), 0)::int8 as throwaway
  from kind_day group by day) as k;
comment on view event_daily_counts is 'Events, authors and kinds of each day, exactly; 2070-01-01 stands for all days from then on';
comment on column event_daily_counts.day is 'Day of created_at, UTC';
comment on column event_daily_counts.event_count is 'Archived events';
comment on column event_daily_counts.unique_pubkeys is 'Authors; each event of a kind whose keys are thrown away is one';
comment on column event_daily_counts.unique_kinds is 'Kinds';

create or replace view kind_counts as
select k.kind, k.events as event_count,
  case when kind_is_throwaway(k.kind) then k.events else round(s.estimate)::int8 end as unique_pubkeys,
  kind_category(k.kind) as category, distinct_error(s.estimate) as unique_pubkeys_error
from kind_total k
left join distinct_sketch s on s.subject = 2 and s.first = k.kind and s.second = 0 and not s.is_stale;
comment on view kind_counts is 'Events and authors of each kind';
comment on column kind_counts.kind is 'event.kind';
comment on column kind_counts.event_count is 'Archived events, exactly';
comment on column kind_counts.unique_pubkeys is 'Authors, about; null while it is made again';
comment on column kind_counts.category is 'kind_category(kind)';
comment on column kind_counts.unique_pubkeys_error is 'Standard error of unique_pubkeys; null where it is exact';

create or replace view kind_counts_by_relay as
select k.kind, r.url as relay_url, k.events as event_count,
  case when kind_is_throwaway(k.kind) then k.events else round(s.estimate)::int8 end as unique_pubkeys,
  distinct_error(s.estimate) as unique_pubkeys_error, k.relay_id
from relay_kind k
join relay r on r.id = k.relay_id
left join distinct_sketch s on s.subject = 3 and s.first = k.relay_id and s.second = k.kind and not s.is_stale;
comment on view kind_counts_by_relay is 'Events and authors of each kind on each relay';
comment on column kind_counts_by_relay.kind is 'event.kind';
comment on column kind_counts_by_relay.relay_url is 'relay.url';
comment on column kind_counts_by_relay.event_count is 'Events it was seen to hold, exactly';
comment on column kind_counts_by_relay.unique_pubkeys is 'Their authors, about; null while it is made again';
comment on column kind_counts_by_relay.unique_pubkeys_error is 'Standard error of unique_pubkeys; null where it is exact';
comment on column kind_counts_by_relay.relay_id is 'relay.id';

-- A look at the index for each kind. The cost lets a query with a limit sort first, and ask then.
create or replace function author_kind_count(p_pubkey bytea) returns int8
language sql stable parallel safe cost 1000
as $$ select count(*) from author_kinds(p_pubkey) as kinds (kind) where not kind_is_throwaway(kind) $$;
comment on function author_kind_count(bytea) is 'How many kinds an author has events of, without those whose keys are thrown away';

create or replace view pubkey_counts as
select hex(a.pubkey) as pubkey, a.events as event_count, author_kind_count(a.pubkey) as unique_kinds,
  a.first_at as first_event_timestamp, a.last_at as last_event_timestamp, a.pubkey as author_key
from author a
where a.events > 0;
comment on view pubkey_counts is 'Authors with their events, exactly; without kinds whose keys are thrown away';
comment on column pubkey_counts.pubkey is 'Hex, to be read; conditions belong on author_key';
comment on column pubkey_counts.event_count is 'Archived events';
comment on column pubkey_counts.unique_kinds is 'Their kinds';
comment on column pubkey_counts.first_event_timestamp is 'Lowest created_at';
comment on column pubkey_counts.last_event_timestamp is 'Highest created_at';
comment on column pubkey_counts.author_key is 'event.pubkey, which has an index';

create or replace view pubkey_counts_by_relay as
select r.url as relay_url, hex(a.pubkey) as pubkey, c.events as event_count, octet_length(c.kinds) / 2 as unique_kinds,
  c.first_at as first_event_timestamp, c.last_at as last_event_timestamp, a.pubkey as author_key, c.relay_id
from relay_author c
join relay r on r.id = c.relay_id
join author a on a.id = c.author
where c.events >= 2;
comment on view pubkey_counts_by_relay is
  'Authors of whom a relay holds two events or more, exactly; without kinds whose keys are thrown away';
comment on column pubkey_counts_by_relay.relay_url is 'relay.url, which has an index';
comment on column pubkey_counts_by_relay.pubkey is 'Hex, to be read; conditions belong on author_key';
comment on column pubkey_counts_by_relay.event_count is 'Events the relay was seen to hold';
comment on column pubkey_counts_by_relay.unique_kinds is 'Their kinds';
comment on column pubkey_counts_by_relay.first_event_timestamp is 'Lowest created_at';
comment on column pubkey_counts_by_relay.last_event_timestamp is 'Highest created_at';
comment on column pubkey_counts_by_relay.author_key is 'event.pubkey, which has an index';
comment on column pubkey_counts_by_relay.relay_id is 'relay.id';

-- One look at each end of a relay's sightings.
create or replace function relay_span(p_relay_id int4, out first_at int8, out last_at int8)
language sql stable parallel safe
as $$
  select
    (select sighting_time(first_key) from sighting_page where relay_id = p_relay_id order by first_key limit 1),
    greatest(
      (select sighting_time(last_key) from sighting_page where relay_id = p_relay_id order by first_key desc limit 1),
      (select sighting_time(key) from sighting_log where relay_id = p_relay_id order by key desc limit 1))
$$;
comment on function relay_span(int4) is 'First and last created_at of what a relay was seen to hold';

create or replace view relay_stats as
select r.url as relay_url, r.network, r.discovered_at, s.first_at as first_event_timestamp, s.last_at as last_event_timestamp,
  c.avg_rtt_open, c.avg_rtt_read, c.avg_rtt_write, k.event_count,
  case when k.event_count = 0 then 0 else round(d.estimate)::int8 end as unique_pubkeys, k.unique_kinds,
  i.nip11_name, i.nip11_software, i.nip11_version, distinct_error(d.estimate) as unique_pubkeys_error, r.id as relay_id
from relay r
cross join lateral relay_span(r.id) as s
cross join lateral (
  select coalesce(sum(events), 0)::int8 as event_count, count(*) as unique_kinds from relay_kind where relay_id = r.id) as k
left join distinct_sketch d on d.subject = 4 and d.first = r.id and d.second = 0 and not d.is_stale
cross join lateral (
  select round(avg(open_ms), 2) as avg_rtt_open, round(avg(read_ms), 2) as avg_rtt_read,
    round(avg(write_ms), 2) as avg_rtt_write
  from (
    select open_ms, read_ms, write_ms from relay_check where relay_id = r.id order by checked_at desc limit 10) as last) as c
left join lateral (
  select m.data -> 'data' ->> 'name' as nip11_name, m.data -> 'data' ->> 'software' as nip11_software,
    m.data -> 'data' ->> 'version' as nip11_version
  from (
    select metadata_id, metadata_type from relay_metadata
    where relay_id = r.id and metadata_type = 'nip11_info' order by generated_at desc limit 1) as newest
  join metadata m on m.id = newest.metadata_id and m.type = newest.metadata_type) as i on true;
comment on view relay_stats is 'Relays: what each was seen to hold, how fast it was lately, and what it says it runs';
comment on column relay_stats.relay_url is 'relay.url, which has an index';
comment on column relay_stats.network is 'relay.network';
comment on column relay_stats.discovered_at is 'relay.discovered_at';
comment on column relay_stats.first_event_timestamp is 'Lowest created_at of what it was seen to hold';
comment on column relay_stats.last_event_timestamp is 'Highest created_at of what it was seen to hold';
comment on column relay_stats.avg_rtt_open is 'Milliseconds to an open connection, average of the last 10 checks';
comment on column relay_stats.avg_rtt_read is 'Milliseconds from REQ to the first answer, likewise';
comment on column relay_stats.avg_rtt_write is 'Milliseconds from EVENT to OK, likewise';
comment on column relay_stats.event_count is 'Events it was seen to hold, exactly';
comment on column relay_stats.unique_pubkeys is 'Their authors, about; null while it is made again';
comment on column relay_stats.unique_kinds is 'Their kinds, exactly';
comment on column relay_stats.nip11_name is 'What its newest NIP-11 document says';
comment on column relay_stats.nip11_software is 'What its newest NIP-11 document says';
comment on column relay_stats.nip11_version is 'What its newest NIP-11 document says';
comment on column relay_stats.unique_pubkeys_error is 'Standard error of unique_pubkeys';
comment on column relay_stats.relay_id is 'relay.id';

create or replace view network_stats as
select n.network, n.relay_count,
  coalesce(round(e.estimate)::int8, case when k.unique_kinds is null then 0 end) as event_count,
  coalesce(round(a.estimate)::int8, case when k.unique_kinds is null then 0 end) as unique_pubkeys,
  coalesce(k.unique_kinds, 0) as unique_kinds,
  distinct_error(e.estimate) as event_count_error, distinct_error(a.estimate) as unique_pubkeys_error
from (select network, count(*) as relay_count from relay group by network) as n
left join (
  select network, count(*) as unique_kinds
  from (select distinct r.network, k.kind from relay_kind k join relay r on r.id = k.relay_id) as held
  group by network) as k using (network)
left join distinct_sketch e
  on e.subject = 7 and e.first = network_number(n.network) and e.second = 0 and not e.is_stale
left join distinct_sketch a
  on a.subject = 6 and a.first = network_number(n.network) and a.second = 0 and not a.is_stale;
comment on view network_stats is 'Networks: relays, and what any of them was seen to hold, each event once';
comment on column network_stats.network is 'clearnet, tor, i2p or loki';
comment on column network_stats.relay_count is 'Relays, exactly';
comment on column network_stats.event_count is 'Events that any of them was seen to hold, about; null while it is made again';
comment on column network_stats.unique_pubkeys is 'Their authors, about; null while it is made again';
comment on column network_stats.unique_kinds is 'Their kinds, exactly';
comment on column network_stats.event_count_error is 'Standard error of event_count';
comment on column network_stats.unique_pubkeys_error is 'Standard error of unique_pubkeys';
