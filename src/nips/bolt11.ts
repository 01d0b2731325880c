/**
 * Lightning invoices (BOLT 11), as far as a zap receipt needs them: network, amount and description hash.
 *
 * The invoice's signature is not checked: anybody can sign one with a key of his own, so it would prove nothing.
 *
 * @module
 */
import { bech32 } from "@scure/base";

export interface Invoice {
  /** Prefix of the currency: `bc` is Bitcoin's main network. */
  readonly network: "bc" | "tb" | "tbs" | "bcrt";
  /** Millisatoshis; null when the payer may choose. */
  readonly msats: bigint | null;
  /** sha256 of the description in hex; null when the description is in the invoice itself. */
  readonly descriptionHash: string | null;
}

/** A longer text is no invoice; the longest of BOLT 11's examples has 500 characters. */
const MAX_CHARACTERS = 4_096;

const PREFIX = /^ln(bcrt|bc|tbs|tb)(?:([1-9]\d{0,18})([munp])?)?$/;

/** Millisatoshis of a bitcoin and of its parts, times ten: the smallest, `p`, is a tenth of one. */
const TENTHS_OF_MSAT: Readonly<Record<string, bigint>> = {
  "": 1_000_000_000_000n,
  m: 1_000_000_000n,
  u: 1_000_000n,
  n: 1_000n,
  p: 1n,
};

/** In words of five bits. */
const TIMESTAMP = 7;
const SIGNATURE = 104;
const HASH = 52;

const DESCRIPTION_HASH_FIELD = 23;

/** Reads an invoice; null when it is none: checksum, prefix, amount or fields are wrong. */
export function parseInvoice(text: string): Invoice | null {
  if (text.length > MAX_CHARACTERS) return null;
  const decoded = bech32.decodeUnsafe(text, MAX_CHARACTERS);
  if (decoded === undefined) return null;
  const [isPrefix, network, digits, multiplier] = PREFIX.exec(decoded.prefix) ??
    [];
  if (isPrefix === undefined || !isNetwork(network)) return null;
  const msats = digits === undefined ? null : msatsOf(digits, multiplier ?? "");
  if (msats === undefined) return null;
  const descriptionHash = findDescriptionHash(decoded.words);
  return descriptionHash === undefined
    ? null
    : { network, msats, descriptionHash };
}

function isNetwork(text: string | undefined): text is Invoice["network"] {
  return text === "bc" || text === "tb" || text === "tbs" || text === "bcrt";
}

/** Undefined for parts of a millisatoshi. */
function msatsOf(digits: string, multiplier: string): bigint | undefined {
  const tenths = BigInt(digits) * TENTHS_OF_MSAT[multiplier]!;
  return tenths % 10n === 0n ? tenths / 10n : undefined;
}

/** The first field `h` of the right length; null without one, undefined when the fields do not add up. */
function findDescriptionHash(
  words: readonly number[],
): string | null | undefined {
  const end = words.length - SIGNATURE;
  if (end < TIMESTAMP) return undefined;
  let found: string | null = null;
  let at = TIMESTAMP;
  while (at < end) {
    if (at + 3 > end) return undefined;
    const [type, high, low] = words.slice(at, at + 3);
    const length = high! * 32 + low!;
    at += 3;
    if (at + length > end) return undefined;
    if (type === DESCRIPTION_HASH_FIELD && length === HASH) {
      found ??= bech32.fromWordsUnsafe(words.slice(at, at + length))
        ?.toHex() ?? null;
    }
    at += length;
  }
  return found;
}
