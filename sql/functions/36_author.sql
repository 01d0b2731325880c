-- Authors by number, as other tables refer to them. Only the refresher gives numbers, one at a time.

-- p_pubkeys: 32 bytes each. Their numbers, in order; who is new gets one. Only those are inserted: a conflict would use up
-- a number.
create or replace function author_numbers(p_pubkeys bytea) returns int4[]
language sql
as $$
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
$$;
comment on function author_numbers(bytea) is 'author.id of public keys; those that are new are added';

-- In the order of p_authors; null for those without events.
create or replace function author_first_days(p_authors int4[]) returns int4[]
language sql stable
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
  select array(
    select case when a.events > 0 and a.first_at is not null then least(a.first_at / 86400, 36525)::int4 end
    from unnest(p_authors) with ordinality as wanted (id, i) left join author a using (id)
    order by i)
$$;
comment on function author_first_days(int4[]) is 'The day of the first event of each author';

-- p_before, p_after: author_first_days() of the same authors before a change and after it.
create or replace function author_first_move(p_before int4[], p_after int4[]) returns void
language plpgsql
as $$
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
$$;
comment on function author_first_move(int4[], int4[]) is 'Counts new authors by day anew after a change of authors';
