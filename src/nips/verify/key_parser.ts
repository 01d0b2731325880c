/**
 * Public keys, parsed once: authors repeat, and parsing is an eighth of the work.
 *
 * @module
 */

/** Parsed public keys kept. */
const MAX_PARSED_KEYS = 4096;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Parses public keys in hex and remembers them; null for one that is not on the curve.
 * `parse` writes into `parsed` what libsecp256k1 makes of a key: 64 bytes, and false when it refuses.
 */
export function keyParser(
  parse: (parsed: Bytes, publicKey: Bytes) => boolean,
): (hex: string) => Bytes | null {
  const known = new Map<string, Bytes>();
  const publicKey = new Uint8Array(32);
  return (hex) => {
    const kept = known.get(hex);
    if (kept !== undefined) return kept;
    publicKey.setFromHex(hex);
    const parsed = new Uint8Array(64);
    if (!parse(parsed, publicKey)) return null;
    if (known.size >= MAX_PARSED_KEYS) known.clear();
    known.set(hex, parsed);
    return parsed;
  };
}
