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
  readonly text: string;
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

const BAR_WIDTH = 20;

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
  const text = shown.map((line) =>
    `${fit(line.name, width)} ${bar(line.share)} ${line.text}`
  );
  const hidden = lines.length - shown.length;
  return hidden > 0 ? [...text, `… and ${hidden} more`] : text;
}

function bar(share: number | null): string {
  if (share === null) return `[${" ".repeat(BAR_WIDTH)}]     `;
  const bounded = Math.min(1, Math.max(0, share));
  const full = Math.floor(bounded * BAR_WIDTH);
  const percent = `${Math.floor(bounded * 100)} %`.padStart(5);
  return `[${"#".repeat(full)}${"·".repeat(BAR_WIDTH - full)}]${percent}`;
}

function fit(name: string, width: number): string {
  return name.length > width
    ? `${name.slice(0, width - 1)}…`
    : name.padEnd(width);
}
