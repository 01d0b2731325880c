import assert from "node:assert/strict";
import { fetchNip11 } from "../../../../src/nips/nip11.ts";
import {
  type Capabilities,
  judgeCapabilities,
} from "../../../../src/nips/nip66/capabilities.ts";
import { examineHttp } from "../../../../src/nips/nip66/http.ts";
import { measureRtt } from "../../../../src/nips/nip66/rtt.ts";
import { never, relayAt, testDialer } from "../../../support/dialing.ts";
import { testRelay } from "../../../support/test_relay.ts";
import type { RelayScript } from "../../../support/test_relay_script.ts";

const options = { signal: never, timeoutMs: 20_000 };
const secretKey = new Uint8Array(32).fill(5);

/** What a relay with this script turns out to demand: `auth` shown by a write is `auth:write`, its absence `!auth:write`. */
async function demandsOf(script: RelayScript, timeoutMs = 20_000) {
  await using relay = await testRelay(script);
  const dialer = testDialer();
  const nip11 = await fetchNip11(dialer, relay.relay, {
    ...options,
    maxBytes: 65_536,
  });
  const limits = { signal: never, timeoutMs, secretKey };
  const rtt = await measureRtt(dialer, relay.relay, limits);
  return demands(judgeCapabilities(rtt, nip11));
}

function demands(capabilities: Capabilities): string[] {
  return Object.entries(capabilities).flatMap(([name, { value, by }]) =>
    value === null ? [] : [`${value ? "" : "!"}${name}:${by}`]
  );
}

function claiming(limitation: Record<string, unknown>): RelayScript {
  return {
    http: {
      status: 200,
      headers: { "content-type": "application/nostr+json" },
      body: JSON.stringify({ name: "x", limitation }),
    },
  };
}

Deno.test("A relay that takes the test event demands nothing, whatever it says of itself", async () => {
  const open = ["!auth:write", "!payment:write", "!writes:write", "!pow:write"];
  assert.deepEqual(await demandsOf({}), open);
  const liar = claiming({
    auth_required: true,
    payment_required: true,
    restricted_writes: true,
  });
  assert.deepEqual(await demandsOf(liar), open);
});

Deno.test("A refusal says what is demanded by its prefix, and no more than that", async () => {
  const answers: Record<string, string[]> = {
    "auth-required: who are you?": ["auth:write"],
    "restricted: members only": ["writes:write"],
    "blocked: you are banned": ["writes:write"],
    "blocked: pay 100 sats first": ["payment:write", "writes:write"],
    "payment required": ["payment:write", "writes:write"],
    "pow: 20 bits needed": ["pow:write"],
    "rate-limited: slow down": [],
    "invalid: kind not understood": [],
    "error: disk full": [],
    "no": [],
    "duplicate: have it": [
      "!auth:write",
      "!payment:write",
      "!writes:write",
      "!pow:write",
    ],
    "mute: nobody listened": [
      "!auth:write",
      "!payment:write",
      "!writes:write",
      "!pow:write",
    ],
  };
  for (const [message, expected] of Object.entries(answers)) {
    const seen = await demandsOf({ onEvent: () => [false, message] });
    assert.deepEqual(seen, expected, message);
  }
});

Deno.test("What a refusal leaves open is what the relay says of itself", async () => {
  const claims = claiming({
    auth_required: false,
    payment_required: true,
    restricted_writes: true,
    min_pow_difficulty: 0,
  });
  const claimed = [
    "!auth:nip11",
    "payment:nip11",
    "writes:nip11",
    "!pow:nip11",
  ];
  const onEvent = () => [false, "rate-limited: slow down"] as const;
  assert.deepEqual(await demandsOf({ ...claims, onEvent }), claimed);
  const silent = { ...claims, onEvent: () => null };
  assert.deepEqual(await demandsOf(silent, 200), claimed);
});

Deno.test("A relay that demands AUTH is seen to, also when it is satisfied by it", async () => {
  const open = ["!payment:write", "!writes:write", "!pow:write"];
  assert.deepEqual(await demandsOf({ authRequired: "event" }), [
    "auth:write",
    ...open,
  ]);
  assert.deepEqual(await demandsOf({ authRequired: "all" }), [
    "auth:read",
    ...open,
  ]);
  await using relay = await testRelay({ authRequired: "all" });
  const rtt = await measureRtt(testDialer(), relay.relay, options);
  assert.deepEqual(demands(judgeCapabilities(rtt, undefined)), ["auth:read"]);
});

Deno.test("Of a relay that is not there nothing is known but what it said", async () => {
  const gone = relayAt("ws://127.0.0.1:9");
  const rtt = await measureRtt(testDialer(), gone, { ...options, secretKey });
  assert.deepEqual(demands(judgeCapabilities(rtt, undefined)), []);
  assert.deepEqual(demands(judgeCapabilities(undefined, undefined)), []);
});

Deno.test("examineHttp() gives the software that the upgrade names", async () => {
  await using relay = await testRelay();
  const { data, logs } = await examineHttp(testDialer(), relay.relay, options);
  assert.deepEqual({ data, logs }, { data: {}, logs: { success: true } });

  await using named = await upgradingServer({
    "Server": "nginx/1.27",
    "X-Powered-By": "khatru",
  });
  const seen = await examineHttp(testDialer(), relayAt(named.url), options);
  assert.deepEqual(seen.data, {
    http_server: "nginx/1.27",
    http_powered_by: "khatru",
  });

  await using gone = await testRelay({ upgrade: { status: 502 } });
  const refused = await examineHttp(testDialer(), gone.relay, options);
  assert.equal(refused.failure?.code, "http");
});

/** A server that upgrades to WebSocket, with headers of its own. */
async function upgradingServer(
  headers: Record<string, string>,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { response } = Deno.upgradeWebSocket(request);
      for (const [name, value] of Object.entries(headers)) {
        response.headers.set(name, value);
      }
      return response;
    },
  );
  return await Promise.resolve({
    url: `ws://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  });
}
