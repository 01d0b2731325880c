/**
 * Standard error as a terminal: log lines scroll by above a few live lines at the bottom.
 *
 * @module
 */
import { type LogSink, stderrSink } from "../../core/log/sink.ts";
import { terminalLogLine } from "./log_line.ts";
import type { Output } from "./output.ts";
import { type Paint, paintFor } from "./paint.ts";
import { cutToWidth, displayWidth } from "./width.ts";

/** Lines, or what gives them for a width: then they are laid out anew when the terminal is resized. */
export type LiveLines =
  | readonly string[]
  | ((columns: number) => readonly string[]);

/** Where the log goes when it goes to stderr, and where progress is shown. */
export interface Screen extends LogSink {
  /** False in a pipe or a file: then `show` does nothing, and what matters must be logged. */
  readonly isTerminal: boolean;
  /** Colours, where this terminal has them. */
  readonly paint: Paint;
  columns(): number;
  /** Replaces the live lines; none removes them. Each is cut at the terminal's width, and all at its height. */
  show(lines: LiveLines): void;
}

/** The screen on `stderr`; disposing removes the live lines. */
export function openScreen(stderr: Output): Screen {
  return stderr.isTerminal ? new TerminalScreen(stderr) : plainScreen(stderr);
}

function plainScreen(stderr: Output): Screen {
  return {
    ...stderrSink(),
    isTerminal: false,
    paint: paintFor(stderr),
    columns: () => 80,
    show: () => {},
  };
}

/** More than fit a window. */
const MAX_LOG_LINES = 200;

class TerminalScreen implements Screen {
  readonly isTerminal = true;
  readonly paint: Paint;
  readonly #stderr: Output;
  #lines: LiveLines = [];
  /** As they stand on the terminal. */
  #drawn: readonly string[] = [];
  /** The last lines of the log, as they came. */
  readonly #log: string[] = [];
  /** Width of the window when it was last known to be painted right. */
  #paintedColumns = 0;
  #isWatching = false;

  constructor(stderr: Output) {
    this.#stderr = stderr;
    this.paint = paintFor(stderr);
  }

  columns(): number {
    return this.#stderr.columns();
  }

  write(line: string): void {
    this.#log.push(line);
    if (this.#log.length > MAX_LOG_LINES) this.#log.shift();
    this.#put(this.#erase() + this.#logText(line) + this.#draw());
  }

  show(lines: LiveLines): void {
    this.#lines = lines;
    this.#redraw();
    this.#watchSize(typeof lines === "function" || lines.length > 0);
  }

  [Symbol.dispose](): void {
    this.show([]);
  }

  #logText(line: string): string {
    const { paint } = this;
    return terminalLogLine(line, { columns: this.columns(), paint });
  }

  #redraw(): void {
    this.#put(this.#erase() + this.#draw());
  }

  /** A window that is resized is drawn anew at once, and not when there is something new to show. */
  #watchSize(isShown: boolean): void {
    if (isShown === this.#isWatching || Deno.build.os === "windows") return;
    this.#isWatching = isShown;
    this.#paintedColumns = this.columns();
    if (isShown) Deno.addSignalListener("SIGWINCH", this.#resized);
    else Deno.removeSignalListener("SIGWINCH", this.#resized);
  }

  /**
   * A terminal that becomes narrower wraps what stands on it some time before it says so. What was drawn in between may
   * be anywhere, so that all of the window is painted anew.
   */
  #resized = (): void => {
    const columns = this.columns();
    if (columns < this.#paintedColumns) this.#put(this.#repaint());
    else this.#redraw();
    this.#paintedColumns = columns;
  };

  /** The window wiped line by line, which leaves its scrollback alone, and the last of the log above the live lines. */
  #repaint(): string {
    const rows = this.#stderr.rows();
    const live = this.#draw();
    let room = rows - this.#drawn.length;
    let log = "";
    for (const line of this.#log.toReversed()) {
      const text = this.#logText(line);
      room -= this.#rowsOf(text.trimEnd().split("\n"));
      if (room < 0) break;
      log = text + log;
    }
    const wiped = Array.from(
      { length: rows },
      (_, row) => `\x1b[${row + 1};1H\x1b[2K`,
    );
    return `${wiped.join("")}\x1b[1;1H${log}${live}`;
  }

  /** Rows that lines take in the window as it is. */
  #rowsOf(lines: readonly string[]): number {
    const columns = this.columns();
    return lines.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(displayWidth(line) / columns)),
      0,
    );
  }

  /**
   * Back to the first column of the first live line, and everything below wiped. What was drawn in a wider window has
   * been wrapped by the terminal meanwhile.
   */
  #erase(): string {
    if (this.#drawn.length === 0) return "";
    const rows = this.#rowsOf(this.#drawn);
    this.#drawn = [];
    return (rows > 1 ? `\x1b[${rows - 1}A` : "") + "\r\x1b[J";
  }

  #draw(): string {
    const columns = this.columns();
    const lines = typeof this.#lines === "function"
      ? this.#lines(columns)
      : this.#lines;
    // A line of log is to stay in sight, and what has scrolled away could not be wiped.
    const height = Math.max(1, this.#stderr.rows() - 2);
    this.#drawn = lines.slice(0, height)
      .map((line) => cutToWidth(line, columns - 1));
    return this.#drawn.join("\r\n");
  }

  /** A terminal that was closed ends nothing but the show. */
  #put(text: string): void {
    if (text === "") return;
    try {
      this.#stderr.write(text);
    } catch {
      // EPIPE, EIO and others, as the terminal likes.
    }
  }
}
