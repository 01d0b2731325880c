/**
 * A relay list published over HTTP: bounded JSON, and a JMESPath expression that finds the URLs in it.
 *
 * @module
 */
import { compile, type JSONValue, TreeInterpreter } from "jmespath";
import { fail, ok, type Result } from "../../models/result.ts";
import type { Dialer } from "../../transport/dialer.ts";
import { failureText, type RelayFailure } from "../../transport/failure.ts";
import type { ApiSource } from "./config.ts";

/** Why an answer is of no use. */
export type ListFailure =
  | RelayFailure
  /** The expression does not fit the document, or gives something else than a list of texts. */
  | { readonly code: "expression"; readonly detail: string };

/** The fault as a line for people. */
export function listFailureText(failure: ListFailure): string {
  return failure.code === "expression"
    ? `expression: ${failure.detail}`
    : failureText(failure);
}

/**
 * Asks a source. What it returns are texts, of which any may be no relay URL. For a slot at its address nobody waits: then
 * the failure is `busy`, which like `aborted` says nothing about the source.
 */
export async function fetchRelayList(
  dialer: Dialer,
  { url, expression, timeoutMs, maxBytes }: ApiSource,
  signal: AbortSignal,
): Promise<Result<readonly string[], ListFailure>> {
  const answer = await dialer.get(url, {
    accept: "application/json",
    contentTypes: ["application/json"],
    maxBytes,
    timeoutMs,
    signal,
    slotTimeoutMs: 0,
  });
  if (!answer.ok) return answer;
  const { status, bytes } = answer.value;
  if (status !== 200) {
    return fail({ code: "http", status, detail: "not a list of relays" });
  }
  const document = parseJson(bytes);
  return document.ok ? select(document.value, expression) : document;
}

function parseJson(bytes: Uint8Array): Result<JSONValue, ListFailure> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return ok(JSON.parse(text));
  } catch (error) {
    return fail({ code: "protocol", detail: reasonOf(error) });
  }
}

function select(
  document: JSONValue,
  expression: string,
): Result<readonly string[], ListFailure> {
  try {
    const found = TreeInterpreter.search(compile(expression), document);
    if (
      Array.isArray(found) && found.every((item) => typeof item === "string")
    ) {
      return ok(found);
    }
    const seen = Array.isArray(found) ? "a list of other things" : typeof found;
    const detail = `The expression gives ${seen}, not a list of texts`;
    return fail({ code: "expression", detail });
  } catch (error) {
    return fail({ code: "expression", detail: reasonOf(error) });
  }
}

/** Messages of parsers quote their input, which may be a megabyte of it. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.slice(0, 200);
}
