-- The contact graph. It depends on the tables alone: whoever may have another newest list is looked at again. Only the
-- refresher calls these, one at a time.

create or replace function contact_newest(p_pubkey bytea) returns table (created_at int8, id bytea, tags jsonb)
language sql stable
as $$
  select e.created_at, e.id, e.tags from event e
  where e.pubkey = p_pubkey and e.kind = 3
  order by e.created_at desc, e.id limit 1
$$;
comment on function contact_newest(bytea) is 'The contact list that counts (NIP-01: of those of one second the lowest id)';

-- p_pubkeys: 32 bytes each. Of those whose contacts were made of another list than their newest, that list; nulls for who has
-- none any more. Ids and keys in hex.
create or replace function contact_changes(p_pubkeys bytea)
returns table (pubkey text, created_at text, id text, tags text)
language sql stable
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
  select encode(wanted.pubkey, 'hex'), n.created_at::text, encode(n.id, 'hex'), n.tags::text
  from (
    select distinct substr(p_pubkeys, i * 32 + 1, 32) as pubkey
    from generate_series(0, octet_length(p_pubkeys) / 32 - 1) as i) as wanted
  left join lateral contact_newest(wanted.pubkey) as n on true
  left join author a on a.pubkey = wanted.pubkey
  left join contact_list l on l.author = a.id
  where l.id is distinct from n.id
  order by wanted.pubkey
$$;
comment on function contact_changes(bytea) is 'Newest contact lists of authors, where contacts are not made of them yet';

-- p_lists: JSON array of {author, createdAt, id: hex, follows}, createdAt and id null for no list. p_followers, p_followed:
-- all pairs of these authors, each once. Writes only what has changed; returns how many pairs came or went.
create or replace function contact_replace(p_lists jsonb, p_followers int4[], p_followed int4[]) returns int4
language plpgsql
set enable_seqscan = off
as $$
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
$$;
comment on function contact_replace(jsonb, int4[], int4[]) is 'Makes the contacts of authors those of their newest lists';

create or replace function contact_clear() returns void
language plpgsql
as $$
begin
  delete from contact;
  delete from contact_list;
  delete from contact_total;
  perform author_release_all();
end
$$;
comment on function contact_clear() is 'Empties the contact graph';

-- The next lists by (created_at, id), 40 bytes after which they come: their authors, and the last key; null at the end.
create or replace function contact_page(p_after bytea, p_limit int4, out pubkeys bytea, out upto bytea, out lists int4)
language sql stable
set enable_seqscan = off
as $$
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
$$;
comment on function contact_page(bytea, int4) is 'Authors of the contact lists after a key';
