/**
 * Making and starting PostgreSQL clusters for tests, from the program's own binaries or Debian's.
 *
 * @module
 */
import { join } from "node:path";
import { unpackBinaries } from "../../src/core/database/embedded/binaries.ts";

/** The PostgreSQL that the program brings along, or the oldest one that Debian's packages installed. */
export type ServerVersion = "embedded" | "debian";

/** Everything the server has, in one directory that it alone may enter. */
export interface ClusterOptions {
  readonly version: ServerVersion;
  readonly directory: string;
  /** Lines of postgresql.conf that win over those for quick tests. */
  readonly settings?: string;
  /** Files put into the directory before the start, by name; for certificates and the like. */
  readonly files?: Readonly<Record<string, string>>;
  /** pg_hba.conf; by default the socket is open to whoever reaches it. */
  readonly hba?: string;
}

/** As whom it runs when we are root. */
export const NOBODY = { uid: 65534, gid: 65534 };

/** The name of the socket, also where nothing listens on a port of that number. */
export const SOCKET_PORT = 5432;

/** Makes a cluster and starts it; returns when it takes connections. It runs until somebody stops it. */
export async function startCluster(options: ClusterOptions): Promise<void> {
  const { version, directory } = options;
  const bin = await binaries(version);
  await Deno.mkdir(directory, { mode: 0o700 });
  const child = Deno.uid() === 0 ? NOBODY : {};
  await give(directory);
  for (const [name, content] of Object.entries(options.files ?? {})) {
    await Deno.writeTextFile(`${directory}/${name}`, content, { mode: 0o600 });
    await give(`${directory}/${name}`);
  }
  const data = `${directory}/data`;
  await run(`${bin}/initdb`, [
    "-D",
    data,
    "-U",
    "bigbrotr",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale=C",
    "--no-sync",
  ], { ...child, cwd: directory });
  await Deno.writeTextFile(
    `${data}/postgresql.conf`,
    quickSettings(directory) + (options.settings ?? ""),
    { append: true },
  );
  if (options.hba !== undefined) {
    await Deno.writeTextFile(`${data}/pg_hba.conf`, options.hba);
  }
  await resumeCluster(options);
}

/** Starts a cluster that was stopped; returns when it takes connections. */
export async function resumeCluster(
  { version, directory }: Pick<ClusterOptions, "version" | "directory">,
): Promise<void> {
  const data = `${directory}/data`;
  await run(`${await binaries(version)}/pg_ctl`, [
    "-D",
    data,
    "-w",
    "-t",
    "60",
    "-l",
    `${directory}/log`,
    "start",
  ], { ...(Deno.uid() === 0 ? NOBODY : {}), cwd: directory });
}

async function give(path: string): Promise<void> {
  if (Deno.uid() === 0) await Deno.chown(path, NOBODY.uid, NOBODY.gid);
}

/**
 * Leaves a process behind that stops the cluster and deletes it once this process is gone. To be called before the
 * start, so that there is no moment at which our end would leave a server behind.
 */
export async function watchCluster(directory: string): Promise<void> {
  const script = `
    trap '' INT HUP TERM
    alive() { if [ -d /proc/self ]; then [ -d "/proc/$1" ]; else kill -0 "$1"; fi; }
    (
      while alive "$1"; do sleep 0.5; done
      if [ -d "$2" ]; then
        server=$(head -n 1 "$2/data/postmaster.pid" || { sleep 2; head -n 1 "$2/data/postmaster.pid"; })
        if [ -n "$server" ]; then
          kill -QUIT "$server"
          while alive "$server"; do sleep 0.1; done
        fi
      fi
      rm -rf "$2" "$2".lock "$2".*.lock
    ) </dev/null >/dev/null 2>&1 &`;
  await new Deno.Command("/bin/sh", {
    args: ["-c", script, "watch", String(Deno.pid), directory],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
}

/** How a cluster is stopped: with a checkpoint, or at once, as a crash would. */
export type StopMode = "fast" | "immediate";

/** Stops a cluster; at once, unless somebody will look at it again. */
export async function stopCluster(
  { version, directory }: Pick<ClusterOptions, "version" | "directory">,
  mode: StopMode = "immediate",
): Promise<void> {
  await run(`${await binaries(version)}/pg_ctl`, [
    "-D",
    `${directory}/data`,
    "-w",
    "-m",
    mode,
    "stop",
  ], { ...(Deno.uid() === 0 ? NOBODY : {}), cwd: directory });
}

/** Where the programs of a version are. */
export async function binaries(version: ServerVersion): Promise<string> {
  const bin = version === "embedded"
    ? await embeddedBinaries()
    : await debianBinaries();
  if (bin === null) throw new Error("Cannot find Debian's PostgreSQL");
  return bin;
}

/** The oldest of Debian's, because the oldest is where something is missing; null where none is installed. */
export async function debianBinaries(): Promise<string | null> {
  const majors: number[] = [];
  try {
    for await (const { name } of Deno.readDir("/usr/lib/postgresql")) {
      if (Number(name) >= 15) majors.push(Number(name));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  majors.sort((a, b) => a - b);
  return majors.length === 0 ? null : `/usr/lib/postgresql/${majors[0]}/bin`;
}

/** Waits for a lock of open files: test files run in threads of one process. */
export async function lock(path: string): Promise<Disposable> {
  const file = await Deno.open(path, { create: true, write: true });
  await file.lock(true);
  return file;
}

/** Unpacked once per machine and version, and shared by all runs. */
async function embeddedBinaries(): Promise<string> {
  const parent = `/tmp/bigbrotr-test-binaries-${Deno.uid()}`;
  await Deno.mkdir(parent, { recursive: true, mode: 0o755 });
  using _lock = await lock(join(parent, "lock"));
  const { directory } = await unpackBinaries(parent);
  return join(directory, "bin");
}

function quickSettings(directory: string): string {
  return `
listen_addresses = ''
port = ${SOCKET_PORT}
unix_socket_directories = '${directory}'
shared_buffers = 128MB
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
autovacuum_naptime = 10s
timezone = UTC
`;
}

async function run(
  program: string,
  args: string[],
  options: Pick<Deno.CommandOptions, "uid" | "gid" | "cwd">,
): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    ...options,
    args,
    env: { LC_ALL: "C" },
    stdin: "null",
  }).output();
  if (success) return;
  const text = new TextDecoder();
  throw new Error(
    `Cannot run ${program} ${args.join(" ")}:\n${text.decode(stdout)}${
      text.decode(stderr)
    }`,
  );
}
