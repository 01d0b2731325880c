/**
 * Many relays in one process: a few archives, each of which answers at every loopback address, until stdin ends.
 *
 * Arguments: number of archives, events in each, cap. Prints their ports when they are ready.
 *
 * @module
 */
import { testRelay } from "../support/test_relay.ts";
import { signedEvents } from "./signed_events.ts";

const [archives = 0, events = 0, cap = 500] = Deno.args.map(Number);
await using stack = new AsyncDisposableStack();
const ports: number[] = [];
for (let seed = 1; seed <= archives; seed++) {
  const relay = await testRelay({
    events: signedEvents(events, seed),
    maxLimit: cap,
    bind: "0.0.0.0",
  });
  stack.use(relay);
  ports.push(relay.port);
}
Deno.stdout.writeSync(
  new TextEncoder().encode(`${JSON.stringify(ports)}\n`),
);
for await (const _ of Deno.stdin.readable);
