-- Leases: one holder of a service a relay.

-- p_request: {service, holder, networks, limit, leaseSeconds, urls?, evenIfNotDue?}. The longest due first.
create or replace function relay_lease_take(p_request jsonb)
returns table (relay_id int4, url text, network text, failures int4, due_at int8)
language plpgsql
as $$
#variable_conflict use_column
declare
  v_service text := p_request ->> 'service';
  v_urls text[] := array(select jsonb_array_elements_text(p_request -> 'urls'));
  v_everything boolean := coalesce((p_request ->> 'evenIfNotDue')::boolean, false);
  v_all_urls boolean := p_request -> 'urls' is null;
  v_now int8 := unix_now();
begin
  insert into relay_lease (service, relay_id)
  select v_service, r.id from relay r
  where not exists (select from relay_lease l where l.service = v_service and l.relay_id = r.id)
  order by r.id
  on conflict do nothing;

  return query
  with due as (
    select l.relay_id, r.url, r.network
    from relay_lease l join relay r on r.id = l.relay_id
    where l.service = v_service and l.claimed_until <= v_now and (v_everything or l.due_at <= v_now)
      and p_request -> 'networks' ? r.network and (v_all_urls or r.url = any (v_urls))
    order by l.due_at, l.relay_id
    limit (p_request ->> 'limit')::int4
    for update of l skip locked
  ), taken as (
    update relay_lease l
    set holder = p_request ->> 'holder', claimed_until = v_now + (p_request ->> 'leaseSeconds')::int8
    from due
    where l.service = v_service and l.relay_id = due.relay_id
    returning l.relay_id, due.url, due.network, l.failures, l.due_at
  )
  select * from taken order by due_at, relay_id;
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

-- p_relays: [{relayId, nextDueAt, failures?}]. Returns the number of leases that were still held.
create or replace function relay_lease_release(p_service text, p_holder text, p_relays jsonb) returns int4
language plpgsql
as $$
declare
  v_released int4;
begin
  with given as (
    select "relayId" as relay_id, max("nextDueAt") as due_at, max(coalesce(failures, 0)) as failures
    from jsonb_to_recordset(p_relays) as new ("relayId" int4, "nextDueAt" int8, failures int4)
    group by 1
  ), held as (
    select l.relay_id from relay_lease l
    where service = p_service and holder = p_holder and claimed_until > 0
      and l.relay_id in (select relay_id from given)
    order by l.relay_id
    for update
  )
  update relay_lease l
  set due_at = given.due_at, failures = given.failures, claimed_until = 0, holder = null
  from held join given using (relay_id)
  where l.service = p_service and l.relay_id = held.relay_id;
  get diagnostics v_released = row_count;
  return v_released;
end
$$;
comment on function relay_lease_release(text, text, jsonb) is 'Gives leases back and sets when the relays are due again; returns how many were held';
