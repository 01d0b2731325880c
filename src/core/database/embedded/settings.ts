/**
 * The configuration files of the embedded PostgreSQL, sized to the machine it runs on.
 *
 * @module
 */
import { join } from "node:path";
import { type ChildUser, SHARED_USER } from "./child_user.ts";
import { OWNER_ROLE } from "./cluster.ts";
import type { DataDirectory } from "./data_directory.ts";
import { lookAtMachine, type Machine } from "./machine.ts";

/** The port that names the socket when no TCP port is configured. */
export const SOCKET_PORT = 5432;

export interface SettingsOptions {
  readonly user: ChildUser;
  /** TCP port on 127.0.0.1; null for the Unix socket only. */
  readonly port: number | null;
}

/**
 * Writes postgresql.conf, pg_hba.conf and pg_ident.conf anew, as the machine may have changed since the last start. They
 * are outside of the cluster, whose owner could put links in our way there. An operator's own settings go into
 * `custom.conf` beside them, which wins and is never touched.
 */
export async function writeSettings(
  directory: DataDirectory,
  options: SettingsOptions,
): Promise<void> {
  const files = {
    "postgresql.conf": postgresqlConf(directory, {
      port: options.port,
      ...await lookAtMachine(),
    }),
    "pg_hba.conf": PG_HBA,
    "pg_ident.conf": pgIdent(options.user),
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory.conf, name);
    await Deno.writeTextFile(path, content);
    await Deno.chmod(path, 0o644);
  }
  await makeCustomConf(join(directory.conf, "custom.conf"));
}

async function makeCustomConf(path: string): Promise<void> {
  try {
    await Deno.writeTextFile(
      path,
      "# Settings here win over postgresql.conf, which bigbrotr writes anew at every start.\n",
      { createNew: true },
    );
    await Deno.chmod(path, 0o644);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

const MIB = 1024 * 1024;

/** Memory settings for a machine with `memory` bytes, in MiB: shares of it, as the database is not alone there. */
export function memorySettings(memory: number) {
  const share = (part: number, least: number, most: number) =>
    Math.round(Math.min(most, Math.max(least, memory / MIB / part)));
  return {
    shared_buffers: share(4, 64, 16_384),
    effective_cache_size: share(2, 128, 65_536),
    maintenance_work_mem: share(16, 32, 1_024),
    work_mem: share(512, 4, 64),
  };
}

function postgresqlConf(
  { conf, sockets }: DataDirectory,
  machine: Machine & { readonly port: number | null },
): string {
  const sizes = Object.entries(memorySettings(machine.memory))
    .map(([name, mebibytes]) => `${name} = ${mebibytes}MB`).join("\n");
  return `# Written by bigbrotr at every start; your own settings belong into custom.conf.
listen_addresses = '${machine.port === null ? "" : "127.0.0.1"}'
port = ${machine.port ?? SOCKET_PORT}
unix_socket_directories = ${quoted(sockets)}
unix_socket_permissions = 0700
hba_file = ${quoted(join(conf, "pg_hba.conf"))}
ident_file = ${quoted(join(conf, "pg_ident.conf"))}

${sizes}
dynamic_shared_memory_type = ${machine.smallShm ? "mmap" : "posix"}
${FIXED_SETTINGS}`;
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "''")}'`;
}

/** Settings that do not depend on the machine. */
const FIXED_SETTINGS = `random_page_cost = 1.1
jit = off
max_logical_replication_workers = 0

# Durable: what was answered is on the disk. One flush per batch of a thousand events costs next to nothing.
fsync = on
synchronous_commit = on
full_page_writes = on
max_wal_size = 4GB
min_wal_size = 256MB
checkpoint_timeout = 15min

shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.track = all

timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
# The owner reads stderr line by line and keeps it in postgres.log. Statements and details would bring whole events there.
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] %q%a '
log_checkpoints = off
log_min_messages = warning
log_min_error_statement = panic
log_error_verbosity = terse

include = 'custom.conf'
`;

/** Authentication: on the socket by the user the system names, over TCP by a password, which the superuser has none of. */
const PG_HBA = `local all all peer map=bigbrotr
host all ${OWNER_ROLE} all reject
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
`;

/**
 * The user that runs the server may be any role in it, and so may root, which could become that user anyway; but not one
 * that other programs run as, too.
 */
function pgIdent(user: ChildUser): string {
  const isShared = user.dropsPrivileges && user.name === SHARED_USER;
  return ["root", ...(isShared ? [] : [user.name])]
    .map((name) => `bigbrotr "${name}" all\n`).join("");
}
