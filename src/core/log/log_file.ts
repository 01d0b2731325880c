/**
 * A log file that is rotated by size: `name`, `name.1` (newest) … `name.N` (oldest).
 *
 * @module
 */
import { dirname } from "node:path";
import { errorText } from "../../base/error_text.ts";
import { whyUnwritable } from "../config/config_error.ts";
import { type LogSink, stderrSink, writeAll } from "./sink.ts";

export interface LogFileOptions {
  readonly path: string;
  /** The file is rotated before it would become larger than this. */
  readonly maxBytes: number;
  /** Rotated files kept; the oldest is deleted. 0 starts the file anew. */
  readonly maxFiles: number;
}

/** Opens `path` for appending, directories included. Throws when that is not possible. */
export function openLogFile(options: LogFileOptions): LogSink {
  return new LogFile(options);
}

/** What cannot be written to the file, as on a full disk, goes to stderr: a log must not end the program. */
class LogFile implements LogSink {
  readonly #options: LogFileOptions;
  readonly #encoder = new TextEncoder();
  readonly #stderr = stderrSink();
  /** Null when it could not be opened again. */
  #file: Deno.FsFile | null;
  #bytes: number;
  /** Whether the last line could not be written: that is said once. */
  #isLost = false;

  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#file = open(options.path);
    this.#bytes = this.#file.statSync().size;
  }

  write(line: string): void {
    try {
      this.#append(this.#encoder.encode(line));
      this.#isLost = false;
    } catch (error) {
      if (!this.#isLost) this.#stderr.write(`${this.#complaint(error)}\n`);
      this.#isLost = true;
      this.#stderr.write(line);
    }
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = null;
  }

  #append(bytes: Uint8Array): void {
    const full = this.#bytes + bytes.length > this.#options.maxBytes;
    if (this.#file === null || (full && this.#bytes > 0)) this.#rotate();
    // The whole line in one append, so that lines of two processes never mix.
    if (this.#file !== null) writeAll(this.#file, bytes, 0);
    this.#bytes += bytes.length;
  }

  /** Another process with the same file may have rotated it: then its new file is ours too. */
  #rotate(): void {
    const { path, maxFiles } = this.#options;
    if (this.#file !== null) {
      const ours = this.#file.statSync();
      const current = statOrNull(path);
      this.#file.close();
      this.#file = null;
      if (current !== null && current.ino === ours.ino) shift(path, maxFiles);
    }
    this.#file = open(path);
    this.#bytes = this.#file.statSync().size;
  }

  #complaint(error: unknown): string {
    return `bigbrotr: Cannot write the log file ${this.#options.path}, so the log is here: ${
      errorText(error)
    }`;
  }
}

function open(path: string): Deno.FsFile {
  try {
    Deno.mkdirSync(dirname(path), { recursive: true });
    return Deno.openSync(path, { append: true, create: true });
  } catch (cause) {
    throw new Error(
      `Cannot open the log file ${path}: ${whyUnwritable(cause)}`,
    );
  }
}

function shift(path: string, maxFiles: number): void {
  removeIfThere(maxFiles === 0 ? path : `${path}.${maxFiles}`);
  for (let n = maxFiles - 1; n >= 0; n--) {
    const from = n === 0 ? path : `${path}.${n}`;
    if (statOrNull(from) !== null) Deno.renameSync(from, `${path}.${n + 1}`);
  }
}

function removeIfThere(path: string): void {
  if (statOrNull(path) !== null) Deno.removeSync(path);
}

function statOrNull(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
