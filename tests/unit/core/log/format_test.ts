import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { formatLine } from "../../../../src/core/log/format.ts";

const at = new Date("2026-11-21T04:05:06.789Z");

function text(
  fields: Record<string, unknown>,
  message = "relay checked",
): string {
  return formatLine({ at, level: "info", message, fields }, {
    format: "text",
    time: "iso",
  });
}

function json(fields: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(
    formatLine({ at, level: "warn", message: "m", fields }, {
      format: "json",
      time: "iso",
    }),
  );
}

Deno.test("formatLine() writes time, level, service, sentence and fields", () => {
  equal(
    text({
      service: "monitor",
      relay: "wss://a.example",
      ms: 12,
      ok: true,
      none: null,
      gone: undefined,
    }),
    "2026-11-21T04:05:06.789Z info monitor relay checked relay=wss://a.example ms=12 ok=true none=null\n",
  );
});

Deno.test("formatLine() quotes what a reader would split", () => {
  ok(text({ a: "two words" }).includes(`a="two words"`));
  ok(text({ a: "x=y" }).includes(`a="x=y"`));
  ok(text({ a: `say "hi"` }).includes(String.raw`a="say \"hi\""`));
  ok(text({ a: "" }).includes(`a=""`));
  ok(text({ a: ["tls", "dns"] }).includes("a=tls,dns"));
  ok(text({ a: { b: 1 } }).includes(String.raw`a="{\"b\":1}"`));
});

Deno.test("one entry is one line, and a terminal gets no control characters", () => {
  const line = text({ a: "x\ny\u001b[31mred\u009b5m" });
  equal(line.split("\n").length, 2);
  ok(!/\p{Cc}/u.test(line.trimEnd()), JSON.stringify(line));
});

Deno.test("no field replaces time, level or message of a JSON line", () => {
  const line = json({ level: "paper", time: 5, message: "hello", at: 1 });
  deepStrictEqual(
    [line.level, line.message, line["field.level"], line["field.message"]],
    ["warn", "m", "paper", "hello"],
  );
  deepStrictEqual([line["field.time"], line.at], [5, 1]);
});

Deno.test("formatLine() writes JSON with the same facts", () => {
  deepStrictEqual(
    json({ service: "monitor", trace: "ab12", failed: ["tls"], n: 1n }),
    {
      time: "2026-11-21T04:05:06.789Z",
      level: "warn",
      service: "monitor",
      message: "m",
      trace: "ab12",
      failed: ["tls"],
      n: "1",
    },
  );
});

Deno.test("time can be Unix seconds in both formats", () => {
  const entry = { at, level: "info", message: "m", fields: { service: "s" } };
  equal(
    formatLine(entry, { format: "text", time: "unix" }),
    "1795233906.789 info s m\n",
  );
  equal(
    JSON.parse(formatLine(entry, { format: "json", time: "unix" })).time,
    1795233906.789,
  );
});

Deno.test("a long value is cut and says by how much", () => {
  const line = text({ a: "x".repeat(1_500) });
  ok(line.includes(`${"x".repeat(1_000)}… (500 characters more)`));
  ok(line.length < 1_200);
  const { big } = json({ big: Array(2_000).fill(7) });
  ok(typeof big === "string" && big.length < 1_100);
});

Deno.test("an error is its chain of causes", () => {
  const error = new Error("Cannot store batch", {
    cause: new Error("connection lost", { cause: new Error("ECONNRESET") }),
  });
  ok(
    text({ error }).includes(
      `error="Cannot store batch: connection lost: ECONNRESET"`,
    ),
  );
});

Deno.test("secrets are masked wherever they stand", () => {
  const line = text({
    password: "p1",
    authToken: "p2",
    url: "postgres://me:p3@host/db",
    nested: { secretKey: "p4", deeper: { api_key: "p5" } },
    error: new Error("cannot reach postgres://me:p6@host/db"),
  });
  ok(!/p[1-6]/.test(line), line);
  ok(line.includes("postgres://me:***@host/db"));
  ok(
    !/p[1-6]/.test(
      JSON.stringify(json({ nested: { privateKey: "p1" }, passwordEnv: "ok" })),
    ),
  );
});

Deno.test("a private key is masked by its form, and an innocent name is not", () => {
  const line = text({
    consecutiveFailures: 3,
    detail: `got nsec1${"q".repeat(58)} from config`,
  });
  ok(line.includes("consecutiveFailures=3"));
  ok(line.includes("got nsec1*** from config"), line);
});

Deno.test("a value that JSON cannot hold does not stop the log", () => {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  ok(text({ cycle }).includes("cycle="));
});
