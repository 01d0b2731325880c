-- Leases of services: of some services one process at a time works, and the others wait to take over.

-- Who holds it already holds it for p_seconds from now. Nothing is written while another does. p_busy_share: see the table.
create or replace function service_lease_take(p_service text, p_holder text, p_seconds int4, p_busy_share float4)
returns text
language plpgsql
as $$
declare
  v_now int8 := unix_now();
  v_holder text;
begin
  select holder into v_holder from service_lease
  where service = p_service and claimed_until > v_now and holder <> p_holder;
  if found then
    return v_holder;
  end if;
  insert into service_lease as l (claimed_until, busy_share, service, holder)
  values (v_now + p_seconds, p_busy_share, p_service, p_holder)
  on conflict (service) do update
  set claimed_until = excluded.claimed_until, busy_share = excluded.busy_share, holder = excluded.holder
  where l.claimed_until <= v_now or l.holder = excluded.holder;
  return (select holder from service_lease where service = p_service);
end
$$;
comment on function service_lease_take(text, text, int4, float4) is 'Takes or renews the lease of a service; returns who holds it now';

create or replace function service_lease_release(p_service text, p_holder text) returns void
language sql
as $$
  delete from service_lease where service = p_service and holder = p_holder
$$;
comment on function service_lease_release(text, text) is 'Ends the lease of a service, if this process holds it';

create or replace function service_lease_find(p_service text, out holder text, out busy_share float4)
language sql stable
as $$
  select holder, busy_share from service_lease where service = p_service and claimed_until > unix_now()
$$;
comment on function service_lease_find(text) is 'Which process of a service works now, and how much of late; null for none';
