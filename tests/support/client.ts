/**
 * Clients of test relays, and bounds that no well-behaved relay runs into.
 *
 * @module
 */
import type { ConnectOptions } from "../../src/nips/client/connect_options.ts";
import { connectRelay } from "../../src/nips/client/connect_relay.ts";
import type {
  RelayClient,
  RequestOptions,
} from "../../src/nips/client/relay_client.ts";
import { never, testDialer, valueOf } from "./dialing.ts";
import type { TestRelay } from "./test_relay.ts";

/** Of one REQ. */
export const bounds: RequestOptions = {
  signal: never,
  idleTimeoutMs: 20_000,
  totalTimeoutMs: 60_000,
  maxEvents: 1_000,
  maxBytes: 10_000_000,
};

/** Of one question. */
export const asking = { signal: never, timeoutMs: 20_000 };

/** A client connected to the relay. */
export async function connectTo(
  { relay }: Pick<TestRelay, "relay">,
  options: Partial<ConnectOptions> = {},
): Promise<RelayClient> {
  return valueOf(
    await connectRelay(testDialer(), relay, { signal: never, ...options }),
  );
}
