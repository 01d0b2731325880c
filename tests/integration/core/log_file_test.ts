import { deepStrictEqual, equal, ok, throws } from "node:assert/strict";
import { join } from "node:path";
import { openLogFile } from "../../../src/core/log/log_file.ts";
import { createLogger } from "../../../src/core/log/logger.ts";
import { unless } from "../../support/installed.ts";
import { canMountSmallDisk, smallDisk } from "../../support/small_disk.ts";

async function withDirectory(use: (directory: string) => Promise<void> | void) {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function names(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

function line(n: number): string {
  return `line ${String(n).padStart(4, "0")} ${"x".repeat(89)}\n`;
}

Deno.test("a log file is rotated by size and the oldest is deleted", () =>
  withDirectory((directory) => {
    const path = join(directory, "logs", "bigbrotr.log");
    {
      using file = openLogFile({ path, maxBytes: 1_000, maxFiles: 2 });
      for (let n = 0; n < 35; n++) file.write(line(n));
    }
    deepStrictEqual(names(join(directory, "logs")), [
      "bigbrotr.log",
      "bigbrotr.log.1",
      "bigbrotr.log.2",
    ]);
    const texts = [`${path}.2`, `${path}.1`, path].map((one) =>
      Deno.readTextFileSync(one)
    );
    ok(texts.every((text) => text.length <= 1_000));
    // The last 25 lines, in order, none torn: 10 + 10 + 5.
    equal(
      texts.join(""),
      Array.from({ length: 25 }, (_, i) => line(i + 10)).join(""),
    );
  }));

Deno.test("a log file goes on where it stopped, and a line larger than the file is kept whole", () =>
  withDirectory((directory) => {
    const path = join(directory, "a.log");
    for (let n = 0; n < 3; n++) {
      using file = openLogFile({ path, maxBytes: 150, maxFiles: 9 });
      file.write(line(n));
    }
    equal(Deno.readTextFileSync(path), line(2));
    equal(Deno.readTextFileSync(`${path}.2`), line(0));
    using file = openLogFile({ path, maxBytes: 150, maxFiles: 0 });
    const long = `${"y".repeat(500)}\n`;
    file.write(long);
    equal(Deno.readTextFileSync(path), long);
  }));

Deno.test("two writers of one file lose no line when one of them rotates", () =>
  withDirectory((directory) => {
    const path = join(directory, "shared.log");
    const options = { path, maxBytes: 1_000, maxFiles: 50 };
    using one = openLogFile(options);
    using two = openLogFile(options);
    for (let n = 0; n < 40; n++) (n % 2 === 0 ? one : two).write(line(n));
    const all = names(directory)
      .map((name) => Deno.readTextFileSync(join(directory, name))).join("");
    deepStrictEqual(
      all.split("\n").filter((text) => text !== "").sort(),
      Array.from({ length: 40 }, (_, n) => line(n).trimEnd()),
    );
  }));

Deno.test("a log file that cannot be opened is an error that names it", () =>
  withDirectory((directory) => {
    throws(
      () =>
        createLogger({
          level: "info",
          format: "text",
          time: "iso",
          service: "s",
          file: directory,
        }),
      (error) =>
        error instanceof Error &&
        error.message ===
          `Cannot open the log file ${directory}: it is a directory`,
    );
  }));

Deno.test("no line is lost when the process exits right after writing", async () => {
  const script = `
    import { createLogger } from ${
    JSON.stringify(import.meta.resolve("../../../src/core/log/logger.ts"))
  };
    const log = createLogger({ level: "info", format: "json", time: "iso", service: "s" });
    for (let n = 0; n < 5000; n++) log.info("written", { n, padding: "x".repeat(200) });
    Deno.exit(7);`;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "-q",
      "--config",
      new URL("../../../deno.json", import.meta.url).pathname,
      script,
    ],
    stdout: "null",
  }).output();
  equal(code, 7);
  const written = new TextDecoder().decode(stderr).trim().split("\n")
    .map((text) => JSON.parse(text).n);
  deepStrictEqual(written, Array.from({ length: 5_000 }, (_, n) => n));
});

const canMount = await canMountSmallDisk();

Deno.test({
  ...unless(
    canMount ? null : "no small disk can be mounted here",
    "a log whose disk is full goes on on stderr, and says so once",
  ),
  async fn() {
    await using disk = await smallDisk(1);
    const ballast = join(disk.path, "ballast");
    const path = join(disk.path, "bigbrotr.log");
    const script = `
      import { openLogFile } from ${
      JSON.stringify(import.meta.resolve("../../../src/core/log/log_file.ts"))
    };
      using log = openLogFile({ path: ${
      JSON.stringify(path)
    }, maxBytes: 1e6, maxFiles: 1 });
      log.write("first\\n");
      const room = new Uint8Array(4096);
      using ballast = Deno.openSync(${
      JSON.stringify(ballast)
    }, { write: true, create: true });
      try { for (;;) ballast.writeSync(room); } catch { /* full */ }
      log.write("x".repeat(5000) + "second\\n");
      log.write("x".repeat(5000) + "third\\n");
      Deno.removeSync(${JSON.stringify(ballast)});
      ballast.truncateSync(0);
      log.write("fourth\\n");`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", "--ext=ts", "-"],
      stdin: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script));
    await writer.close();
    const { code, stderr } = await child.output();
    const said = new TextDecoder().decode(stderr);
    equal(code, 0, said);
    equal(said.match(/Cannot write the log file/g)?.length, 1, said);
    ok(said.includes("second\n") && said.includes("third\n"));
    const kept = await Deno.readTextFile(path);
    ok(kept.startsWith("first\n") && kept.endsWith("fourth\n"));
  },
});
