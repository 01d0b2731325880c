/**
 * All transformers by name.
 *
 * @module
 */
import type { Transformer } from "./transformer.ts";
import { BACKENDS } from "./transformers/backends.ts";
import { BOUNDS } from "./transformers/bounds.ts";
import { CAPS } from "./transformers/caps.ts";
import { CONDITIONAL } from "./transformers/conditional.ts";
import { INDEXES } from "./transformers/indexes.ts";
import { ORDER } from "./transformers/order.ts";
import { SELECTION } from "./transformers/selection.ts";

/** By what they do; the generator draws a group first, so that large ones do not crowd out the others. */
export const GROUPS: readonly (readonly Transformer[])[] = [
  CAPS,
  BOUNDS,
  SELECTION,
  ORDER,
  BACKENDS,
  INDEXES,
  CONDITIONAL,
];

export const CATALOGUE: ReadonlyMap<string, Transformer> = new Map(
  GROUPS.flat().map((transformer) => [transformer.name, transformer]),
);

/** The transformer of this name. */
export function transformerNamed(name: string): Transformer {
  const found = CATALOGUE.get(name);
  if (found === undefined) throw new Error(`No transformer "${name}"`);
  return found;
}
