/**
 * Generated adversaries, synced three times each and audited in SQL. `ADVERSARY_SPECS` and `ADVERSARY_SEED` say how many
 * and which; `tests/support/adversary/main.ts` prints the same as a table.
 *
 * @module
 */
import assert from "node:assert/strict";
import { silentLogger } from "../../../src/core/log/logger.ts";
import { synchronizerConfig } from "../../../src/services/synchronizer/config/config.ts";
import { openPool } from "../../../src/services/synchronizer/wiring.ts";
import { drawSpec } from "../../support/adversary/generate.ts";
import { complaint } from "../../support/adversary/report.ts";
import {
  ADVERSARY_CONFIG,
  runAdversary,
} from "../../support/adversary_sync.ts";

const SPECS = Number(Deno.env.get("ADVERSARY_SPECS") ?? 24);
const SEED = Number(
  Deno.env.get("ADVERSARY_SEED") ?? Math.floor(Math.random() * 1_000_000_000),
);

Deno.test(`nothing is claimed of ${SPECS} generated relays that is not stored, and no honest one accused (seed ${SEED})`, async () => {
  const config = synchronizerConfig.parse(ADVERSARY_CONFIG);
  await using pool = await openPool(config, silentLogger());
  const complaints: string[] = [];
  for (let i = 0; i < SPECS; i++) {
    const run = await runAdversary(drawSpec(SEED + i), { pool });
    complaints.push(complaint(run));
  }
  const wrong = complaints.filter((text) => text !== "");
  assert.ok(
    wrong.length === 0,
    `${wrong.length} of ${SPECS} relays, from seed ${SEED}:\n${
      wrong.join("\n")
    }`,
  );
});
