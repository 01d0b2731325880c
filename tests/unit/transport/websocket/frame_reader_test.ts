import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type FrameBreach,
  FrameReader,
} from "../../../../src/transport/websocket/frame_reader.ts";
import {
  type ReadBound,
  type SocketMessage,
  UnfinishedMessages,
} from "../../../../src/transport/websocket/held_message.ts";

const KiB = 1_024;
const MiB = 1_024 * KiB;

Deno.test("FrameReader gives the same messages however the bytes are cut up", () => {
  const part = fc.record({
    text: fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 300 }),
      fc.nat(200_000).map((length) => "x".repeat(length)),
    ),
    fragments: fc.integer({ min: 1, max: 4 }),
    ping: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 70_000 }), {
        minLength: 1,
        maxLength: 8,
      }),
      (parts, sizes) => {
        const bytes = concat(parts.flatMap(framesOf));
        const reader = listen({ maxMessageBytes: 100 * MiB });
        let turn = 0;
        for (let at = 0; at < bytes.length;) {
          const size = sizes[turn++ % sizes.length] ?? 1;
          reader.frames.write(bytes.subarray(at, at + size));
          at += size;
        }
        assert.deepEqual(reader.messages, parts.map(({ text }) => text));
        assert.equal(reader.pings, parts.filter(({ ping }) => ping).length);
        assert.equal(reader.memory.bytes, 0);
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("FrameReader keeps of a longer message its ends, and never more than it may hold", () => {
  const asked: string[] = [];
  const reader = listen({
    boundOf: (start) => {
      asked.push(start);
      return start.startsWith("[long") ? 1 * MiB : 0;
    },
  });
  const long = `[long${"l".repeat(MiB - 5)}`;
  const longer = `[long${"m".repeat(8 * MiB)}end]`;
  const other = `[other${"o".repeat(64 * KiB)}end]`;
  const short = `[other${"o".repeat(60 * KiB)}]`;
  for (const text of [long, longer, other, short]) {
    const [frame] = framesOf({ text });
    for (let at = 0; at < frame!.length; at += 50_000) {
      reader.frames.write(frame!.subarray(at, at + 50_000));
      assert(reader.memory.bytes <= 2 * MiB, `${reader.memory.bytes} held`);
    }
  }
  const [first, second, third, fourth] = reader.messages;
  assert.equal(first, long);
  assert.equal(fourth, short);
  for (const [cut, whole] of [[second, longer], [third, other]] as const) {
    assert(typeof cut === "object", "it was cut");
    assert.equal(cut.bytes, whole!.length);
    assert(cut.start.length <= 16 * KiB && whole!.startsWith(cut.start));
    assert(cut.end.length <= 16 * KiB && whole!.endsWith(cut.end));
  }
  assert.equal(asked.length, 3, "a short message is not judged");
});

Deno.test("FrameReader cuts a message in fragments, too, and one that drips", () => {
  const reader = listen({ boundOf: () => 100_000 });
  const text = "y".repeat(300_000);
  reader.frames.write(concat(framesOf({ text, fragments: 100 })));
  const [frame] = framesOf({ text: "z".repeat(150_000) });
  for (const byte of frame!) reader.frames.write(Uint8Array.of(byte));
  const lengths = reader.messages.map((cut) =>
    typeof cut === "object" && cut.bytes
  );
  assert.deepEqual(lengths, [300_000, 150_000]);
});

Deno.test("Unfinished messages of all connections share their memory: the oldest one is cut for the others", () => {
  const memory = new UnfinishedMessages(4 * MiB);
  const text = `["EVENT","s",${"x".repeat(2 * MiB)}]`;
  const [frame] = framesOf({ text });
  const readers = Array.from({ length: 40 }, () => listen({ memory }));
  for (const { frames } of readers) {
    frames.write(frame!.subarray(0, frame!.length - 1));
    assert(memory.bytes <= 4 * MiB, `${memory.bytes} held`);
  }
  for (const { frames } of readers.toReversed()) {
    frames.write(frame!.subarray(-1));
  }
  const whole = readers.map(({ messages: [message] }) => message === text);
  assert.equal(whole.length, 40);
  assert.equal(whole.at(-1), true, "the youngest is whole");
  assert.equal(whole[0], false, "the oldest was cut");
  assert.equal(memory.bytes, 0);
  const alone = listen({ memory: new UnfinishedMessages(1_000) });
  alone.frames.write(frame!);
  assert.deepEqual(alone.messages, [text], "one that is alone is not cut");
});

Deno.test("FrameReader gives memory back when the connection ends in the middle", () => {
  const reader = listen();
  const [frame] = framesOf({ text: "x".repeat(MiB) });
  reader.frames.write(frame!.subarray(0, MiB / 2));
  assert(reader.memory.bytes > 0);
  reader.frames.end();
  assert.equal(reader.memory.bytes, 0);
  reader.frames.write(frame!.subarray(MiB / 2));
  assert.deepEqual(reader.messages, []);
});

Deno.test("FrameReader ends at the first breach, and reads nothing after it", () => {
  const breaches: [string, number[], number][] = [
    ["a reserved opcode", [0x83, 0], 1002],
    ["an unknown control frame", [0x8b, 0], 1002],
    ["reserved bits", [0xc1, 1, 0x41], 1002],
    ["a masked frame", [0x81, 0x81, 0, 0, 0, 0, 0x41], 1002],
    ["a fragmented ping", [0x09, 0], 1002],
    ["a long ping", [0x89, 126, 0, 200], 1002],
    ["a continuation of nothing", [0x80, 1, 0x41], 1002],
    ["a message within another", [0x01, 1, 0x41, 0x81, 1, 0x41], 1002],
    ["half a close status", [0x88, 1, 3], 1002],
    ["a close status that may not be sent", [0x88, 2, 0x03, 0xed], 1002],
    ["a binary message", [0x82, 1, 0x41], 1003],
    ["invalid UTF-8", [0x81, 2, 0xc3, 0x28], 1007],
    ["a length beyond the bound", [0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0], 1009],
    ["a length of 2^64", [0x81, 127, 255, 255, 255, 255, 0, 0, 0, 0], 1009],
  ];
  for (const [what, bytes, status] of breaches) {
    const reader = listen();
    reader.frames.write(Uint8Array.of(...bytes, 0x81, 1, 0x41));
    assert.equal(reader.breach?.status, status, what);
    assert.deepEqual(reader.messages, [], what);
  }
});

Deno.test("FrameReader never throws, whatever comes", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
      const { frames } = listen();
      for (const chunk of chunks) frames.write(chunk);
    }),
    { numRuns: 2_000 },
  );
});

/** A reader, and what it has given. */
function listen(
  { maxMessageBytes = 32 * MiB, boundOf = () => Infinity, memory }: {
    readonly maxMessageBytes?: number;
    readonly boundOf?: ReadBound;
    readonly memory?: UnfinishedMessages;
  } = {},
) {
  const messages: SocketMessage[] = [];
  const seen = {
    messages,
    pings: 0,
    breach: noBreach(),
  };
  const shared = memory ?? new UnfinishedMessages(16 * MiB);
  const frames = new FrameReader({
    maxMessageBytes,
    boundOf,
    memory: shared,
    sink: {
      message: (message) => messages.push(message),
      ping: () => seen.pings += 1,
      pong: () => {},
      close: () => {},
      breach: (breach) => seen.breach = breach,
    },
  });
  return Object.assign(seen, { frames, memory: shared });
}

/** A message as a server sends it, in so many fragments, with a ping in its middle if that is wanted. */
function framesOf(
  { text, fragments = 1, ping = false }: {
    readonly text: string;
    readonly fragments?: number;
    readonly ping?: boolean;
  },
): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  const size = Math.ceil(bytes.length / fragments);
  const frames: Uint8Array[] = [];
  for (let i = 0; i < fragments; i++) {
    if (i === fragments - 1 && ping) frames.push(Uint8Array.of(0x89, 1, 0x21));
    const opcode = i === 0 ? 1 : 0;
    const last = i === fragments - 1 ? 0x80 : 0;
    const payload = bytes.subarray(i * size, (i + 1) * size);
    frames.push(concat([headOf(opcode | last, payload.length), payload]));
  }
  return frames;
}

function headOf(first: number, length: number): Uint8Array {
  if (length < 126) return Uint8Array.of(first, length);
  const head = new Uint8Array(length < 65_536 ? 4 : 10);
  const view = new DataView(head.buffer);
  head[0] = first;
  head[1] = length < 65_536 ? 126 : 127;
  if (length < 65_536) view.setUint16(2, length);
  else view.setBigUint64(2, BigInt(length));
  return head;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, it) => sum + it.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function noBreach(): FrameBreach | undefined {
  return undefined;
}
