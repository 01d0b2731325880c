/**
 * Layout of the data directory of the embedded PostgreSQL, and the user it runs as there.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DatabaseError } from "../connection/database_error.ts";
import { type ChildUser, chooseChildUser } from "./child_user.ts";
import { text } from "./program.ts";

/** The paths below one data directory. */
export interface DataDirectory {
  readonly root: string;
  /** PostgreSQL's own directory (PGDATA). */
  readonly cluster: string;
  /** Unpacked binaries. */
  readonly runtime: string;
  /** Held by the process that runs the server. */
  readonly lock: string;
  /** Says which process that is, for messages only. */
  readonly owner: string;
  /** The password of the TCP port; the socket needs none. */
  readonly password: string;
  /** What PostgreSQL says, rotated. */
  readonly log: string;
  /** The directory of the server's Unix socket. */
  readonly sockets: string;
}

/** Root's data belong to the system; everybody else's are where they work. */
function defaultRoot(): string {
  return Deno.uid() === 0 ? "/var/lib/bigbrotr" : "data";
}

export function dataDirectory(configured?: string): DataDirectory {
  const root = resolve(configured ?? defaultRoot());
  return {
    root,
    cluster: join(root, "postgres"),
    runtime: join(root, "runtime"),
    lock: join(root, "owner.lock"),
    owner: join(root, "owner.pid"),
    password: join(root, "password"),
    log: join(root, "postgres.log"),
    sockets: socketDirectory(root),
  };
}

/** `sun_path` holds 104 bytes on macOS, 108 on Linux, its final NUL included. */
const MAX_SOCKET_PATH = 103;

/** In the data directory, or, where that makes too long a path, in /tmp under a name that follows from it. */
function socketDirectory(root: string): string {
  const inside = join(root, "run");
  const longest = new TextEncoder().encode(`${inside}/.s.PGSQL.65535`).length;
  if (longest <= MAX_SOCKET_PATH) return inside;
  const name = createHash("sha256").update(root).digest("hex").slice(0, 16);
  return `/tmp/bigbrotr-${name}`;
}

/**
 * Makes the directory and what is in it, owned by the user that PostgreSQL will run as.
 *
 * @returns That user.
 * @throws Error when that user cannot reach it, or this process may not use it.
 */
export async function prepareDirectory(
  directory: DataDirectory,
): Promise<ChildUser> {
  const { root } = directory;
  const isNew = await makeRoot(root);
  const user = await chooseChildUser(
    isNew ? [directory.cluster] : [directory.cluster, root],
  );
  if (isNew) await give(root, user);
  await demandReachable(root, user);
  for (const path of [directory.runtime, directory.sockets]) {
    await makePrivate(path, user);
  }
  // Made here so that the user that the server runs as can use them, too, without us.
  await makeFile(directory.lock, user);
  await makeFile(directory.owner, user);
  return user;
}

/** Whether a cluster was ever made there; makes nothing. What this user may not look into counts as one. */
export async function hasCluster(directory: DataDirectory): Promise<boolean> {
  try {
    return (await Deno.stat(join(directory.cluster, "PG_VERSION"))).isFile;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory);
  }
}

/** Free bytes on the disk of a path; no limit where there is no disk, as in /proc. */
async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize, blocks } = await statfs(path);
  return blocks === 0 ? Infinity : bavail * bsize;
}

/** Below this much free space, whatever fails is taken to fail for want of it. */
const FULL_DISK_BYTES = 48 * 1024 * 1024;

/** The same error, or one that says that the disk is full when it is. */
export async function explainFullDisk(
  error: unknown,
  path: string,
): Promise<unknown> {
  const free = await freeBytes(path).catch(() => Infinity);
  if (free >= FULL_DISK_BYTES) return error;
  return new DatabaseError(
    "unreachable",
    `Cannot run the embedded PostgreSQL in ${path}: the disk is full ` +
      `(${
        mebibytes(free)
      } MiB free). Make room, or choose another --data-dir. ` +
      `What failed: ${error instanceof Error ? error.message : error}`,
    error,
  );
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / 1024 / 1024);
}

/** True when it was made, or is empty and root's: then it may be given away. */
async function makeRoot(root: string): Promise<boolean> {
  try {
    await Deno.mkdir(dirname(root), { recursive: true, mode: 0o755 });
    await Deno.mkdir(root, { recursive: true, mode: 0o750 });
    const { uid } = await Deno.stat(root);
    for await (const _entry of Deno.readDir(root)) return false;
    return uid === Deno.uid();
  } catch (cause) {
    throw await explainFullDisk(
      new Error(
        `Cannot use ${root} as data directory: ${
          cause instanceof Error ? cause.message : cause
        }. Choose another one: --data-dir DIR`,
        { cause },
      ),
      dirname(root),
    );
  }
}

async function give(path: string, user: ChildUser): Promise<void> {
  if (user.dropsPrivileges) await Deno.chown(path, user.uid, user.gid);
}

/** Asks as the user in question, because modes, groups and access lists together decide. */
async function demandReachable(root: string, user: ChildUser): Promise<void> {
  const ancestors: string[] = [];
  for (let path = root; path !== dirname(path); path = dirname(path)) {
    ancestors.unshift(path);
  }
  const script = 'for p do [ -x "$p" ] || { echo "$p"; exit 1; }; done';
  const probe = await new Deno.Command("/bin/sh", {
    ...user.asChild,
    args: ["-c", script, "sh", ...ancestors],
    cwd: "/",
    stdin: "null",
    stderr: "null",
  }).output();
  if (probe.success) return;
  throw new Error(
    `Cannot keep a database in ${root}: PostgreSQL refuses to run as root, so it runs as ` +
      `${user.label}, who may not enter ${text(probe.stdout).trim()}. ` +
      `Choose a directory that this user can reach, such as --data-dir ${defaultRoot()}, ` +
      `or give it away: chown ${user.name} ${root}`,
  );
}

/** A directory for one user's eyes. In /tmp another user may have been there first. */
async function makePrivate(path: string, user: ChildUser): Promise<void> {
  try {
    await Deno.mkdir(path, { mode: 0o700 });
    await give(path, user);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const { isDirectory, uid } = await Deno.lstat(path);
  if (isDirectory && (uid === user.uid || uid === Deno.uid())) return;
  throw new Error(
    `Cannot use ${path}: it must be a directory of ${user.label}, and is ${
      isDirectory ? `one of uid ${uid}` : "something else"
    }`,
  );
}

async function makeFile(path: string, user: ChildUser): Promise<void> {
  try {
    using _file = await Deno.open(path, {
      write: true,
      createNew: true,
      mode: 0o600,
    });
    await give(path, user);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}
