-- State of services: cursors and whatever else a service goes on from.

-- p_states: [{serviceName, stateType, stateKey, value}]. Replaces what is there; of one key twice the last counts.
create or replace function service_state_upsert(p_states jsonb) returns int4
language plpgsql
as $$
declare
  v_stored int4;
begin
  insert into service_state (service_name, state_type, state_key, state_value, updated_at)
  select distinct on (1, 2, 3) state ->> 'serviceName', state ->> 'stateType', state ->> 'stateKey', state -> 'value',
    unix_now()
  from jsonb_array_elements(p_states) with ordinality as new (state, position)
  order by 1, 2, 3, position desc
  on conflict (service_name, state_type, state_key) do update
  set state_value = excluded.state_value, updated_at = excluded.updated_at;
  get diagnostics v_stored = row_count;
  return v_stored;
end
$$;
comment on function service_state_upsert(jsonb) is 'Stores states, replacing those of the same key';

create or replace function service_state_get(p_service_name text, p_state_type text, p_state_key text)
returns table (state_key text, state_value jsonb, updated_at int8)
language sql stable
as $$
  select state_key, state_value, updated_at from service_state
  where service_name = p_service_name and state_type = p_state_type and (p_state_key is null or state_key = p_state_key)
  order by state_key
$$;
comment on function service_state_get(text, text, text) is 'The states of a service and type, by key';

-- p_keys: [{serviceName, stateType, stateKey}]. Returns the number that were there.
create or replace function service_state_delete(p_keys jsonb) returns int4
language plpgsql
as $$
declare
  v_deleted int4;
begin
  with wanted as (
    select "serviceName", "stateType", "stateKey"
    from jsonb_to_recordset(p_keys) as gone ("serviceName" text, "stateType" text, "stateKey" text)
  ), locked as (
    select service_name, state_type, state_key from service_state
    where (service_name, state_type, state_key) in (select * from wanted)
    order by 1, 2, 3
    for update
  )
  delete from service_state s using locked l
  where s.service_name = l.service_name and s.state_type = l.state_type and s.state_key = l.state_key;
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$$;
comment on function service_state_delete(jsonb) is 'Deletes states; returns the number that were there';
