/**
 * Syncs generated adversaries on real workers and real archives, and prints how each ended.
 *
 *     deno run -P=test tests/support/adversary/main.ts --specs 200 --seed 1
 *     … --singles [--only "empty when"]    each transformer by itself
 *     … --honest                           honest relays only
 *     … --spec '{"seed":…}' [--shrink]     one again, made as small as it still fails
 *     … --failing                          lines of what is wrong only, with their specs
 *
 * @module
 */
import { parseArgs } from "node:util";
import { silentLogger } from "../silent_logger.ts";
import { synchronizerConfig } from "../../../src/services/synchronizer/config/config.ts";
import { openPool } from "../../../src/services/synchronizer/wiring.ts";
import {
  ADVERSARY_CONFIG,
  type AdversaryRun,
  runAdversary,
} from "../adversary_sync.ts";
import { drawSpec, singleSpecs } from "./generate.ts";
import { complaint, HEADING, line } from "./report.ts";
import { smallest } from "./shrink.ts";
import type { AdversarySpec } from "./spec.ts";

const { values: options } = parseArgs({
  options: {
    specs: { type: "string", default: "24" },
    seed: { type: "string", default: "1" },
    syncs: { type: "string", default: "3" },
    only: { type: "string" },
    spec: { type: "string" },
    singles: { type: "boolean", default: false },
    honest: { type: "boolean", default: false },
    failing: { type: "boolean", default: false },
    shrink: { type: "boolean", default: false },
  },
});

await main();

async function main(): Promise<void> {
  const config = synchronizerConfig.parse(ADVERSARY_CONFIG);
  await using pool = await openPool(config, silentLogger());
  const run = (spec: AdversarySpec) =>
    runAdversary(spec, { pool, syncs: Number(options.syncs) });
  print(HEADING);
  const runs: AdversaryRun[] = [];
  for (const spec of specs()) {
    const ended = await run(spec);
    runs.push(ended);
    const wrong = complaint(ended);
    if (!options.failing || wrong !== "") print(line(ended));
    if (options.failing && wrong !== "") print(wrong);
    if (options.shrink && wrong !== "") {
      const small = await smallest(
        spec,
        async (spec) => complaint(await run(spec)) !== "",
      );
      print(`smallest: ${complaint(await run(small))}`);
    }
  }
  summarize(runs);
}

function specs(): AdversarySpec[] {
  if (options.spec !== undefined) return [JSON.parse(options.spec)];
  const seed = Number(options.seed);
  const count = Number(options.specs);
  const generate = { honestOnly: options.honest };
  const drawn = options.singles
    ? singleSpecs(seed, generate)
    : Array.from({ length: count }, (_, i) => drawSpec(seed + i, generate));
  const { only } = options;
  return only === undefined
    ? drawn
    : drawn.filter(({ transformers }) =>
      transformers.some(({ name }) => name.includes(only))
    );
}

function summarize(runs: readonly AdversaryRun[]): void {
  const count = (holds: (run: AdversaryRun) => boolean) =>
    runs.filter(holds).length;
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0);
  print([
    `${runs.length} adversaries`,
    `${count(({ falseClaims }) => falseClaims.length > 0)} with false claims`,
    `${count(({ missing }) => missing.length > 0)} with gaps over events`,
    `${count(({ isHonest }) => isHonest)} honest, of which ${
      count(({ isHonest, accusations }) => isHonest && accusations.length > 0)
    } accused`,
    `${(seconds / Math.max(1, runs.length)).toFixed(2)} s each`,
  ].join(", "));
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
