import assert from "node:assert/strict";
import type { Paint } from "../../../../src/cli/terminal/paint.ts";
import {
  pipelineLines,
  type PipelineView,
} from "../../../../src/cli/terminal/pipeline_view.ts";
import { displayWidth } from "../../../../src/cli/terminal/width.ts";
import {
  NO_COVERAGE,
  pipelineCountsWith,
  runtimeWith,
} from "../../../support/pipeline_counts.ts";

const plain: Paint = (text) => text;
const marked: Paint = (text, as) => text === "" ? "" : `<${as}:${text}>`;

const BUSY: PipelineView = {
  version: "1.2.3",
  counts: pipelineCountsWith({
    candidates: { total: 8_868, due: 212, claimed: 20, failed: 3_001 },
    relays: { total: 1_204, online: 980, offline: 24, unchecked: 200 },
    events: { count: 12_345_678, exact: false },
    sightings: { count: 58_024_000, exact: false },
    coverage: {
      ...NO_COVERAGE,
      coveredShare: 0.7199,
      strengths: { reconciled: 0.4, counted: 0, paged: 0.1, weak: 0.5 },
      completeRelays: 312,
      wantedRelays: 1_204,
      gaps: 812,
      medianLagSeconds: 240,
      running: 17,
      live: 5,
    },
  }),
  rates: [0, 50, 100, 210],
  runtimes: new Map([
    ["seeder", runtimeWith({ running: false })],
    ["finder", runtimeWith()],
    ["monitor", runtimeWith({ cycleStartedAt: 1_028 })],
  ]),
  trouble: null,
  upSeconds: 192,
  isStopping: false,
  now: 1_040,
};

Deno.test("a wide terminal shows all of the pipeline", () => {
  const lines = pipelineLines(BUSY, { columns: 110, paint: plain });
  assert.deepEqual(lines, [
    `── bigbrotr 1.2.3 ── up 3 min ── database 3.0 GiB ── Ctrl-C stops ──${
      "─".repeat(41)
    }`,
    " candidates 8,868 · 212 due · 20 being tried · 3,001 failed before",
    " relays     1,204 · 980 online · 5 live · 12 being synced · 24 offline · 200 not checked yet",
    " events     ~12,345,678 · +210/s ▁▃▄█ · each seen on 4.7 relays",
    " proven     ███████████████░░░░░░░ 71.9 % · 312 of 1,204 complete · 812 gaps · 4 min behind",
    " services   monitor 12 s · finder in 20 s · seeder done",
  ]);
});

Deno.test("at 60 columns the most important is there, and nothing is cut in the middle", () => {
  const lines = pipelineLines(BUSY, { columns: 60, paint: plain });
  assert.deepEqual(
    lines,
    [
      "── bigbrotr 1.2.3 ── up 3 min ── database 3.0 GiB ─────────",
      " candidates 8,868 · 212 due · 20 being tried",
      " relays     1,204 · 980 online · 5 live · 12 being synced",
      " events     ~12,345,678 · +210/s ▁▃▄█",
      " proven     ████████░░░░ 71.9 % · 312 of 1,204 complete",
      " services   monitor 12 s · finder in 20 s · seeder done",
    ],
  );
});

Deno.test("no line is wider than the terminal, whatever its width", () => {
  for (let columns = 36; columns < 200; columns++) {
    for (const line of pipelineLines(BUSY, { columns, paint: plain })) {
      assert(displayWidth(line) < columns, `${columns}: ${line}`);
    }
  }
});

Deno.test("colours mean something: red is a failure of ours only, weak proofs are yellow", () => {
  const text = pipelineLines(BUSY, { columns: 110, paint: marked }).join("\n");
  assert(!text.includes("<bad:"));
  assert(text.includes("<good:980 online>"));
  assert(text.includes("<faint:24 offline>"));
  assert(text.includes("<warn:812 gaps>"));
  assert(text.includes("<good:███████><warn:████████><faint:░░░░░░░>"));

  const failing = {
    ...BUSY,
    trouble: "no route",
    runtimes: new Map([[
      "monitor",
      runtimeWith({ consecutiveFailures: 2, lastError: "the disk is full" }),
    ]]),
  };
  const lines = pipelineLines(failing, { columns: 110, paint: marked });
  assert.match(lines.at(-3) ?? "", /<bad:monitor fails>/);
  assert.match(lines.at(-2) ?? "", /<bad:the database does not answer: no/);
  assert.match(
    lines.at(-1) ?? "",
    /<bad:monitor failed 2 times in a row: the disk is full>/,
  );
});

Deno.test("before the first count and while stopping it says so", () => {
  const early = {
    ...BUSY,
    counts: null,
    runtimes: new Map(),
    isStopping: true,
  };
  const lines = pipelineLines(early, { columns: 90, paint: plain });
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /stopping: what is in hand is finished/);
  assert.equal(lines[1], " services   starting");
});

Deno.test("100 % is for everything only", () => {
  const share = (coveredShare: number) => {
    const coverage = { ...NO_COVERAGE, coveredShare };
    const counts = pipelineCountsWith({ coverage });
    const view = { ...BUSY, counts };
    return pipelineLines(view, { columns: 100, paint: plain })[4] ?? "";
  };
  assert.match(share(0.99999), /█░ 99\.9 %/);
  assert.match(share(1), /█ 100 %/);
});
