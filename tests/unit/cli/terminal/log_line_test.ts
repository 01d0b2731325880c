import assert from "node:assert/strict";
import { terminalLogLine } from "../../../../src/cli/terminal/log_line.ts";
import type { Paint } from "../../../../src/cli/terminal/paint.ts";

const plain: Paint = (text) => text;
const marked: Paint = (text, as) => `<${as}:${text}>`;

const AT = "2026-11-27T22:55:05.123Z";

Deno.test("terminalLogLine() shows the time of day, and leaves out what only tells cycles apart", () => {
  const line =
    `${AT} info monitor relays checked trace=5e410224 online=1 rejected={}\n`;
  assert.equal(
    terminalLogLine(line, { columns: 80, paint: plain }),
    "22:55:05Z info monitor relays checked online=1\n",
  );
  assert.equal(
    terminalLogLine(line.replace("info", "debug"), {
      columns: 80,
      paint: plain,
    }),
    "22:55:05Z debug monitor relays checked trace=5e410224 online=1 rejected={}\n",
  );
  const seconds = line.replace(AT, "1795820105.123");
  assert.equal(
    terminalLogLine(seconds, { columns: 80, paint: plain }),
    "1795820105.123 info monitor relays checked online=1\n",
  );
});

Deno.test("terminalLogLine() colours warnings and errors, and nothing else that loudly", () => {
  const colours = (level: string) =>
    terminalLogLine(`${AT} ${level} up all is said a=1\n`, {
      columns: 200,
      paint: marked,
    });
  assert.equal(
    colours("info"),
    "<faint:22:55:05Z> <faint:info> <name:up> all is said <faint:a=1>\n",
  );
  assert.match(colours("warn"), /<warn:warn> <name:up> <warn:all is said>/);
  assert.match(colours("error"), /<bad:error> <name:up> <bad:all is said>/);
});

Deno.test("terminalLogLine() breaks long lines between fields only", () => {
  const line =
    `${AT} info synchronizer relay synced relay=wss://relay.example stored=1318 said="two words, = and \\"more\\"" seconds=2.5\n`;
  const text = terminalLogLine(line, { columns: 60, paint: plain });
  assert.equal(
    text,
    `22:55:05Z info synchronizer relay synced
          relay=wss://relay.example stored=1318
          said="two words, = and \\"more\\"" seconds=2.5
`,
  );
  const others = ['{"level":"info"}\n', "no log line at all\n"];
  for (const other of others) {
    assert.equal(terminalLogLine(other, { columns: 20, paint: marked }), other);
  }
});
