-- Capabilities: what relays let strangers do.

-- p_capabilities: [{relayId, capability, value, judgedBy, judgedAt}]. Writes only what is not known already, by the
-- same evidence. Returns the number of rows written.
create or replace function relay_capability_upsert(p_capabilities jsonb) returns int4
language plpgsql
as $$
declare
  v_written int4;
begin
  insert into relay_capability as known (since, relay_id, value, capability, judged_by)
  select distinct on ("relayId", capability) "judgedAt", "relayId", value, capability, "judgedBy"
  from jsonb_to_recordset(p_capabilities) as new (
    "relayId" int4, capability text, value boolean, "judgedBy" text, "judgedAt" int8)
  order by "relayId", capability, "judgedAt" desc
  on conflict (relay_id, capability) do update
  set since = excluded.since, value = excluded.value, judged_by = excluded.judged_by
  where (known.value, known.judged_by) is distinct from (excluded.value, excluded.judged_by);
  get diagnostics v_written = row_count;
  return v_written;
end
$$;
comment on function relay_capability_upsert(jsonb) is 'Stores what relays let one do; returns the number of rows that changed';
