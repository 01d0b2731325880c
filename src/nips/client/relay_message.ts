/**
 * What a relay says, parsed once and leniently: relays send more and less than NIP-01 has.
 *
 * @module
 */
import type { SocketMessage } from "../../transport/websocket/held_message.ts";
import { isTooDeep, messageBound } from "./message_bounds.ts";
import { parseReason, type Reason } from "./reason.ts";
import type { EoseHint } from "./req_outcome.ts";
import {
  type EventHead,
  headOfText,
  headOfValue,
  mayBeEvent,
  mayBeEventText,
  type UnreadCause,
} from "./unread.ts";

/** A message from a relay. */
export type RelayMessage =
  /** `event` is whatever stood there: not even its type is checked. */
  | { readonly type: "EVENT"; readonly subId: string; readonly event: unknown }
  /** May have been an event, and cannot be taken for one. */
  | {
    readonly type: "unread";
    readonly cause: UnreadCause;
    /** The subscription it names, if it does. */
    readonly subId: string | null;
    readonly head: EventHead;
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
  /** Not JSON, or no such array, and nothing that may have been an event. */
  | { readonly type: "garbage" };

/** Longer challenges are none that a relay needs. */
const MAX_CHALLENGE = 1_024;
const MAX_NOTICE = 500;

/**
 * Parses a message. What is longer than a message of its type may be, or nested as no message is, is only recognised: an
 * EVENT of more than `maxEventBytes` characters as one that was not read. Never throws.
 */
export function parseRelayMessage(
  message: SocketMessage,
  maxEventBytes: number,
): RelayMessage {
  if (typeof message !== "string") return recognise(message);
  const text = message;
  const bound = messageBound(text.slice(0, HEAD_CHARACTERS), maxEventBytes);
  if (text.length > bound) return recognise({ start: text, end: "" });
  const value = isTooDeep(text) ? undefined : parseJson(text);
  if (value === undefined) {
    return mayBeEventText(text)
      ? unread("garbled", subIdOf(text), headOfText(text))
      : GARBAGE;
  }
  const [type, subject, ...rest] = Array.isArray(value) ? value : [];
  if (typeof type !== "string") {
    return mayBeEvent(value)
      ? unread("misaddressed", null, headOfValue(value))
      : GARBAGE;
  }
  if (type === "NOTICE") return { type, text: noticeText(subject) };
  const isAbout = typeof subject === "string";
  if (type.toUpperCase() === "EVENT" && (type !== "EVENT" || !isAbout)) {
    return parseStrayEvent([subject, ...rest]);
  }
  return isAbout ? parseAbout(type, subject, rest) : UNKNOWN;
}

/** What a message is that is too long to be read, by its ends. */
function recognise(
  { start, end }: { readonly start: string; readonly end: string },
): RelayMessage {
  const head = () => ({ ...headOfText(end), ...headOfText(start) });
  const subId = subIdOf(start);
  if (subId !== null) return unread("too-large", subId, head());
  const type = TYPE.exec(start.slice(0, HEAD_CHARACTERS))?.[1];
  if (type === undefined) return unread("garbled", null, head());
  return type.toUpperCase() === "EVENT"
    ? unread("misaddressed", null, head())
    : UNKNOWN;
}

/** An EVENT that does not say in the way of NIP-01 which subscription it is for. */
function parseStrayEvent(items: readonly unknown[]): RelayMessage {
  const event = items.find(mayBeEvent);
  return event === undefined
    ? UNKNOWN
    : unread("misaddressed", null, headOfValue(event));
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
      return rest.length > 0
        ? { type, subId: subject, event: third }
        : parseStrayEvent([subject]);
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
const GARBAGE: RelayMessage = { type: "garbage" };

/** A message is recognised by so much of it. */
const HEAD_CHARACTERS = 200;

const TYPE = /^\s*\[\s*"([^"\\]{1,64})"/;
const EVENT_WITH_ID = /^\s*\[\s*"EVENT"\s*,\s*"([^"\\]{1,64})"\s*,/;

/** The subscription that an EVENT names, by the first characters; null for any other message. */
export function subscriptionOf(message: SocketMessage): string | null {
  return subIdOf(typeof message === "string" ? message : message.start);
}

function subIdOf(text: string): string | null {
  return EVENT_WITH_ID.exec(text.slice(0, HEAD_CHARACTERS))?.[1] ?? null;
}

function unread(
  cause: UnreadCause,
  subId: string | null,
  head: EventHead,
): RelayMessage {
  return { type: "unread", cause, subId, head };
}

/** Undefined when it is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** NIP-67. Unknown hints, and whatever else relays put there (noswhere: an object), say nothing. */
function parseHint(value: unknown): EoseHint | undefined {
  if (!Array.isArray(value)) return undefined;
  // Both at once contradict each other: the cautious one holds.
  if (value.includes("more")) return "more";
  return value.includes("finish") ? "finish" : undefined;
}

/** What is no text is not written out: that can cost more than reading it did. */
function noticeText(value: unknown): string {
  if (typeof value === "string") return value.slice(0, MAX_NOTICE);
  return typeof value === "number" ? String(value) : "";
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
