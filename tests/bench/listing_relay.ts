/**
 * A relay with a great many events of which it only has the ids, in a process of its own: it lists them (NIP-77) until
 * its stdin ends.
 *
 * Arguments: number of events, the second of the first. Prints its URL when it is ready.
 *
 * @module
 */
import { testRelay } from "../support/test_relay.ts";
import { manyKeys } from "./many_keys.ts";

const [count = 0, first = 0] = Deno.args.map(Number);
const keys = manyKeys(count, first);
const ids = keys.ids.toHex();
const listed = Array.from(keys.createdAt, (createdAt, i) => ({
  id: ids.slice(64 * i, 64 * i + 64),
  created_at: createdAt,
}));
await using relay = await testRelay({
  negentropy: {
    lists: (_, { since = 0, until = Infinity }) =>
      listed.filter(({ created_at: at }) => at >= since && at <= until),
  },
});
Deno.stdout.writeSync(new TextEncoder().encode(`${relay.url}\n`));
for await (const _ of Deno.stdin.readable);
