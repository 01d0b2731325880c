-- Statistics: cells are added to, and made again from the tables. Only the refresher calls these, one at a time.

create or replace function kind_is_throwaway(p_kind int4) returns boolean
language sql immutable parallel safe
as $$ select p_kind in (445, 1059, 21059) $$;
comment on function kind_is_throwaway(int4) is 'Whether events of a kind are signed by a key of their own (NIP-59, NIP-EE): each counts as one author';

-- A day is created_at / 86400. Who claims a moment after 2069 falls into the last.
create or replace function statistics_day(p_created_at int8) returns int4
language sql immutable parallel safe
as $$ select least(p_created_at / 86400, 36525)::int4 $$;
comment on function statistics_day(int8) is 'The day of a created_at in statistics';

create or replace function statistics_hour(p_created_at int8) returns int4
language sql immutable parallel safe
as $$ select least(p_created_at / 3600, 876600)::int4 $$;
comment on function statistics_hour(int8) is 'The hour of a created_at in statistics';

create or replace function statistics_minute(p_created_at int8) returns int4
language sql immutable parallel safe
as $$ select least(p_created_at / 60, 52596000)::int4 $$;
comment on function statistics_minute(int8) is 'The minute of a created_at in statistics';

-- What a fold may not count, as it is to be made again from the tables: days; and relays, with the key from which on.
create or replace function statistics_unmade() returns jsonb
language sql stable
as $$
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
$$;
comment on function statistics_unmade() is 'Days and relays that are to be made again, as JSON {days, relays: [{id, upto}]}';

-- Takes on the last 31 days from now on, and drops hours that are older. Returns the first hour that is kept.
create or replace function statistics_retain() returns int4
language plpgsql
as $$
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
$$;
comment on function statistics_retain() is 'Drops hours and minutes that are older than 31 days; returns the first hour kept';

-- Adds to the cells of a table whose key is one or two int4 and whose count is `events`. Cells that come to nothing go.
-- p_second: null for a key of one column.
create or replace function cell_add(
  p_table text, p_first_name text, p_second_name text, p_first int4[], p_second int4[], p_events int4[])
returns void
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
as $$
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
$$;
comment on function cell_add(text, text, text, int4[], int4[], int4[]) is 'Adds numbers of events to cells of statistics';

-- p_authors: author.id, ascending. p_events: what is added, 0 as well. p_first_at, p_last_at: of what is new; null where
-- nothing is.
create or replace function author_add(p_authors int4[], p_events int4[], p_first_at int8[], p_last_at int8[]) returns void
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
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
$$;
comment on function author_add(int4[], int4[], int8[], int8[]) is 'Adds to the events of authors';

-- First and last cannot be subtracted: looked up again for authors some of whose events are gone. What is still in the
-- queue does not matter, as it can only be counted twice in a least and a greatest. Authors without a trace go.
create or replace function author_correct(p_authors int4[]) returns void
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
declare
  v_first_days int4[] := author_first_days(p_authors);
begin
  update author a
  set (first_at, last_at) = (select span.first_at, span.last_at from author_span(a.pubkey) as span)
  where a.id = any (p_authors);
  perform author_first_move(v_first_days, author_first_days(p_authors));
  perform author_release(p_authors);
end
$$;
comment on function author_correct(int4[]) is 'Looks up the first and last event of authors again; deletes authors without a trace';

-- One look at the index for each kind of the author.
create or replace function author_kinds(p_pubkey bytea) returns setof int4
language sql stable parallel safe rows 5
as $$
  with recursive kinds as (
    (select kind from event where pubkey = p_pubkey order by kind limit 1)
    union all
    select (select kind from event where pubkey = p_pubkey and kind > kinds.kind order by kind limit 1)
    from kinds where kinds.kind is not null
  )
  select kind from kinds where kind is not null
$$;
comment on function author_kinds(bytea) is 'The kinds of an author''s events, ascending';

create or replace function author_span(p_pubkey bytea, out first_at int8, out last_at int8)
language sql stable
as $$
  select min(first.created_at), max(last.created_at)
  from author_kinds(p_pubkey) as kinds (kind)
  cross join lateral (
    select created_at from event e where e.pubkey = p_pubkey and e.kind = kinds.kind order by created_at limit 1) as first
  cross join lateral (
    select created_at from event e where e.pubkey = p_pubkey and e.kind = kinds.kind order by created_at desc limit 1) as last
  where not kind_is_throwaway(kinds.kind)
$$;
comment on function author_span(bytea) is 'First and last created_at of an author, without kinds whose keys are thrown away';

-- A look-up a relay: an index by author would cost every sighting of a new author, and this is asked for deletions only.
create or replace function author_is_unused(p_author int4) returns boolean
language sql stable
as $$
  select not exists (select from contact_list where author = p_author)
    and not exists (select from contact_total where author = p_author)
    and not exists (select from author_fact where author = p_author)
    and not exists (
      select from relay r cross join lateral (
        select from relay_author where relay_id = r.id and author = p_author limit 1) as held)
$$;
comment on function author_is_unused(int4) is 'Whether no other table refers to an author';

create or replace function author_release(p_authors int4[]) returns void
language sql
as $$ delete from author a where a.id = any (p_authors) and a.events = 0 and author_is_unused(a.id) $$;
comment on function author_release(int4[]) is 'Deletes those of authors who have left no trace';

create or replace function author_release_all() returns void
language sql
as $$
  delete from author a
  where a.events = 0
    and not exists (select from contact_list where author = a.id)
    and not exists (select from contact_total where author = a.id)
    and not exists (select from author_fact where author = a.id)
    and not exists (select from relay_author where author = a.id)
$$;
comment on function author_release_all() is 'Deletes all authors who have left no trace; reads all that may have one';

create or replace function kind_set_union(p_one bytea, p_other bytea) returns bytea
language sql immutable parallel safe
as $$
  select string_agg(kind, '' order by kind)
  from (
    select substr(p_one, i, 2) as kind from generate_series(1, octet_length(p_one), 2) as i
    union
    select substr(p_other, i, 2) from generate_series(1, octet_length(p_other), 2) as i) as kinds
$$;
comment on function kind_set_union(bytea, bytea) is 'Two sets of kinds as relay_author has them';

-- p_kinds: those of what is new, hex of 2 bytes each, ascending. Pairs that come to nothing go; where something was
-- deleted, first, last and kinds are looked up again.
create or replace function relay_author_add(
  p_relays int4[], p_authors int4[], p_events int4[], p_first_at int8[], p_last_at int8[], p_kinds text[])
returns void
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
as $$
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
$$;
comment on function relay_author_add(int4[], int4[], int4[], int8[], int8[], text[]) is 'Adds to whose events relays hold';

-- p_events: what is gone, as negative numbers.
create or replace function relay_author_remove(p_relays int4[], p_authors int4[], p_events int4[]) returns void
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
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
$$;
comment on function relay_author_remove(int4[], int4[], int4[]) is 'Takes away from whose events relays hold';

-- Looks at every event of the author: only where something of theirs was deleted.
create or replace function relay_author_span(
  p_relay_id int4, p_author int4, out first_at int8, out last_at int8, out kinds bytea)
language sql stable
as $$
  select min(created_at), max(created_at), string_agg(distinct substr(int4send(kind), 3, 2), '' order by substr(int4send(kind), 3, 2))
  from event e
  where e.pubkey = (select pubkey from author where id = p_author) and not kind_is_throwaway(e.kind)
    and sighting_exists(p_relay_id, sighting_key(e.created_at, e.id))
$$;
comment on function relay_author_span(int4, int4) is 'First, last and kinds of an author''s events on a relay';

-- p_ids: 32 bytes each. Of events that are deleted by now the queue knows: whoever deletes one leaves that as a fact. A row
-- for each that is known, with its place from 1.
create or replace function event_authors(p_created_at int8[], p_ids bytea)
returns table (i int4, kind int4, pubkey text)
language plpgsql stable
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
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
$$;
comment on function event_authors(int8[], bytea) is 'Kind and author of events';

create or replace function fact_deleted_events(p_ids bytea) returns table (i int4, kind int4, pubkey text)
language sql stable
as $$
  select distinct wanted.i, deleted.kind, encode(deleted.pubkey, 'hex')
  from (
    select i, substr(p_ids, i * 32 - 31, 32) as id from generate_series(1, octet_length(p_ids) / 32) as i) as wanted
  join (
    select substr(f.keys, k.i::int4 * 64 - 63, 32) as id, substr(f.keys, k.i::int4 * 64 - 31, 32) as pubkey, k.kind
    from fact f cross join lateral unnest(f.kinds) with ordinality as k (kind, i)
    where f.sign = -1 and f.relay_id is null) as deleted using (id)
$$;
comment on function fact_deleted_events(bytea) is 'Kind and author of events that were deleted just now';

-- One row each of those that are there. registers: base64.
create or replace function distinct_sketches(p_subjects int2[], p_first int4[], p_second int4[])
returns table (i int4, is_stale boolean, registers text)
language sql stable
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
  select k.i::int4, s.is_stale, encode(s.registers, 'base64')
  from unnest(p_subjects, p_first, p_second) with ordinality as k (subject, first, second, i)
  join distinct_sketch s on s.subject = k.subject and s.first = k.first and s.second = k.second
$$;
comment on function distinct_sketches(int2[], int4[], int4[]) is 'Some sketches';

-- Those that are not given as stale are right from now on. Empty ones are not kept.
create or replace function distinct_sketch_put(
  p_subjects int2[], p_first int4[], p_second int4[], p_estimates float8[], p_stale boolean[], p_registers text[])
returns void
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
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
$$;
comment on function distinct_sketch_put(int2[], int4[], int4[], float8[], boolean[], text[]) is 'Stores sketches';

create or replace function distinct_sketch_spoil(p_subjects int2[], p_first int4[], p_second int4[]) returns void
language sql
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
  update distinct_sketch s set is_stale = true
  from unnest(p_subjects, p_first, p_second) as k (subject, first, second)
  where s.subject = k.subject and s.first = k.first and s.second = k.second and not s.is_stale
$$;
comment on function distinct_sketch_spoil(int2[], int4[], int4[]) is 'Marks sketches of which something was deleted';

-- The number of a network in distinct_sketch; they are never renumbered.
create or replace function network_number(p_network text) returns int4
language sql immutable parallel safe
as $$ select array_position(array['clearnet', 'tor', 'i2p', 'loki'], p_network) $$;
comment on function network_number(text) is 'A network as distinct_sketch has it';

-- Whoever folds has folded, and will not know the relay any more: facts about it that wait are left out.
create or replace function statistics_remove_relay(p_relay_id int4) returns void
language plpgsql
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('bigbrotr facts', 0));
  delete from fact_dropped where relay_id = p_relay_id;
  perform statistics_clear_relay(p_relay_id);
  delete from relay_remake where relay_id = p_relay_id;
end
$$;
comment on function statistics_remove_relay(int4) is 'Deletes all statistics of a relay';

create or replace function statistics_clear_relay(p_relay_id int4) returns void
language plpgsql
as $$
begin
  delete from relay_day where relay_id = p_relay_id;
  delete from relay_kind where relay_id = p_relay_id;
  delete from relay_author where relay_id = p_relay_id;
  delete from distinct_sketch where subject in (3, 4, 5) and first = p_relay_id;
  update distinct_sketch s set is_stale = true
  from relay r where r.id = p_relay_id and s.subject in (6, 7) and s.first = network_number(r.network) and s.second = 0;
end
$$;
comment on function statistics_clear_relay(int4) is 'Deletes the cells of a relay';

-- Relays that somebody still has facts about: number of their network.
create or replace function statistics_networks(p_relays int4[]) returns table (relay_id int4, network int4)
language sql stable
as $$ select id, network_number(network) from relay where id = any (p_relays) $$;
comment on function statistics_networks(int4[]) is 'Networks of those of these relays that there are';

-- Makes a day again from the tables: what is found is compared with what is there, and the difference goes into the sums.
-- Returns how many events the day has. The sketches of the day are the caller's.
create or replace function statistics_make_day(p_day int4) returns int8
language plpgsql
as $$
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
$$;
comment on function statistics_make_day(int4) is 'Makes the cells of a day again from the events; returns their number';

-- After the last of the days that are to be made: whoever is not active on the day of his first or last event had that
-- event deleted before its day was made. Looks at all authors.
create or replace function statistics_sweep_authors() returns void
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
as $$
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
$$;
comment on function statistics_sweep_authors() is 'Looks up first and last event again of authors that have none where it says';

-- Kinds and authors of a day, each pair once, for its sketches. Throw-away keys are not among them. p_kind: null for all.
create or replace function statistics_day_authors(p_day int4, p_kind int4) returns table (kind int4, pubkeys text)
language sql stable
as $$
  select kind, encode(string_agg(pubkey, ''), 'base64')
  from (
    select distinct kind, pubkey from event
    where created_at >= p_day::int8 * 86400
      and created_at < case when p_day = 36525 then 9223372036854775807 else (p_day + 1)::int8 * 86400 end
      and (p_kind is null or kind = p_kind) and not kind_is_throwaway(kind)) as pair
  group by kind
$$;
comment on function statistics_day_authors(int4, int4) is 'Who wrote which kinds on a day';

-- p_kind: null for any.
create or replace function statistics_relay_authors(p_relay_id int4, p_kind int4) returns text
language sql stable
as $$
  select encode(string_agg(a.pubkey, ''), 'base64')
  from relay_author r join author a on a.id = r.author
  where r.relay_id = p_relay_id and (p_kind is null or exists (
    select from generate_series(1, octet_length(r.kinds), 2) as i
    where substr(r.kinds, i, 2) = substr(int4send(p_kind), 3, 2)))
$$;
comment on function statistics_relay_authors(int4, int4) is 'Whose events a relay was seen to hold, of a kind or of any';

-- The ids of a relay's sightings, page by page, base64. p_throwaway: those of kinds whose keys are thrown away only.
create or replace function statistics_relay_events(p_relay_id int4, p_throwaway boolean) returns setof text
language sql stable
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select encode(string_agg(substr(key, 9), ''), 'base64')
  from sighting_runs(p_relay_id, '', '\xff') as p cross join lateral sighting_keys(p.keys) as key
  where (not p_throwaway or (
    select kind_is_throwaway(kind) from event
    where created_at = sighting_time(key) and id = substr(key, 9) limit 1))
  group by p.first_key
$$;
comment on function statistics_relay_events(int4, boolean) is 'Ids of the events that a relay was seen to hold';

-- The sketches that one of a kind or of a network is made of. registers: base64.
create or replace function statistics_sketch_parts(p_subject int2, p_first int4) returns table (registers text)
language sql stable
as $$
  select encode(s.registers, 'base64') from distinct_sketch s
  where p_subject = 2 and s.subject = 1 and s.second = p_first
  union all
  select encode(s.registers, 'base64')
  from relay r join distinct_sketch s on s.first = r.id and s.subject = p_subject - 2 and s.second = 0
  where p_subject in (6, 7) and network_number(r.network) = p_first
$$;
comment on function statistics_sketch_parts(int2, int4) is 'The sketches that another is made of';

-- A step of making a relay again: its next p_limit sightings or somewhat more. A row each, with what statistics want to
-- know of its event. Where the next step goes on is in the last of them.
create or replace function statistics_relay_page(p_relay_id int4, p_from bytea, p_limit int4)
returns table (key text, kind int4, pubkey text)
language sql stable
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
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
$$;
comment on function statistics_relay_page(int4, bytea, int4) is 'Sightings of a relay from a key on, with kind and author';

-- What is to be made next: a day, or a relay; no row when nothing is. Nearer days first: they are looked at the most.
create or replace function statistics_next() returns table (day int4, relay_id int4, upto text)
language sql stable
as $$
  select d.day, null::int4, null::text from (select max(day) as day from fact_dropped) as d where d.day is not null
  union all
  (select null, m.relay_id, encode(m.upto, 'hex') from relay_remake m
    where not exists (select from fact_dropped d where d.relay_id = m.relay_id)
    order by m.relay_id limit 1)
  union all
  (select null, d.relay_id, null from fact_dropped d where d.relay_id is not null order by d.relay_id limit 1)
  limit 1
$$;
comment on function statistics_next() is 'The next day or relay to be made again';

-- Also of a relay that is half made.
create or replace function statistics_begin_relay(p_relay_id int4) returns void
language plpgsql
as $$
begin
  delete from fact_dropped where relay_id = p_relay_id;
  perform statistics_clear_relay(p_relay_id);
  delete from relay_remake where relay_id = p_relay_id;
  if exists (select from relay where id = p_relay_id) then
    insert into relay_remake (relay_id, upto) values (p_relay_id, '');
  end if;
end
$$;
comment on function statistics_begin_relay(int4) is 'Begins to make a relay again';

-- Everything, or what was created from p_since to p_until; relays as a whole, in any case only when there are no bounds.
create or replace function statistics_request(p_since int8, p_until int8, out days int4, out relays int4)
language plpgsql
as $$
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
$$;
comment on function statistics_request(int8, int8) is 'Asks for days to be made again, and for all relays when the days are all';

-- What days only add to, for when all of them are made again: as the days say now. First and last of authors come back
-- with the days. Waits for who folds.
create or replace function statistics_reset_sums() returns void
language plpgsql
as $$
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
$$;
comment on function statistics_reset_sums() is 'Makes sums of statistics what the days say';

-- One JSON object, as StatisticsStatus in src/archive/statistics/refresh.ts reads it.
create or replace function statistics_status() returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'foldedAt', s.folded_at, 'facts', s.facts, 'events', s.events, 'sightings', s.sightings, 'busyMs', s.busy_ms,
    'waiting', w.value -> 'rows', 'oldestSeconds', w.value -> 'oldestSeconds', 'daysToMake', w.value -> 'droppedDays',
    'relaysToMake', (
      select count(*) from (
        select relay_id from fact_dropped where relay_id is not null union select relay_id from relay_remake) as relay),
    'staleSketches', (select count(*) from distinct_sketch where is_stale))
  from statistics_state s cross join fact_status() as w (value)
$$;
comment on function statistics_status() is 'How far statistics are, as JSON';
