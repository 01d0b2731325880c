/**
 * The causes by which proofs were deceived that lie in NIP-77, on sockets and a real archive; the others are played in
 * memory by tests/unit/workers/worker/proof_causes_test.ts.
 *
 * @module
 */
import assert from "node:assert/strict";
import { synchronizerConfig } from "../../../src/services/synchronizer/config/config.ts";
import { openPool } from "../../../src/services/synchronizer/wiring.ts";
import { CAUSES, relaysOf } from "../../support/adversary/causes.ts";
import { isFindable } from "../../support/adversary/findable.ts";
import { complaint } from "../../support/adversary/report.ts";
import {
  ADVERSARY_CONFIG,
  runAdversary,
} from "../../support/adversary_sync.ts";
import { silentLogger } from "../../support/silent_logger.ts";

const RELAYS = 8;

for (const cause of CAUSES) {
  if (!cause.isInNegentropy) continue;
  const { number, words } = cause;
  Deno.test(`cause ${number}, ${words}: nothing is proven of ${RELAYS} relays from seed ${number * 100_000} on that is not stored`, async () => {
    const config = synchronizerConfig.parse(ADVERSARY_CONFIG);
    await using pool = await openPool(config, silentLogger());
    const wrong: string[] = [];
    let compared = 0;
    for (const { spec } of relaysOf(cause, { relays: RELAYS })) {
      assert.ok(spec.hasNegentropy && isFindable(spec));
      const run = await runAdversary(spec, { pool });
      if (run.falseClaims.length > 0) wrong.push(complaint(run));
      if (run.syncs.some(({ method }) => method === "negentropy")) {
        compared += 1;
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(compared > 0, "no relay was compared with");
  });
}
