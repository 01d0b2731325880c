/**
 * Progress bars at the bottom of a terminal, one a task, redrawn a few times a second.
 *
 * @module
 */
import type { Screen } from "./screen.ts";

/** One line: what it is about, how far it is, and what there is to say. */
export interface ProgressLine {
  readonly name: string;
  /** From 0 to 1; null when nobody can tell. */
  readonly share: number | null;
  /** What there is to say, the most important first: what does not fit is left out whole. */
  readonly parts: readonly string[];
}

/** Redraws the lines that `lines` gives while it is open; disposing removes them. */
export function showProgress(
  screen: Screen,
  lines: () => readonly ProgressLine[],
): Disposable {
  if (!screen.isTerminal) return { [Symbol.dispose]() {} };
  const draw = () => screen.show((columns) => render(lines(), columns));
  draw();
  const timer = setInterval(draw, REDRAW_EVERY_MS);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      screen.show([]);
    },
  };
}

const REDRAW_EVERY_MS = 200;

/** More lines than this would push the log out of sight. */
const MAX_LINES = 12;

/** The lines as text: names in one column, bars in the next; those beyond the twelfth in one line. */
export function render(
  lines: readonly ProgressLine[],
  columns: number,
): string[] {
  const shown = lines.length > MAX_LINES
    ? lines.slice(0, MAX_LINES - 1)
    : lines;
  const longest = Math.max(0, ...shown.map(({ name }) => name.length));
  const width = Math.min(longest, Math.max(12, Math.floor(columns / 3)));
  const text = shown.map(({ name, share, parts }) => {
    const head = `${fit(name, width)} ${bar(share, barWidth(columns))}`;
    // The last column stays free: some terminals break the line in it.
    return `${head} ${joined(parts, columns - head.length - 2)}`;
  });
  const hidden = lines.length - shown.length;
  return hidden > 0 ? [...text, `… and ${hidden} more`] : text;
}

/** A narrow terminal has room for the share alone. */
function barWidth(columns: number): number {
  if (columns >= 100) return 20;
  return columns >= 72 ? 10 : 0;
}

function bar(share: number | null, width: number): string {
  const bounded = Math.min(1, Math.max(0, share ?? 0));
  const full = Math.floor(bounded * width);
  const percent = share === null ? "" : `${Math.floor(bounded * 100)} %`;
  const empty = share === null ? " " : "·";
  const drawn = width === 0
    ? ""
    : `[${"#".repeat(full)}${empty.repeat(width - full)}]`;
  return drawn + percent.padStart(5);
}

function joined(parts: readonly string[], room: number): string {
  let text = "";
  for (const part of parts) {
    const longer = text === "" ? part : `${text}, ${part}`;
    if (longer.length > room && text !== "") break;
    text = longer;
  }
  return text.length > room ? fit(text, Math.max(1, room)) : text;
}

function fit(name: string, width: number): string {
  return name.length > width
    ? `${name.slice(0, width - 1)}…`
    : name.padEnd(width);
}
