/**
 * Three relays that cost more than they give, in a process of their own until stdin ends: one sends the same events for
 * ever, each time with another signature and whether it is told to stop or not; one goes down the years with events
 * that nobody signed; and one never answers. Prints their ports.
 *
 * @module
 */
import { forge } from "../support/forger.ts";
import { testRelay } from "../support/test_relay.ts";
import type { TestReq } from "../support/test_relay_script.ts";
import { signedEvents } from "./signed_events.ts";

const EVENTS = signedEvents(1_000, 99).sort((a, b) =>
  b.created_at - a.created_at
);

await using flooder = await testRelay({ onReq: flood });
await using forger = await testRelay({ onReq: forge });
await using silent = await testRelay({ onReq: () => {} });
Deno.stdout.writeSync(
  new TextEncoder().encode(
    `${JSON.stringify([flooder.port, forger.port, silent.port])}\n`,
  ),
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
