-- The contact graph. It depends on the tables alone: whoever may have another newest list is looked at again. Only the
-- refresher calls these, one at a time.

-- Numbers of what a list follows: the first 50,000 public keys that are ones, each once. Himself nobody follows.
create or replace function contact_follows(p_author int4, p_tags jsonb) returns int4[]
language sql
as $$
  select array(
    select distinct number
    from unnest(author_numbers((
      select coalesce(string_agg(decode(key, 'hex'), ''), '')
      from (
        select distinct tag ->> 1 as key
        from (select tag from jsonb_array_elements(p_tags) as tag where tag ->> 0 = 'p' and tag ->> 1 ~ '^[0-9a-f]{64}$' limit 50000) as named
      ) as wanted))) as number
    where number <> p_author)
$$;
comment on function contact_follows(int4, jsonb) is 'author.id of those whom a contact list names';

create or replace function contact_newest(p_pubkey bytea) returns table (created_at int8, id bytea, tags jsonb)
language sql stable
as $$
  select e.created_at, e.id, e.tags from event e
  where e.pubkey = p_pubkey and e.kind = 3
  order by e.created_at desc, e.id limit 1
$$;
comment on function contact_newest(bytea) is 'The contact list that counts (NIP-01: of those of one second the lowest id)';

-- p_pubkeys: 32 bytes each. Writes only what has changed. Returns how many pairs came or went.
create or replace function contact_update(p_pubkeys bytea) returns int4
language plpgsql
set enable_seqscan = off
as $$
declare
  v_pubkey bytea;
  v_author int4;
  v_list record;
  v_was int4[];
  v_is int4[];
  v_gone int4[];
  v_come int4[];
  v_changed int4 := 0;
begin
  for v_pubkey in
    select distinct substr(p_pubkeys, i * 32 + 1, 32) as pubkey
    from generate_series(0, octet_length(p_pubkeys) / 32 - 1) as i order by pubkey
  loop
    select id into v_author from author where pubkey = v_pubkey;
    select * into v_list from contact_newest(v_pubkey);
    continue when v_list.id is null and v_author is null
      or exists (
        select from contact_list l
        where l.author = v_author and l.created_at = v_list.created_at and l.id = v_list.id);
    v_author := coalesce(v_author, (author_numbers(v_pubkey))[1]);
    v_was := array(select followed from contact where follower = v_author);
    v_is := case when v_list.id is null then '{}' else contact_follows(v_author, v_list.tags) end;
    v_gone := array(select unnest(v_was) except select unnest(v_is));
    v_come := array(select unnest(v_is) except select unnest(v_was) order by 1);
    if v_list.id is null then
      delete from contact_list where author = v_author;
    else
      insert into contact_list as l (created_at, author, follows, id)
      values (v_list.created_at, v_author, cardinality(v_is), v_list.id)
      on conflict (author) do update
      set created_at = excluded.created_at, follows = excluded.follows, id = excluded.id;
    end if;
    delete from contact where follower = v_author and followed = any (v_gone);
    insert into contact (follower, followed) select v_author, followed from unnest(v_come) as followed;
    insert into contact_total as t (author, followers)
    select followed, 1 from unnest(v_come) as followed
    on conflict (author) do update set followers = t.followers + 1;
    delete from contact_total where author = any (v_gone) and followers = 1;
    update contact_total set followers = followers - 1 where author = any (v_gone);
    perform author_release(v_gone || v_author);
    v_changed := v_changed + cardinality(v_gone) + cardinality(v_come);
  end loop;
  return v_changed;
end
$$;
comment on function contact_update(bytea) is 'Makes the contacts of authors those of their newest list';

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
