/**
 * What proofs were once deceived by, cause by cause: generated relays that do it, each together with one other fault.
 *
 * All causes but 10 and 11 are played here, by simulated syncs. On sockets they are shown by, in
 * tests/integration/synchronizer:
 *
 * | Cause                                      | Test                                                                 |
 * | ------------------------------------------ | -------------------------------------------------------------------- |
 * | 1 empty answers believed                   | `audit_test`: empty after forty requests of a connection             |
 * | 2 confirmed by kinds, never lower in time  | `audit_test`: takes back all that was claimed of a relay that …      |
 * | 3 `finish` believed unseen                 | `paging_test`: believes a relay that says it has sent all, when …    |
 * | 4 the cap a constant number                | `adversary_test`: generated relays                                   |
 * | 5 nothing missing above the bottom         | `audit_test`: two stores behind one name; adds its oldest event      |
 * | 6 parts of a crowded second                | `paging_test`: never claims a second with more events than …         |
 * | 7 bounds believed                          | `audit_test`: gets everything from a relay whose until …             |
 * | 8 the top without `until`                  | `paging_test`: archives future-dated events, and claims nothing …    |
 * | 9 events late, unreadable or misaddressed  | `late_test`; `unread_test`                                           |
 * | 10 NIP-77 never held against REQ           | `proof_causes_test`: cause 10; `claims_test`: a frozen NIP-77 index  |
 * | 11 withheld ids no gap                     | `proof_causes_test`: cause 11; `negentropy_misbehaviour_test`        |
 * | 12 claims and look-back counted from now   | `claims_test`: looks back from where the last claim ends; of the     |
 * |                                            | future; `clock_test`                                                 |
 * | 13 COUNT of one session                    | `claims_test`: holds a count against what two sessions have brought  |
 * | 14 a resumed walk in parts has forgotten   | `durability_test`: a sync that is stopped hands in what it has       |
 *
 * @module
 */
import assert from "node:assert/strict";
import { Adversary } from "../../../support/adversary/adversary.ts";
import {
  type CauseRelay,
  CAUSES,
  relaysOf,
} from "../../../support/adversary/causes.ts";
import { FOUND } from "../../../support/adversary/found.ts";
import { judge } from "../../../support/adversary/judge.ts";
import { isFindable } from "../../../support/adversary/findable.ts";
import { plainSpec } from "../../../support/adversary/plain.ts";
import {
  EndlessSyncError,
  type SimulatedArchive,
  syncAdversary,
} from "../../../support/adversary/simulated_sync.ts";

const RELAYS = 200;
const SYNCS = 3;

/** Of relays that answer by luck, or show what they hide to nobody who asks as anybody would, so many of a hundred may keep a lie. */
const UNLUCKY_PERCENT = 2;

for (const cause of CAUSES) {
  if (cause.isInNegentropy) continue;
  const seed = cause.number * 100_000;
  Deno.test(`cause ${cause.number}, ${cause.words}: nothing is proven of ${RELAYS} relays from seed ${seed} on that is not stored`, async () => {
    const found: string[] = [];
    const beyond: string[] = [];
    let stored = 0;
    for (const made of relaysOf(cause, { relays: RELAYS })) {
      const { spec } = made;
      const relay = new Adversary(spec);
      const archive = await syncedSome(relay, made);
      if (archive === null) continue;
      stored += archive.stored.size;
      const lies = liesOf(relay, archive, made);
      if (lies === 0) continue;
      const names = spec.transformers.map(({ name }) => name).join(" + ");
      (isFindable(spec) ? found : beyond)
        .push(`${spec.seed} ${names}: ${lies} events`);
    }
    assert.deepEqual(found, []);
    const most = RELAYS * UNLUCKY_PERCENT / 100;
    assert.ok(beyond.length <= most, beyond.join("\n"));
    assert.ok(stored > 20 * RELAYS, `${stored} events are stored`);
  });
}

for (const { words, spec } of FOUND) {
  Deno.test(`nothing untrue is proven of relay ${spec.seed}: ${words}`, async () => {
    const made = { spec, pauseSeconds: 900, killedAfter: Infinity };
    for (let syncs = 1; syncs <= SYNCS; syncs++) {
      const relay = new Adversary(spec);
      const archive = await syncAdversary(relay, { syncs });
      assert.equal(liesOf(relay, archive, made), 0, `after ${syncs} syncs`);
    }
  });
}

for (const first of [0, 1]) {
  Deno.test(`nothing is proven by an event that a relay adds to each answer, ${first === 1 ? "first" : "last"}`, async () => {
    for (const threshold of [60, 3_600, 86_400]) {
      const spec = plainSpec([
        { name: "empty when the window is wide", parameters: { threshold } },
        { name: "oldest event pinned", parameters: { first } },
      ], { hasCount: false, hasNegentropy: false });
      const relay = new Adversary(spec);
      const made = { spec, pauseSeconds: 900, killedAfter: Infinity };
      const archive = await syncedSome(relay, made);
      assert.ok(archive !== null);
      assert.equal(liesOf(relay, archive, made), 0);
    }
  });
}

/** The archive of a relay after some syncs; null where it was given up. */
async function syncedSome(
  relay: Adversary,
  { pauseSeconds, killedAfter }: CauseRelay,
): Promise<SimulatedArchive | null> {
  try {
    const how = { syncs: SYNCS, pauseSeconds, killedAfter };
    return await syncAdversary(relay, how);
  } catch (error) {
    if (error instanceof EndlessSyncError) return null;
    throw error;
  }
}

/** How many events are proven to be stored, and are not. */
function liesOf(
  relay: Adversary,
  { stored, proven }: SimulatedArchive,
  { spec, pauseSeconds }: CauseRelay,
): number {
  const lastSync = spec.beganAt + (SYNCS - 1) * pauseSeconds;
  const nowMs = lastSync * 1_000;
  return judge(relay, { stored, covered: proven, nowMs }).falseClaims.length;
}
