-- The numbers of checks.

-- p_checks: [{relayId, checkedAt, online, openMs?, readMs?, writeMs?, failure?}]. Returns the number of new ones; a
-- second check of a relay in one second is left out.
create or replace function relay_check_insert(p_checks jsonb) returns int4
language plpgsql
as $$
declare
  v_inserted int4;
begin
  insert into relay_check (checked_at, relay_id, open_ms, read_ms, write_ms, online, failure)
  select "checkedAt", "relayId", "openMs", "readMs", "writeMs", online, left(failure, 1024)
  from jsonb_to_recordset(p_checks) as new (
    "checkedAt" int8, "relayId" int4, "openMs" int4, "readMs" int4, "writeMs" int4, online boolean, failure text)
  order by "relayId", "checkedAt"
  on conflict do nothing;
  get diagnostics v_inserted = row_count;
  return v_inserted;
end
$$;
comment on function relay_check_insert(jsonb) is 'Stores checks; returns the number of new ones';

-- Deletes up to p_limit checks older than a moment, but never the newest of a relay. Returns their number.
create or replace function relay_check_expire(p_before int8, p_limit int4) returns int4
language plpgsql
as $$
declare
  v_deleted int4;
begin
  delete from relay_check old
  using (
    select relay_id, checked_at from relay_check
    where checked_at < p_before and exists (
      select from relay_check newer
      where newer.relay_id = relay_check.relay_id and newer.checked_at > relay_check.checked_at)
    limit p_limit
    for update skip locked
  ) as expired
  where old.relay_id = expired.relay_id and old.checked_at = expired.checked_at;
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$$;
comment on function relay_check_expire(int8, int4) is 'Deletes old checks, never the newest of a relay; returns their number';
