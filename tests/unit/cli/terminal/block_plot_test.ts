import assert from "node:assert/strict";
import { blockPlot } from "../../../../src/cli/terminal/block_plot.ts";

Deno.test("blockPlot() draws a bar for each value, as high as its share of the highest", () => {
  assert.deepEqual(
    blockPlot([0, 1, 2, 3, 4, 5, 6, 7, 8], { columns: 20, lines: 1 }),
    [" ▁▂▃▄▅▆▇█"],
  );
  assert.deepEqual(blockPlot([4, 16, 8, 0], { columns: 20, lines: 2 }), [
    " █",
    "▄██",
  ]);
});

Deno.test("blockPlot() draws what is not 0, however small, and nothing of 0", () => {
  assert.deepEqual(blockPlot([0, 1, 1e9], { columns: 3, lines: 1 }), [" ▁█"]);
  assert.deepEqual(blockPlot([0, 0], { columns: 3, lines: 2 }), ["", ""]);
  assert.deepEqual(blockPlot([], { columns: 3, lines: 1 }), [""]);
});

Deno.test("blockPlot() keeps to its columns: values that share a bar are averaged", () => {
  assert.deepEqual(
    blockPlot([8, 8, 4, 4, 0, 4, 0, 0], { columns: 4, lines: 1 }),
    ["█▄▂"],
  );
  for (const count of [9, 100, 1_217]) {
    const [line = ""] = blockPlot(Array(count).fill(1), {
      columns: 9,
      lines: 1,
    });
    assert.equal(line, "█".repeat(9));
  }
});
