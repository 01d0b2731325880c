import assert from "node:assert/strict";
import { env } from "node:process";
import { Adversary } from "../../../support/adversary/adversary.ts";
import { isFindable } from "../../../support/adversary/findable.ts";
import { drawSpec } from "../../../support/adversary/generate.ts";
import { judge } from "../../../support/adversary/judge.ts";
import { syncAdversary } from "../../../support/adversary/simulated_sync.ts";
import type { AdversarySpec } from "../../../support/adversary/spec.ts";

/** Another seed tries other relays: `ADVERSARY_SEED=7 deno task test:unit`. */
const SEED = Number(env.ADVERSARY_SEED ?? 1);
const RELAYS = Number(env.ADVERSARIES ?? 10_000);

const DRAW = { withNegentropy: false, maxEvents: 150 } as const;
const SYNCS = 2;

Deno.test(`nothing untrue is claimed of ${RELAYS} generated relays from seed ${SEED} on, and no honest one is accused`, async () => {
  const wrong: string[] = [];
  for (let seed = SEED, n = 0; n < RELAYS; seed++) {
    const spec = drawSpec(seed, DRAW);
    if (!isFindable(spec)) continue;
    n += 1;
    const found = await complaintOf(spec).catch(String);
    if (found !== null) wrong.push(`${seed} ${namesOf(spec)}: ${found}`);
  }
  assert.deepEqual(wrong, []);
});

/** What is wrong with the claims about a relay; null for nothing. */
async function complaintOf(spec: AdversarySpec): Promise<string | null> {
  const relay = new Adversary(spec);
  const archive = await syncAdversary(relay, { syncs: SYNCS });
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

function namesOf({ transformers }: AdversarySpec): string {
  return transformers.map(({ name }) => name).join(" + ");
}
