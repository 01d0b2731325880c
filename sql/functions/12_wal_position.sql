-- The position in the log of this server (WAL): its cluster, its timeline, and how far it is written. Whoever goes on from
-- what an earlier transaction committed gives the position of that time back: a server that took over from another, or was
-- restored from a backup, may lack it.

-- Returns the position now, behind everything this transaction wrote before; null where the server does not say (some services
-- in the cloud). p_earlier: a position that must be in this log, null for none. Raises BB001 when it is not.
create or replace function wal_position_advance(p_earlier text) returns text
language plpgsql
as $$
declare
  v_earlier text[] := string_to_array(p_earlier, ' ');
  v_now text[];
begin
  begin
    select array[s.system_identifier::text, left(pg_walfile_name(w.lsn), 8), w.lsn::text] into v_now
    from pg_control_system() s, pg_current_wal_insert_lsn() w(lsn);
  exception when feature_not_supported or insufficient_privilege then
    return null;
  end;
  if v_earlier[1:2] <> v_now[1:2] or v_earlier[3]::pg_lsn > v_now[3]::pg_lsn then
    raise exception 'This server may lack what was committed: its log is at %, and was at %',
      array_to_string(v_now, ' '), p_earlier using errcode = 'BB001';
  end if;
  return array_to_string(v_now, ' ');
end
$$;
comment on function wal_position_advance(text) is 'Where the log of this server stands; raises when an earlier position is not in it';
