/**
 * Plays generated adversaries against the program's walks in memory, and says where it was deceived:
 * `deno run -P=test tests/support/adversary/simulate.ts [specs] [seed] [only]`.
 *
 * @module
 */
import { Adversary } from "./adversary.ts";
import { drawSpec, singleSpecs } from "./generate.ts";
import { judge } from "./judge.ts";
import { syncAdversary } from "./simulated_sync.ts";
import type { AdversarySpec } from "./spec.ts";

const [count = "1000", seed = "1", only = ""] = Deno.args;
const specs: AdversarySpec[] = count === "singles"
  ? singleSpecs(Number(seed), { withNegentropy: false, maxEvents: 800 })
  : Array.from(
    { length: Number(count) },
    (_, i) =>
      drawSpec(Number(seed) + i, { withNegentropy: false, maxEvents: 800 }),
  );
const totals = {
  relays: 0,
  wrong: 0,
  weaklyWrong: 0,
  accused: 0,
  endless: 0,
  honest: 0,
  incomplete: 0,
  honestMissing: 0,
};
const byName = new Map<string, number>();
const requests = [0, 0, 0];
for (const spec of specs) {
  const names = spec.transformers.map(({ name }) => name).join(" + ");
  if (only !== "" && !names.includes(only)) continue;
  const relay = new Adversary(spec);
  totals.relays += 1;
  try {
    const archive = await syncAdversary(relay, { syncs: 3 });
    archive.requests.forEach((n, i) => requests[i] = (requests[i] ?? 0) + n);
    const nowMs = (spec.beganAt + 2 * 900) * 1_000;
    const { falseClaims, missing } = judge(relay, {
      stored: archive.stored,
      covered: archive.covered,
      nowMs,
    });
    if (relay.isHonest) {
      totals.honest += 1;
      if (archive.traits.caught.times > 0) {
        totals.accused += 1;
        print(
          `ACCUSED ${spec.seed} [${names}] ${archive.contradictions}`,
        );
      }
      if (archive.gaps.length > 0) totals.incomplete += 1;
      if (missing.length > 0) totals.honestMissing += 1;
      if (missing.length > 0 || archive.gaps.length > 0) {
        const reasons = [...new Set(archive.gaps.map(({ reason }) => reason))];
        print(
          `honest, not whole: ${spec.seed} [${names}] missing ${missing.length} gaps ${reasons}`,
        );
      }
    }
    if (falseClaims.length > 0) {
      const isWeak = falseClaims.every(({ event: { created_at: at } }) =>
        !archive.proven.some(({ since, until }) => at >= since && at <= until)
      );
      if (isWeak) totals.weaklyWrong += 1;
      totals.wrong += 1;
      byName.set(names, (byName.get(names) ?? 0) + 1);
      const held = relay.held.all.length;
      print(
        `${isWeak ? "WEAK" : "FALSE"} ${spec.seed} [${names}] ${
          JSON.stringify(spec.transformers.map(({ parameters }) => parameters))
        } cap ${spec.cap}: ${falseClaims.length} of ${held}, stored ${archive.stored.size}, caught ${archive.traits.caught.times} ${archive.contradictions}, order ${archive.traits.order}, requests ${archive.requests}`,
      );
    }
  } catch (error) {
    totals.endless += 1;
    print(
      `ERROR ${spec.seed} [${names}] ${
        error instanceof Error ? error.stack?.slice(0, 400) : error
      }`,
    );
  }
}
print(
  `${JSON.stringify(totals)} requests ${
    requests.map((n) => Math.round(n / totals.relays * 10) / 10)
  }`,
);
for (const [names, n] of [...byName].sort((a, b) => b[1] - a[1])) {
  print(`${n} ${names}`);
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
