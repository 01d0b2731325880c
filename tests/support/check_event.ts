/**
 * The whole check of something that claims to be an event: shape, then id, then signature.
 *
 * @module
 */
import {
  type EventFault,
  hasValidId,
  type NostrEvent,
  parseEvent,
} from "../../src/models/event.ts";
import { fail, type Result } from "../../src/models/result.ts";
import type { Verifier } from "../../src/nips/verify/verifier.ts";

export function checkEvent(
  value: unknown,
  verifier: Verifier,
): Result<NostrEvent, EventFault> {
  const parsed = parseEvent(value);
  if (!parsed.ok) return parsed;
  const event = parsed.value;
  if (!hasValidId(event)) {
    const detail = "The id is not the sha256 of the event";
    return fail({ code: "id", detail });
  }
  if (!verifier.verify(event)) {
    const detail = "The signature is not the author's signature of the id";
    return fail({ code: "signature", detail });
  }
  return parsed;
}
