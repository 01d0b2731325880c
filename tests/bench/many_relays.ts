/**
 * Many small relays in one process, each on a port of its own, all with the same events.
 *
 * Arguments: number of relays, of events, and whether they know NIP-77 (1) or not (0). Prints their URLs as one JSON line
 * when they are ready; answers each line on stdin with what they were asked since the last one. Ends with its stdin.
 *
 * @module
 */
import { lines } from "../support/lines.ts";
import { type TestRelay, testRelay } from "../support/test_relay.ts";
import { signedEvents } from "./signed_events.ts";

/** What came since the last question. */
export interface Asked {
  readonly connections: number;
  readonly requests: number;
  /** The most that one relay got. */
  readonly worst: number;
}

const [relayCount = 0, eventCount = 0, nip77 = 0] = Deno.args.map(Number);
const events = signedEvents(eventCount, 7);
await using stack = new AsyncDisposableStack();
const relays: TestRelay[] = [];
for (let n = 0; n < relayCount; n++) {
  const script = nip77 === 1 ? { negentropy: {} } : {};
  relays.push(stack.use(await testRelay({ events, maxLimit: 500, ...script })));
}
print(relays.map(({ url }) => url));
let before = relays.map(countsOf);
for await (const _ of lines(Deno.stdin.readable)) {
  const now = relays.map(countsOf);
  const asked = now.map(({ connections, requests }, n) => ({
    connections: connections - before[n]!.connections,
    requests: requests - before[n]!.requests,
  }));
  const answer: Asked = {
    connections: asked.reduce((sum, { connections }) => sum + connections, 0),
    requests: asked.reduce((sum, { requests }) => sum + requests, 0),
    worst: Math.max(...asked.map(({ requests }) => requests)),
  };
  before = now;
  print(answer);
}

function countsOf(relay: TestRelay) {
  return {
    connections: relay.requests.length,
    requests: relay.count("REQ") + relay.count("NEG-OPEN") +
      relay.count("NEG-MSG") + relay.count("COUNT"),
  };
}

function print(value: unknown): void {
  const line = `${JSON.stringify(value)}\n`;
  const bytes = new TextEncoder().encode(line);
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
}
