-- Single relays, for the operator: what the archive does with them, and what it is to do.

-- p_request: {urls?, networks?, state?}: state is online, offline or unchecked; what is left out is no condition.
create or replace function relay_list(p_request jsonb)
returns table (
  url text, network text, discovered_at int8, online boolean, since int8, last_checked_at int8, failure text,
  holder text, live_since int8, due_at int8, sync_failures int4, gaps int8, proven_until int8)
language sql stable
as $$
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
$$;
comment on function relay_list(jsonb) is 'Relays with their health, and how the synchronizer stands with them, by URL';

-- p_urls: array of text; null for all.
create or replace function candidate_list(p_urls jsonb)
returns table (
  url text, network text, source text, discovered_at int8, failures int4, last_tried_at int8, last_failure text,
  due_at int8)
language sql stable
as $$
  select c.url, c.network, c.source, c.discovered_at, c.failures, c.last_tried_at, c.last_failure, c.due_at
  from candidate c
  where p_urls is null or c.url = any (array(select jsonb_array_elements_text(p_urls)))
  order by c.url
$$;
comment on function candidate_list(jsonb) is 'Candidates and how their trials went, by URL';

-- p_urls: array of text. Candidates and relays are due at once for every service, as if nothing had failed; gaps with a
-- lasting reason are asked for again. What a process has in hand is due when it gives it back. Returns the URLs found.
create or replace function relay_retry(p_urls jsonb) returns table (url text, is_relay boolean)
language plpgsql
as $$
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
$$;
comment on function relay_retry(jsonb) is 'Makes candidates and relays due at once, and their gaps with them; returns those found';

-- Null without such a relay: who has it in hand (null: nobody), and whether it has sightings.
create or replace function relay_removal(p_url text) returns table (holder text, has_sightings boolean)
language sql stable
as $$
  select
    (select string_agg(l.service || ' of ' || coalesce(l.holder, 'somebody'), ', ' order by l.service)
      from relay_lease l where l.relay_id = r.id and l.claimed_until > unix_now()),
    exists (select from sighting_page p where p.relay_id = r.id)
  from relay r where r.url = p_url
$$;
comment on function relay_removal(text) is 'What stands against removing a relay';

create or replace function relay_sighting_delete(p_url text, p_limit int4) returns int4
language plpgsql
as $$
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
$$;
comment on function relay_sighting_delete(text, int4) is 'Deletes pages of sightings of a relay, the oldest first, until p_limit; returns the number of sightings, 0 at the end';

-- Everything that refers to the relay goes with it, but for its sightings, which must be gone. False without such a relay
-- or candidate. Raises object_in_use when a process has it in hand.
create or replace function relay_remove(p_url text) returns boolean
language plpgsql
as $$
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
$$;
comment on function relay_remove(text) is 'Deletes a candidate, or a relay with all that is known of it; whether there was one';
