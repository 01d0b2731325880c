import assert from "node:assert/strict";
import { Rhythm } from "../../../../src/workers/walk/rhythm.ts";

Deno.test("Rhythm keeps sixteen of all that came, each as likely as another", () => {
  let seed = 7;
  const random = () => (seed = seed * 48_271 % 2_147_483_647) / 2_147_483_647;
  const counts = [0, 0, 0, 0];
  for (let run = 0; run < 500; run++) {
    const rhythm = new Rhythm(random);
    for (let page = 0; page < 4; page++) {
      rhythm.add(Array.from({ length: 50 }, (_, i) => ({
        id: "",
        createdAt: page * 50 + i,
        kind: 1,
        pubkey: "",
        sig: "",
      })));
    }
    assert.equal(rhythm.moments.length, 16);
    for (const at of rhythm.moments) counts[Math.floor(at / 50)]! += 1;
  }
  for (const count of counts) {
    assert.ok(Math.abs(count - 2_000) < 200, `${counts}`);
  }
});
