import assert from "node:assert/strict";
import { render } from "../../../../src/cli/terminal/progress.ts";

Deno.test("render() puts names, bars and texts into columns", () => {
  assert.deepEqual(
    render([
      { name: "wss://a.example", share: 0.5, text: "12 stored" },
      { name: "wss://longer.example", share: 1, text: "complete" },
      { name: "wss://b.example", share: null, text: "?" },
    ], 120),
    [
      "wss://a.example      [##########··········] 50 % 12 stored",
      "wss://longer.example [####################]100 % complete",
      "wss://b.example      [                    ]      ?",
    ],
  );
});

Deno.test("render() bounds names by the terminal and lines by twelve", () => {
  const lines = Array.from({ length: 30 }, (_, i) => ({
    name: `wss://relay-with-a-long-name-${i}.example`,
    share: 2,
    text: "",
  }));
  const rendered = render(lines, 60);
  assert.equal(rendered.length, 12);
  assert.equal(rendered.at(-1), "… and 19 more");
  assert.match(rendered[0]!, /^wss:\/\/relay-with-\S*… \[#{20}\]100 %/);
});
