import { deepStrictEqual, throws } from "node:assert/strict";
import { relayArguments } from "../../../../src/cli/options/relay_arguments.ts";

function urls(...texts: string[]): string[] {
  return relayArguments(texts, { verb: "sync", allowPrivate: false })
    .map(({ url }) => url);
}

Deno.test("relayArguments() takes URLs and bare hosts, each relay once", () => {
  const onion = `${"a".repeat(56)}.onion`;
  deepStrictEqual(
    urls("wss://relay.damus.io", "Relay.Damus.io", "nos.lol:8080/inbox"),
    ["wss://relay.damus.io", "wss://nos.lol:8080/inbox"],
  );
  deepStrictEqual(urls(onion), [`ws://${onion}`]);
  const options = { verb: "sync", allowPrivate: true };
  deepStrictEqual(
    relayArguments(["localhost:7777"], options).map(({ url }) => url),
    ["wss://localhost:7777"],
  );
});

Deno.test("relayArguments() says what it cannot do with which word, and what would permit it", () => {
  throws(() => urls("damus"), /^UsageError: Cannot sync "damus": /);
  throws(() => urls("https://relay.damus.io"), /Cannot sync "https:/);
  throws(() => urls("ws://127.0.0.1:1"), /\(--allow-private permits it\)$/);
});
