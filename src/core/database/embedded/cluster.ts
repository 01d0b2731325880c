/**
 * The database cluster on disk: made once, and only ever used by the PostgreSQL major that made it.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { basename, join } from "node:path";
import { DatabaseError } from "../connection/database_error.ts";
import type { Binaries } from "./binaries.ts";
import type { ChildUser } from "./child_user.ts";
import { type DataDirectory, explainFullDisk } from "./data_directory.ts";
import { POSTGRES_MAJOR } from "./package_files.ts";
import { readPlainFile } from "./processes.ts";
import { runProgram } from "./program.ts";

/** Role and database of the embedded server. */
export const OWNER_ROLE = "bigbrotr";

/** Ends the name of a cluster that initdb is making, before what makes it unique. */
const UNFINISHED = ".unfinished-";

/**
 * Makes the cluster if there is none. Killed half-way, it leaves nothing that would be taken for one.
 *
 * @throws DatabaseError `version` when the directory is of another major.
 */
export async function ensureCluster(
  directory: DataDirectory,
  options: { readonly binaries: Binaries; readonly user: ChildUser },
): Promise<void> {
  const major = await clusterMajor(directory);
  if (major === POSTGRES_MAJOR) return;
  if (major !== null) throw wrongMajor(directory, major);
  await removeUnfinished(directory);
  // A name of its own: the initdb of an owner killed a moment ago may still run, and must not work in ours.
  const unfinished = `${directory.cluster}${UNFINISHED}${randomUUID()}`;
  try {
    await Deno.mkdir(unfinished, { mode: 0o700 });
    await own(unfinished, options.user);
    await runProgram(options.binaries.initdb, [
      "--pgdata",
      unfinished,
      "--username",
      OWNER_ROLE,
      "--encoding",
      "UTF8",
      "--locale",
      "C",
      "--data-checksums",
      "--auth-local",
      "peer",
      // The rules that hold are those of settings.ts.
      "--auth-host",
      "reject",
      "--no-instructions",
    ], { user: options.user, cwd: directory.root });
    await Deno.rename(unfinished, directory.cluster);
  } catch (error) {
    await Deno.remove(unfinished, { recursive: true }).catch(() => {});
    throw await explainFullDisk(error, directory.root);
  }
}

/** Removes what killed owners began. An initdb that is still at it fails then, and cleans up by itself. */
async function removeUnfinished({ root, cluster }: DataDirectory) {
  const prefix = `${basename(cluster)}${UNFINISHED}`;
  for await (const { name } of Deno.readDir(root)) {
    if (!name.startsWith(prefix)) continue;
    await Deno.remove(join(root, name), { recursive: true }).catch(() => {});
  }
}

/** The major that made the cluster; null when there is none. */
async function clusterMajor(directory: DataDirectory): Promise<number | null> {
  const text = await readPlainFile(`${directory.cluster}/PG_VERSION`);
  return text === null ? null : Number.parseInt(text, 10);
}

function wrongMajor({ cluster, root }: DataDirectory, major: number): Error {
  return new DatabaseError(
    "version",
    `Cannot use ${cluster}: it was made by PostgreSQL ${major}, and this program brings PostgreSQL ${POSTGRES_MAJOR}. ` +
      `To carry the data over, take the program that made it and run: bigbrotr export --data-dir ${root} > events.jsonl; ` +
      `then this one on a new directory: bigbrotr import --data-dir NEW events.jsonl. ` +
      `With a PostgreSQL ${major} and ${POSTGRES_MAJOR} of your own, pg_dump or pg_upgrade carry everything over ` +
      `(role and database are both "${OWNER_ROLE}")`,
  );
}

async function own(path: string, user: ChildUser): Promise<void> {
  if (user.dropsPrivileges) await Deno.chown(path, user.uid, user.gid);
}
