/**
 * The real program at work: `bigbrotr up` in a process of its own, on an empty directory.
 *
 * @module
 */
import { join } from "node:path";
import { brotrConfig } from "../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../src/core/database/connect.ts";
import type { Database } from "../../src/core/database/connection/database.ts";
import { silentLogger } from "../support/silent_logger.ts";
import {
  type RunningProgram,
  runProgram,
  SOURCE,
  startProgram,
} from "../support/program.ts";
import type { DemoRelay } from "./relays.ts";
import type { Stage } from "./stage.ts";

export interface Pipeline {
  readonly running: RunningProgram;
  /** For looking on. */
  readonly database: Database;
  /** Runs another command beside it and gives its standard output. Throws when it fails. */
  command(...words: string[]): Promise<string>;
}

/** Starts everything with one relay as the only seed; what it logs is shown on the stage. */
export async function startPipeline(
  { folder, relays, stage, stack }: {
    readonly folder: string;
    /** The first is the seed; the log is shown with their names. */
    readonly relays: readonly DemoRelay[];
    readonly stage: Stage;
    readonly stack: AsyncDisposableStack;
  },
): Promise<Pipeline> {
  const names = new Map(relays.map(({ name, process }) => [process.url, name]));
  await writeConfiguration(folder, relays[0]?.process.url ?? "");
  const common = [
    "--data-dir",
    join(folder, "data"),
    "--brotr-config",
    join(folder, "brotr.yaml"),
  ];
  const services = ["--config", join(folder, "services")];
  const up = ["up", "--log-format", "json", ...common, ...services];
  const running = startProgram(SOURCE, up, {
    cwd: folder,
    detached: true,
    onLine: (line) => showLine(line, stage, names),
  });
  // Asked to stop, it shuts its database down; only then can the directory go.
  stack.defer(async () => {
    if (!running.hasEnded) await running.stop("SIGTERM");
  });
  await running.said(/everything started/);
  const command = (...words: string[]) =>
    runCommand([...words, ...common, "--log-level", "warn"], folder);
  const url = (await command("db", "url", "--role", "superuser")).trim();
  return { running, database: stack.use(await connect(url)), command };
}

async function runCommand(args: string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await runProgram(SOURCE, args, { cwd });
  if (code === 0) return stdout;
  throw new Error(`bigbrotr ${args.join(" ")} exited ${code}: ${stderr}`);
}

async function connect(url: string): Promise<Database> {
  return await connectDatabase(brotrConfig.parse({ database: { url } }), {
    log: silentLogger(),
    signal: new AbortController().signal,
  });
}

/** Short intervals instead of minutes, and loopback allowed; the rest is as it comes. */
async function writeConfiguration(folder: string, seed: string): Promise<void> {
  const services = join(folder, "services");
  const local = { allowPrivate: true, intervalSeconds: 1 };
  const files = {
    "seeds.txt": `${seed}\n`,
    "brotr.yaml": { up: { metrics: { port: 0 } } },
    "services/seeder.yaml": {
      filePath: join(folder, "seeds.txt"),
      allowPrivate: true,
    },
    "services/finder.yaml": {
      ...local,
      api: { enabled: false },
      archive: { settleSeconds: 0 },
    },
    "services/validator.yaml": local,
    "services/monitor.yaml": local,
    "services/synchronizer.yaml": local,
  };
  await Deno.mkdir(services);
  for (const [name, content] of Object.entries(files)) {
    // JSON is YAML.
    const text = typeof content === "string"
      ? content
      : JSON.stringify(content);
    await Deno.writeTextFile(join(folder, name), text);
  }
}

/** A line of the log as it was written, without the fields that only tell processes and cycles apart. */
function showLine(
  line: string,
  stage: Stage,
  names: ReadonlyMap<string, string>,
): void {
  const entry = parseLine(line);
  if (entry === null) return stage.happened("", line);
  const { time: _time, level, service, message, trace: _trace, ...fields } =
    entry;
  const told = Object.entries(fields)
    .map(([field, value]) => [field, valueText(value)] as const)
    .filter(([, text]) => text !== "")
    .map(([field, text]) => `${field}=${names.get(text) ?? text}`);
  const mark = level === "info" ? [] : [String(level).toUpperCase()];
  const words = [...mark, String(message), " ", ...told];
  stage.happened(String(service), words.join(" ").trimEnd());
}

function parseLine(line: string): Record<string, unknown> | null {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "object" && entry !== null ? { ...entry } : null;
  } catch {
    return null;
  }
}

function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.join(",");
  return JSON.stringify(value).replace(/^\{\}$/, "");
}
