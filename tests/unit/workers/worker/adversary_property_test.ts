import assert from "node:assert/strict";
import { env } from "node:process";
import { Adversary } from "../../../support/adversary/adversary.ts";
import { isFindable } from "../../../support/adversary/findable.ts";
import { drawSpec } from "../../../support/adversary/generate.ts";
import { judge } from "../../../support/adversary/judge.ts";
import {
  EndlessSyncError,
  syncAdversary,
} from "../../../support/adversary/simulated_sync.ts";
import type { AdversarySpec } from "../../../support/adversary/spec.ts";

/** Another seed tries other relays: `ADVERSARY_SEED=7 deno task test:unit`. */
const SEED = Number(env.ADVERSARY_SEED ?? 1);
const RELAYS = Number(env.ADVERSARIES ?? 10_000);

const DRAW = { withNegentropy: false, maxEvents: 150 } as const;
const SYNCS = 2;

Deno.test(`nothing untrue is claimed of ${RELAYS} generated relays from seed ${SEED} on, and no honest one is accused`, async () => {
  const wrong: string[] = [];
  let relays = 0;
  for (let seed = SEED; relays < RELAYS; seed++) {
    const spec = drawSpec(seed, DRAW);
    if (!isFindable(spec)) continue;
    relays += 1;
    const found = await complaintOf(spec);
    if (found !== null) wrong.push(`${seed} ${namesOf(spec)}: ${found}`);
  }
  assert.deepEqual(wrong, []);
});

Deno.test("a relay that gives the same events again and again is given up", async () => {
  // Bounds are rounded inwards: parts of parts show one event for ever.
  const relay = new Adversary(drawSpec(14_054, DRAW));
  const { requests } = await syncAdversary(relay, { syncs: 1 });
  assert.ok(requests[0]! < 1_000, `${requests[0]} requests`);
});

/** What is wrong with the claims about a relay; null for nothing. */
async function complaintOf(spec: AdversarySpec): Promise<string | null> {
  const relay = new Adversary(spec);
  const archive = await syncAdversary(relay, { syncs: SYNCS })
    .catch(unlessEndless);
  if (archive === null) return null;
  const { falseClaims } = judge(relay, {
    stored: archive.stored,
    covered: archive.proven,
    nowMs: (spec.beganAt + 900) * 1_000,
  });
  if (falseClaims.length > 0) {
    return `${falseClaims.length} events are proven and not stored`;
  }
  return relay.isHonest && archive.traits.caught.times > 0
    ? `accused of ${archive.contradictions}`
    : null;
}

/** A relay that would be asked thousands of questions is given up, and nothing is claimed. */
function unlessEndless(error: unknown): null {
  if (error instanceof EndlessSyncError) return null;
  throw error;
}

function namesOf({ transformers }: AdversarySpec): string {
  return transformers.map(({ name }) => name).join(" + ");
}
