-- What relays let one do.

-- p_abilities: [{relayId, ability, value, judgedBy, judgedAt}]. Writes only what is not known to be so already, by the
-- same evidence. Returns the number of rows written.
create or replace function relay_ability_upsert(p_abilities jsonb) returns int4
language plpgsql
as $$
declare
  v_written int4;
begin
  insert into relay_ability as known (since, relay_id, value, ability, judged_by)
  select distinct on ("relayId", ability) "judgedAt", "relayId", value, ability, "judgedBy"
  from jsonb_to_recordset(p_abilities) as new (
    "relayId" int4, ability text, value boolean, "judgedBy" text, "judgedAt" int8)
  order by "relayId", ability, "judgedAt" desc
  on conflict (relay_id, ability) do update
  set since = excluded.since, value = excluded.value, judged_by = excluded.judged_by
  where (known.value, known.judged_by) is distinct from (excluded.value, excluded.judged_by);
  get diagnostics v_written = row_count;
  return v_written;
end
$$;
comment on function relay_ability_upsert(jsonb) is 'Stores what relays let one do; returns the number of rows that changed';
