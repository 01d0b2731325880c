import { deepStrictEqual, equal } from "node:assert/strict";
import type { Output } from "../../../../src/cli/terminal/output.ts";
import { openScreen } from "../../../../src/cli/terminal/screen.ts";

interface Terminal extends Output {
  readonly lines: string[];
  /** Makes the window narrower or wider; as most terminals do, it wraps what is too long now. */
  resize(columns: number): void;
}

/** A terminal that knows what the screen uses: line breaks, one step up, wiping downwards. */
function terminal(width: number, height = 24): Terminal {
  let columns = width;
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
    columns: () => columns,
    rows: () => height,
    resize(narrower) {
      columns = narrower;
      const wrapped = lines.flatMap((line) =>
        line.match(new RegExp(`.{1,${columns}}`, "g")) ?? [""]
      );
      lines.splice(0, lines.length, ...wrapped);
      row = lines.length - 1;
      column = lines[row]?.length ?? 0;
    },
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

Deno.test("a window that is resized is drawn anew for its width, and nothing stale is left", async () => {
  const tty = terminal(40);
  using screen = openScreen(tty);
  screen.write("log\n");
  let drawn = Promise.withResolvers<void>();
  screen.show((columns) => {
    drawn.resolve();
    return ["=".repeat(columns - 1), `${columns} columns`];
  });
  // A signal that is waited for does not keep a program alive.
  const alive = setInterval(() => {}, 1_000);
  for (const columns of [13, 60, 25]) {
    tty.resize(columns);
    drawn = Promise.withResolvers();
    Deno.kill(Deno.pid, "SIGWINCH");
    await drawn.promise;
    deepStrictEqual(tty.lines, [
      "log",
      "=".repeat(columns - 1),
      `${columns} columns`,
    ]);
  }
  clearInterval(alive);
  // Somebody writes before the signal has come.
  tty.resize(12);
  screen.write("more\n");
  deepStrictEqual(tty.lines, ["log", "more", "=".repeat(11), "12 columns"]);
});

Deno.test("no more live lines are drawn than can be wiped", () => {
  const tty = terminal(40, 6);
  const screen = openScreen(tty);
  screen.show(Array.from({ length: 9 }, (_, i) => `line ${i}`));
  deepStrictEqual(tty.lines, ["line 0", "line 1", "line 2", "line 3"]);
  screen[Symbol.dispose]();
  deepStrictEqual(tty.lines, [""]);
});

Deno.test("a terminal that is gone ends nothing", () => {
  const gone: Output = {
    ...terminal(40),
    write: () => {
      throw new Error("Input/output error (os error 5)");
    },
  };
  const screen = openScreen(gone);
  screen.show(["live"]);
  screen.write("log\n");
  screen[Symbol.dispose]();
});

Deno.test("live lines never reach what is not a terminal", () => {
  const pipe: Output = {
    write: (text) => {
      throw new Error(`written: ${text}`);
    },
    isTerminal: false,
    columns: () => 80,
    rows: () => 24,
  };
  using screen = openScreen(pipe);
  screen.show(["never"]);
  equal(screen.isTerminal, false);
});
