/**
 * How long a message of a relay may be, judged by how it begins; and how deep.
 *
 * @module
 */

/** Longest event that a handshake or a check reads, bytes. */
export const SMALL_EVENT_BYTES = 256 * 1024;

/** Longest NEG-MSG: relays send frames of half a megabyte, and two hex digits a byte. */
const MAX_NEG_MSG_BYTES = 4 * 1024 * 1024;

/** Nothing else that a relay says is long. */
const MAX_OTHER_BYTES = 64 * 1024;

const EVENT_START = /^\s{0,9}\[\s{0,9}"EVENT"/i;
const NEG_MSG_START =
  /^\s{0,9}\[\s{0,9}"NEG-MSG"\s{0,9},\s{0,9}"[^"\\]{1,64}"\s{0,9},\s{0,9}"/;

/** The bytes that are read of a message which begins so: an event's to its bound, a NEG-MSG's to a frame, no other's. */
export function messageBound(start: string, maxEventBytes: number): number {
  if (EVENT_START.test(start)) return maxEventBytes;
  return NEG_MSG_START.test(start) ? MAX_NEG_MSG_BYTES : MAX_OTHER_BYTES;
}

/** Shorter texts are parsed whatever is in them. */
const MIN_SCANNED = 16 * 1024;
/** Brackets in each other: message, event, tags, tag. */
const MAX_DEPTH = 4;

/**
 * Whether brackets are nested in each other deeper than in any message of the protocol, in a text that is long enough to
 * cost something: nested, JSON takes thirty times as long to parse as an event of its length, and half a kilobyte a bracket.
 */
export function isTooDeep(text: string): boolean {
  if (text.length < MIN_SCANNED) return false;
  let depth = 0;
  let isString = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (isString) {
      if (unit === BACKSLASH) i += 1;
      else if (unit === QUOTE) isString = false;
    } else if (unit === QUOTE) isString = true;
    else if (unit === BRACKET || unit === BRACE) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (unit === BRACKET_END || unit === BRACE_END) depth -= 1;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACKET_END = 0x5d;
const BRACE = 0x7b;
const BRACE_END = 0x7d;

/** Bytes of memory that a character of JSON takes at most when it is parsed: an empty array is two of them. */
const WORST_BYTES_PER_CHARACTER = 16;
/** Memory of an array beside its items, and of a string beside its characters, bytes. */
const ARRAY_BYTES = 32;
const STRING_BYTES = 24;

/** About the memory that a payload takes whose message had so many characters, bytes; never less than those. */
export function payloadBytes(payload: unknown, characters: number): number {
  const worst = characters * WORST_BYTES_PER_CHARACTER;
  if (typeof payload !== "object" || payload === null) return characters;
  const fields = payload as Readonly<Record<string, unknown>>;
  let bytes = characters;
  let count = 0;
  // Looked at for each event that comes: entries would be made of all its fields.
  for (const name in fields) {
    const value = fields[name];
    // An object of as many names as fit is as bad as arrays.
    if (++count > MAX_FIELDS) return worst;
    if (typeof value !== "object" || value === null) continue;
    if (name !== "tags" || !Array.isArray(value)) return worst;
    bytes += ARRAY_BYTES * value.length;
    for (const tag of value) {
      if (!Array.isArray(tag) || tag.some(isNested)) return worst;
      bytes += STRING_BYTES * tag.length;
    }
  }
  return bytes;
}

/** An event has seven. */
const MAX_FIELDS = 64;

function isNested(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
