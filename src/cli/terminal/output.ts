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
  /** Height of the terminal in lines; 24 where there is none. */
  rows(): number;
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
    columns: () => sizeOf(stream).columns || 80,
    rows: () => sizeOf(stream).rows || 24,
  };
}

/** Zeros where nobody can tell. */
function sizeOf(
  stream: typeof Deno.stdout,
): { readonly columns: number; readonly rows: number } {
  try {
    if (stream.isTerminal()) return Deno.consoleSize();
  } catch {
    // No terminal of ours, although the stream is one.
  }
  return { columns: 0, rows: 0 };
}
