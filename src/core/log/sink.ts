/**
 * Sinks of log lines: synchronous, complete, and never a reason for the program to fail.
 *
 * @module
 */

/** Takes whole lines, newline included. */
export interface LogSink extends Disposable {
  write(line: string): void;
}

/** Something that writes bytes synchronously, perhaps only some of them. */
interface SyncWriter {
  writeSync(bytes: Uint8Array): number;
}

/** How long a full pipe is waited for before its line is given up. */
const FULL_PIPE_WAIT_MS = 2_000;

/** Standard error. A reader or a terminal that went away loses lines, never the program. */
export function stderrSink(): LogSink {
  const encoder = new TextEncoder();
  return {
    write(line) {
      try {
        writeAll(Deno.stderr, encoder.encode(line), FULL_PIPE_WAIT_MS);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },
    [Symbol.dispose]() {},
  };
}

/** Whether nobody can read what is written any more: the pipe's reader ended, or the terminal was closed (EIO). */
export function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    error instanceof Error && /\(os error 5\)/.test(error.message);
}

/**
 * Writes every byte, also to a pipe that the parent process has set to non-blocking.
 * Throws what the writer throws, but for a pipe that stays full longer than `timeoutMs`: then the rest is lost.
 */
export function writeAll(
  writer: SyncWriter,
  bytes: Uint8Array,
  timeoutMs: number,
): void {
  let rest = bytes;
  let waitedMs = 0;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writer.writeSync(rest));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      if (waitedMs >= timeoutMs) return;
      waitedMs += 5;
      pause(5);
    }
  }
}

/** Blocks the thread: the caller must not return before its line is written. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
