/**
 * What a relay says, parsed once and leniently: relays send more and less than NIP-01 has.
 *
 * @module
 */
import { parseReason, type Reason } from "./reason.ts";
import type { EoseHint } from "./req_outcome.ts";

/** A message from a relay. */
export type RelayMessage =
  /** `event` is whatever stood there: not even its type is checked. */
  | { readonly type: "EVENT"; readonly subId: string; readonly event: unknown }
  /** An EVENT longer than wanted, not parsed. */
  | {
    readonly type: "oversized";
    readonly subId: string;
    readonly head: EventHead | null;
  }
  | {
    readonly type: "EOSE";
    readonly subId: string;
    readonly hint: EoseHint | undefined;
  }
  | { readonly type: "CLOSED"; readonly subId: string; readonly reason: Reason }
  | {
    readonly type: "OK";
    readonly id: string;
    readonly accepted: boolean;
    readonly reason: Reason;
  }
  | { readonly type: "NOTICE"; readonly text: string }
  | { readonly type: "AUTH"; readonly challenge: string }
  | {
    readonly type: "COUNT";
    readonly subId: string;
    readonly count: number;
    readonly approximate: boolean;
  }
  /** NIP-77. Whether `message` is hex is not checked. */
  | {
    readonly type: "NEG-MSG";
    readonly subId: string;
    readonly message: string;
  }
  | {
    readonly type: "NEG-ERR";
    readonly subId: string;
    readonly reason: Reason;
    /** How many records the relay looks at in one go. */
    readonly maxRecords: number | undefined;
  }
  /** A JSON array with a name first that is none of these, or lacks what it needs. */
  | { readonly type: "unknown" }
  /** Not JSON, or no such array. */
  | { readonly type: "garbage" };

/** What an event that was not parsed seems to be; nothing of it is verified. */
export interface EventHead {
  readonly id: string;
  readonly createdAt: number;
}

/** Longer challenges are none that a relay needs. */
const MAX_CHALLENGE = 1_024;
const MAX_NOTICE = 500;

/** Parses a message; an EVENT of more than `maxEventBytes` characters is only recognised. Never throws. */
export function parseRelayMessage(
  text: string,
  maxEventBytes: number,
): RelayMessage {
  if (text.length > maxEventBytes) {
    const subId = OVERSIZED_EVENT.exec(text.slice(0, 200))?.[1];
    if (subId !== undefined) {
      return { type: "oversized", subId, head: headOf(text) };
    }
  }
  const message = parseArray(text);
  const [type, subject, ...rest] = message ?? [];
  if (typeof type !== "string") return { type: "garbage" };
  if (type === "NOTICE") return { type, text: noticeText(subject) };
  return typeof subject === "string"
    ? parseAbout(type, subject, rest)
    : UNKNOWN;
}

/** A message whose second item says what it is about. */
function parseAbout(
  type: string,
  subject: string,
  rest: readonly unknown[],
): RelayMessage {
  const [third, fourth] = rest;
  switch (type) {
    case "EVENT":
      return rest.length > 0 ? { type, subId: subject, event: third } : UNKNOWN;
    case "EOSE":
      return { type, subId: subject, hint: parseHint(third) };
    case "CLOSED":
      return { type, subId: subject, reason: parseReason(third) };
    case "OK": {
      const reason = parseReason(fourth);
      return { type, id: subject, accepted: third === true, reason };
    }
    case "AUTH":
      return subject.length <= MAX_CHALLENGE
        ? { type, challenge: subject }
        : UNKNOWN;
    case "COUNT":
      return parseCount(subject, third);
    case "NEG-MSG":
      return typeof third === "string"
        ? { type, subId: subject, message: third }
        : UNKNOWN;
    case "NEG-ERR": {
      const reason = parseReason(third);
      return {
        type,
        subId: subject,
        reason,
        maxRecords: parseMaxRecords(fourth),
      };
    }
    default:
      return UNKNOWN;
  }
}

const UNKNOWN: RelayMessage = { type: "unknown" };

const OVERSIZED_EVENT = /^\s*\[\s*"EVENT"\s*,\s*"([^"\\]{1,64})"\s*,/;

/** A quote within a JSON string is escaped, so that no content can look like these. */
const ID = /[{,]\s{0,9}"id"\s{0,9}:\s{0,9}"([0-9a-f]{64})"/;
const CREATED_AT = /[{,]\s{0,9}"created_at"\s{0,9}:\s{0,9}(\d{1,16})[\s,}]/;

function headOf(text: string): EventHead | null {
  const id = ID.exec(text)?.[1];
  const createdAt = Number(CREATED_AT.exec(text)?.[1] ?? NaN);
  return id !== undefined && Number.isSafeInteger(createdAt)
    ? { id, createdAt }
    : null;
}

function parseArray(text: string): readonly unknown[] | null {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** NIP-67. Unknown hints, and whatever else relays put there (noswhere: an object), say nothing. */
function parseHint(value: unknown): EoseHint | undefined {
  if (!Array.isArray(value)) return undefined;
  // Both at once contradict each other: the cautious one holds.
  if (value.includes("more")) return "more";
  return value.includes("finish") ? "finish" : undefined;
}

function noticeText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  return text.slice(0, MAX_NOTICE);
}

function parseCount(subId: string, value: unknown): RelayMessage {
  if (typeof value !== "object" || value === null || !("count" in value)) {
    return UNKNOWN;
  }
  const { count } = value;
  if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 0) {
    return UNKNOWN;
  }
  const approximate = "approximate" in value && value.approximate === true;
  return { type: "COUNT", subId, count, approximate };
}

function parseMaxRecords(value: unknown): number | undefined {
  const isNumber = typeof value === "number" || typeof value === "string";
  const count = isNumber ? Number(value) : 0;
  return Number.isSafeInteger(count) && count > 0 ? count : undefined;
}
