/**
 * A log entry as one line: key=value text for people and grep, or JSON for collectors.
 *
 * @module
 */
import { errorText } from "../../base/error_text.ts";
import { withoutSecrets } from "./secret_text.ts";

export const LOG_FORMATS = ["text", "json"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export const LOG_TIMES = ["iso", "unix"] as const;
/** ISO 8601 in UTC with milliseconds, or Unix seconds with three decimals. */
export type LogTime = (typeof LOG_TIMES)[number];

export interface LogEntry {
  readonly at: Date;
  readonly level: string;
  readonly message: string;
  /** `service` is written right after the level, in both formats. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Longer values are cut, so that no peer can fill the disk through the log. */
const MAX_VALUE_CHARS = 1_000;

/** Fields whose value is never written, however they got into a log call. */
const SECRET_NAME =
  /pass(word|phrase)?$|secret|private_?key|token$|api_?key|authorization/i;

/** Keys of every JSON line, which a field of the same name must not replace. */
const FIXED: ReadonlySet<string> = new Set(["time", "level", "message"]);

/** The entry as a line, newline included; control characters never reach the terminal. */
export function formatLine(
  entry: LogEntry,
  { format, time }: { readonly format: LogFormat; readonly time: LogTime },
): string {
  const { service, ...rest } = entry.fields;
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(rest)) {
    if (value === undefined) continue;
    values[FIXED.has(key) ? `field.${key}` : key] = plain(key, value);
  }
  return format === "json"
    ? jsonLine(entry, { time, service, values })
    : textLine(entry, { time, service, values });
}

interface LineFields {
  readonly time: LogTime;
  readonly service: unknown;
  readonly values: Record<string, unknown>;
}

function jsonLine(
  entry: LogEntry,
  { time, service, values }: LineFields,
): string {
  return JSON.stringify({
    time: time === "unix" ? entry.at.getTime() / 1000 : entry.at.toISOString(),
    level: entry.level,
    service,
    message: entry.message,
    ...values,
  }) + "\n";
}

function textLine(
  entry: LogEntry,
  { time, service, values }: LineFields,
): string {
  const at = time === "unix"
    ? (entry.at.getTime() / 1000).toFixed(3)
    : entry.at.toISOString();
  const head = [at, entry.level, String(service ?? ""), entry.message];
  const tail = Object.entries(values).map(([key, value]) =>
    `${key}=${quoted(valueText(value))}`
  );
  return [...head.filter((part) => part !== ""), ...tail].join(" ") + "\n";
}

function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  const isPlainList = Array.isArray(value) &&
    value.every((one) => typeof one === "string" || typeof one === "number");
  return isPlainList ? value.join(",") : JSON.stringify(value);
}

/** The value as something JSON can hold, bounded and without secrets. */
function plain(key: string, value: unknown): unknown {
  if (SECRET_NAME.test(key)) return "***";
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (value === null) return null;
  if (typeof value === "bigint") return value.toString();
  const text = typeof value === "string"
    ? value
    : value instanceof Error
    ? errorText(value)
    : jsonText(value);
  const bare = withoutSecrets(text);
  if (bare.length > MAX_VALUE_CHARS) {
    const cut = bare.length - MAX_VALUE_CHARS;
    return `${bare.slice(0, MAX_VALUE_CHARS)}… (${cut} characters more)`;
  }
  // A small object stays one, as JSON logs are queried by field.
  return typeof value === "object" && !(value instanceof Error)
    ? JSON.parse(bare)
    : bare;
}

/** JSON of anything: secrets inside masked, bigints as decimal text, cycles named. */
function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value, (key, inner) => {
      if (SECRET_NAME.test(key)) return "***";
      if (typeof inner === "bigint") return inner.toString();
      return inner instanceof Error ? errorText(inner) : inner;
    }) ?? JSON.stringify(String(value));
  } catch {
    return JSON.stringify(String(value));
  }
}

function quoted(text: string): string {
  return /^[^\s="\\\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text).replace(
    // JSON leaves DEL and the C1 controls alone; a terminal obeys some of them.
    /[\u007f-\u009f]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
