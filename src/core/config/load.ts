/**
 * A YAML file and a schema become a checked configuration, or one error that lists everything wrong with it.
 *
 * @module
 */
import { type Document, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { ConfigError, whyUnreadable } from "./config_error.ts";
import { explainIssues } from "./explain.ts";
import { interpolate } from "./interpolate.ts";
import { schemaAt, shapeOf } from "./schema_keys.ts";
import type { ReadEnv } from "./secret.ts";

export interface LoadOptions {
  /** Default: the process's environment. */
  readonly env?: ReadEnv;
  /** Values that win over the file's, as a partial tree: what the command line said. Null removes the file's. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/**
 * Reads, interpolates and checks `path`; undefined means there is no file and every key has its default.
 * Throws {@linkcode ConfigError} with all problems at once.
 */
export function loadConfig<C>(
  path: string | undefined,
  schema: z.ZodType<C>,
  options: LoadOptions = {},
): C {
  const source = path ?? COMMAND_LINE;
  const file = path === undefined
    ? null
    : readYaml(path, options.env ?? Deno.env.get);
  const tree = merge(
    withoutEmptySections(file?.tree ?? {}, schema),
    options.overrides ?? {},
  );
  const parsed = schema.safeParse(tree, { reportInput: true });
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  // The file is not to blame for what the command line said instead of it.
  const isGiven = issues.every((issue) =>
    issue.path.length > 0 && isIn(options.overrides ?? {}, issue.path)
  );
  throw new ConfigError(
    isGiven ? COMMAND_LINE : source,
    explainIssues(issues, schema, {
      tree,
      lineOf: (key) => isGiven ? null : file?.lineOf(key) ?? null,
    }),
  );
}

const COMMAND_LINE = "the command line";

/** Whether a tree has a value of its own at a path. */
function isIn(
  tree: Readonly<Record<string, unknown>>,
  path: readonly PropertyKey[],
): boolean {
  let value: unknown = tree;
  for (const key of path) {
    if (!isTree(value)) return false;
    value = value[String(key)];
  }
  return value !== undefined && value !== null && !isTree(value);
}

interface YamlFile {
  readonly tree: Record<string, unknown>;
  /** The line a key stands in, from 1; null when it is not in the file. */
  lineOf(path: readonly PropertyKey[]): number | null;
}

function readYaml(path: string, readEnv: ReadEnv): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { lineCounter: lines });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    throw new ConfigError(
      path,
      faults.map((fault) => firstLine(fault.message)),
    );
  }
  const problems = interpolate(document, readEnv);
  if (problems.length > 0) throw new ConfigError(path, problems);
  const tree: unknown = document.toJS() ?? {};
  if (!isTree(tree)) {
    throw new ConfigError(path, [
      `the file must hold keys and values (key: value): it holds ${
        nameOf(tree)
      }`,
    ]);
  }
  return { tree, lineOf: (key) => lineOf(document, lines, key) };
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    throw new ConfigError(path, [whyUnreadable(cause)]);
  }
}

/** YAML errors go on with an excerpt; their first line says it all, position included. */
function firstLine(message: string): string {
  return (message.split("\n", 1)[0] ?? message).replace(/:$/, "");
}

function lineOf(
  document: Document,
  lines: LineCounter,
  path: readonly PropertyKey[],
): number | null {
  const node: unknown = document.getIn(path, true);
  if (typeof node !== "object" || node === null || !("range" in node)) {
    return null;
  }
  const start: unknown = Array.isArray(node.range) ? node.range[0] : undefined;
  return typeof start === "number" ? lines.linePos(start).line : null;
}

/** A section whose keys are all commented out is no value of its own. */
function withoutEmptySections(
  tree: Readonly<Record<string, unknown>>,
  schema: unknown,
): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(tree)) {
    const below = schemaAt(schema, [key]);
    if (value === null && shapeOf(below) !== null) continue;
    kept[key] = isTree(value) ? withoutEmptySections(value, below) : value;
  }
  return kept;
}

/** `over` wins; maps are merged, everything else is replaced; undefined changes nothing, null removes the key. */
function merge(
  under: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    if (value === null) {
      delete merged[key];
      continue;
    }
    const below = merged[key];
    merged[key] = isTree(value)
      ? merge(isTree(below) ? below : {}, value)
      : value;
  }
  return merged;
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nameOf(value: unknown): string {
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
