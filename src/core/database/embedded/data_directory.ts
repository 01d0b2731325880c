/**
 * Layout of the data directory of the embedded PostgreSQL, and the user it runs as there.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { statfs } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { errorCode } from "../../../base/error_text.ts";
import { whyUnwritable } from "../../config/config_error.ts";
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
  /** PostgreSQL's configuration, which it reads and does not write. */
  readonly conf: string;
  /** Passwords of the roles on the TCP port; the socket needs none. */
  readonly passwords: string;
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
    conf: join(root, "conf"),
    passwords: join(root, "passwords"),
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
 * Makes the directory and what is in it. It stays this process's own, so that nobody else can put anything in its way:
 * the user that PostgreSQL runs as owns its cluster and the directory of its socket, and nothing that root opens by its path.
 *
 * @returns The user that PostgreSQL is to run as; null where the directory is somebody else's, in which we are a guest.
 * @throws Error when that user cannot reach it, or this process may not use it.
 */
export async function prepareDirectory(
  directory: DataDirectory,
): Promise<ChildUser | null> {
  try {
    return await prepare(directory);
  } catch (error) {
    throw await explained(error, directory.root);
  }
}

async function prepare(directory: DataDirectory): Promise<ChildUser | null> {
  const { root } = directory;
  await makeRoot(root);
  const { uid, mode } = await Deno.lstat(root);
  if (uid !== Deno.uid()) return null;
  const user = await chooseChildUser(directory.cluster);
  if (user.dropsPrivileges) await demandPrivate(root, mode ?? 0, user);
  await demandReachable(root, user);
  await disownAll(directory);
  await makeDirectory(directory.runtime, 0o755);
  await makeDirectory(directory.conf, 0o755);
  await makeSocketDirectory(directory.sockets, user);
  return user;
}

/** Nobody but root may decide what lies at a path that root will open. */
async function demandPrivate(
  root: string,
  mode: number,
  user: ChildUser,
): Promise<void> {
  if ((mode & 0o022) !== 0) {
    throw new Error(
      `Cannot use ${root} as data directory of root: others may write there. ` +
        `Take that away (chmod go-w ${root}), or choose another one: --data-dir DIR`,
    );
  }
  for (let path = dirname(root); path !== dirname(path); path = dirname(path)) {
    if ((await Deno.lstat(path)).uid !== user.uid) continue;
    throw new Error(
      `Cannot use ${root} as data directory of root: ${path} belongs to ${user.label}, who will run PostgreSQL. ` +
        `Choose another one: --data-dir DIR`,
    );
  }
}

async function makeDirectory(path: string, mode: number): Promise<void> {
  await Deno.mkdir(path, { recursive: true });
  // Whatever the umask of this process: the server's user has to get in.
  await Deno.chmod(path, mode);
}

/** Removes what another user may have put into our way while the directory was theirs. */
async function disownAll(directory: DataDirectory): Promise<void> {
  const { lock, owner, log, runtime, conf, passwords } = directory;
  for (const path of [lock, owner, runtime, conf, passwords]) {
    await disown(path);
  }
  for await (const { name } of Deno.readDir(directory.root)) {
    const isLog = name.startsWith(basename(log));
    if (isLog) await disown(join(directory.root, name));
  }
}

/** Removes what is not ours; a link is removed, and not followed. */
async function disown(path: string): Promise<void> {
  try {
    const { uid, isSymlink } = await Deno.lstat(path);
    if (uid === Deno.uid() && !isSymlink) return;
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
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
export async function freeBytes(path: string): Promise<number> {
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
    "disk-full",
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

async function makeRoot(root: string): Promise<void> {
  await Deno.mkdir(dirname(root), { recursive: true, mode: 0o755 });
  // Everybody may pass, as the user that PostgreSQL runs as must; what is in it is for its owners.
  if (await isMade(root)) await Deno.chmod(root, 0o755);
  for await (const _entry of Deno.readDir(root)) break;
}

/** What the system refused, with the directory and a way out; what we refused says so itself. */
async function explained(error: unknown, root: string): Promise<unknown> {
  const isOfSystem = error instanceof Deno.errors.NotCapable ||
    errorCode(error) !== undefined;
  if (!isOfSystem) return error;
  const why = whyUnwritable(error);
  const sentence = new Error(
    `Cannot use ${root} as data directory: ${why}. Choose another one: --data-dir DIR`,
  );
  return await explainFullDisk(sentence, dirname(root));
}

/** Whether it was not there before. */
async function isMade(path: string): Promise<boolean> {
  try {
    await Deno.mkdir(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
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
      `or let everybody pass: chmod o+x`,
  );
}

/** A directory for the server's user. In /tmp another user may have been there first. */
async function makeSocketDirectory(
  path: string,
  user: ChildUser,
): Promise<void> {
  try {
    await Deno.mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const { isDirectory, uid } = await Deno.lstat(path);
  // Our own, be it made by another process of ours that is about to do the same: nobody else can have put it there.
  if (isDirectory && uid === Deno.uid() && user.dropsPrivileges) {
    return await Deno.chown(path, user.uid, user.gid);
  }
  if (isDirectory && uid === user.uid) return;
  throw new Error(
    `Cannot use ${path}: it must be a directory of ${user.label}, and is ${
      isDirectory ? `one of uid ${uid}` : "something else"
    }`,
  );
}
