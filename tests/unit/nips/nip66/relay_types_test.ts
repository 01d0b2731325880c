import assert from "node:assert/strict";
import type {
  Capabilities,
  Capability,
} from "../../../../src/nips/nip66/capabilities.ts";
import { relayTypes } from "../../../../src/nips/nip66/relay_types.ts";

const UNKNOWN: Capability = { value: null, by: null };
const shown = (value: boolean): Capability => ({ value, by: "write" });
const READS = { data: {}, logs: { read_success: true }, failure: null };
const MUTE = { data: {}, logs: {}, failure: null };

Deno.test("relayTypes() tells inbox, outbox and their private kinds by what was tried", () => {
  const byRead: Capability = { value: true, by: "read" };
  const cases = [
    [READS, { writes: shown(false) }, ["PublicInbox"]],
    [READS, { writes: shown(true) }, ["PublicOutbox"]],
    [READS, { payment: shown(true) }, ["PublicOutbox"]],
    [MUTE, { auth: byRead, writes: shown(false) }, ["PrivateInbox"]],
    [MUTE, { auth: byRead, writes: shown(true) }, ["PrivateStorage"]],
    // Nobody tried to write, or reading was not shown.
    [READS, { writes: { value: true, by: "nip11" } }, []],
    [MUTE, { writes: shown(true) }, []],
  ] as const;
  for (const [rtt, capabilities, types] of cases) {
    assert.deepEqual(relayTypes(rtt, undefined, all(capabilities)), types);
  }
});

Deno.test("relayTypes() adds what follows from a NIP that the relay claims", () => {
  const claims = (supported_nips: unknown) =>
    relayTypes(MUTE, {
      data: { supported_nips },
      logs: {},
      failure: null,
    }, all({}));
  assert.deepEqual(claims([1, 50, 29]), ["Search", "Community"]);
  assert.deepEqual(claims("50"), []);
  assert.deepEqual(claims(undefined), []);
});

function all(some: Partial<Capabilities>): Capabilities {
  const none = { auth: UNKNOWN, payment: UNKNOWN, writes: UNKNOWN };
  return { ...none, pow: UNKNOWN, ...some };
}
