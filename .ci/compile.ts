/**
 * `deno task compile`: one executable with everything in it, `dist/bigbrotr`.
 *
 * Carried inside: the program, `sql/`, `config/`, the worker, the target's PostgreSQL (trimmed) and, when the build
 * machine has one and is of the target's kind, libsecp256k1.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { create } from "tar";
import {
  LINKS,
  neededFiles,
  npmPackage,
} from "../src/core/database/embedded/binaries.ts";
import { platformPackage } from "../src/core/database/embedded/package_files.ts";
import { loadVerifier } from "../src/nips/verify/verifier.ts";
import config from "../deno.json" with { type: "json" };

/** What is compiled for, and Deno's name of it. */
const TARGETS: ReadonlyMap<string, string> = new Map([
  ["linux-x64", "x86_64-unknown-linux-gnu"],
  ["linux-arm64", "aarch64-unknown-linux-gnu"],
  ["darwin-arm64", "aarch64-apple-darwin"],
  ["darwin-x64", "x86_64-apple-darwin"],
]);

/** Where binaries.ts and library_search.ts look, beside `src/`, inside the executable. */
const CARRIED = "dist/carried";

/** The modules that are started by URL instead of imported, and the files that are read. */
const INCLUDED = [
  CARRIED,
  "sql",
  "config",
  "src/workers/worker/entry.ts",
  // The licence of libsecp256k1 is to go with every copy of it.
  "src/nips/verify/bip340.COPYING",
];

try {
  await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  Deno.exit(1);
}

async function main(): Promise<void> {
  const { target, output } = readArguments();
  await Deno.remove(CARRIED, { recursive: true }).catch(ignoreNotFound);
  await Deno.mkdir(CARRIED, { recursive: true });
  await carryPostgres(target);
  await carryLibrary(target);
  await compile(target, output);
  const { size } = await Deno.stat(output);
  say(`${output}: ${mebibytes(size)} for ${target}`);
}

function readArguments(): { target: string; output: string } {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      target: { type: "string" },
      output: { type: "string", default: "dist/bigbrotr" },
    },
  });
  const target = values.target ?? thisPlatform();
  if (TARGETS.has(target)) return { target, output: values.output };
  throw new Error(
    `Cannot compile for ${target}: the targets are ${
      [...TARGETS.keys()].join(", ")
    }`,
  );
}

function thisPlatform(): string {
  const { os, arch } = Deno.build;
  return platformPackage(os, arch) ?? `${os}-${arch}`;
}

/** The trimmed package of the target as one archive, the same on every machine that makes it. */
async function carryPostgres(target: string): Promise<void> {
  const native = await npmPackage(target);
  const file = join(CARRIED, "postgres.tar.gz");
  await create({
    file,
    cwd: native,
    gzip: { level: 9 },
    portable: true,
    mtime: new Date(0),
  }, [...await neededFiles(native), LINKS]);
  const { size } = await Deno.stat(file);
  say(`${file}: ${mebibytes(size)}, PostgreSQL for ${target}`);
}

/** Only a library that this machine can load and that passes the BIP-340 vectors is worth carrying. */
async function carryLibrary(target: string): Promise<void> {
  const { library, detail } = target === thisPlatform()
    ? await loadVerifier()
    : { library: null, detail: "the target is another machine" };
  if (library === null) {
    say(
      `without libsecp256k1 (${detail}): the executable searches for it where it runs`,
    );
    return;
  }
  const name = target.startsWith("darwin") ? "dylib" : "so";
  await Deno.copyFile(library, join(CARRIED, `libsecp256k1.${name}`));
  say(`with ${library}`);
}

/** The flag of one permission of deno.json: all of it, or what is listed. */
function allow([name, granted]: [string, boolean | string[]]): string {
  return Array.isArray(granted)
    ? `--allow-${name}=${granted.join()}`
    : `--allow-${name}`;
}

/** V8 collects early: two hundred relays at once then need half of the memory, for a tenth to a quarter of the speed. */
function v8Flags(): string[] {
  return config.tasks.bigbrotr.command.match(/--v8-flags=\S+/g) ?? [];
}

/** COMPILE_DENO is another Deno to compile with; DENORT_BIN, which Deno itself reads, another base runtime. */
async function compile(target: string, output: string): Promise<void> {
  const deno = Deno.env.get("COMPILE_DENO") ?? Deno.execPath();
  const triple = TARGETS.get(target) ?? "";
  await Deno.mkdir(dirname(output), { recursive: true });
  const { success } = await new Deno.Command(deno, {
    args: [
      "compile",
      "--quiet",
      "--no-check",
      "--no-prompt",
      "--output",
      output,
      ...v8Flags(),
      ...(target === thisPlatform() ? [] : ["--target", triple]),
      ...INCLUDED.flatMap((path) => ["--include", path]),
      ...config.unstable.map((name) => `--unstable-${name}`),
      ...Object.entries(config.permissions.default).map(allow),
      "main.ts",
    ],
    // Deno parses deeply nested CommonJS (prom-client's) by recursion: 2 MiB of stack are not enough.
    env: { RUST_MIN_STACK: String(64 * 1024 * 1024) },
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (success) return;
  throw new Error(
    `Cannot compile for ${target}: deno compile failed, and said why above. ` +
      `If it could not download the base runtime of ${triple} (dl.deno.land): DENORT_BIN can name one ` +
      `that lies on this machine, and COMPILE_DENO a Deno of its version to compile with`,
  );
}

function say(sentence: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${sentence}\n`));
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
