/**
 * Log lines on a terminal: the time of day, colour for what a line is about, and fields that are not torn apart.
 *
 * @module
 */
import type { Colour, Paint } from "./paint.ts";
import { displayWidth } from "./width.ts";

const LINE =
  /^(?:\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)\.\d{3}Z|([\d.]+)) (debug|info|warn|error) (\S+) (.*)\n$/;

const LEVEL: Readonly<Record<string, Colour>> = {
  debug: "faint",
  info: "faint",
  warn: "warn",
  error: "bad",
};

/** ` key=value`, and ` key="a value with spaces"`. */
const FIELD = / [A-Za-z]\w*=(?:"(?:[^"\\]|\\.)*"|\S*)/g;

/** Says nothing to who watches: which cycle it was, and that something was empty. */
const NOISE = /^(?:trace=.*|\w+=\{\})$/;

/** Further lines of a long entry begin below the message. */
const INDENT = " ".repeat(10);

/** A line of the text format for people who watch; any other line as it is. */
export function terminalLogLine(
  line: string,
  { columns, paint }: { readonly columns: number; readonly paint: Paint },
): string {
  const [, clock, seconds, level, service, rest] = LINE.exec(line) ?? [];
  if (level === undefined || service === undefined || rest === undefined) {
    return line;
  }
  const { message, fields } = split(rest);
  const colour = LEVEL[level] ?? "faint";
  const isLoud = level === "warn" || level === "error";
  const time = clock === undefined ? seconds ?? "" : `${clock}Z`;
  const head = [
    paint(time, "faint"),
    paint(level, colour),
    paint(service, "name"),
    isLoud ? paint(message, colour) : message,
  ].join(" ");
  let text = head;
  let width = displayWidth(head);
  const isDetailed = level === "debug";
  for (const field of fields) {
    if (!isDetailed && NOISE.test(field)) continue;
    const fieldWidth = 1 + displayWidth(field);
    const isNew = width + fieldWidth > columns;
    text += (isNew ? `\n${INDENT}` : " ") + paint(field, "faint");
    width = isNew ? INDENT.length + fieldWidth - 1 : width + fieldWidth;
  }
  return `${text}\n`;
}

/** Message and fields: a message is a sentence and has no `=`. */
function split(
  rest: string,
): { readonly message: string; readonly fields: readonly string[] } {
  const found = [...rest.matchAll(FIELD)];
  const at = found[0]?.index ?? rest.length;
  return {
    message: rest.slice(0, at),
    fields: found.map(([field]) => field.slice(1)),
  };
}
