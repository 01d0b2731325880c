/**
 * The benchmark's relay, in a process of its own: serves signed events from memory until its stdin ends.
 *
 * Arguments: number of events, seed, cap, latency of every message in ms, either way. Prints its URL when it is ready.
 *
 * @module
 */
import { testRelay } from "../support/test_relay.ts";
import { signedEvents } from "./signed_events.ts";

const [count = 0, seed = 0, cap = 500, latencyMs = 0] = Deno.args.map(Number);
await using relay = await testRelay({
  events: signedEvents(count, seed),
  maxLimit: cap,
  latencyMs,
});
Deno.stdout.writeSync(new TextEncoder().encode(`${relay.url}\n`));
for await (const _ of Deno.stdin.readable);
