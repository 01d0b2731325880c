/**
 * The synchronizer's resident memory with two hundred relays in work at once: the whole program as a process of its own,
 * PostgreSQL and the relays in others.
 *
 * @module
 */
import { join } from "node:path";
import { insertRelays } from "../../src/archive/relays.ts";
import { type TestArchive, testArchive } from "../support/archive.ts";
import { relayAt } from "../support/dialing.ts";
import { SOURCE, startProgram } from "../support/program.ts";
import { startScript } from "../support/script_process.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { figure, heading, whole } from "./figures.ts";

const RELAYS = 200;
/** On each relay; ten relays at a time hold the same ones, as the network holds an event five times. */
const EVENTS = 5_000;
const ARCHIVES = 20;
const CAP = 500;
const SAMPLE_MS = 1_000;

/** Prints everything. */
export async function benchSyncMemory(): Promise<void> {
  heading(
    `Memory of a sync of ${RELAYS} relays at once, ${
      whole(EVENTS)
    } events each`,
  );
  await using crowd = await startCrowd();
  await using archive = await testArchive();
  await insertRelays(archive.database, crowd.relays);
  const { samples, peak, seconds } = await watchSync(archive);
  const half = samples.filter(({ stored }) => stored >= RELAYS * EVENTS / 2);
  const last = half.at(-1)!;
  figure("peak", mebibytes(peak));
  figure("after half of the events", mebibytes(half[0]!.resident));
  figure("at the end", mebibytes(last.resident));
  const highest = Math.max(...half.map(({ resident }) => resident));
  figure("most in the last half", mebibytes(highest));
  const stored = await archive.count("event_relay");
  figure("sightings", whole(stored), `${whole(stored / seconds)}/s`);
}

interface Sample {
  /** Bytes. */
  readonly resident: number;
  /** Sightings in the archive. */
  readonly stored: number;
}

/** One cycle of the service, looked at four times a second. */
async function watchSync(archive: TestArchive) {
  await using home = await temporaryDirectory();
  const config = join(home.path, "synchronizer.json");
  await Deno.writeTextFile(
    config,
    JSON.stringify({
      allowPrivate: true,
      networks: { clearnet: { maxConnections: RELAYS, timeoutMs: 120_000 } },
      maxNewConnectionsPerMinute: 60_000,
    }),
  );
  const startedAt = performance.now();
  await using program = startProgram(
    SOURCE,
    ["synchronizer", "--once", "--config", config, "--database", archive.url],
    { cwd: home.path },
  );
  const samples: Sample[] = [];
  let peak = 0;
  const ended = program.end();
  while (!program.hasEnded) {
    const status = await memoryOf(program.pid);
    if (status === null) break;
    peak = status.peak;
    const stored = await archive.count("event_relay");
    samples.push({ resident: status.resident, stored });
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const { code, stderr } = await ended;
  if (code !== 0) throw new Error(`The synchronizer failed:\n${stderr}`);
  return { samples, peak, seconds };
}

/** Null for a process that has ended. */
async function memoryOf(pid: number) {
  try {
    const text = await Deno.readTextFile(`/proc/${pid}/status`);
    const bytes = (name: string) =>
      1_024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)![1]);
    return text.includes("VmRSS")
      ? { resident: bytes("VmRSS"), peak: bytes("VmHWM") }
      : null;
  } catch {
    return null;
  }
}

async function startCrowd() {
  const script = new URL("./relay_crowd.ts", import.meta.url);
  const crowd = startScript(script, [ARCHIVES, EVENTS, CAP]);
  const ports: readonly number[] = JSON.parse(await crowd.next());
  const relays = Array.from(
    { length: RELAYS },
    (_, i) =>
      relayAt(
        `ws://127.0.${Math.floor(i / ARCHIVES)}.1:${ports[i % ARCHIVES]!}`,
      ),
  );
  return {
    relays,
    [Symbol.asyncDispose]: () => crowd[Symbol.asyncDispose](),
  };
}

function mebibytes(bytes: number): string {
  return `${whole(bytes / 2 ** 20)} MiB`;
}
