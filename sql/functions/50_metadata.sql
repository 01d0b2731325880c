-- Documents about relays.

-- p_documents: [{type, data: canonical JSON as text}]. Returns the number of new documents.
create or replace function metadata_insert(p_documents jsonb) returns int4
language plpgsql
as $$
declare
  v_inserted int4;
begin
  insert into metadata (id, type, data)
  select distinct sha256(convert_to(data, 'UTF8')) as id, type, data::jsonb
  from jsonb_to_recordset(p_documents) as new (type text, data text)
  order by id, type
  on conflict do nothing;
  get diagnostics v_inserted = row_count;
  return v_inserted;
end
$$;
comment on function metadata_insert(jsonb) is 'Stores documents by content; returns the number of new ones';

-- p_documents: [{relayId, type, generatedAt, data: canonical JSON as text}]. Stores the documents as well.
-- Returns the number of new (relay, type, moment) rows; one that is there is left alone.
create or replace function relay_metadata_insert(p_documents jsonb) returns int4
language plpgsql
as $$
declare
  v_inserted int4;
begin
  perform archive_reference();
  perform metadata_insert(p_documents);
  insert into relay_metadata (generated_at, relay_id, metadata_type, metadata_id)
  select "generatedAt", "relayId", type, sha256(convert_to(data, 'UTF8'))
  from jsonb_to_recordset(p_documents) as new ("relayId" int4, type text, "generatedAt" int8, data text)
  order by "relayId", type, "generatedAt"
  on conflict do nothing;
  get diagnostics v_inserted = row_count;
  perform relay_software_update(array(
    select "relayId" from jsonb_to_recordset(p_documents) as new ("relayId" int4, type text) where type = 'nip11_info'));
  return v_inserted;
end
$$;
comment on function relay_metadata_insert(jsonb) is 'Stores documents and whose they are; returns the number of new rows';

-- Looks at the p_limit documents after a key and deletes those no relay has. Returns the last key looked at (null at
-- the end) and how many were deleted.
create or replace function orphan_metadata_delete(
  p_after_id bytea, p_after_type text, p_limit int4, out last_id bytea, out last_type text, out deleted int4)
language plpgsql
as $$
begin
  perform archive_unreferenced();
  with page as (
    select id, type from metadata
    where (id, type) > (p_after_id, p_after_type)
    order by id, type
    limit p_limit
  ), gone as (
    delete from metadata m using page p
    where m.id = p.id and m.type = p.type and not exists (
      select from relay_metadata r where r.metadata_id = p.id and r.metadata_type = p.type)
    returning 1
  )
  select edge.id, edge.type, (select count(*) from gone)
  into last_id, last_type, deleted
  from (select 1) as one
  left join (select * from page order by id desc, type desc limit 1) as edge
    on (select count(*) from page) = p_limit;
end
$$;
comment on function orphan_metadata_delete(bytea, text, int4) is 'Deletes documents of no relay among the next p_limit; returns where it stopped';

-- Deletes up to p_limit references older than a moment, but never the newest of a relay and type. Returns their number.
create or replace function relay_metadata_expire(p_before int8, p_limit int4) returns int4
language plpgsql
as $$
declare
  v_deleted int4;
begin
  delete from relay_metadata old
  using (
    select relay_id, metadata_type, generated_at from relay_metadata
    where generated_at < p_before and exists (
      select from relay_metadata newer
      where newer.relay_id = relay_metadata.relay_id and newer.metadata_type = relay_metadata.metadata_type
        and newer.generated_at > relay_metadata.generated_at)
    limit p_limit
    for update skip locked
  ) as expired
  where old.relay_id = expired.relay_id and old.metadata_type = expired.metadata_type
    and old.generated_at = expired.generated_at;
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$$;
comment on function relay_metadata_expire(int8, int4) is 'Deletes old references to documents, never the newest; returns their number';
