/**
 * The log: one constant sentence plus fields per line, written at once so that nothing is lost at exit.
 *
 * @module
 */
import { formatLine, type LogFormat, type LogTime } from "./format.ts";
import { openLogFile } from "./log_file.ts";
import { type LogSink, stderrSink } from "./sink.ts";

/** From the most to the least talkative. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Facts beside the sentence. Never a secret, never a whole event. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose every line carries `fields` too; it shares level and destination. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  /** Lines below this level are not written. */
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly time: LogTime;
  /** The first of the fixed fields; children may name another. */
  readonly service: string;
  /** Written instead of stderr, rotated by size. */
  readonly file?: string | undefined;
  /** A file larger than this is rotated. Default 64 MiB. */
  readonly maxFileBytes?: number;
  /** Rotated files kept beside the current one. Default 5. */
  readonly maxFiles?: number;
  /** The sink of the lines when neither stderr nor `file` is meant (a status line, a test). */
  readonly sink?: LogSink;
}

/** Opens the log. Throws when `file` cannot be opened for appending. Disposing closes the file. */
export function createLogger(options: LoggerOptions): Logger & Disposable {
  const sink = options.sink ??
    (options.file === undefined ? stderrSink() : openLogFile({
      path: options.file,
      maxBytes: options.maxFileBytes ?? 64 * 1024 * 1024,
      maxFiles: options.maxFiles ?? 5,
    }));
  return new LineLogger(options, sink, { service: options.service });
}

class LineLogger implements Logger, Disposable {
  readonly #options: LoggerOptions;
  readonly #sink: LogSink;
  readonly #fields: LogFields;

  constructor(options: LoggerOptions, sink: LogSink, fields: LogFields) {
    this.#options = options;
    this.#sink = sink;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write("error", message, fields);
  }

  child(fields: LogFields): Logger {
    return new LineLogger(this.#options, this.#sink, {
      ...this.#fields,
      ...fields,
    });
  }

  [Symbol.dispose](): void {
    this.#sink[Symbol.dispose]();
  }

  #write(level: LogLevel, message: string, fields: LogFields = {}): void {
    const { level: least, format, time } = this.#options;
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return;
    const entry = {
      at: new Date(),
      level,
      message,
      fields: { ...this.#fields, ...fields },
    };
    this.#sink.write(formatLine(entry, { format, time }));
  }
}
