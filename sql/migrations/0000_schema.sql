-- What has been applied to this database, by `bigbrotr db migrate`.

create table schema_migration (
  version int4 primary key,
  name text not null,
  checksum text not null,
  applied_at int8 not null
);
comment on table schema_migration is 'Migrations applied, in order; a program that knows fewer refuses this database';
comment on column schema_migration.version is 'Number of the file in sql/migrations';
comment on column schema_migration.name is 'Name of the file';
comment on column schema_migration.checksum is 'sha256 of the file, hex: a migration is never edited once released';
comment on column schema_migration.applied_at is 'Unix seconds';

create table schema_function (
  name text primary key,
  checksum text not null,
  applied_at int8 not null
);
comment on table schema_function is 'Files of stored functions applied; a file is applied again when its checksum changes';
comment on column schema_function.name is 'Name of the file in sql/functions';
comment on column schema_function.checksum is 'sha256 of the file, hex';
comment on column schema_function.applied_at is 'Unix seconds';

-- One clock for all processes on all machines: the server's.
create function unix_now() returns int8
language sql volatile parallel safe
as $$ select floor(extract(epoch from clock_timestamp()))::int8 $$;
comment on function unix_now() is 'Unix seconds by the clock of this server';
