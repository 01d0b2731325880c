import { deepStrictEqual, equal } from "node:assert/strict";
import type { Output } from "../../../../src/cli/terminal/output.ts";
import { openScreen } from "../../../../src/cli/terminal/screen.ts";

/** A terminal that knows what the screen uses: line breaks, one step up, wiping downwards. */
function terminal(width: number): Output & { readonly lines: string[] } {
  const lines = [""];
  let row = 0;
  let column = 0;
  const put = (text: string) => {
    const line = (lines[row] ??= "").padEnd(column);
    lines[row] = line.slice(0, column) + text +
      line.slice(column + text.length);
    column += text.length;
  };
  const control: Record<string, (count: number) => void> = {
    "\r": () => column = 0,
    // The tty driver turns a line feed into both.
    "\n": () => {
      row++;
      column = 0;
      lines[row] ??= "";
    },
    A: (count) => row -= count,
    J: () => {
      lines.length = row + 1;
      lines[row] = (lines[row] ?? "").slice(0, column);
    },
  };
  return {
    lines,
    isTerminal: true,
    columns: () => width,
    write(text) {
      const parts = String(text).matchAll(
        /\p{Cc}\[(\d*)([AJ])|([\r\n])|\P{Cc}+/gu,
      );
      for (const [all, count = "", code, feed] of parts) {
        const act = control[code ?? feed ?? ""];
        if (act) act(Number(count || 1));
        else put(all);
      }
    },
  };
}

Deno.test("log lines scroll by above the live lines", () => {
  const tty = terminal(40);
  const screen = openScreen(tty);
  screen.write("first\n");
  screen.show(["relays 1", "events 10"]);
  deepStrictEqual(tty.lines, ["first", "relays 1", "events 10"]);
  screen.write("second\n");
  screen.show(["relays 2", "events 20"]);
  screen.write("third\n");
  deepStrictEqual(tty.lines, [
    "first",
    "second",
    "third",
    "relays 2",
    "events 20",
  ]);
  screen.show(["one line"]);
  deepStrictEqual(tty.lines, ["first", "second", "third", "one line"]);
  screen[Symbol.dispose]();
  deepStrictEqual(tty.lines, ["first", "second", "third", ""]);
});

Deno.test("a live line is cut at the terminal's width, so that it can be wiped", () => {
  const tty = terminal(10);
  using screen = openScreen(tty);
  screen.show(["0123456789abcdef", "ok"]);
  deepStrictEqual(tty.lines, ["012345678", "ok"]);
});

Deno.test("live lines never reach what is not a terminal", () => {
  const pipe: Output = {
    write: (text) => {
      throw new Error(`written: ${text}`);
    },
    isTerminal: false,
    columns: () => 80,
  };
  using screen = openScreen(pipe);
  screen.show(["never"]);
  equal(screen.isTerminal, false);
});
