-- Leases: one holder of a service a relay.

-- Relays that a service has no lease of yet get one, due at once. Relays come in the order of their ids, but for those
-- whose transaction was overtaken by a later one: for their sake all are looked at now and then.
create or replace function relay_lease_enroll(p_service text) returns void
language plpgsql
as $$
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
$$;
comment on function relay_lease_enroll(text) is 'Makes relays that are new to a service due at once';

-- p_request: {service, holder, networks, limit, leaseSeconds, urls?, exceptUrls?, evenIfNotDue?}. First the relays that
-- are overdue by the most of their own intervals: so each gets its share when there are more than can be looked at.
create or replace function relay_lease_take(p_request jsonb)
returns table (
  relay_id int4, url text, network text, failures int4, due_at int8, interval_seconds int4, yield float4,
  memory jsonb)
language plpgsql
as $$
#variable_conflict use_column
declare
  v_service text := p_request ->> 'service';
  v_networks text[] := array(select jsonb_array_elements_text(p_request -> 'networks'));
  v_urls text[] := array(select jsonb_array_elements_text(p_request -> 'urls'));
  v_except text[] := array(select jsonb_array_elements_text(p_request -> 'exceptUrls'));
  v_everything boolean := coalesce((p_request ->> 'evenIfNotDue')::boolean, false);
  v_all_urls boolean := p_request -> 'urls' is null;
  v_now int8 := unix_now();
begin
  perform relay_lease_enroll(v_service);

  return query
  with due as (
    select l.relay_id, r.url, r.network,
      (v_now - l.due_at)::float8 / coalesce(l.interval_seconds, 900) as overdue
    from relay_lease l join relay r on r.id = l.relay_id
    where l.service = v_service and l.claimed_until <= v_now and (v_everything or l.due_at <= v_now)
      and r.network = any (v_networks)
      and (v_all_urls or r.url in (select unnest(v_urls)))
      and r.url not in (select unnest(v_except))
    order by overdue desc, l.relay_id
    limit (p_request ->> 'limit')::int4
    for update of l skip locked
  ), taken as (
    update relay_lease l
    set holder = p_request ->> 'holder', claimed_until = v_now + (p_request ->> 'leaseSeconds')::int8
    from due
    where l.service = v_service and l.relay_id = due.relay_id
    returning l.relay_id, due.url, due.network, l.failures, l.due_at, l.interval_seconds, l.yield, l.memory,
      due.overdue
  )
  select relay_id, url, network, failures, due_at, interval_seconds, yield, memory
  from taken order by overdue desc, relay_id;
end
$$;
comment on function relay_lease_take(jsonb) is 'Leases relays that are due and free, the longest due first';

-- p_relay_ids: array of relay.id. Returns those still held; the others belong to somebody else by now.
create or replace function relay_lease_renew(p_service text, p_holder text, p_relay_ids jsonb, p_lease_seconds int4)
returns table (relay_id int4)
language plpgsql
as $$
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
$$;
comment on function relay_lease_renew(text, text, jsonb, int4) is 'Extends leases; returns the relays still held';

-- p_relays: [{relayId, nextDueAt, failures?, intervalSeconds?, newEvents?, memory?}]; what is left out stays, but
-- failures, which are 0 then. Returns the number of leases that were still held.
create or replace function relay_lease_release(p_service text, p_holder text, p_relays jsonb) returns int4
language plpgsql
as $$
declare
  v_released int4;
begin
  with given as (
    select "relayId" as relay_id, max("nextDueAt") as due_at, max(coalesce(failures, 0)) as failures,
      max("intervalSeconds") as interval_seconds, max("newEvents") as new_events,
      (array_agg(memory) filter (where memory is not null))[1] as memory
    from jsonb_to_recordset(p_relays)
      as new ("relayId" int4, "nextDueAt" int8, failures int4, "intervalSeconds" int4, "newEvents" int8, memory jsonb)
    group by 1
  ), held as (
    select l.relay_id from relay_lease l
    where service = p_service and holder = p_holder and claimed_until > 0
      and l.relay_id in (select relay_id from given)
    order by l.relay_id
    for update
  )
  update relay_lease l
  set due_at = given.due_at, failures = given.failures, claimed_until = 0, holder = null,
    memory = coalesce(given.memory, l.memory),
    interval_seconds = coalesce(given.interval_seconds, l.interval_seconds),
    yield = coalesce((l.yield + given.new_events) / 2, l.yield),
    yielded_at = case when given.new_events > 0 then unix_now() else l.yielded_at end
  from held join given using (relay_id)
  where l.service = p_service and l.relay_id = held.relay_id;
  get diagnostics v_released = row_count;
  return v_released;
end
$$;
comment on function relay_lease_release(text, text, jsonb) is 'Gives leases back and sets when the relays are due again; returns how many were held';
