/**
 * `${VAR}` and `${VAR:-default}` inside the values of a YAML document.
 *
 * @module
 */
import {
  type Document,
  isScalar,
  parseDocument,
  type Scalar,
  visit,
} from "yaml";
import type { ReadEnv } from "./secret.ts";

/** `$${` stands for a literal `${`. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/**
 * Replaces references in place and returns what could not be replaced, as sentences.
 *
 * An unquoted value is read as YAML again after the replacement, so that `port: ${PORT}` is a number;
 * a quoted one stays text. A variable that is empty counts as not set, as in the shell's `:-`.
 */
export function interpolate(document: Document, readEnv: ReadEnv): string[] {
  const problems: string[] = [];
  visit(document, {
    Scalar(key, node, path) {
      if (key === "key" || typeof node.value !== "string") return;
      if (!node.value.includes("${")) return;
      const name = keyPath([...path, node]);
      const text = replaceReferences(node.value, readEnv, (problem) => {
        problems.push(`${name}: ${problem}`);
      });
      node.value = node.type === "PLAIN" ? retyped(text) : text;
    },
  });
  return problems;
}

function replaceReferences(
  text: string,
  readEnv: ReadEnv,
  report: (problem: string) => void,
): string {
  return text.replace(REFERENCE, (match, name?: string, fallback?: string) => {
    if (match === "$${") return "${";
    if (name === undefined) {
      report(
        `"\${" begins no variable in ${
          JSON.stringify(text)
        } (a literal one is written "$\${")`,
      );
      return match;
    }
    const value = readEnv(name);
    if (value !== undefined && value !== "") return value;
    if (fallback !== undefined) return fallback;
    report(
      `the environment variable ${name} is not set (a default is written \${${name}:-default})`,
    );
    return "";
  });
}

/** Numbers, booleans and null as YAML reads them; what would not print the same (`007`, `1e5`) stays text. */
function retyped(text: string): unknown {
  const node = parseDocument(text).contents;
  return isPlainScalar(node) && String(node.value) === text ? node.value : text;
}

function isPlainScalar(node: unknown): node is Scalar {
  return isScalar(node) && node.type === "PLAIN";
}

/** `database.port`, from the nodes on the way to a value. */
function keyPath(nodes: readonly unknown[]): string {
  const parts: string[] = [];
  nodes.forEach((node, index) => {
    if (hasKey(node) && isScalar(node.key)) parts.push(String(node.key.value));
    const child = nodes[index + 1];
    if (hasItems(node) && !hasKey(child)) {
      parts.push(String(node.items.indexOf(child)));
    }
  });
  return parts.join(".");
}

function hasKey(node: unknown): node is { key: unknown } {
  return typeof node === "object" && node !== null && "key" in node;
}

function hasItems(node: unknown): node is { items: unknown[] } {
  return typeof node === "object" && node !== null && "items" in node &&
    Array.isArray(node.items);
}
