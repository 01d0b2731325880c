/**
 * Shape of a file: what it is, told by what it begins with and not by its name.
 *
 * @module
 */
import type { ByteReader } from "./byte_reader.ts";

/** Shapes that can be read; null in their place is text, a line an event. */
export type FileShape = "gzip" | "zstd" | "array";

/** A file that is something else. The message goes on from "it". */
export class WrongShapeError extends Error {
  override readonly name = "WrongShapeError";
}

/**
 * The shape of what the reader stands before; nothing is taken. Of a stream that pauses no more is waited for than is
 * needed to tell. Throws {@linkcode WrongShapeError}.
 */
export async function fileShape(input: ByteReader): Promise<FileShape | null> {
  let beginning = await input.peekMore(0);
  while (isUndecided(beginning)) {
    const more = await input.peekMore(beginning.length);
    if (more.length === beginning.length) break;
    beginning = more;
  }
  const found = MAGIC.find(({ bytes }) => beginsWith(beginning, bytes));
  if (found === undefined) return isArray(beginning) ? "array" : null;
  if ("shape" in found) return found.shape;
  throw new WrongShapeError(`is ${found.kind}`);
}

/** First bytes of files, and what they are: a shape that is read, or a kind that is named. */
const MAGIC: readonly (
  & { readonly bytes: readonly number[] }
  & ({ readonly shape: FileShape } | { readonly kind: string })
)[] = [
  { bytes: [0x1f, 0x8b], shape: "gzip" },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], shape: "zstd" },
  { bytes: ascii("BZh"), kind: "compressed by bzip2: unpack it with bunzip2" },
  {
    bytes: [0xfd, ...ascii("7zXZ")],
    kind: "compressed by xz: unpack it with unxz",
  },
  { bytes: [...ascii("PK"), 3, 4], kind: "a ZIP archive: unpack it" },
  { bytes: ascii("SQLite format 3"), kind: "an SQLite database, no JSONL" },
  { bytes: ascii("PAR1"), kind: "a Parquet file, no JSONL" },
  { bytes: [0xff, 0xfe], kind: "UTF-16: convert it to UTF-8" },
  { bytes: [0xfe, 0xff], kind: "UTF-16: convert it to UTF-8" },
];

function ascii(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

function beginsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

/** Blanks before an array are a few; a file of nothing else is not read to its end for it. */
const MAX_BLANKS = 4096;

function isUndecided(bytes: Uint8Array): boolean {
  const couldBe = MAGIC.some((magic) =>
    magic.bytes.length > bytes.length &&
    beginsWith(bytes, magic.bytes.slice(0, bytes.length))
  );
  return couldBe ||
    (bytes.length < MAX_BLANKS && /^\s*\[?\s*$/.test(textOf(bytes)));
}

/** An array of objects or arrays, or an empty one; a line such as `["EVENT",…]` is none. */
function isArray(bytes: Uint8Array): boolean {
  return /^\s*\[\s*[{[\]]/.test(textOf(bytes));
}

/** A byte order mark is left out by the decoder. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, MAX_BLANKS));
}
