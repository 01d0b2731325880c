import assert from "node:assert/strict";
import {
  parseSeed,
  readSeedLines,
} from "../../../../src/services/seeder/seed_lines.ts";

const signal = new AbortController().signal;

Deno.test("readSeedLines() numbers lines as editors do and leaves out blank lines and comments", async () => {
  assert.deepEqual(
    await linesOf(["wss://a.io\r\n\n# no\n  wss://b.io # yes\nwss://c.io"]),
    [[1, "wss://a.io"], [4, "wss://b.io"], [5, "wss://c.io"]],
  );
});

Deno.test("readSeedLines() finds lines and characters that are cut by chunks", async () => {
  assert.deepEqual(
    await linesOf(["wss://", "a.io\nwss", "://é.io\n"]),
    [[1, "wss://a.io"], [2, "wss://é.io"]],
  );
});

Deno.test("readSeedLines() drops a byte order mark and keeps what is no UTF-8 as such", async () => {
  const bytes = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0x0a, 0xff);
  assert.deepEqual(await linesOf([bytes]), [[1, "a"], [2, "\uFFFD"]]);
});

Deno.test("readSeedLines() ends with an error when it is stopped", async () => {
  const stop = new AbortController();
  const never = new ReadableStream<Uint8Array<ArrayBuffer>>();
  const reading = Array.fromAsync(readSeedLines(never, stop.signal));
  stop.abort(new Error("stopped"));
  await assert.rejects(reading, /^Error: stopped$/);
});

Deno.test("parseSeed() folds a user's path into its parent when told to", () => {
  const text = `wss://filter.nostr.wine/npub1${"q".repeat(58)}`;
  const folded = parseSeed({ number: 1, text }, {
    allowPrivate: false,
    fold: true,
  });
  assert.equal(folded.ok && folded.value.url, "wss://filter.nostr.wine");
  const kept = parseSeed({ number: 1, text }, {
    allowPrivate: false,
    fold: false,
  });
  assert.equal(kept.ok && kept.value.url, text);
});

async function linesOf(
  chunks: readonly (string | Uint8Array<ArrayBuffer>)[],
): Promise<[number, string][]> {
  const bytes = ReadableStream.from(
    chunks.map((chunk) =>
      typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk
    ),
  );
  const lines = await Array.fromAsync(readSeedLines(bytes, signal));
  return lines.map(({ number, text }) => [number, text]);
}
