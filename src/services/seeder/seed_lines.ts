/**
 * Seed files: one relay URL a line, `#` begins a comment, blank lines mean nothing.
 *
 * @module
 */
import { fail, ok, type Result } from "../../models/result.ts";
import {
  parentUrl,
  parseRelayUrl,
  type RelayUrl,
  type RelayUrlFault,
} from "../../models/relay_url.ts";

/** A line that is neither blank nor a comment. */
export interface SeedLine {
  /** From 1, as editors count. */
  readonly number: number;
  readonly text: string;
}

/** No relay URL is longer, so a longer line is refused, and need not be held whole. */
const MAX_CHARACTERS = 4_096;

/** The lines of a file of any size and content, in constant memory. Bytes that are no UTF-8 become U+FFFD. */
export async function* readSeedLines(
  bytes: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): AsyncGenerator<SeedLine> {
  let number = 0;
  let rest = "";
  const chunks = bytes.pipeThrough(new TextDecoderStream(), { signal });
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    // A line that is cut off here was too long already, and still is.
    rest = rest.slice(0, MAX_CHARACTERS + 1);
    for (const line of lines) yield* seedLine(++number, line);
  }
  yield* seedLine(++number, rest);
}

/** The relay a line names; with `fold` a path that belongs to one user is replaced by its parent. */
export function parseSeed(
  { text }: SeedLine,
  { allowPrivate, fold }: {
    readonly allowPrivate: boolean;
    readonly fold: boolean;
  },
): Result<RelayUrl, RelayUrlFault> {
  const parsed = parseRelayUrl(text, { allowPrivate });
  if (!parsed.ok) return fail(parsed.failure);
  const parent = fold ? parentUrl(parsed.value) : null;
  return ok(parent ?? parsed.value);
}

function* seedLine(number: number, line: string): Generator<SeedLine> {
  const text = line.replace(/(?:^|\s)#.*$/, "").trim();
  if (text !== "") yield { number, text };
}
