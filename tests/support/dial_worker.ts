/// <reference lib="deno.worker" />
/**
 * The thread of a test: fetches one page from a relay over TLS, with the permissions it was given.
 *
 * @module
 */
import { connectRelay } from "../../src/nips/client/connect_relay.ts";
import { failureOf, never, relayAt, testDialer, valueOf } from "./dialing.ts";

self.onmessage = async ({ data }: MessageEvent) => {
  const untrusting = testDialer();
  failureOf(
    await untrusting.open(relayAt(data.url), { signal: never }),
    "tls",
  );
  const dialer = testDialer({ caCertificates: [data.ca] });
  await using client = valueOf(
    await connectRelay(dialer, relayAt(data.url), {
      signal: never,
      authKey: new Uint8Array(32).fill(1),
    }),
  );
  const { events, outcome } = await client.fetchPage({ limit: 10 }, {
    signal: never,
    idleTimeoutMs: 10_000,
    totalTimeoutMs: 10_000,
    maxEvents: 10,
    maxBytes: 100_000,
  });
  self.postMessage({ events, outcome, verified: client.tls?.verified });
};
