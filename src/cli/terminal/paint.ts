/**
 * Colours and strangers' words on a terminal.
 *
 * @module
 */
import type { Output } from "./output.ts";

const CODES = {
  good: 32,
  warn: 33,
  bad: 31,
  name: 36,
  strong: 1,
  faint: 2,
} as const;

/** What a colour means: `bad` is a failure of ours, `warn` something to look at. */
export type Colour = keyof typeof CODES;

/** Text in a colour, where there are colours. */
export type Paint = (text: string, as: Colour) => string;

/** Colours for a terminal, unless `NO_COLOR` is set (no-color.org); none for files and pipes. */
export function paintFor({ isTerminal }: Pick<Output, "isTerminal">): Paint {
  const isPlain = !isTerminal || (Deno.env.get("NO_COLOR") ?? "") !== "";
  return isPlain
    ? (text) => text
    : (text, as) => `\x1b[${CODES[as]}m${text}\x1b[0m`;
}

/** What a stranger said, fit for a terminal: one line, nothing that steers it, at most `max` characters. */
export function tame(text: string, max: number): string {
  const plain = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, " ").trim();
  const characters = [...plain];
  return characters.length > max
    ? `${characters.slice(0, max - 1).join("")}…`
    : plain;
}
