import { deepStrictEqual, equal } from "node:assert/strict";
import type { Output } from "../../../../src/cli/terminal/output.ts";
import { openScreen } from "../../../../src/cli/terminal/screen.ts";

interface Terminal extends Output {
  /** What stands in the window, without what is blank at its end. */
  readonly lines: string[];
  /** Wraps what is too long for a narrower window, as most terminals do, some time before they say so. */
  wrap(columns: number): void;
  /** The same, and says so. */
  resize(columns: number): void;
}

/** A terminal that knows what the screen uses: line breaks, steps up and to a row, wiping downwards and of a row. */
function terminal(width: number, height = 24): Terminal {
  let told = width;
  let columns = width;
  let lines = [""];
  let row = 0;
  let column = 0;
  const put = (text: string) => {
    for (const character of text) {
      if (column === columns) control["\r\n"]?.(1);
      const line = (lines[row] ??= "").padEnd(column);
      lines[row] = line.slice(0, column) + character + line.slice(column + 1);
      column++;
    }
  };
  const down = () => {
    row++;
    column = 0;
    lines[row] ??= "";
  };
  const control: Record<string, (count: number) => void> = {
    "\r": () => column = 0,
    // The tty driver turns a line feed into both.
    "\n": down,
    "\r\n": down,
    A: (count) => row = Math.max(0, row - count),
    J: () => {
      lines.length = row + 1;
      lines[row] = (lines[row] ?? "").slice(0, column);
    },
    // To the first column of a row; the row is wiped.
    H: (number) => {
      row = number - 1;
      column = 0;
    },
    K: () => lines[row] = "",
  };
  const wrap = (narrower: number) => {
    columns = narrower;
    const above = wrapped(lines.slice(0, row + 1), columns);
    lines = [...above, ...wrapped(lines.slice(row + 1), columns)];
    row = above.length - 1;
    column = above.at(-1)?.length ?? 0;
  };
  return {
    get lines() {
      const last = lines.findLastIndex((line) => line !== "");
      return lines.slice(0, Math.max(last, row) + 1);
    },
    isTerminal: true,
    columns: () => told,
    rows: () => height,
    wrap,
    resize(narrower) {
      wrap(narrower);
      told = narrower;
    },
    write(text) {
      const parts = String(text).matchAll(
        /\p{Cc}\[(\d*)(?:;1)?([AHJK])|(\r\n|[\r\n])|\P{Cc}+/gu,
      );
      for (const [all, count = "", code, feed] of parts) {
        const act = control[code ?? feed ?? ""];
        if (act) act(Number(count || 1));
        else put(all);
      }
    },
  };
}

function wrapped(lines: readonly string[], columns: number): string[] {
  return lines.flatMap((line) =>
    line.match(new RegExp(`.{1,${columns}}`, "g")) ?? [""]
  );
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
  // Between wrapping and saying so there is something new to show.
  tty.wrap(12);
  screen.write("more\n");
  drawn = Promise.withResolvers();
  tty.resize(12);
  Deno.kill(Deno.pid, "SIGWINCH");
  await drawn.promise;
  deepStrictEqual(tty.lines, ["log", "more", "=".repeat(11), "12 columns"]);
  clearInterval(alive);
  // Somebody writes before the signal has come.
  tty.resize(11);
  screen.write("last\n");
  deepStrictEqual(tty.lines.slice(-3), ["last", "=".repeat(10), "11 columns"]);
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
