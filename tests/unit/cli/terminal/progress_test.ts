import assert from "node:assert/strict";
import { render } from "../../../../src/cli/terminal/progress.ts";

const LINES = [
  {
    name: "wss://a.example",
    share: 0.5,
    parts: ["12 of 24 missing stored", "3 min left", "1,234/s", "2021-05-06"],
  },
  { name: "wss://longer.example", share: 1, parts: ["complete", "24 stored"] },
  { name: "wss://b.example", share: null, parts: ["connecting"] },
];

Deno.test("render() puts names, bars and texts into columns", () => {
  assert.deepEqual(render(LINES, 120), [
    "wss://a.example      [##########··········] 50 % 12 of 24 missing stored, 3 min left, 1,234/s, 2021-05-06",
    "wss://longer.example [####################]100 % complete, 24 stored",
    "wss://b.example      [                    ]      connecting",
  ]);
});

Deno.test("render() leaves out in a narrow terminal what matters least, and cuts no word", () => {
  assert.deepEqual(render(LINES, 80), [
    "wss://a.example      [#####·····] 50 % 12 of 24 missing stored, 3 min left",
    "wss://longer.example [##########]100 % complete, 24 stored",
    "wss://b.example      [          ]      connecting",
  ]);
  assert.deepEqual(render(LINES, 60), [
    "wss://a.example       50 % 12 of 24 missing stored",
    "wss://longer.example 100 % complete, 24 stored",
    "wss://b.example            connecting",
  ]);
  for (const columns of [40, 60, 80, 120, 200]) {
    for (const line of render(LINES, columns)) {
      assert.ok(line.length < Math.max(columns, 52), line);
    }
  }
});

Deno.test("render() bounds names by the terminal and lines by twelve", () => {
  const lines = Array.from({ length: 30 }, (_, i) => ({
    name: `wss://relay-with-a-long-name-${i}.example`,
    share: 2,
    parts: [],
  }));
  const rendered = render(lines, 100);
  assert.equal(rendered.length, 12);
  assert.equal(rendered.at(-1), "… and 19 more");
  assert.match(rendered[0]!, /^wss:\/\/relay-with-\S*… \[#{20}\]100 %/);
});
