-- Extensions, and which edition this archive is.

create extension if not exists btree_gin;
create extension if not exists pgcrypto;

-- Statistics about statements are good to have, but only a superuser of a server that has the module may have them:
-- a managed server without it is none the worse.
do $$
begin
  create extension if not exists pg_stat_statements;
exception when others then
  raise notice 'pg_stat_statements is not available: %', sqlerrm;
end
$$;

create table archive (
  singleton boolean primary key default true check (singleton),
  edition text not null check (edition in ('full', 'lite')),
  created_at int8 not null
);
comment on table archive is 'One row: what this archive is';
comment on column archive.singleton is 'Always true';
comment on column archive.edition is 'full, or lite: events without tags, content and sig';
comment on column archive.created_at is 'Unix seconds';
