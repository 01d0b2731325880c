/**
 * The event of NIP-01: its shape, its canonical serialisation and its id.
 *
 * @module
 */
import { hash } from "node:crypto";
import { MAX_KIND } from "./kinds.ts";
import { fail, ok, type Result } from "./result.ts";

/** An event as it stands on the wire (NIP-01). Field names are the protocol's. */
export interface NostrEvent {
  /** 64 lowercase hex characters: sha256 of the canonical serialisation. */
  readonly id: string;
  /** 64 lowercase hex characters: the author's x-only public key. */
  readonly pubkey: string;
  /** Unix seconds, as claimed by the author. */
  readonly created_at: number;
  /** 0 to 65535. */
  readonly kind: number;
  readonly tags: readonly (readonly string[])[];
  readonly content: string;
  /** 128 lowercase hex characters: BIP-340 signature of the id. */
  readonly sig: string;
}

/** Why something is not an event that can be kept. Codes are counted and stored; details explain one case. */
export interface EventFault {
  readonly code: "shape" | "kind" | "created-at" | "id" | "signature";
  readonly detail: string;
}

/** The fields the id commits to. */
export type UnsignedEvent = Omit<NostrEvent, "id" | "sig">;

/** Every escape, so that an escaped backslash is not taken for the start of one; grouped is a control character. */
const ESCAPES = /\\(?:u(00[01][0-9a-f])|[^])/g;

/**
 * Checks the shape of a wire object and keeps the seven fields of NIP-01; others are dropped.
 * Neither the id nor the signature is looked at.
 */
export function parseEvent(value: unknown): Result<NostrEvent, EventFault> {
  if (!isRecord(value)) return shape(`Not an object: ${typeName(value)}`);
  const { id, pubkey, created_at, kind, tags, content, sig } = value;
  if (typeof id !== "string" || !isHex(id, 64)) return badHex("id", 64, id);
  if (typeof pubkey !== "string" || !isHex(pubkey, 64)) {
    return badHex("pubkey", 64, pubkey);
  }
  if (typeof sig !== "string" || !isHex(sig, 128)) {
    return badHex("sig", 128, sig);
  }
  if (typeof kind !== "number" || !Number.isInteger(kind)) {
    return shape(`"kind" is not an integer: ${typeName(kind)}`);
  }
  if (kind < 0 || kind > MAX_KIND) {
    return fail({
      code: "kind",
      detail: `"kind" is not within 0 and ${MAX_KIND}: ${kind}`,
    });
  }
  if (typeof created_at !== "number") {
    return shape(`"created_at" is not a number: ${typeName(created_at)}`);
  }
  if (!Number.isSafeInteger(created_at) || created_at < 0) {
    return fail({
      code: "created-at",
      detail: `"created_at" is not unix seconds: ${created_at}`,
    });
  }
  if (typeof content !== "string") {
    return shape(`"content" is not a string: ${typeName(content)}`);
  }
  if (!isTags(tags)) return shape(`"tags" are not arrays of strings`);
  return ok({ id, pubkey, created_at, kind, tags, content, sig });
}

/**
 * The text whose UTF-8 the id is the hash of: `[0,pubkey,created_at,kind,tags,content]` without whitespace (NIP-01).
 * Control characters without a short escape become `\u00xx` and lone surrogates `\udxxx`, as JSON demands and as
 * what signs events does (nostr-tools, go-nostr, rust-nostr), although NIP-01 says "verbatim".
 */
export function serializeEvent(event: UnsignedEvent): string {
  return JSON.stringify([
    0,
    event.pubkey,
    event.created_at,
    event.kind,
    event.tags,
    event.content,
  ]);
}

/** The id of an event: sha256 of its canonical serialisation, in hex. */
export function eventId(event: UnsignedEvent): string {
  return sha256(serializeEvent(event));
}

/** Whether the id is the hash of the other fields, in the canonical spelling or one that relays take as well. */
export function hasValidId(event: NostrEvent): boolean {
  const canonical = serializeEvent(event);
  return sha256(canonical) === event.id ||
    otherSpellings(canonical).some((text) => sha256(text) === event.id);
}

function sha256(text: string): string {
  return hash("sha256", text, "hex");
}

/**
 * How else programs have spelled the same event: control characters verbatim (the letter of NIP-01; nostril, nostrdb),
 * and U+007F escaped (strfry). Read back, each gives this event and no other, so an id still means one event.
 * That is why lone surrogates written as U+FFFD are not among them: there two events would share one id.
 */
function otherSpellings(canonical: string): string[] {
  const verbatim = canonical.replace(
    ESCAPES,
    (escape, hex?: string) =>
      hex === undefined ? escape : String.fromCharCode(parseInt(hex, 16)),
  );
  const escaped = canonical.replaceAll("\x7f", "\\u007f");
  return [verbatim, escaped].filter((text) => text !== canonical);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isHex(text: string, length: number): boolean {
  return text.length === length && /^[0-9a-f]+$/.test(text);
}

function isTags(value: unknown): value is string[][] {
  if (!Array.isArray(value)) return false;
  for (const tag of value) {
    if (!Array.isArray(tag)) return false;
    for (const item of tag) if (typeof item !== "string") return false;
  }
  return true;
}

function badHex(field: string, length: number, seen: unknown) {
  const what = typeof seen === "string"
    ? JSON.stringify(seen.slice(0, 140))
    : typeName(seen);
  return shape(`"${field}" is not ${length} lowercase hex characters: ${what}`);
}

function shape(detail: string): Result<NostrEvent, EventFault> {
  return fail({ code: "shape", detail });
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "number" ? String(value) : typeof value;
}
