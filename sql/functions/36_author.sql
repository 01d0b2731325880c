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
