/**
 * Names of processes, by which the database knows who holds what.
 *
 * @module
 */
import { hostname } from "node:os";

/** A name that no process had before: `host:pid:random`. */
export function newHolder(): string {
  return `${hostname()}:${Deno.pid}:${crypto.randomUUID().slice(0, 8)}`;
}

/**
 * Those of the holders whose process ran on this machine and is gone. A holder of another host may live; so may one
 * whose number a program of the same name has now.
 */
export async function goneHolders(
  holders: readonly string[],
): Promise<string[]> {
  const here = holders.flatMap((holder) => {
    const pid = pidHere(holder);
    return pid === null ? [] : [{ holder, pid }];
  });
  // Nothing is held yet by the process that asks: who has its number had it before.
  const others = here.map(({ pid }) => pid).filter((pid) => pid !== Deno.pid);
  const alive = others.length === 0 ? new Set() : await livingAmong(others);
  return here.filter(({ pid }) => pid === Deno.pid || !alive.has(pid))
    .map(({ holder }) => holder);
}

function pidHere(holder: string): number | null {
  const [, host, pid] = /^(.*):([1-9]\d{0,9}):[^:]*$/.exec(holder) ?? [];
  return host === hostname() ? Number(pid) : null;
}

/**
 * $1 is our own number, the rest those asked for. A number is given away anew after a restart of the machine, so where
 * /proc tells it the program has to be one of ours. A shell looks, because Deno lets only programs with all permissions
 * read there.
 */
const LIVING = `
read -r own < "/proc/$1/comm"
shift
for pid do
  if [ -d /proc/self ]; then
    read -r name < "/proc/$pid/comm" || continue
    case $name in "$own" | deno | bigbrotr) echo "$pid" ;; esac
  else
    ps -p "$pid" > /dev/null && echo "$pid"
  fi
done
:`;

async function livingAmong(
  pids: readonly number[],
): Promise<ReadonlySet<number>> {
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", LIVING, "sh", ...[Deno.pid, ...pids].map(String)],
    cwd: "/",
    stdin: "null",
    stderr: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  return new Set(text.split("\n").filter((line) => line !== "").map(Number));
}
