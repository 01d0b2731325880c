/**
 * The shapes of question that an audit asks. Each shape catches relays that are wrong in another way.
 *
 * @module
 */

/** Which events a question is about. */
export type Shape =
  /** From one known event to the next. */
  | "silence"
  /** Little time around a known event. */
  | "narrow"
  /** Downwards from anywhere, without `since`. */
  | "deep"
  /** Downwards from a known event, without `since`. */
  | "page"
  /** Over some known events. */
  | "sample"
  /** Over some known events, by the likely kinds; of all kinds, where the filter names some. */
  | "kinds"
  /** Over some known events, by some authors. */
  | "authors"
  /** For kinds that were not seen, wherever they are. */
  | "rare-kinds"
  /** Downwards from years ahead: a relay that looks back a while from `until`, and no further, shows nothing. */
  | "future";

/** Shapes of question, in the order in which they are asked. */
export const SHAPES: readonly Shape[] = [
  "silence",
  "narrow",
  "kinds",
  "deep",
  "sample",
  "narrow",
  "kinds",
  "page",
  "authors",
  "rare-kinds",
  "narrow",
  "future",
];

/** Shapes for a relay without order, of which a page that is cut off says nothing. */
export const UNORDERED_SHAPES: readonly Shape[] = [
  "silence",
  "narrow",
  "kinds",
  "sample",
  "authors",
  "future",
];

/** Shapes that leave out some of the known events. */
export const NARROWED: ReadonlySet<Shape> = new Set([
  "kinds",
  "authors",
  "rare-kinds",
]);

/** Shapes without `since`. */
export const DOWNWARDS: ReadonlySet<Shape> = new Set([
  "deep",
  "page",
  "rare-kinds",
  "future",
]);
