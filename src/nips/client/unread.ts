/**
 * What came and could not be read, and may have been an event. It goes the way of the events, in order with them, so
 * that its place says where something is missing.
 *
 * @module
 */

/** Why it could not be read. */
export type UnreadCause =
  /** Longer than `maxEventBytes`. */
  | "too-large"
  /** No JSON, or an event that lacks what every event has. */
  | "garbled"
  /** An event without a subscription id, or with one that was never ours. */
  | "misaddressed";

/** What an event that was not read seems to be; nothing of it is verified. */
export interface EventHead {
  readonly id?: string;
  /** Unix seconds. */
  readonly createdAt?: number;
}

/** Stands among the payloads of a subscription where one could not be read. */
export class Unread {
  constructor(
    readonly cause: UnreadCause,
    readonly head: EventHead,
    /** Whether it came before EOSE, and so was stored. */
    readonly isStored: boolean,
  ) {}
}

/** Shorter texts have no room for an event, unless they show one of its ids. */
const MIN_EVENT_CHARACTERS = 300;

/** Half an id, public key or signature: what is left of an event that was cut somewhere. */
const HEX_RUN = /[0-9a-f]{32}/i;

const EVENT_START = /^\s*\[\s*"EVENT"/i;

/** A quote within a JSON string is escaped, so that no content can look like these. */
const ID = /[{,]\s{0,9}"id"\s{0,9}:\s{0,9}"([0-9a-f]{64})"/;
const CREATED_AT = /[{,]\s{0,9}"created_at"\s{0,9}:\s{0,9}(\d{1,16})[\s,}]/;

/** Whether a text that is no JSON may have been an event. */
export function mayBeEventText(text: string): boolean {
  return text.length >= MIN_EVENT_CHARACTERS || EVENT_START.test(text) ||
    HEX_RUN.test(text);
}

/** Several messages in one are looked into so deep: the list, the message, the event. */
const MAX_DEPTH = 3;

/** Whether a value that is no event, or stands where none belongs, may have been one: it shows an id or a signature. */
export function mayBeEvent(value: unknown): boolean {
  return showsEvent(value, MAX_DEPTH);
}

/** A field of a long text is looked for in so much of either end. */
const END_CHARACTERS = 16 * 1024;

/** What a text that is not parsed tells of its event. */
export function headOfText(text: string): EventHead {
  if (text.length > 4 * END_CHARACTERS) {
    return {
      ...headOfText(text.slice(-END_CHARACTERS)),
      ...headOfText(text.slice(0, END_CHARACTERS)),
    };
  }
  return toHead(ID.exec(text)?.[1], Number(CREATED_AT.exec(text)?.[1] ?? NaN));
}

/** What a value tells of the event that it may be. */
export function headOfValue(value: unknown): EventHead {
  if (typeof value !== "object" || value === null) return {};
  const id = "id" in value ? value.id : undefined;
  const createdAt = "created_at" in value ? value.created_at : undefined;
  return toHead(id, createdAt);
}

function showsEvent(value: unknown, depth: number): boolean {
  if (Array.isArray(value)) {
    return depth > 0 && value.some((item) => showsEvent(item, depth - 1));
  }
  if (typeof value !== "object" || value === null) return isHexLike(value);
  return "id" in value && isHexLike(value.id) ||
    "sig" in value && isHexLike(value.sig);
}

function isHexLike(value: unknown): boolean {
  return typeof value === "string" && HEX_RUN.test(value);
}

function toHead(id: unknown, createdAt: unknown): EventHead {
  const isId = typeof id === "string" && /^[0-9a-f]{64}$/.test(id);
  const isTime = typeof createdAt === "number" &&
    Number.isSafeInteger(createdAt) && createdAt >= 0;
  return { ...(isId && { id }), ...(isTime && { createdAt }) };
}
