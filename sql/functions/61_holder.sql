-- Holders: the processes that hold candidates, relays, the relays of an outbox or a whole service, by the names they gave
-- themselves.

create or replace function holder_list() returns table (holder text)
language sql stable
as $$
  select holder from candidate where claimed_until > unix_now() and holder is not null
  union
  select holder from relay_lease where claimed_until > unix_now() and holder is not null
  union
  select holder from outbox_target where claimed_until > unix_now() and holder is not null
  union
  select holder from service_lease where claimed_until > unix_now()
$$;
comment on function holder_list() is 'Everybody who holds something now';

-- p_holders: array of names of processes that are gone. Returns the number of candidates, relays and services that are free
-- now. The refresher's role may free nothing but services; the others are left to those who may.
create or replace function holder_release(p_holders jsonb) returns int4
language plpgsql
as $$
declare
  v_holders text[] := array(select jsonb_array_elements_text(p_holders));
  v_freed int4;
  v_released int4;
begin
  delete from service_lease where holder = any (v_holders);
  get diagnostics v_released = row_count;
  if not has_table_privilege('relay_lease', 'update') then
    return v_released;
  end if;
  with held as (
    select url from candidate where holder = any (v_holders) and claimed_until > 0 order by url for update
  )
  update candidate c set claimed_until = 0 from held where c.url = held.url;
  get diagnostics v_freed = row_count;
  v_released := v_released + v_freed;
  with held as (
    select service, relay_id from relay_lease
    where holder = any (v_holders) and claimed_until > 0
    order by service, relay_id
    for update
  )
  update relay_lease l set claimed_until = 0, holder = null, live_since = null, progress = null
  from held where l.service = held.service and l.relay_id = held.relay_id;
  get diagnostics v_freed = row_count;
  v_released := v_released + v_freed;
  with held as (
    select id from outbox_target where holder = any (v_holders) and claimed_until > 0 order by id for update
  )
  update outbox_target t set claimed_until = 0 from held where t.id = held.id;
  get diagnostics v_freed = row_count;
  return v_released + v_freed;
end
$$;
comment on function holder_release(jsonb) is 'Frees what processes held that are gone; returns how much that was';
