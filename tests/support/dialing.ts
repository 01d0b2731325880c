/**
 * Dialers for tests: everything on loopback, short of nothing but patience.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Network, Networks } from "../../src/models/network.ts";
import { parseRelayUrl, type RelayUrl } from "../../src/models/relay_url.ts";
import type { Result } from "../../src/models/result.ts";
import {
  createDialer,
  type Dialer,
  type DialerOptions,
} from "../../src/transport/dialer.ts";
import { failureText, type RelayFailure } from "../../src/transport/failure.ts";

/** A signal that never aborts. */
export const never = new AbortController().signal;

/** All networks enabled, through these proxies. */
export function testNetworks(
  proxies: Partial<Record<Network, string>> = {},
): Networks {
  const settings = (proxyUrl?: string) => ({
    enabled: true,
    maxConnections: 10,
    timeoutMs: 20_000,
    proxyUrl,
  });
  return {
    clearnet: settings(proxies.clearnet),
    tor: settings(proxies.tor),
    i2p: settings(proxies.i2p),
    loki: settings(proxies.loki),
  };
}

/** A dialer that may dial loopback, unless `options` say otherwise. */
export function testDialer(options: Partial<DialerOptions> = {}): Dialer {
  return createDialer({
    networks: testNetworks(),
    allowPrivate: true,
    allowInsecureTls: false,
    userAgent: "BigBrotr/test (+https://example.com)",
    ...options,
  });
}

/** The relay of a URL that must be one. */
export function relayAt(url: string): RelayUrl {
  const parsed = parseRelayUrl(url, { allowPrivate: true });
  assert(parsed.ok, `${url} is a relay's URL`);
  return parsed.value;
}

/** The value of a result that must be one. */
export function valueOf<T>(result: Result<T, RelayFailure>): T {
  assert(result.ok, result.ok ? "" : failureText(result.failure));
  return result.value;
}

/** The failure of a result that must be one, with this code. */
export function failureOf<C extends RelayFailure["code"]>(
  result: Result<unknown, RelayFailure>,
  code: C,
): RelayFailure & { code: C } {
  assert(!result.ok, `expected the failure ${code}`);
  const { failure } = result;
  assert(isOf(failure, code), failureText(failure));
  return failure;
}

function isOf<C extends RelayFailure["code"]>(
  failure: RelayFailure,
  code: C,
): failure is RelayFailure & { code: C } {
  return failure.code === code;
}
