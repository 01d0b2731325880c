/**
 * Relays that cost more to read than they give: each answers a REQ by what once took a worker, or its memory, from its
 * neighbours.
 *
 * @module
 */
import type { TestReq } from "./test_relay_script.ts";

export interface Pest {
  readonly what: string;
  readonly onReq: (req: TestReq) => void | Promise<void>;
}

const MiB = 1_024 * 1_024;
/** Just below the largest message that does not end the connection. */
const LARGE = Math.floor(31.9 * MiB);

export const PESTS: readonly Pest[] = [
  {
    what: "answers with a NOTICE of nested lists",
    onReq: once(() => `["NOTICE",${nested(LARGE)}]`),
  },
  {
    what: "answers with an unknown message of empty lists",
    onReq: once(() => `["X","s",${flat(LARGE)}]`),
  },
  {
    what: "floods with unknown messages",
    onReq: flood(() => `["X","s",${flat(MiB)}]`),
  },
  {
    what: "floods with events of empty tags",
    onReq: flood(({ subId }) =>
      `["EVENT","${subId}",{"id":"${"ab".repeat(32)}","tags":${
        flat(MiB)
      },"sig":""}]`
    ),
  },
  {
    what: "floods with events of nested tags",
    onReq: flood(({ subId }) =>
      `["EVENT","${subId}",{"tags":${nested(MiB)},"sig":""}]`
    ),
  },
  {
    what: "floods with events that are too large",
    onReq: flood(({ subId }) =>
      `["EVENT","${subId}",{"content":"${"x".repeat(4 * MiB)}"}]`
    ),
  },
  {
    what: "answers NIP-77 by nested lists",
    onReq: once(({ subId }) => `["NEG-MSG","${subId}",${nested(LARGE)}]`),
  },
  { what: "leaves a large message unfinished", onReq: unfinished },
];

/** Nested lists of so many characters. */
function nested(characters: number): string {
  const depth = characters / 2 | 0;
  return `${"[".repeat(depth)}${"]".repeat(depth)}`;
}

/** A list of empty lists of so many characters. */
function flat(characters: number): string {
  return `[${"[],".repeat(characters / 3 | 0)}[]]`;
}

function once(textOf: (req: TestReq) => string): Pest["onReq"] {
  return (req) => {
    req.send(textOf(req));
    req.eose();
  };
}

function flood(textOf: (req: TestReq) => string): Pest["onReq"] {
  return async (req) => {
    const frame = frameOf(textOf(req));
    while (req.isConnected()) await req.sendBytes(frame);
  };
}

/** All but the last byte of a frame. */
function unfinished(req: TestReq): void {
  const text = `["EVENT","${req.subId}",{"content":"${"x".repeat(LARGE)}"}]`;
  const frame = frameOf(text);
  void req.sendBytes(frame.subarray(0, frame.length - 1));
}

/** A text frame of more than 64 KiB, of ASCII. */
function frameOf(text: string): Uint8Array {
  const frame = new Uint8Array(10 + text.length);
  frame[0] = 0x81;
  frame[1] = 127;
  new DataView(frame.buffer).setBigUint64(2, BigInt(text.length));
  new TextEncoder().encodeInto(text, frame.subarray(10));
  return frame;
}
