/**
 * The embedded PostgreSQL as tests see it: its processes, and a process of the program that owns it.
 *
 * @module
 */
import { brotrConfig } from "../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../src/core/database/connect.ts";
import type { Database } from "../../src/core/database/connection/database.ts";
import {
  type EmbeddedServer,
  openEmbedded,
} from "../../src/core/database/embedded/embedded_server.ts";
import { silentLogger } from "./silent_logger.ts";
import { type RunningProgram, SOURCE, startProgram } from "./program.ts";

/** Opens the server of a data directory in this process, as owner unless there is one already. */
export function openServer(
  dataDir: string,
  options: { readonly port?: number; readonly attach?: boolean } = {},
): Promise<EmbeddedServer> {
  return openEmbedded({
    dataDir,
    port: options.port,
    attach: options.attach ?? true,
    log: silentLogger(),
  }, new AbortController().signal);
}

/** The database of a data directory, as any command of the program opens it. */
export function openDatabase(
  dataDir: string,
  { maxAttempts = 20 }: { readonly maxAttempts?: number } = {},
): Promise<Database> {
  return connectDatabase(
    brotrConfig.parse({
      embedded: { dataDir },
      retry: { maxAttempts, initialDelayMs: 20, maxDelayMs: 500 },
      breaker: { failureThreshold: 1_000 },
    }),
    { log: silentLogger(), signal: new AbortController().signal },
  );
}

/** Starts `db serve` as a process of its own, with the permissions that users give it. */
export function startServe(
  dataDir: string,
  args: readonly string[] = [],
): RunningProgram {
  return startProgram(
    SOURCE,
    ["db", "serve", "--data-dir", dataDir, ...args],
    { cwd: "/tmp" },
  );
}

/** The same, when it is up. */
export async function serve(dataDir: string): Promise<RunningProgram> {
  const owner = startServe(dataDir);
  await owner.said(/embedded PostgreSQL is up/);
  return owner;
}

/** All processes that work in the cluster's directory: PostgreSQL and its children. */
export function clusterProcesses(dataDir: string): number[] {
  return processesWhere((pid) =>
    Deno.readLinkSync(`/proc/${pid}/cwd`) === `${dataDir}/postgres`
  );
}

/** The shell that guards the server, and its watcher. */
export function guardProcesses(dataDir: string): number[] {
  return processesWhere((pid) => {
    const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`);
    return command.includes("bigbrotr-postgres") &&
      command.includes(`${dataDir}/postgres`);
  });
}

/** PostgreSQL's main process. */
export function mainProcess(dataDir: string): number {
  const [pid] = Deno.readTextFileSync(`${dataDir}/postgres/postmaster.pid`)
    .split("\n");
  return Number(pid);
}

/** Waits until no process works in the cluster's directory any more. */
export async function untilEnded(dataDir: string): Promise<void> {
  // The system has no event for the end of somebody else's child.
  while (clusterProcesses(dataDir).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function processesWhere(matches: (pid: number) => boolean): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name))
    .filter((pid) => {
      if (!Number.isInteger(pid)) return false;
      try {
        return matches(pid);
      } catch {
        return false;
      }
    });
}
