/**
 * The relay information document (NIP-11): fetched within bounds, read leniently.
 *
 * @module
 */
import type { RelayUrl } from "../models/relay_url.ts";
import { fail, ok, type Result } from "../models/result.ts";
import type { Dialer, HttpAnswer } from "../transport/dialer.ts";
import type { RelayFailure } from "../transport/failure.ts";
import { httpFailure } from "../transport/http/http_failure.ts";
import { httpUrlOf } from "../transport/http/http_url.ts";
import { type CheckDocument, failedCheck } from "./check_document.ts";
import { parseNip11 } from "./nip11_fields.ts";

/** The bounds of the request. */
export interface Nip11Options {
  readonly signal: AbortSignal;
  /** For the whole of it, ms. */
  readonly timeoutMs: number;
  /** As {@linkcode GetOptions.slotTimeoutMs}. */
  readonly slotTimeoutMs?: number | undefined;
  /** A longer document is a failure. */
  readonly maxBytes: number;
}

/** Fetches the document of a relay. Never rejects: HTML, redirects, floods and lies are reasons in the logs. */
export async function fetchNip11(
  dialer: Dialer,
  relay: RelayUrl,
  options: Nip11Options,
): Promise<CheckDocument> {
  const answer = await dialer.get(httpUrlOf(relay), {
    ...options,
    accept: "application/nostr+json",
    contentTypes: ["application/nostr+json", "application/json"],
  });
  if (!answer.ok) return failedCheck(answer.failure);
  const document = readDocument(answer.value);
  if (!document.ok) return failedCheck(document.failure);
  const data = parseNip11(document.value);
  const isEmpty = Object.keys(data).every((key) => key === "extra");
  return isEmpty
    ? failedCheck(protocol("The document has no field of NIP-11"))
    : { data, logs: { success: true }, failure: null };
}

function readDocument(
  answer: HttpAnswer,
): Result<Readonly<Record<string, unknown>>, RelayFailure> {
  if (answer.status !== 200) {
    return fail(httpFailure(answer, "no information document (NIP-11)"));
  }
  let value: unknown;
  try {
    value = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(answer.bytes),
    );
  } catch (error) {
    const what = error instanceof SyntaxError ? "JSON" : "UTF-8";
    return fail(protocol(`The document is not valid ${what}`));
  }
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? ok({ ...value })
    : fail(protocol("The document is not a JSON object"));
}

function protocol(detail: string): RelayFailure {
  return { code: "protocol", detail };
}
