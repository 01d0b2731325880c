/**
 * An HTTP answer that is not the one wanted, and how long the server asks to be left alone.
 *
 * @module
 */
import { MAX_ASKED_WAIT_SECONDS, type RelayFailure } from "../failure.ts";
import type { HttpHead } from "./http_head.ts";

/** The failure that this answer is. */
export function httpFailure(
  { status, headers }: HttpHead,
  detail: string,
): RelayFailure {
  const asks = status === 429 || status === 503;
  const wait = asks ? waitOf(headers["retry-after"] ?? "", Date.now()) : 0;
  return wait > 0
    ? { code: "http", status, detail, retryAfterSeconds: wait }
    : { code: "http", status, detail };
}

/** Seconds, or a date (RFC 9110, section 10.2.3); 0 for anything else. */
export function waitOf(text: string, nowMs: number): number {
  const seconds = /^\d{1,10}$/.test(text)
    ? Number(text)
    : Math.ceil((Date.parse(text) - nowMs) / 1_000);
  return seconds > 0 ? Math.min(seconds, MAX_ASKED_WAIT_SECONDS) : 0;
}
