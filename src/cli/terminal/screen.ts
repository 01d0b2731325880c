/**
 * Standard error as a terminal: log lines scroll by above a few live lines at the bottom.
 *
 * @module
 */
import { isGone, type LogSink, stderrSink } from "../../core/log/sink.ts";
import type { Output } from "./output.ts";

/** Where the log goes when it goes to stderr, and where progress is shown. */
export interface Screen extends LogSink {
  /** False in a pipe or a file: then `show` does nothing, and what matters must be logged. */
  readonly isTerminal: boolean;
  columns(): number;
  /** Replaces the live lines; none removes them. Each is cut at the terminal's width. */
  show(lines: readonly string[]): void;
}

/** The screen on `stderr`; disposing removes the live lines. */
export function openScreen(stderr: Output): Screen {
  return stderr.isTerminal ? new TerminalScreen(stderr) : plainScreen();
}

function plainScreen(): Screen {
  return {
    ...stderrSink(),
    isTerminal: false,
    columns: () => 80,
    show: () => {},
  };
}

class TerminalScreen implements Screen {
  readonly isTerminal = true;
  readonly #stderr: Output;
  #live: readonly string[] = [];

  constructor(stderr: Output) {
    this.#stderr = stderr;
  }

  columns(): number {
    return this.#stderr.columns();
  }

  write(line: string): void {
    const live = this.#live;
    this.#put(this.#erase() + line + this.#draw(live));
  }

  show(lines: readonly string[]): void {
    if (lines.length === 0 && this.#live.length === 0) return;
    const width = this.columns() - 1;
    const cut = lines.map((line) => [...line].slice(0, width).join(""));
    this.#put(this.#erase() + this.#draw(cut));
  }

  [Symbol.dispose](): void {
    this.show([]);
  }

  /** Back to the first column of the first live line, and everything below wiped. */
  #erase(): string {
    const up = this.#live.length - 1;
    if (up < 0) return "";
    this.#live = [];
    return (up > 0 ? `\x1b[${up}A` : "") + "\r\x1b[J";
  }

  #draw(lines: readonly string[]): string {
    this.#live = lines;
    return lines.join("\r\n");
  }

  /** A terminal that was closed ends nothing but the show. */
  #put(text: string): void {
    try {
      this.#stderr.write(text);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}
