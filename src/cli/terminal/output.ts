/**
 * Standard output and standard error as commands see them.
 *
 * @module
 */
import { writeAll } from "../../core/log/sink.ts";

/** Takes text at once and completely; a slow reader slows the writer. */
export interface Output {
  /** Throws `Deno.errors.BrokenPipe` when the reader went away (`… | head`). */
  write(text: string | Uint8Array): void;
  /** Whether a person watches. */
  readonly isTerminal: boolean;
  /** Width of the terminal in characters; 80 where there is none. */
  columns(): number;
}

/** Columns that text may take: a file or a pipe has no right edge. */
export function textColumns(output: Output): number {
  return output.isTerminal ? output.columns() : Infinity;
}

export function standardOutput(): Output {
  return output(Deno.stdout);
}

export function standardError(): Output {
  return output(Deno.stderr);
}

function output(stream: typeof Deno.stdout): Output {
  const encoder = new TextEncoder();
  return {
    write(text) {
      const bytes = typeof text === "string" ? encoder.encode(text) : text;
      writeAll(stream, bytes, Infinity);
    },
    isTerminal: stream.isTerminal(),
    columns() {
      if (!stream.isTerminal()) return 80;
      try {
        return Deno.consoleSize().columns || 80;
      } catch {
        return 80;
      }
    },
  };
}
