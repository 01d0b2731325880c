/**
 * Keys of a schema with their paths: for messages, masking and the test that every key has an effect.
 *
 * @module
 */
import { z } from "zod";

/** The object schema's own keys and their schemas; null when `schema` is no object. */
export function shapeOf(schema: unknown): Record<string, unknown> | null {
  const bare = unwrap(schema);
  return bare instanceof z.ZodObject ? { ...bare.shape } : null;
}

/** The schema at `path`, list items and map values included; null when the path leads nowhere. */
export function schemaAt(
  schema: unknown,
  path: readonly PropertyKey[],
): unknown {
  let current: unknown = schema;
  for (const key of path) {
    const bare = unwrap(current);
    if (bare instanceof z.ZodObject) current = bare.shape[String(key)];
    else if (bare instanceof z.ZodArray) current = bare.element;
    else if (bare instanceof z.ZodRecord) current = bare.valueType;
    else return null;
  }
  return current ?? null;
}

/** Every leaf as a path of keys; `*` stands for any item of a list or map. */
export function leafPaths(
  schema: unknown,
  prefix: readonly string[] = [],
): string[][] {
  const bare = unwrap(schema);
  if (bare instanceof z.ZodObject) {
    return Object.entries(bare.shape).flatMap(([key, inner]) =>
      leafPaths(inner, [...prefix, key])
    );
  }
  const item = bare instanceof z.ZodArray
    ? bare.element
    : bare instanceof z.ZodRecord
    ? bare.valueType
    : null;
  if (item !== null && shapeOf(item) !== null) {
    return leafPaths(item, [...prefix, "*"]);
  }
  return [[...prefix]];
}

/** The schema under defaults, optionals and the like. */
function unwrap(schema: unknown): unknown {
  let current = schema;
  while (true) {
    if (
      current instanceof z.ZodDefault || current instanceof z.ZodPrefault ||
      current instanceof z.ZodOptional || current instanceof z.ZodNullable ||
      current instanceof z.ZodReadonly || current instanceof z.ZodCatch
    ) current = current.def.innerType;
    else if (current instanceof z.ZodPipe) current = current.def.in;
    else return current;
  }
}
