/**
 * Reads the payload of an EVENT message: the event that was asked for, or why there is none.
 *
 * @module
 */
import { hash } from "node:crypto";
import {
  type EventFault,
  hasValidId,
  type NostrEvent,
  parseEvent,
} from "../../models/event.ts";
import { type Filter, matchesFilter } from "../../models/filter.ts";
import { fail, ok, type Result } from "../../models/result.ts";
import { headOfValue, mayBeEvent, Unread } from "../../nips/client/unread.ts";
import type { RejectReason } from "../protocol/report.ts";

/** Why a payload is not taken. */
export interface Refusal {
  readonly reason: RejectReason;
  readonly detail: string;
  /** As it came, or what is known of it. */
  readonly raw: unknown;
  /** The event, when all that is wrong is that it was not asked for. */
  readonly stranger: NostrEvent | null;
  /** Set when it may have been an event that others can read: it leaves a hole. */
  readonly unread: Unread | null;
}

/**
 * The event, if its shape and id are right and it matches `filter`, time bounds included. Its signature is not looked
 * at.
 */
export function readEvent(
  raw: unknown,
  filter: Filter,
): Result<NostrEvent, Refusal> {
  if (raw instanceof Unread) return fail(refusalOf(raw));
  const parsed = parseEvent(raw);
  if (!parsed.ok) return fail(faultOf(parsed.failure, raw));
  const event = parsed.value;
  const refused = { raw: event, stranger: null, unread: null };
  if (!hasValidId(event)) {
    const detail = "The id is not the hash of the event";
    return fail({ ...refused, reason: "id", detail });
  }
  if (matchesFilter(filter, event)) return ok(event);
  const detail = "It was not asked for";
  return fail({ ...refused, reason: "filter", detail, stranger: event });
}

const DETAILS: Readonly<Record<Unread["cause"], string>> = {
  "too-large": "Longer than maxEventBytes",
  garbled: "Not JSON, and may have been an event",
  misaddressed: "An event for no subscription of ours",
};

function refusalOf(unread: Unread): Refusal {
  const { cause, head } = unread;
  const reason = cause === "too-large" ? cause : "unread";
  return { reason, detail: DETAILS[cause], raw: head, stranger: null, unread };
}

function faultOf({ code, detail }: EventFault, raw: unknown): Refusal {
  const isDamaged = code === "shape" && mayBeEvent(raw) && !isAsSigned(raw);
  const unread = isDamaged
    ? new Unread("garbled", headOfValue(raw), true)
    : null;
  return { reason: code, detail, raw, stranger: null, unread };
}

/** Whether a thing of the wrong shape is just what was signed: it was no event from the start. */
function isAsSigned(raw: unknown): boolean {
  if (typeof raw !== "object" || raw === null) return false;
  if (!("id" in raw) || !("sig" in raw)) return false;
  const isSigned = typeof raw.sig === "string" &&
    /^[0-9a-f]{128}$/.test(raw.sig);
  if (!isSigned) return false;
  const field = (name: string) =>
    Object.getOwnPropertyDescriptor(raw, name)?.value;
  const parts = ["pubkey", "created_at", "kind", "tags", "content"].map(field);
  return hash("sha256", JSON.stringify([0, ...parts]), "hex") === raw.id;
}
