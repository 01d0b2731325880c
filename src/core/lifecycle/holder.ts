/**
 * Names of processes, by which the database knows who holds what.
 *
 * @module
 */
import { hostname } from "node:os";
import process from "node:process";

/**
 * A name that no process had before: `host:pid:boot-namespace-start-random`. The boot of the machine and the namespace say
 * among which processes the number counts, the start which of those that had it this is; where there is no /proc, only
 * `host:pid:random`.
 */
export function newHolder(): string {
  const random = crypto.randomUUID().slice(0, 8);
  const { place, processes } = lookAround([Deno.pid]);
  const start = processes.get(Deno.pid)?.start;
  const mark = place === null || start === undefined
    ? random
    : `${place}-${start}-${random}`;
  return `${hostname()}:${Deno.pid}:${mark}`;
}

/** A text with holders in it, of each only `host:pid`, which is all that people need. */
export function holderText(text: string): string {
  return text.replaceAll(/(:[1-9]\d*):[^:,\s]+(?=,|$)/g, "$1");
}

/**
 * Those of the holders whose process is gone for certain: it ran among the processes that we see, and none of them is it.
 * What a holder of another machine, of another container or of an earlier boot does nobody here can know.
 *
 * @param isOurs Whether the database is used from this machine alone: then its name is enough. Who has our own number, or
 * a number that another program has by now, is gone, and so is everybody of an earlier boot.
 */
export function goneHolders(
  holders: readonly string[],
  { isOurs }: { readonly isOurs: boolean },
): string[] {
  const here = holders.map(parseHolder).filter((one) => one !== null)
    .filter(({ host }) => host === hostname());
  if (here.length === 0) return [];
  const seen = lookAround([Deno.pid, ...here.map(({ pid }) => pid)]);
  return here.filter((one) => {
    const isAmongUs = one.place !== null && one.place === seen.place;
    if (isAmongUs) return isOver(one, seen);
    return isOurs && (isOfEarlierBoot(one, seen) || isAnother(one, seen));
  }).map(({ holder }) => holder);
}

interface Holder {
  readonly holder: string;
  readonly host: string;
  readonly pid: number;
  readonly place: string | null;
  /** In ticks of the machine; empty when it is unknown. */
  readonly start: string;
}

function parseHolder(holder: string): Holder | null {
  const parts = /^(.*):([1-9]\d{0,9}):(?:([0-9a-f]{8}-\d+)-(\d+)-)?[^:]*$/.exec(
    holder,
  );
  if (parts === null) return null;
  const [, host = "", pid, place = null, start = ""] = parts;
  return { holder, host, pid: Number(pid), place, start };
}

function isOfEarlierBoot(one: Holder, seen: Surroundings): boolean {
  if (one.place === null || seen.place === null) return false;
  const [boot] = seen.place.split("-");
  return !one.place.startsWith(`${boot}-`);
}

/** Whether the process has ended; one that cannot be looked at has not. */
function isOver({ pid, start }: Holder, { processes }: Surroundings): boolean {
  if (!exists(pid)) return true;
  const found = processes.get(pid);
  return found !== undefined && found.start !== start;
}

/** Whether the number is nobody's, ours, or another program's. */
function isAnother({ pid }: Holder, { processes }: Surroundings): boolean {
  if (pid === Deno.pid || !exists(pid)) return true;
  const name = processes.get(pid)?.name;
  const own = processes.get(Deno.pid)?.name;
  return name !== undefined && ![own, "deno", "bigbrotr"].includes(name);
}

/** Also of a process that /proc does not show to us. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error &&
      error.code === "ESRCH");
  }
}

interface Surroundings {
  /** Boot and process namespace: numbers of processes count within it. Null where there is no /proc. */
  readonly place: string | null;
  /** Those of the processes asked for that can be looked at. */
  readonly processes: ReadonlyMap<
    number,
    { readonly name: string; readonly start: string }
  >;
}

/** A shell looks, because Deno lets only programs with all permissions read in /proc. */
const LOOK = `
read -r boot < /proc/sys/kernel/random/boot_id
echo "$boot $(readlink /proc/self/ns/pid)"
for pid do
  read -r stat < "/proc/$pid/stat" && echo "$stat"
done
:`;

function lookAround(pids: readonly number[]): Surroundings {
  const [first = "", ...stats] = look(pids).split("\n");
  const [, boot, namespace] = /^([0-9a-f]{8})-\S+ pid:\[(\d+)\]$/.exec(first) ??
    [];
  return {
    place: boot === undefined ? null : `${boot}-${namespace}`,
    processes: new Map(stats.flatMap((stat) => {
      const found = STAT.exec(stat)?.groups;
      if (found === undefined) return [];
      const { pid, name = "", start = "" } = found;
      return [[Number(pid), { name, start }] as const];
    })),
  };
}

/** Nothing in a container that has no shell: then only time frees what a dead process held. */
function look(pids: readonly number[]): string {
  try {
    const { stdout } = new Deno.Command("/bin/sh", {
      args: ["-c", LOOK, "sh", ...pids.map(String)],
      cwd: "/",
      stdin: "null",
      stderr: "null",
    }).outputSync();
    return new TextDecoder().decode(stdout);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** proc(5): the 22nd field is the start, in ticks since the boot; the name may contain anything. */
const STAT = /^(?<pid>\d+) \((?<name>.*)\) (?:\S+ ){19}(?<start>\d+) /;
