/**
 * DER (X.690), the encoding of certificates: tags, lengths, contents.
 *
 * @module
 */

/** The bytes are not DER. */
export class DerError extends Error {
  override readonly name = "DerError";
}

/** A value of DER. */
export interface DerItem {
  /** The whole identifier octet. */
  readonly tag: number;
  readonly content: Uint8Array;
  /** The values inside a constructed one. Throws {@linkcode DerError}. */
  children(): DerItem[];
}

/** No certificate has as many parts in one place. */
const MAX_CHILDREN = 2_000;

/** The value at the start of `bytes`. Throws {@linkcode DerError}. */
export function readDer(bytes: Uint8Array): DerItem {
  return readAt(bytes, 0).item;
}

function readAt(
  bytes: Uint8Array,
  start: number,
): { item: DerItem; end: number } {
  const tag = bytes[start];
  const { length, from } = readLength(bytes, start + 1);
  const end = from + length;
  if (tag === undefined || end > bytes.length) {
    throw new DerError("it ends too early");
  }
  const content = bytes.subarray(from, end);
  return { item: { tag, content, children: () => readAll(content) }, end };
}

function readAll(bytes: Uint8Array): DerItem[] {
  const items: DerItem[] = [];
  for (let at = 0; at < bytes.length;) {
    const { item, end } = readAt(bytes, at);
    if (items.length === MAX_CHILDREN) throw new DerError("it is too long");
    items.push(item);
    at = end;
  }
  return items;
}

/** Up to 127 in one byte, otherwise in as many bytes as the first one says. */
function readLength(
  bytes: Uint8Array,
  start: number,
): { length: number; from: number } {
  const first = bytes[start] ?? 0;
  if (first < 0x80) return { length: first, from: start + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 3) throw new DerError("a length is none");
  const from = start + 1 + count;
  const length = bytes.subarray(start + 1, from)
    .reduce((sum, byte) => sum * 256 + byte, 0);
  return { length, from };
}
