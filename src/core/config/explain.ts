/**
 * Explanation of what zod found wrong, so that it can be put right without reading the source.
 *
 * @module
 */
import type { z } from "zod";
import { withoutSecrets } from "../log/secret_text.ts";
import { nearestKey } from "./nearest_key.ts";
import { schemaAt, shapeOf } from "./schema_keys.ts";

type Issue = z.core.$ZodIssue;

export interface Explained {
  /** The value that was checked, overrides included. */
  readonly tree: unknown;
  readonly lineOf: (path: readonly PropertyKey[]) => number | null;
}

/** A sentence for each problem, beginning with the key's path and its line in the file. */
export function explainIssues(
  issues: readonly Issue[],
  schema: unknown,
  { tree, lineOf }: Explained,
): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      const known = Object.keys(shapeOf(schemaAt(schema, issue.path)) ?? {});
      return issue.keys.map((key) => {
        const path = [...issue.path, key];
        return `${place(path, lineOf)}: ${unknownKey(key, known)}`;
      });
    }
    const value = valueAt(tree, issue.path);
    const what = sentence(issue, value, String(issue.path.at(-1) ?? ""));
    return [`${place(issue.path, lineOf)}: ${what}`];
  });
}

function place(
  path: readonly PropertyKey[],
  lineOf: Explained["lineOf"],
): string {
  const line = lineOf(path);
  const name = path.length === 0 ? "the file" : path.map(String).join(".");
  return line === null ? name : `${name} (line ${line})`;
}

function unknownKey(key: string, known: readonly string[]): string {
  const nearest = nearestKey(key, known);
  return nearest === null
    ? `unknown key; known here are ${[...known].sort().join(", ")}`
    : `unknown key; did you mean "${nearest}"?`;
}

function sentence(issue: Issue, value: unknown, key: string): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${typeName(issue.expected, key)}: ${found(value, key)}`;
    case "too_small":
      return `must be ${bound(">", issue.minimum, issue)}: ${
        found(value, key)
      }`;
    case "too_big":
      return `must be ${bound("<", issue.maximum, issue)}: ${
        found(value, key)
      }`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}: ${
        found(value, key)
      }`;
    case "invalid_union":
      return `${unionSentence(issue, value, key)}: ${found(value, key)}`;
    default:
      return value === undefined
        ? issue.message
        : `${issue.message}: ${found(value, key)}`;
  }
}

/** The unit is in the key's name: the error for "5m" or 0.5 says what is counted. */
function typeName(expected: string, key: string): string {
  const unit = key.match(/(Seconds|Ms|Minutes|Hours|Days|Bytes)$/)?.[1];
  const names: Record<string, string> = {
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
    string: "text",
    array: "a list",
    object: "keys and values",
    record: "keys and values",
  };
  const name = names[expected] ?? expected;
  if (unit === undefined || !name.includes("number")) return name;
  return `${name} of ${
    unit === "Ms" ? "milliseconds" : unit.toLowerCase()
  }, without a unit`;
}

function bound(
  sign: "<" | ">",
  limit: number | bigint,
  issue: { readonly origin: string; readonly inclusive?: boolean },
): string {
  const relation = `${sign}${issue.inclusive === false ? "" : "="} ${limit}`;
  if (issue.origin === "string") return `of length ${relation}`;
  return issue.origin === "array" ? `a list of length ${relation}` : relation;
}

function unionSentence(
  issue: Extract<Issue, { code: "invalid_union" }>,
  value: unknown,
  key: string,
): string {
  const ways = issue.errors.flatMap((issues) => issues.slice(0, 1)).map((
    inner,
  ) => sentence(inner, value, key).replace(/: found .*$/s, ""));
  return ways.length === 0 ? issue.message : [...new Set(ways)].join(", or ");
}

function found(value: unknown, key: string): string {
  if (value === undefined) return "it is missing";
  if (/password|secret|token|keys?$/i.test(key)) {
    return "current value is not shown";
  }
  const text = withoutSecrets(JSON.stringify(value));
  // What is no URL may still be an attempt at one, or at libpq's `password=…`.
  if (/:[^]*@|passw/i.test(text.replaceAll("***@", ""))) {
    return "current value is not shown, as it may hold a password";
  }
  return `current value is ${
    text.length > 80 ? `${text.slice(0, 80)}…` : text
  }`;
}

function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  let current = tree;
  for (const key of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = new Map(Object.entries(current)).get(String(key));
  }
  return current;
}
