/**
 * Processes that work in a data directory, and what a killed owner left behind of them.
 *
 * @module
 */
import { sleep } from "../../../base/sleep.ts";
import { text } from "./program.ts";

/** PostgreSQL's note of its main process, in its data directory. */
export interface PidFile {
  readonly pid: number;
  readonly port: number;
  readonly socketDirectory: string;
  /** Address of its TCP port; empty when it has none. */
  readonly listensOn: string;
  /** Whether it takes connections. */
  readonly ready: boolean;
}

/** Reads `postmaster.pid`; null when there is none or it is only being written. */
export async function readPidFile(cluster: string): Promise<PidFile | null> {
  const text = await readPlainFile(`${cluster}/postmaster.pid`);
  if (text === null) return null;
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return {
    pid,
    port: Number(lines[3]),
    socketDirectory: lines[4] ?? "",
    listensOn: lines[5] ?? "",
    ready: lines[7]?.trim() === "ready",
  };
}

/**
 * A small file of PostgreSQL's; null where there is none. Its directory belongs to the user that PostgreSQL runs as: a
 * link out of it, or something that would never end, is not read.
 */
export async function readPlainFile(path: string): Promise<string | null> {
  try {
    const { isFile, size } = await Deno.lstat(path);
    if (isFile && size <= MAX_PLAIN_BYTES) return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  throw new Error(`Cannot use ${path}: it is not a file that PostgreSQL wrote`);
}

const MAX_PLAIN_BYTES = 4_096;

/** How long a server without an owner may take to shut down in order, before it is told to drop everything. */
const FAST_SHUTDOWN_MS = 20_000;

/** How long processes may take to notice that their server died, or that they are to drop everything. */
const ORPHAN_MS = 3_000;

/** How long the system may take to end what was killed. */
const KILL_MS = 60_000;

/** How often to look whether they are gone; the system has no event for other people's processes. */
const LOOK_MS = 50;

/**
 * Ends whatever still runs on the directory, gently first, and removes a stale `postmaster.pid`. `onFound` is told first.
 * PostgreSQL itself would refuse to start while its pid file names any living process of the same user,
 * even one that has nothing to do with it.
 *
 * @returns Whether anything was running.
 */
export async function clearLeftovers(
  cluster: string,
  signal: AbortSignal,
  onFound: (processes: number) => void = () => {},
): Promise<boolean> {
  const found = await processesIn(cluster);
  if (found.length > 0) {
    onFound(found.length);
    const main = (await readPidFile(cluster))?.pid;
    if (main !== undefined && found.includes(main)) {
      kill(main, "SIGINT");
      await gone(cluster, FAST_SHUTDOWN_MS, signal);
      if ((await processesIn(cluster)).includes(main)) kill(main, "SIGQUIT");
    }
    await gone(cluster, ORPHAN_MS, signal);
    for (const pid of await processesIn(cluster)) kill(pid, "SIGKILL");
    await gone(cluster, KILL_MS, signal);
  }
  signal.throwIfAborted();
  await Deno.remove(`${cluster}/postmaster.pid`).catch(ignoreNotFound);
  return found.length > 0;
}

async function gone(
  cluster: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + timeoutMs;
  while (performance.now() < until && (await processesIn(cluster)).length > 0) {
    await sleep(LOOK_MS, signal);
    signal.throwIfAborted();
  }
}

/**
 * PostgreSQL and all its children work in their data directory, and /proc tells which process works where. A shell looks, because
 * Deno lets only programs with all permissions read there. Without /proc (macOS) only the main process can be told;
 * PostgreSQL itself waits for the others.
 */
const LIST = `
if [ -d /proc/self/cwd ]; then
  for process in /proc/[0-9]*; do
    [ "$process/cwd" -ef "$1" ] && read -r name < "$process/comm" &&
      [ "$name" = postgres ] && echo "\${process#/proc/}"
  done
else
  ps -axo pid=,command= | grep -F -- "postgres -D $1" | grep -v grep
fi
:`;

async function processesIn(cluster: string): Promise<number[]> {
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", LIST, "sh", cluster],
    cwd: "/",
    stdin: "null",
    stderr: "null",
  }).output();
  return text(stdout).split("\n").filter((line) => line !== "")
    .map((line) => Number.parseInt(line, 10));
}

function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    ignoreNotFound(error);
  }
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
