/**
 * The URL of a document, as far as it can be fetched.
 *
 * @module
 */
import { normalizeHost } from "../../models/relay_host.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import { fail, ok, type Result } from "../../models/result.ts";
import type { RelayFailure } from "../failure.ts";
import { printable, withoutQuery } from "../printable.ts";
import type { Target } from "../route.ts";

/** An `http` or `https` URL in parts. */
export interface HttpUrl extends Target {
  readonly href: string;
  /** Host and port as they stand in the URL. */
  readonly authority: string;
  /** Path and query, percent-encoded. */
  readonly path: string;
}

/** Parses a URL; `base` is what a relative one refers to. Whether its address may be dialled shows after the look-up. */
export function parseHttpUrl(
  text: string,
  base?: string,
): Result<HttpUrl, RelayFailure> {
  const url = URL.parse(text, base);
  if (url === null || !/^https?:$/.test(url.protocol)) return bad(text);
  // Passwords in URLs end up in logs, and no API we ask wants them.
  if (url.username !== "" || url.password !== "") return bad(url.origin);
  const normal = normalizeHost(url.hostname, true);
  if (!normal.ok) return bad(text);
  const tls = url.protocol === "https:";
  return ok({
    href: url.href,
    ...normal.value,
    port: url.port === "" ? (tls ? 443 : 80) : Number(url.port),
    tls,
    authority: url.host,
    path: `${url.pathname}${url.search}`,
  });
}

/** The URL of a relay's NIP-11 document: the same URI over HTTP. */
export function httpUrlOf(relay: RelayUrl): string {
  return relay.url.replace(/^ws/, "http");
}

function bad(text: string): Result<never, RelayFailure> {
  const detail = `Cannot fetch ${
    printable(withoutQuery(text))
  }: not an http or https URL`;
  return fail({ code: "protocol", detail });
}
