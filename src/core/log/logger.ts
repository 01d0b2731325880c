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

/** The log of a process, whose level and destination can change while it is written. */
export interface RootLogger extends Logger, Disposable {
  /** Goes on with these options, its children too; a file is opened anew. Throws, and goes on as before, when it cannot be. */
  replace(options: Omit<LoggerOptions, "service">): void;
}

/** Opens the log. Throws when `file` cannot be opened for appending. Disposing closes the file. */
export function createLogger(options: LoggerOptions): RootLogger {
  const target = { options, sink: openSink(options) };
  return new LineLogger(target, { service: options.service });
}

function openSink(
  { sink, file, maxFileBytes, maxFiles }: Omit<LoggerOptions, "service">,
): LogSink {
  if (sink !== undefined) return sink;
  return file === undefined ? stderrSink() : openLogFile({
    path: file,
    maxBytes: maxFileBytes ?? 64 * 1024 * 1024,
    maxFiles: maxFiles ?? 5,
  });
}

/** Shared by a logger and its children. */
interface Target {
  options: Omit<LoggerOptions, "service">;
  sink: LogSink;
}

class LineLogger implements RootLogger {
  readonly #target: Target;
  readonly #fields: LogFields;

  constructor(target: Target, fields: LogFields) {
    this.#target = target;
    this.#fields = fields;
  }

  replace(options: Omit<LoggerOptions, "service">): void {
    const sink = openSink(options);
    const before = this.#target.sink;
    this.#target.options = options;
    this.#target.sink = sink;
    if (before !== sink) before[Symbol.dispose]();
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
    return new LineLogger(this.#target, {
      ...this.#fields,
      ...fields,
    });
  }

  [Symbol.dispose](): void {
    this.#target.sink[Symbol.dispose]();
  }

  #write(level: LogLevel, message: string, fields: LogFields = {}): void {
    const { level: least, format, time } = this.#target.options;
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return;
    const entry = {
      at: new Date(),
      level,
      message,
      fields: { ...this.#fields, ...fields },
    };
    this.#target.sink.write(formatLine(entry, { format, time }));
  }
}
