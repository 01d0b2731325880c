/**
 * The dependency rule as a lint plugin: imports point down, services never meet, and a file is named by what it is.
 *
 * `models ← {core | transport ← nips ← workers} ← services ← cli ← main`
 *
 * @module
 */

/** What each layer may import beside itself. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  models: [],
  core: ["models"],
  transport: ["models"],
  nips: ["models", "transport"],
  workers: ["models", "transport", "nips"],
  services: ["models", "core", "transport", "nips", "workers"],
  cli: ["models", "core", "transport", "nips", "workers", "services"],
  main: ["cli"],
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
  if (from !== to) {
    return BELOW[from]?.includes(to)
      ? null
      : `${from} never imports ${to} (models ← {core | transport ← nips ← workers} ← services ← cli ← main)`;
  }
  return from === "services" && serviceOf(file) !== serviceOf(target)
    ? `services meet in the database only: ${serviceOf(file)} never imports ${
      serviceOf(target)
    }`
    : null;
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
