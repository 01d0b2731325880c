/**
 * Zap receipts (NIP-57): what one proves without asking the recipient's wallet.
 *
 * A receipt is no proof of payment, whatever is checked: the wallet's key is not known here. What is proven is that the sender
 * signed this request, and that the invoice was made for it and for this amount.
 *
 * @module
 */
import { hash } from "node:crypto";
import { hasValidId, type NostrEvent, parseEvent } from "../models/event.ts";
import { fail, ok, type Result } from "../models/result.ts";
import { parseInvoice } from "./bolt11.ts";

type Tags = NostrEvent["tags"];

/** A zap whose receipt, invoice and request agree. */
export interface Zap {
  /** Id of the zap request. Whoever signed it meant one payment, however many receipts there are. */
  readonly request: string;
  /** Public keys, hex. */
  readonly sender: string;
  readonly recipient: string;
  /** What was zapped: id of an event, and address; null when the request names none. */
  readonly eventId: string | null;
  readonly address: string | null;
  /** Millisatoshis of the invoice, at least 1. */
  readonly msats: number;
}

/** What disagrees, in the order in which it is looked at. */
export type ZapFault =
  | "invoice"
  | "description"
  | "request"
  | "subject"
  | "amount"
  | "signature";

/** Checks the signature of an event whose id is right. */
type Verify = (event: NostrEvent) => boolean;

const ZAP_REQUEST = 9_734;

const HEX_KEY = /^[0-9a-f]{64}$/;

/** Reads the tags of a kind 9735. Invoices of test networks pay nothing and are faults. */
export function readZap(tags: Tags, verify: Verify): Result<Zap, ZapFault> {
  const invoice = parseInvoice(valuesOf(tags, "bolt11")[0] ?? "");
  if (invoice?.network !== "bc" || invoice.msats === null) {
    return fail("invoice");
  }
  const msats = Number(invoice.msats);
  if (!Number.isSafeInteger(msats)) return fail("invoice");
  const description = valuesOf(tags, "description")[0];
  if (
    description === undefined ||
    hash("sha256", description, "hex") !== invoice.descriptionHash
  ) return fail("description");
  const request = parseRequest(description);
  if (request === null) return fail("request");
  const subject = commonSubject(tags, request.tags);
  if (subject === null) return fail("subject");
  const amounts = valuesOf(request.tags, "amount");
  if (amounts.some((amount) => amount !== String(msats))) return fail("amount");
  if (!verify(request)) return fail("signature");
  return ok({ request: request.id, sender: request.pubkey, ...subject, msats });
}

function parseRequest(description: string): NostrEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(description);
  } catch {
    return null;
  }
  const parsed = parseEvent(value);
  if (!parsed.ok || parsed.value.kind !== ZAP_REQUEST) return null;
  return hasValidId(parsed.value) ? parsed.value : null;
}

/** Who and what is zapped, when the receipt says what the request says: one `p`, and one `e` and one `a` at most. */
function commonSubject(
  receipt: Tags,
  request: Tags,
): Pick<Zap, "recipient" | "eventId" | "address"> | null {
  const [recipient, ...otherKeys] = valuesOf(request, "p");
  const [eventId, ...otherIds] = valuesOf(request, "e");
  const [address, ...otherAddresses] = valuesOf(request, "a");
  const others = [otherKeys, otherIds, otherAddresses].flat();
  if (recipient === undefined || others.length > 0) return null;
  if (!HEX_KEY.test(recipient)) return null;
  if (eventId !== undefined && !HEX_KEY.test(eventId)) return null;
  const isSame = ["p", "e", "a"].every((name) =>
    valuesOf(receipt, name).join() === valuesOf(request, name).join()
  );
  return isSame
    ? { recipient, eventId: eventId ?? null, address: address ?? null }
    : null;
}

function valuesOf(tags: Tags, name: string): string[] {
  return tags.flatMap(([key, value]) =>
    key === name && value !== undefined ? [value] : []
  );
}
