/**
 * Relays that cost more than they give, in a process of their own until stdin ends. Three that were the first: one sends
 * the same events for ever, each time with another signature and whether it is told to stop or not; one goes down the
 * years with events that nobody signed; and one never answers. Behind them those of `tests/support/pests.ts`. Prints
 * their ports.
 *
 * @module
 */
import { forge } from "../support/forger.ts";
import { PESTS } from "../support/pests.ts";
import { testRelay } from "../support/test_relay.ts";
import type { TestReq } from "../support/test_relay_script.ts";
import { signedEvents } from "./signed_events.ts";

const EVENTS = signedEvents(1_000, 99).sort((a, b) =>
  b.created_at - a.created_at
);

await using stack = new AsyncDisposableStack();
const ports: number[] = [];
const scripts = [flood, forge, () => {}, ...PESTS.map(({ onReq }) => onReq)];
for (const onReq of scripts) {
  ports.push(stack.use(await testRelay({ onReq })).port);
}
Deno.stdout.writeSync(
  new TextEncoder().encode(`${JSON.stringify(ports)}\n`),
);
for await (const _ of Deno.stdin.readable);

/** Whoever reads it has to parse, to hash and to verify each. */
async function flood(req: TestReq): Promise<void> {
  for (let round = 0; req.isConnected(); round++) {
    const sig = round.toString(16).padStart(128, "0");
    await req.events(
      round === 0 ? EVENTS : EVENTS.map((event) => ({ ...event, sig })),
    );
  }
}
