import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import type { NostrEvent } from "../../../../src/models/event.ts";
import { loadVerifier } from "../../../../src/nips/verify/verifier.ts";
import { GroupVerifier } from "../../../../src/workers/ingest/group_verifier.ts";
import { verifyInTurns } from "../../../../src/workers/ingest/verify_in_turns.ts";
import { eventFactory } from "../../../support/event_factory.ts";
import { ScriptedHost } from "./scripted_host.ts";

const factory = eventFactory("group verifier");
const EVENTS = Array.from(
  { length: 80 },
  (_, i) => factory.sign({ author: i % 3 }),
);

Deno.test("GroupVerifier finds a forged signature wherever it stands, in whichever thread it is verified", async () => {
  using verifier = await loadVerifier();
  for (const helps of [[true], [false]]) {
    const host = new ScriptedHost({ verifier, helps });
    for (const position of [0, 19, 20, 21, 79]) {
      const group = new GroupVerifier(verifier, host.link);
      warmUp(group);
      const events = EVENTS.with(position, forged(EVENTS[position]!));
      const valid = await group.begin(events)();
      assert.deepEqual(
        valid,
        Uint8Array.from(events, (_, i) => i === position ? 0 : 1),
      );
    }
    assert.deepEqual(host.handedOver, [60, 60, 60, 60, 60]);
  }
});

Deno.test("GroupVerifier hands over nothing of a session that brings little, nor of small groups", async () => {
  using verifier = await loadVerifier();
  const host = new ScriptedHost({ verifier });
  const group = new GroupVerifier(verifier, host.link);
  assert.deepEqual(await group.begin(EVENTS)(), allValid(80));
  assert.deepEqual(host.handedOver, []);
  warmUp(group);
  const few = EVENTS.slice(0, 20);
  assert.deepEqual(await group.begin(few)(), allValid(20));
  assert.deepEqual(await group.begin([])(), allValid(0));
  assert.deepEqual(host.handedOver, []);
});

Deno.test("GroupVerifier does not ask at once again when no thread had time", async () => {
  using verifier = await loadVerifier();
  const host = new ScriptedHost({ verifier, helps: [false] });
  const group = new GroupVerifier(verifier, host.link);
  warmUp(group);
  await group.begin(EVENTS)();
  assert.deepEqual(await group.begin(EVENTS.slice(0, 50))(), allValid(50));
  assert.deepEqual(host.handedOver, [60]);
});

Deno.test("GroupVerifier has the next group verified elsewhere while this one is waited for", async () => {
  using verifier = await loadVerifier();
  const host = new ScriptedHost({ verifier, delays: [1] });
  const group = new GroupVerifier(verifier, host.link);
  warmUp(group);
  const [first, second] = [group.begin(EVENTS), group.begin(EVENTS)];
  assert.deepEqual(await first(), allValid(80));
  assert.deepEqual(host.handedOver, [60, 60]);
  assert.deepEqual(await second(), allValid(80));
});

Deno.test("GroupVerifier ends with the session when that is abandoned", async () => {
  using verifier = await loadVerifier();
  const host = new ScriptedHost({ verifier });
  const group = new GroupVerifier(verifier, host.link);
  warmUp(group);
  const verify = group.begin(EVENTS);
  // Before the answer, which comes in a later turn.
  host.link.abandon();
  await assert.rejects(verify, { name: "Abandoned" });
});

Deno.test("verifyInTurns() lets others of its thread go in between", async () => {
  using verifier = await loadVerifier();
  const many = Array.from({ length: 4_000 }, () => EVENTS[0]!);
  let turns = 0;
  let isOver = false;
  const other = () => {
    turns += 1;
    if (!isOver) setImmediate(other);
  };
  setImmediate(other);
  const valid = await verifyInTurns(verifier, many);
  isOver = true;
  assert.deepEqual(valid, allValid(4_000));
  assert.ok(turns > 0);
});

/** Begins so many events that the next are worth another thread. */
function warmUp(group: GroupVerifier): void {
  for (let i = 0; i < 50; i++) group.begin(EVENTS.slice(0, 20));
}

function allValid(count: number): Uint8Array {
  return new Uint8Array(count).fill(1);
}

function forged(event: NostrEvent): NostrEvent {
  return { ...event, sig: EVENTS.find((other) => other !== event)!.sig };
}
