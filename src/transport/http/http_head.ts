/**
 * The head of an HTTP/1.1 answer (RFC 9112), read strictly and within bounds.
 *
 * @module
 */
import { fail, ok, type Result } from "../../models/result.ts";
import type { RelayFailure } from "../failure.ts";
import { printable } from "../printable.ts";
import type { SocketReader } from "../websocket/socket_reader.ts";

/** Status and headers of an answer. */
export interface HttpHead {
  readonly status: number;
  /** Names in lowercase; repeated ones are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Longer heads are refused. */
const MAX_HEAD_BYTES = 32 * 1024;
const MAX_HEADERS = 200;
/** Interim answers (1xx) before the final one. */
const MAX_INTERIM = 5;

/** Reads the head of the final answer; 101 is final. */
export async function readHead(
  reader: SocketReader,
): Promise<Result<HttpHead, RelayFailure>> {
  for (let interim = 0; interim <= MAX_INTERIM; interim++) {
    const text = await reader.until("\r\n\r\n", MAX_HEAD_BYTES);
    if (text === null) return fail(noHead(reader));
    const head = parseHead(text);
    if (!head.ok || head.value.status >= 200 || head.value.status === 101) {
      return head;
    }
  }
  return protocol("The HTTP answer never gets beyond interim ones");
}

/** Parses a head without its final empty line. */
export function parseHead(text: string): Result<HttpHead, RelayFailure> {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const status = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: |$)/.exec(statusLine)?.[1];
  if (status === undefined) {
    return protocol(`The answer is not HTTP: ${printable(statusLine)}`);
  }
  if (lines.length > MAX_HEADERS) {
    return protocol(`The HTTP answer has more than ${MAX_HEADERS} headers`);
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const parts = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/.exec(line);
    if (parts === null) {
      return protocol(`The HTTP answer has a bad header: ${printable(line)}`);
    }
    const [, name = "", value = ""] = parts;
    const key = name.toLowerCase();
    const before = headers.get(key);
    const trimmed = value.trimEnd();
    headers.set(key, before === undefined ? trimmed : `${before}, ${trimmed}`);
  }
  return ok({ status: Number(status), headers: Object.fromEntries(headers) });
}

function noHead({ end }: SocketReader): RelayFailure {
  if (end === undefined) {
    const detail = `The HTTP head is longer than ${MAX_HEAD_BYTES} bytes`;
    return { code: "too-large", detail };
  }
  const detail = `No HTTP answer: ${end.detail}`;
  return { code: "closed", status: 1006, detail };
}

function protocol(detail: string): Result<never, RelayFailure> {
  return fail({ code: "protocol", detail });
}
