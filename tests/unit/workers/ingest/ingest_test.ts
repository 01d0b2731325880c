import assert from "node:assert/strict";
import fc from "fast-check";
import type {
  EncodedEvents,
  EventKeys,
} from "../../../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../../../src/models/event.ts";
import { loadVerifier } from "../../../../src/nips/verify/verifier.ts";
import type { Finding } from "../../../../src/workers/ingest/event_queue.ts";
import { Ingest } from "../../../../src/workers/ingest/ingest.ts";
import type { WorkerBatch } from "../../../../src/workers/protocol/report.ts";
import { eventFactory } from "../../../support/event_factory.ts";
import { type HostScript, ScriptedHost } from "./scripted_host.ts";

const factory = eventFactory("ingest");
const EVENTS = Array.from(
  { length: 2_000 },
  (_, i) => factory.sign({ author: i % 10 }),
);

Deno.test("Ingest keeps the order of events and findings, whoever verifies and however long every answer takes", async () => {
  using verifier = await loadVerifier();
  let handedOver = 0;
  await fc.assert(
    fc.asyncProperty(courses(), async ({ steps, every, ...script }) => {
      const isForged = (_: unknown, i: number) => i % every.forged === 0;
      const events = EVENTS.map((event, i) =>
        isForged(event, i) ? forged(event) : event
      );
      const archived = new Set(
        events.filter((_, i) => i % every.known === 0).map(({ id }) => id),
      );
      const { host, ingest, forgeries } = open({
        ...script,
        verifier,
        archived,
      });
      const restsOn = await feed(ingest, events, steps);
      await ingest.finish();
      handedOver += host.handedOver.length;

      // What is archived is not verified.
      const wrong = events.filter(isForged)
        .filter(({ id }) => !archived.has(id));
      const fresh = events.filter((event) =>
        !archived.has(event.id) && !wrong.includes(event)
      );
      const known = events.filter((e) => archived.has(e.id));
      const { batches } = host;
      assert.deepEqual(batches.flatMap((b) => idsOf(b.events)), ids(fresh));
      assert.deepEqual(batches.flatMap((b) => keysOf(b.known)), ids(known));
      assert.deepEqual(ids(forgeries), ids(wrong));
      assert.equal(ingest.rejected.signature ?? 0, forgeries.length);
      assertFindingsFollow(batches, { events, restsOn, skipped: forgeries });
    }),
    { numRuns: 12 },
  );
  assert.ok(handedOver > 0, "another thread was asked");
});

Deno.test("Ingest tells that most is forged, and rejects with what ended it", async () => {
  using verifier = await loadVerifier();
  const { host, ingest } = open({ verifier });
  for (const event of EVENTS.slice(0, 201)) ingest.accept(forged(event));
  await ingest.flush();
  assert.equal(ingest.isMostlyForged, true);
  assert.equal(host.batches.flatMap(({ rejected }) => rejected).length, 50);
  assert.deepEqual(host.batches.map(({ unsampled }) => unsampled), [
    { signature: 151 },
  ]);
  host.link.abandon();
  for (const event of EVENTS.slice(0, 5)) ingest.accept(event);
  await assert.rejects(ingest.finish(), { name: "Abandoned" });
  await assert.rejects(ingest.room(), { name: "Abandoned" });
});

/** Which events are forged and which known, where findings are, and how the host answers. */
function courses() {
  return fc.record({
    /** So many events between two findings, over and over. */
    steps: fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1 })
      .filter((steps) => steps.some((events) => events > 0)),
    every: fc.record({
      forged: fc.integer({ min: 3, max: 500 }),
      known: fc.integer({ min: 2, max: 500 }),
    }),
    delays: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1 }),
    helps: fc.array(fc.boolean(), { minLength: 1 }),
  });
}

function open(script: HostScript) {
  const host = new ScriptedHost(script);
  const forgeries: NostrEvent[] = [];
  const ingest = new Ingest({
    verifier: script.verifier,
    link: host.link,
    budget: () => Infinity,
    bounds: { batchEvents: 150, batchBytes: 1 << 20, allowPrivate: false },
    forged: (event) => forgeries.push(event),
  });
  return { host, ingest, forgeries };
}

/** Gives everything with findings in between. Returns on how many events each finding rests. */
async function feed(
  ingest: Ingest,
  events: readonly NostrEvent[],
  steps: readonly number[],
): Promise<readonly number[]> {
  const restsOn: number[] = [];
  let given = 0;
  while (given < events.length) {
    const step = steps[restsOn.length % steps.length]!;
    for (const event of events.slice(given, given + step)) {
      await ingest.room();
      ingest.accept(event);
    }
    given = Math.min(events.length, given + step);
    ingest.add(gap(restsOn.length));
    restsOn.push(given);
  }
  return restsOn;
}

/** All findings come, in their order, and none before the events it rests on. */
function assertFindingsFollow(
  batches: readonly WorkerBatch[],
  { events, restsOn, skipped }: {
    readonly events: readonly NostrEvent[];
    readonly restsOn: readonly number[];
    readonly skipped: readonly NostrEvent[];
  },
): void {
  const handedIn = new Set(ids(skipped));
  let findings = 0;
  for (const batch of batches) {
    for (const id of idsOf(batch.events)) handedIn.add(id);
    for (const id of keysOf(batch.known)) handedIn.add(id);
    for (const { since } of batch.gaps) {
      assert.equal(since, findings++);
      const missing = events.slice(0, restsOn[since])
        .filter(({ id }) => !handedIn.has(id));
      assert.deepEqual(ids(missing), []);
    }
  }
  assert.equal(findings, restsOn.length);
}

function gap(since: number): Finding {
  const reason = "timeout" as const;
  const gap = { since, until: since, filterHash: "", reason };
  return { type: "open", gap };
}

function ids(events: readonly NostrEvent[]): string[] {
  return events.map(({ id }) => id);
}

function idsOf({ count, keys }: EncodedEvents): string[] {
  return Array.from(
    { length: count },
    (_, i) => keys.slice(256 * i, 256 * i + 64),
  );
}

function keysOf({ ids, createdAt }: EventKeys): string[] {
  return Array.from(
    createdAt,
    (_, i) => ids.slice(32 * i, 32 * i + 32).toHex(),
  );
}

/** With the signature of another event. */
function forged(event: NostrEvent): NostrEvent {
  return { ...event, sig: EVENTS[event === EVENTS[0] ? 1 : 0]!.sig };
}
