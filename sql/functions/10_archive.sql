-- The archive itself: its edition, and the locks its families share.

-- Says which edition this archive is, once; null keeps what is there (full in a new one).
-- Returns the edition. Raises when another edition is wanted than there is.
create or replace function archive_init(p_edition text) returns text
language plpgsql
as $$
declare
  v_edition text;
begin
  insert into archive (edition, created_at)
  values (coalesce(p_edition, 'full'), unix_now())
  on conflict do nothing;
  select edition into v_edition from archive;
  if v_edition <> p_edition then
    raise exception 'Cannot make this archive % as it is %: the edition is chosen once, with the first db init',
      p_edition, v_edition using errcode = 'object_not_in_prerequisite_state';
  end if;
  return v_edition;
end
$$;
comment on function archive_init(text) is 'Sets the edition of a new archive; returns the edition';

create or replace function archive_edition() returns text
language sql stable parallel safe
as $$ select coalesce((select edition from archive), 'full') $$;
comment on function archive_edition() is 'full or lite';

-- A transaction that adds a reference (a sighting, a document of a relay) holds this lock shared to its end; one that
-- deletes orphans holds it alone. Without it an orphan could be referred to while it is deleted.
create or replace function archive_reference() returns void
language sql volatile
as $$ select pg_advisory_xact_lock_shared(hashtextextended('bigbrotr reference', 0)) $$;
comment on function archive_reference() is 'Keeps what is about to be referred to from being deleted as an orphan';

create or replace function archive_unreferenced() returns void
language sql volatile
as $$ select pg_advisory_xact_lock(hashtextextended('bigbrotr reference', 0)) $$;
comment on function archive_unreferenced() is 'Waits until nobody is adding references, and keeps them waiting';
