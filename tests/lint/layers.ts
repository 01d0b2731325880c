/**
 * The dependency rule as a lint plugin: imports point down, services never meet, and a file is named by what it is.
 *
 * `base ← models ← {core ← archive | transport ← nips ← workers} ← {publishing, transfer} ← services ← cli ← main`.
 * The network never sees the database; code of a worker and code of the main thread share `src/workers/protocol` only.
 *
 * @module
 */

/** What each layer may import beside itself. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  base: [],
  models: ["base"],
  core: ["base", "models"],
  archive: ["base", "models", "core"],
  transport: ["base", "models"],
  nips: ["base", "models", "transport"],
  workers: ["base", "models", "transport", "nips"],
  publishing: ["base", "models", "core", "archive", "transport", "nips"],
  transfer: ["base", "models", "core", "archive", "transport", "nips"],
  services: [
    "base",
    "models",
    "core",
    "archive",
    "transport",
    "nips",
    "workers",
    "publishing",
    "transfer",
  ],
  cli: [
    "base",
    "models",
    "core",
    "archive",
    "transport",
    "nips",
    "workers",
    "publishing",
    "transfer",
    "services",
  ],
  main: ["cli"],
};

/** The layers as they are shown to whoever breaks the rule. */
const ORDER =
  "base ← models ← {core ← archive | transport ← nips ← workers} ← {publishing, transfer} ← services ← cli ← main";

/** The parts of `src/workers` of which each runs in one thread only, by the thread. */
const THREADS: Readonly<Record<string, "main thread" | "worker">> = {
  host: "main thread",
  worker: "worker",
  audit: "worker",
  ingest: "worker",
  walk: "worker",
  negentropy: "worker",
  live: "worker",
};

/** Packages that only one place may know. */
const PACKAGE_HOMES: Readonly<Record<string, string>> = {
  postgres: "src/core/database/",
  ws: "src/transport/",
  socks: "src/transport/",
  cli: "src/cli/",
};

const VAGUE_NAME = /^(utils?|common|helpers?|types?|misc|index)$/;

/** Deno loads a plugin by its default export. */
const plugin: Deno.lint.Plugin = {
  name: "layers",
  rules: {
    "imports-point-down": { create: importRule },
    "telling-file-name": { create: nameRule },
  },
};
export default plugin;

function importRule(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const file = inRepository(context.filename);
  if (file === null) return {};
  const check = (source: Deno.lint.Node | null) => {
    if (source?.type !== "Literal" || typeof source.value !== "string") return;
    const fault = importFault(file, source.value);
    if (fault !== null) context.report({ node: source, message: fault });
  };
  return {
    ImportDeclaration: (node) => check(node.source),
    ExportNamedDeclaration: (node) => check(node.source),
    ExportAllDeclaration: (node) => check(node.source),
    ImportExpression: (node) => check(node.source),
    TSImportType: ({ argument }) =>
      check(argument.type === "TSLiteralType" ? argument.literal : argument),
  };
}

/** Why `file` may not import `specifier`, or null. Paths are relative to the repository. */
function importFault(file: string, specifier: string): string | null {
  if (!/^\.{0,2}\//.test(specifier)) return packageFault(file, specifier);
  const target = resolve(file, specifier);
  const from = layerOf(file);
  const to = layerOf(target);
  if (from === null) return null;
  if (/^(tests|\.ci)\//.test(target)) {
    return `the program never imports its tests: ${target}`;
  }
  if (to === null) return null;
  if (to === "workers" && from !== to && threadOf(target) === "worker") {
    return `only a worker runs ${target}: import src/workers/protocol or host`;
  }
  if (from !== to) {
    return BELOW[from]?.includes(to)
      ? null
      : `${from} never imports ${to} (${ORDER})`;
  }
  const fault = threadFault(file, target);
  if (fault !== null) return fault;
  return from === "services" && serviceOf(file) !== serviceOf(target)
    ? `services meet in the database only: ${serviceOf(file)} never imports ${
      serviceOf(target)
    }`
    : null;
}

/** Why code of one thread may not import code of the other, or null. */
function threadFault(file: string, target: string): string | null {
  const here = threadOf(file);
  const there = threadOf(target);
  if (there === null || here === there) return null;
  return here === null && !file.startsWith("src/workers/protocol/")
    ? null
    : `${file} runs in the ${
      here ?? "main thread and in workers"
    }, ${target} in the ${there}: what both need is in src/workers/protocol`;
}

function threadOf(file: string): "main thread" | "worker" | null {
  const part = file.match(/^src\/workers\/([^/]+)\//)?.[1];
  return part === undefined ? null : THREADS[part] ?? null;
}

function packageFault(file: string, specifier: string): string | null {
  const name = specifier.replace(/^npm:\/?/, "").match(
    /^(@[^/@]+\/[^/@]+|[^/@]+)/,
  )?.[0];
  const home = PACKAGE_HOMES[name === "commander" ? "cli" : name ?? ""];
  if (home === undefined || layerOf(file) === null) return null;
  return file.startsWith(home)
    ? null
    : `"${specifier}" is known to ${home} only`;
}

function nameRule(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const file = inRepository(context.filename);
  const fault = file === null ? null : nameFault(file);
  if (fault === null) return {};
  return { Program: (node) => context.report({ node, message: fault }) };
}

function nameFault(file: string): string | null {
  const parts = file.replace(/\.tsx?$/, "").split("/");
  const vague = parts.find((part) => VAGUE_NAME.test(part));
  if (vague !== undefined) {
    return `"${vague}" says nothing: name the file by what it is in the domain`;
  }
  if (!/^[a-z0-9_]+$/.test(parts.at(-1) ?? "")) {
    return "file names are in snake_case";
  }
  const isBarrel = parts.at(-1) === "mod" &&
    !/^src\/services\/[^/]+\/mod\.ts$/.test(file);
  return isBarrel ? "only a service has a mod.ts" : null;
}

/** The path below the repository, or null for files that are none of ours. */
function inRepository(filename: string): string | null {
  const path = filename.replaceAll("\\", "/");
  const match = path.match(/(?:^|\/)((?:src|tests|\.ci)\/.*|main\.ts)$/);
  return match?.[1] ?? null;
}

function layerOf(file: string): string | null {
  if (file === "main.ts") return "main";
  const layer = file.match(/^src\/([^/]+)\//)?.[1];
  return layer !== undefined && layer in BELOW ? layer : null;
}

function serviceOf(file: string): string {
  return file.match(/^src\/services\/([^/]+)/)?.[1] ?? "";
}

/** `specifier` seen from `file`, both below the repository; leading `..` beyond it are dropped. */
function resolve(file: string, specifier: string): string {
  const parts = file.split("/").slice(0, -1);
  for (const step of specifier.split("/")) {
    if (step === "..") parts.pop();
    else if (step !== "." && step !== "") parts.push(step);
  }
  return parts.join("/");
}
