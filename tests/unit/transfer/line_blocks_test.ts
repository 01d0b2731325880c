/**
 * Lines out of bytes: bounds, positions, and every way a chunk can end.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type LineBlock,
  type LineBlockOptions,
  lineBlocks,
} from "../../../src/transfer/line_blocks.ts";

Deno.test("lineBlocks() gives the lines of any text, however it is cut into chunks", async () => {
  const line = fc.string({ unit: fc.constantFrom("a", "é", "🤙", " ", "\r") });
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(line), cuts, async (texts, sizes) => {
      const bytes = encode(texts.map((text) => `${text}\n`).join(""));
      const blocks = await read(cut(bytes, sizes), { blockBytes: 8 });
      const wanted = texts.map((text, index) => ({
        number: index + 1,
        text: text.trim(),
      })).filter(({ text }) => text !== "");
      assert.deepEqual(blocks.flatMap(({ lines }) => lines), wanted);
      const end = blocks.at(-1)?.end ?? { offset: 0, line: 0 };
      assert.deepEqual(end, { offset: bytes.length, line: texts.length });
    }),
  );
});

Deno.test("lineBlocks() ends before a last line that has no line break, but gives it", async () => {
  const [block] = await read([encode("one\ntwo")]);
  assert.deepEqual(block?.lines.map(({ text }) => text), ["one", "two"]);
  assert.deepEqual(block?.end, { offset: 4, line: 1 });
});

Deno.test("lineBlocks() goes on counting from where it is told to begin", async () => {
  const from = { offset: 1000, line: 41 };
  const [block] = await read([encode("answer\n")], { from });
  assert.deepEqual(block?.lines, [{ number: 42, text: "answer" }]);
  assert.deepEqual(block?.end, { offset: 1007, line: 42 });
});

Deno.test("lineBlocks() drops a line that is too large as it comes, and goes on after it", async () => {
  const huge = Array.from({ length: 50 }, () => encode("x".repeat(1000)));
  const chunks = [encode("first\n"), ...huge, encode("\nlast\n")];
  const options = { maxLineBytes: 10, blockBytes: 4000 };
  const blocks = await read(chunks, options);
  assert.deepEqual(blocks.flatMap(({ lines }) => lines), [
    { number: 1, text: "first" },
    { number: 3, text: "last" },
  ]);
  assert.deepEqual(blocks.flatMap(({ faults }) => faults), [{
    number: 2,
    code: "too-large",
    detail: "50000 bytes, of 10 allowed",
  }]);
  assert.deepEqual(blocks.at(-1)?.end, { offset: 50_012, line: 3 });
});

Deno.test("lineBlocks() names a line that is too large also at the end and inside a block", async () => {
  const text = `${"y".repeat(20)}\nok\n${"z".repeat(30)}`;
  const blocks = await read([encode(text)], { maxLineBytes: 10 });
  const faults = blocks.flatMap(({ faults }) => faults);
  assert.deepEqual(faults.map(({ number }) => number), [1, 3]);
  assert.deepEqual(blocks.at(-1)?.end, { offset: 24, line: 2 });
});

Deno.test("lineBlocks() tells a line that is not UTF-8 from its neighbours", async () => {
  const bytes = Uint8Array.of(0x61, 10, 0xc3, 0x28, 10, 0x62, 10);
  const [block] = await read([bytes]);
  assert.deepEqual(block?.lines.map(({ text }) => text), ["a", "b"]);
  assert.deepEqual(block?.faults, [
    { number: 2, code: "encoding", detail: "Not UTF-8" },
  ]);
});

Deno.test("lineBlocks() gives as tail what stands before the end", async () => {
  const text = `${"t".repeat(5000)}\nrest`;
  const [block] = await read([encode(text)]);
  assert.equal(block?.tail.length, 1024);
  assert.equal(new TextDecoder().decode(block?.tail).slice(-2), "t\n");
});

Deno.test("lineBlocks() gives what is complete when the stream pauses", async () => {
  const { readable, writable } = new TransformStream<Uint8Array>();
  const writer = writable.getWriter();
  const blocks = stream(readable, { pauseMs: 1 });
  writer.write(encode("complete\nhal"));
  const { value: first } = await blocks.next();
  assert.deepEqual(first?.lines, [{ number: 1, text: "complete" }]);
  writer.write(encode("f\n"));
  const { value: second } = await blocks.next();
  assert.deepEqual(second?.lines, [{ number: 2, text: "half" }]);
  writer.close();
  assert.equal((await blocks.next()).done, true);
});

Deno.test("lineBlocks() ends at once when it is stopped, however silent the stream is", async () => {
  const stop = new AbortController();
  const { readable, writable } = new TransformStream<Uint8Array>();
  const writer = writable.getWriter();
  writer.write(encode("one\ntwo"));
  const options = { signal: stop.signal, blockBytes: 1, pauseMs: 20 };
  const blocks = stream(readable, options);
  assert.equal((await blocks.next()).value?.end.line, 1);
  const next = blocks.next();
  stop.abort();
  assert.equal((await next).done, true);
  await writer.close();
});

Deno.test("lineBlocks() gives nothing for nothing", async () => {
  assert.deepEqual(await read([]), []);
  assert.deepEqual(await read([new Uint8Array()]), []);
});

function read(
  chunks: Iterable<Uint8Array>,
  options: Partial<LineBlockOptions> = {},
): Promise<LineBlock[]> {
  return Array.fromAsync(stream(ReadableStream.from(chunks), options));
}

function stream(
  bytes: AsyncIterable<Uint8Array>,
  options: Partial<LineBlockOptions>,
): AsyncGenerator<LineBlock> {
  return lineBlocks(bytes, {
    from: { offset: 0, line: 0 },
    maxLineBytes: 1_000_000,
    blockBytes: 100,
    pauseMs: 60_000,
    signal: new AbortController().signal,
    ...options,
  });
}

function* cut(bytes: Uint8Array, sizes: readonly number[]) {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
