import assert from "node:assert/strict";
import { finderConfig } from "../../../src/services/finder/config.ts";
import { monitorConfig } from "../../../src/services/monitor/config.ts";
import { seederConfig } from "../../../src/services/seeder/config.ts";
import { synchronizerConfig } from "../../../src/services/synchronizer/config/config.ts";
import { validatorConfig } from "../../../src/services/validator/config.ts";

Deno.test("validatorConfig refuses a claim that could end before its trial", () => {
  const slow = { networks: { clearnet: { timeoutMs: 120_000 } } };
  assert.match(faults(validatorConfig, slow), /claimSeconds.*must be >= 960/s);
  assert.equal(faults(validatorConfig, { ...slow, claimSeconds: 960 }), "");
  // What is not dialled does not matter.
  const disabled = { networks: { tor: { timeoutMs: 300_000 } } };
  assert.equal(faults(validatorConfig, disabled), "");
});

Deno.test("validatorConfig refuses a ladder that goes down", () => {
  const retry = { initialSeconds: 100, maxSeconds: 50 };
  assert.match(faults(validatorConfig, { retry }), /retry.*maxSeconds/s);
});

Deno.test("monitorConfig refuses a lease that could end before its checks", () => {
  assert.match(
    faults(monitorConfig, { leaseSeconds: 60 }),
    /leaseSeconds.*must be >= 320/s,
  );
});

Deno.test("monitorConfig refuses a retry longer than its bound", () => {
  const schedule = { retrySeconds: 100, maxRetrySeconds: 50 };
  assert.match(faults(monitorConfig, { schedule }), /maxRetrySeconds/);
});

Deno.test("monitorConfig refuses relays and operators that are none, and messages without a key", () => {
  const relays = ["wss://nos.lol", "https://nos.lol"];
  assert.match(faults(monitorConfig, { publish: { relays } }), /publish.*ws:/s);
  const watch = ["ws://127.0.0.1:1"];
  assert.match(faults(monitorConfig, { alerts: { watch } }), /alerts.*watch/s);
  const local = { alerts: { watch }, allowPrivate: true };
  assert.equal(faults(monitorConfig, local), "");
  const operators = [`nsec1${"q".repeat(58)}`];
  const said = faults(monitorConfig, { alerts: { operators } });
  assert.match(said, /operators.*npub1/s);
  assert.match(said, /needs a key/);
  assert(!said.includes("qqq"), "it may be a secret");
});

Deno.test("monitorConfig refuses to announce more than it checks", () => {
  const publish = {
    relays: ["wss://nos.lol"],
    discovery: { everySeconds: 60 },
  };
  assert.match(faults(monitorConfig, { publish }), /discovery.*>= schedule/s);
  const schedule = { everySeconds: 60 };
  assert.equal(faults(monitorConfig, { publish, schedule }), "");
});

Deno.test("monitorConfig refuses to wait for longer than a check speaks for", () => {
  for (const key of ["everySeconds", "retrySeconds", "maxRetrySeconds"]) {
    const wait = (seconds: number) => {
      const schedule = { maxRetrySeconds: 86_400, [key]: seconds };
      return faults(monitorConfig, { schedule });
    };
    assert.equal(wait(86_400), "");
    assert.match(wait(86_401), new RegExp(`schedule.*${key}`, "s"));
  }
});

Deno.test("monitorConfig refuses to publish what is not kept", () => {
  const relays = ["wss://nos.lol"];
  const checks = { nip11: { store: false } };
  assert.match(
    faults(monitorConfig, { publish: { relays }, checks }),
    /checks.*nip11.*publish.*must be false where checks.nip11.store is/s,
  );
  const none = { store: false, publish: false };
  const off = { store: false, enabled: false };
  const others = { publish: { relays }, checks: { nip11: none, dns: off } };
  assert.equal(faults(monitorConfig, others), "");
  assert.equal(faults(monitorConfig, { checks }), "", "nothing is published");
});

Deno.test("seederConfig refuses to read stdin again and again", () => {
  const stdin = { filePath: "-" };
  assert.equal(faults(seederConfig, stdin), "");
  assert.match(
    faults(seederConfig, { ...stdin, intervalSeconds: 60 }),
    /intervalSeconds.*stdin/s,
  );
});

Deno.test("finderConfig refuses a source named twice, a bad expression and a URL that is none", () => {
  const url = "https://nostr.band/relays";
  const sources = (...list: object[]) => ({ api: { sources: list } });
  assert.match(faults(finderConfig, sources({ url }, { url })), /twice/);
  assert.match(
    faults(finderConfig, sources({ url, expression: "relays[?" })),
    /JMESPath/,
  );
  assert.match(faults(finderConfig, sources({ url: "ftp://x.y" })), /url/);
});

Deno.test("synchronizerConfig refuses relays that are none or named twice, and bounds the wrong way round", () => {
  const bad = (value: object) => faults(synchronizerConfig, value);
  const url = "wss://relay.damus.io";
  assert.equal(
    bad({ relays: [{ url }], tiers: { low: { relays: [url] } } }),
    "",
  );
  assert.match(bad({ relays: [{ url }, { url: `${url}/` }] }), /twice/);
  assert.match(bad({ relays: [{ url: "damus" }] }), /must be a relay URL/);
  assert.match(bad({ relays: [{ url, limit: 5 }] }), /limit/);
  assert.match(bad({ relays: [{ url, requests: { limit: 1 } }] }), /limit/);
  assert.match(bad({ tiers: { high: { relays: ["x"] } } }), /relay URL/);
  assert.match(bad({ tiers: { top: {} } }), /top/);
  assert.match(
    bad({ since: 10, relays: [{ url, until: 9 }] }),
    /relays.*until.*must be >= since|must be >= since.*relays/s,
  );
  assert.match(bad({ relayIntervalSeconds: 10 }), /minRelayIntervalSeconds/);
  assert.match(bad({ maxRelayIntervalSeconds: 800 }), /maxRelayInterval/);
});

function faults(
  schema: {
    safeParse(
      value: unknown,
    ): { success: boolean; error?: { message: string } };
  },
  value: unknown,
): string {
  return schema.safeParse(value).error?.message ?? "";
}
