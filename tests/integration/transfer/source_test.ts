/**
 * Files and streams as an import reads them, and the files that an export leaves.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { findSource, SourceError } from "../../../src/transfer/source.ts";
import { openTarget } from "../../../src/transfer/target.ts";
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

async function names(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).sort();
}
