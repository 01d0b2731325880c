/**
 * Memory and processors of the machine, or of the container around this process.
 *
 * @module
 */
import { text } from "./program.ts";

export interface Machine {
  /** Bytes of memory that this process may count on. */
  readonly memory: number;
  /** Containers get 64 MiB of /dev/shm, on which parallel queries fail. */
  readonly smallShm: boolean;
}

/** Version 2 of cgroups says "max" where there is no limit; where there is no such file, there is none either. */
const LOOK = `
cat /sys/fs/cgroup/memory.max || echo max
df -Pk /dev/shm | tail -n 1`;

/** Below this /dev/shm is taken for a container's. */
const SMALL_SHM_KIB = 256 * 1024;

/** A shell looks, because Deno lets only programs with all permissions read in /sys and /dev. */
export async function lookAtMachine(): Promise<Machine> {
  const { total } = Deno.systemMemoryInfo();
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", LOOK],
    cwd: "/",
    stdin: "null",
    stderr: "null",
  }).output();
  const [limit = "", shm = ""] = text(stdout).split("\n");
  const bytes = Number(limit);
  const shmKib = Number(shm.trim().split(/\s+/)[1] ?? NaN);
  return {
    memory: bytes > 0 ? Math.min(bytes, total) : total,
    smallShm: shmKib < SMALL_SHM_KIB,
  };
}
