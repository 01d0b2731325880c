-- What NIP-85 asserts. Counters are added to, and subtracted from; only the refresher does so, one at a time.

-- Kinds that count for author_fact and target_fact. src/archive/derived/contributions.ts says what for.
create or replace function kind_is_asserted(p_kind int4) returns boolean
language sql immutable parallel safe
as $$ select p_kind in (1, 6, 7, 16, 1111, 1984, 9735) $$;
comment on function kind_is_asserted(int4) is 'Whether events of a kind count for the assertions of NIP-85';

-- Tags of events, archived or just deleted; of what is neither there is no row. p_ids: 32 bytes each. i: place from 1.
create or replace function derived_tags(p_created_at int8[], p_ids bytea) returns table (i int4, tags text)
language sql stable
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
  select wanted.i::int4, coalesce(
    (select e.tags from event e
      where e.created_at = wanted.created_at and e.id = substr(p_ids, wanted.i::int4 * 32 - 31, 32) limit 1),
    (select d.tags from deleted_event d
      where d.created_at = wanted.created_at and d.id = substr(p_ids, wanted.i::int4 * 32 - 31, 32) limit 1))::text
  from unnest(p_created_at) with ordinality as wanted (created_at, i)
$$;
comment on function derived_tags(int8[], bytea) is 'Tags of events, also of those whose deletion is not folded yet';

-- Who deletes events keeps their tags in deleted_event. None are kept where nobody counts, nor more than 100,000: who
-- misses some then counts from the start.
create or replace function deleted_event_wanted() returns boolean
language sql stable
as $$
  select exists (select from derived_state where name = 'assertions')
    and (select count(*) from (select from deleted_event limit 100000) as kept) < 100000
$$;
comment on function deleted_event_wanted() is 'Whether tags of events that are deleted are to be kept';

-- Written out, so that it is part of the plan of who calls it, and no query for each row.
create or replace function hours_add(p_one int4[], p_other int4[]) returns int4[]
language sql immutable parallel safe
as $$
  select array[
    p_one[1] + p_other[1], p_one[2] + p_other[2], p_one[3] + p_other[3], p_one[4] + p_other[4], p_one[5] +
    p_other[5], p_one[6] + p_other[6], p_one[7] + p_other[7], p_one[8] + p_other[8], p_one[9] + p_other[9],
    p_one[10] + p_other[10], p_one[11] + p_other[11], p_one[12] + p_other[12], p_one[13] + p_other[13], p_one[14]
    + p_other[14], p_one[15] + p_other[15], p_one[16] + p_other[16], p_one[17] + p_other[17], p_one[18] +
    p_other[18], p_one[19] + p_other[19], p_one[20] + p_other[20], p_one[21] + p_other[21], p_one[22] +
    p_other[22], p_one[23] + p_other[23], p_one[24] + p_other[24]]
$$;
comment on function hours_add(int4[], int4[]) is 'Sums of two arrays, element by element';

-- p_counts: 35 numbers an author: the columns from posts to unverified_zaps, then 24 hours. p_sent, p_received: msats.
create or replace function author_fact_add(
  p_authors int4[], p_counts int4[], p_sent numeric[], p_received numeric[])
returns void
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
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
$$;
comment on function author_fact_add(int4[], int4[], numeric[], numeric[]) is 'Adds to what is counted of authors';

-- Of authors that something was taken back of.
create or replace function author_fact_drop_empty(p_authors int4[]) returns void
language plpgsql
set enable_hashjoin = off
set enable_seqscan = off
as $$
begin
  delete from author_fact
  where author = any (p_authors) and (posts, replies, reactions_sent, reactions_received, reposts_sent, reposts_received,
    reports_sent, reports_received, zaps_sent, zaps_received, unverified_zaps) = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  perform author_release(p_authors);
end
$$;
comment on function author_fact_drop_empty(int4[]) is 'Deletes rows of authors without anything counted';

-- p_topics: JSON array.
create or replace function author_topic_add(p_authors int4[], p_topics jsonb, p_events int4[]) returns void
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
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
$$;
comment on function author_topic_add(int4[], jsonb, int4[]) is 'Adds to the topics of authors';

-- p_targets: 32 bytes each. p_counts: six numbers a target, the columns from comments to unverified_zaps.
create or replace function target_fact_add(p_targets bytea, p_counts int4[], p_msats numeric[]) returns void
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
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
$$;
comment on function target_fact_add(bytea, int4[], numeric[]) is 'Adds to what is counted of events and addresses';

-- p_requests: 32 bytes each. All receipts of them.
create or replace function zap_find(p_requests bytea)
returns table (request text, id text, created_at text, msats text)
language sql stable
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
  select encode(z.request, 'hex'), encode(z.id, 'hex'), z.created_at::text, z.msats::text
  from generate_series(1, octet_length(p_requests) / 32) as i
  join zap z on z.request = substr(p_requests, i * 32 - 31, 32)
$$;
comment on function zap_find(bytea) is 'Receipts of zap requests';

-- p_keys: id and request of each, 64 bytes.
create or replace function zap_add(p_keys bytea, p_created_at int8[], p_msats int8[], p_senders int4[], p_recipients int4[])
returns void
language sql
as $$
  insert into zap (created_at, msats, sender, recipient, request, id)
  select created_at, msats, sender, recipient, substr(p_keys, i::int4 * 64 - 31, 32) as request,
    substr(p_keys, i::int4 * 64 - 63, 32) as id
  from unnest(p_created_at, p_msats, p_senders, p_recipients) with ordinality as t (created_at, msats, sender, recipient, i)
  order by request, id
$$;
comment on function zap_add(bytea, int8[], int8[], int4[], int4[]) is 'Stores zap receipts';

create or replace function zap_delete(p_keys bytea) returns void
language sql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
  delete from zap z using generate_series(1, octet_length(p_keys) / 64) as i
  where z.request = substr(p_keys, i * 64 - 31, 32) and z.id = substr(p_keys, i * 64 - 63, 32)
$$;
comment on function zap_delete(bytea) is 'Deletes zap receipts';

create or replace function author_fact_clear() returns void
language plpgsql
as $$
begin
  delete from author_fact;
  delete from author_topic;
  delete from target_fact;
  delete from zap;
  perform author_release_all();
end
$$;
comment on function author_fact_clear() is 'Empties what is counted for NIP-85';

-- The events after a key of 40 bytes, p_limit looked at: those that count, and the last key; null at the end.
create or replace function author_fact_page(
  p_after bytea, p_limit int4, out created_at text, out kinds text, out keys bytea, out upto bytea, out events int4)
language sql stable
set enable_seqscan = off
as $$
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
$$;
comment on function author_fact_page(bytea, int4) is 'Events after a key, as derived facts read them';
