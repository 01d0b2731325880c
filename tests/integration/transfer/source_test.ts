/**
 * Files and streams as an import reads them, and the files that an export leaves.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { findSource, SourceError } from "../../../src/transfer/source.ts";
import { openTarget } from "../../../src/transfer/target.ts";
import { unless } from "../../support/installed.ts";
import { canMountSmallDisk, smallDisk } from "../../support/small_disk.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const TEXT = "one\ntwo\nthree\n".repeat(20_000);

Deno.test("findSource() reads plain and gzip alike, from any offset", async () => {
  await using folder = await temporaryDirectory();
  const half = TEXT.length / 2;
  const members = [TEXT.slice(0, half), TEXT.slice(half)].map((text) =>
    gzipSync(text)
  );
  const files = {
    "plain.jsonl": new TextEncoder().encode(TEXT),
    "packed.jsonl.gz": gzipSync(TEXT),
    "gzip in all but name": gzipSync(TEXT),
    "two members.gz": Uint8Array.from(members.flatMap((bytes) => [...bytes])),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder.path, name);
    await Deno.writeFile(path, bytes);
    const source = await findSource(path);
    assert.equal(await text(source.open(0)), TEXT, name);
    assert.equal(source.takenBytes(), bytes.length, name);
    assert.equal(await text(source.open(70_001)), TEXT.slice(70_001), name);
    assert.equal(await text(source.open(TEXT.length)), "", name);
    assert.equal(await text(source.open(TEXT.length + 5)), "", name);
  }
});

Deno.test("findSource() reads an empty file", async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, "empty.jsonl");
  await Deno.writeFile(path, new Uint8Array());
  assert.equal(await text((await findSource(path)).open(0)), "");
});

Deno.test("findSource() closes the file when its reader leaves early", async () => {
  await using folder = await temporaryDirectory();
  for (const name of ["a.jsonl", "a.jsonl.gz"]) {
    const path = join(folder.path, name);
    const bytes = new TextEncoder().encode(TEXT);
    await Deno.writeFile(path, name.endsWith("gz") ? gzipSync(bytes) : bytes);
    // The sanitizer of resources would name a file that stays open.
    for await (const _bytes of (await findSource(path)).open(0)) break;
  }
});

Deno.test("findSource() says why something cannot be read", async () => {
  await using folder = await temporaryDirectory();
  const missing = join(folder.path, "missing.jsonl");
  await assert.rejects(findSource(missing), {
    name: "SourceError",
    message: `Cannot read ${missing}: there is no such file`,
  });
  await assert.rejects(findSource(folder.path), /it is a directory/);
});

Deno.test("a gzip that ends early gives what it has, then fails", async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, "cut.gz");
  const noise = Array.from({ length: 20_000 }, (_, n) => `${n * n}\n`).join("");
  const packed = gzipSync(noise);
  await Deno.writeFile(path, packed.subarray(0, packed.length - 1000));
  let length = 0;
  await assert.rejects(async () => {
    for await (const bytes of (await findSource(path)).open(0)) {
      length += bytes.length;
    }
  }, SourceError);
  assert.ok(length > 0);
});

Deno.test("a damaged file gives every whole line before the damage, and says what it is", async () => {
  await using folder = await temporaryDirectory();
  const text = "one\ntwo\nthree\n";
  const cases: [string, Uint8Array, string, RegExp][] = [
    ["junk.gz", joined(gzipSync(text), "garbage"), text, /goes on behind/],
    ["junk.zst", joined(zstdCompressSync(text), "junk"), text, /goes on behi/],
    ["trailer.gz", gzipSync(text).subarray(0, -8), text, /ends in the middle/],
    ["head.gz", gzipSync(text).subarray(0, 5), "", /ends in the middle/],
    ["sum.gz", flipped(gzipSync(text), -6), text, /checksum does not match/],
    ["cut.zst", zstdCompressSync(text).subarray(0, -2), "", /ends in the mid/],
    ["cut.json", bytesOf(`[{"a":1},{"b"`), ` {"a":1}\n{"b"`, /its JSON array/],
  ];
  for (const [name, bytes, given, why] of cases) {
    const path = join(folder.path, name);
    await Deno.writeFile(path, bytes);
    const read = await readUntilFault(path);
    assert.equal(read.text, given, name);
    assert.ok(read.fault instanceof SourceError, name);
    assert.match(read.fault.message, why, name);
    assert.match(read.fault.message, new RegExp(`^Cannot read .*${name}: it `));
  }
});

Deno.test("padding behind a gzip is none of its lines and no fault", async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, "padded.gz");
  await Deno.writeFile(path, joined(gzipSync(TEXT), "\0".repeat(10_000)));
  assert.deepEqual(await readUntilFault(path), { text: TEXT, fault: null });
});

Deno.test("findSource() reads zstd, frames in a row and JSON arrays, from any offset", async () => {
  await using folder = await temporaryDirectory();
  const array = ` \n[ {"a": [1,\n2], "b": "]},\\"["},\n{"c":3}, []]\n`;
  const lines = ` \n  {"a": [1, 2], "b": "]},\\"["}\n {"c":3}\n []\n\n`;
  const cases: [Uint8Array, string][] = [
    [zstdCompressSync(TEXT), TEXT],
    [joined(zstdCompressSync("a\n"), zstdCompressSync("b\n")), "a\nb\n"],
    [bytesOf(array), lines],
    [gzipSync(array), lines],
    [bytesOf("[]"), " \n"],
    [bytesOf(`["EVENT",{}]\n["EVENT",{}]\n`), `["EVENT",{}]\n`.repeat(2)],
  ];
  for (const [bytes, expected] of cases) {
    const path = join(folder.path, "file");
    await Deno.writeFile(path, bytes);
    const source = await findSource(path);
    assert.equal(await text(source.open(0)), expected);
    const from = Math.floor(expected.length / 2);
    const rest = new TextEncoder().encode(expected).subarray(from);
    assert.equal(
      await text(source.open(from)),
      new TextDecoder().decode(rest),
    );
  }
});

Deno.test("findSource() names what is no JSONL for what it is", async () => {
  await using folder = await temporaryDirectory();
  const cases: [Uint8Array, RegExp][] = [
    [bytesOf("BZh91AY&SY"), /: it is compressed by bzip2: unpack it/],
    [bytesOf("PK\x03\x04rest"), /: it is a ZIP archive/],
    [bytesOf("PAR1"), /: it is a Parquet file/],
    [new Uint8Array([0xff, 0xfe, 0x7b, 0]), /: it is UTF-16: convert it/],
    [gzipSync("PK\x03\x04rest"), /: it is a ZIP archive/],
  ];
  for (const [bytes, why] of cases) {
    const path = join(folder.path, "file");
    await Deno.writeFile(path, bytes);
    const { fault } = await readUntilFault(path);
    assert.match(String(fault), why);
  }
  await assert.rejects(
    findSource("/dev/shm/events.jsonl"),
    /^SourceError: Cannot read \/dev\/shm\/events.jsonl: files below \/dev.*pipe it in as -/,
  ).catch((error) => {
    // With all permissions, as tests have them, Deno opens them.
    assert.match(String(error), /there is no such file/);
  });
});

const canMount = await canMountSmallDisk();

Deno.test({
  ...unless(
    canMount ? null : "no small disk can be mounted here",
    "openTarget() names file and reason when the disk is full, compressed or not",
  ),
  async fn() {
    await using disk = await smallDisk(1);
    for (const name of ["out.jsonl", "out.jsonl.gz"]) {
      const path = join(disk.path, name);
      await assert.rejects(async () => {
        await using target = await openTarget(path);
        // Random, so that no compression helps.
        for (let n = 0; n < 64; n++) await target.write(randomText(65_536));
        await target.finish();
      }, { message: `Cannot write ${path}: the disk is full` });
      assert.deepEqual(await names(disk.path), []);
    }
  },
});

Deno.test("openTarget() puts a file in its place when it is whole", async () => {
  await using folder = await temporaryDirectory();
  for (const name of ["out.jsonl", "out.jsonl.gz"]) {
    const path = join(folder.path, name);
    await Deno.writeTextFile(path, "the export before");
    await using target = await openTarget(path);
    await target.write(TEXT);
    assert.equal(await Deno.readTextFile(path), "the export before");
    await target.finish();
    const bytes = await Deno.readFile(path);
    const plain = name.endsWith("gz") ? gunzipSync(bytes) : bytes;
    assert.equal(new TextDecoder().decode(plain), TEXT);
  }
  assert.deepEqual(await names(folder.path), ["out.jsonl", "out.jsonl.gz"]);
});

Deno.test("openTarget() leaves nothing behind when the export did not end", async () => {
  await using folder = await temporaryDirectory();
  for (const name of ["out.jsonl", "out.jsonl.gz"]) {
    await using target = await openTarget(join(folder.path, name));
    await target.write("the first events");
  }
  assert.deepEqual(await names(folder.path), []);
});

Deno.test("openTarget() says why something cannot be written", async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, "missing", "out.jsonl");
  await assert.rejects(openTarget(path), {
    message: `Cannot write ${path}: there is no such directory`,
  });
  const message = new RegExp(`^Cannot write ${folder.path}: .*directory`);
  await assert.rejects(openTarget(folder.path), { message });
});

async function text(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks = await Array.fromAsync(bytes);
  return await new Blob(chunks.map((chunk) => new Uint8Array(chunk))).text();
}

/** What a source gives before it fails, if it does. */
async function readUntilFault(
  path: string,
): Promise<{ text: string; fault: unknown }> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let fault: unknown = null;
  try {
    for await (const bytes of (await findSource(path)).open(0)) {
      chunks.push(new Uint8Array(bytes));
    }
  } catch (error) {
    fault = error;
  }
  return { text: await new Blob(chunks).text(), fault };
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function joined(bytes: Uint8Array, rest: Uint8Array | string): Uint8Array {
  const tail = typeof rest === "string" ? bytesOf(rest) : rest;
  return Uint8Array.from([...bytes, ...tail]);
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const index = copy.length + at;
  copy[index] = (copy[index] ?? 0) ^ 0xff;
  return copy;
}

function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return String.fromCharCode(...bytes.map((byte) => 32 + byte % 64));
}

async function names(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).sort();
}
