-- Relays.

-- The same URL with the other scheme: a relay is known in either form.
create or replace function relay_twin(p_url text) returns text
language sql immutable strict parallel safe
as $$
  select case when p_url like 'wss://%' then 'ws://' || substr(p_url, 7) else 'wss://' || substr(p_url, 6) end
$$;
comment on function relay_twin(text) is 'wss://x for ws://x and the other way round';

create or replace function relay_is_known(p_url text) returns boolean
language sql stable parallel safe
as $$ select exists (select from relay where url in (p_url, relay_twin(p_url))) $$;
comment on function relay_is_known(text) is 'Whether a URL is a relay, in its ws or wss form';

-- p_relays: [{url, network, domain?}]. Returns the number of new relays; those that are there are left alone.
-- A relay is no candidate any more, in neither form.
create or replace function relay_insert(p_relays jsonb) returns int4
language plpgsql
as $$
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
$$;
comment on function relay_insert(jsonb) is 'Stores relays; returns the number of new ones';

-- p_networks, p_urls: arrays of text; null for all.
create or replace function relay_find(p_networks jsonb, p_urls jsonb)
returns table (id int4, url text, network text, discovered_at int8)
language plpgsql stable
as $$
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
$$;
comment on function relay_find(jsonb, jsonb) is 'Relays of these networks and URLs, by id';
