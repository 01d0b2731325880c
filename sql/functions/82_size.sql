-- How large the archive is.

-- Rows are the server's estimate, as counting them reads them. With indexes and what is stored out of line.
create or replace function archive_sizes() returns table (name text, bytes int8, rows int8)
language sql stable parallel safe
as $$
  select relname::text, pg_total_relation_size(oid), greatest(reltuples, 0)::int8
  from pg_class
  where relnamespace = (select relnamespace from pg_class where oid = 'event'::regclass) and relkind in ('r', 'p')
$$;
comment on function archive_sizes() is 'Bytes on disk and estimated rows of each table';
