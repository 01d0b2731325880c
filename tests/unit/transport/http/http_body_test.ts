import assert from "node:assert/strict";
import { readBody } from "../../../../src/transport/http/http_body.ts";
import {
  fedReader,
  type PeerEnd,
  waysToCut,
} from "../../../support/fed_reader.ts";

const MAX = 12;

type Expected = string | { readonly code: string; readonly detail: RegExp };

interface Case {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly wire: string;
  readonly end?: PeerEnd;
  readonly is: Expected;
}

const length = (value: string) => ({ "content-length": value });
const CHUNKED = { "transfer-encoding": "Chunked" };
const cutShort = { code: "closed", detail: /cut short: / };
const tooLarge = { code: "too-large", detail: /larger than 12 bytes/ };
const malformed = (what: RegExp) => ({
  code: "protocol",
  detail: new RegExp(`malformed: .*${what.source}`),
});

const CASES: Readonly<Record<string, Case>> = {
  "no content": { status: 204, headers: length("5"), wire: "hello", is: "" },
  "not modified": { status: 304, wire: "hello", end: "stays", is: "" },
  "a length": {
    headers: length("5"),
    wire: "hello",
    end: "stays",
    is: "hello",
  },
  "a length, and more": { headers: length("5"), wire: "hello!", is: "hello" },
  "nothing, at length": {
    headers: length("0"),
    wire: "",
    end: "stays",
    is: "",
  },
  "the longest length": {
    headers: length("012"),
    wire: "x".repeat(MAX),
    end: "stays",
    is: "x".repeat(MAX),
  },
  "one byte too many, none of them read": {
    headers: length("13"),
    wire: "",
    end: "stays",
    is: tooLarge,
  },
  "less than the length": { headers: length("5"), wire: "hell", is: cutShort },
  "a reset within the length": {
    headers: length("5"),
    wire: "hell",
    end: "resets",
    is: { code: "closed", detail: /cut short: connection reset/ },
  },
  "until the end": { wire: "hello", is: "hello" },
  "the longest until the end": {
    wire: "x".repeat(MAX),
    is: "x".repeat(MAX),
  },
  "one byte too many until the end": {
    wire: "x".repeat(MAX + 1),
    end: "stays",
    is: tooLarge,
  },
  "a reset instead of the end": { wire: "hello", end: "resets", is: cutShort },
  "chunks": {
    headers: CHUNKED,
    wire: "2\r\nhe\r\n3\r\nllo\r\n0\r\n",
    end: "stays",
    is: "hello",
  },
  "chunks win over a length": {
    headers: { ...CHUNKED, ...length("2") },
    wire: "5\r\nhello\r\n0\r\n\r\n",
    is: "hello",
  },
  "chunk sizes as RFC 9112 allows them": {
    headers: CHUNKED,
    wire: "00A;a=b\r\n0123456789\r\n2 \t;x\r\nab\r\n000\r\n",
    is: "0123456789ab",
  },
  "no chunk but the last": { headers: CHUNKED, wire: "0\r\n", is: "" },
  "chunks that look like ends": {
    headers: CHUNKED,
    wire: "7\r\n\r\n0\r\n\r\n\r\n0\r\n",
    is: "\r\n0\r\n\r\n",
  },
  "chunks of one byte too many": {
    headers: CHUNKED,
    wire: "C\r\n0123456789ab\r\n1\r\n",
    end: "stays",
    is: tooLarge,
  },
  "a chunk that would be too large": {
    headers: CHUNKED,
    wire: "ffffffffffff\r\n",
    end: "stays",
    is: tooLarge,
  },
  "the end within a chunk size": { headers: CHUNKED, wire: "5", is: cutShort },
  "the end within a chunk": {
    headers: CHUNKED,
    wire: "5\r\nhel",
    is: cutShort,
  },
  "the end within a chunk's end": {
    headers: CHUNKED,
    wire: "5\r\nhello\r",
    is: cutShort,
  },
  "no last chunk": { headers: CHUNKED, wire: "5\r\nhello\r\n", is: cutShort },
  "a chunk that ends in half a line end": {
    headers: CHUNKED,
    wire: "5\r\nhellox\n0\r\n",
    is: malformed(/chunk end/),
  },
  "a chunk longer than it says": {
    headers: CHUNKED,
    wire: "4\r\nhello\r\n0\r\n",
    is: malformed(/chunk end/),
  },
};

for (
  const [name, { status = 200, headers = {}, wire, end, is }] of Object.entries(
    CASES,
  )
) {
  Deno.test(`readBody() reads ${name}, however it comes`, async () => {
    for (const pieces of waysToCut(wire)) {
      const reader = fedReader(pieces, end);
      const body = await readBody(reader, { status, headers }, MAX);
      assert.equal(...compared(body, is), JSON.stringify(pieces));
    }
  });
}

Deno.test("readBody() takes no size that is none", async () => {
  for (
    const size of [
      "",
      " 5",
      "g",
      "-5",
      "+5",
      "0x5",
      "5 5",
      "5,",
      "\n5",
      "1234567890123",
    ]
  ) {
    const body = await readBody(
      fedReader([`${size}\r\nhello\r\n0\r\n`]),
      { status: 200, headers: CHUNKED },
      MAX,
    );
    assert.equal(...compared(body, malformed(/chunk size/)), size);
  }
  for (
    const size of ["", "5x", "-1", "+5", "5, 5", "0x5", "1234567890123456"]
  ) {
    const body = await readBody(
      fedReader(["hello"]),
      { status: 200, headers: length(size) },
      MAX,
    );
    assert.equal(...compared(body, malformed(/content-length/)), size);
  }
});

Deno.test("readBody() takes no encoding that was not asked for", async () => {
  const encodings = {
    "content-encoding": ["gzip", "br", "identity, gzip"],
    "transfer-encoding": ["gzip, chunked", "chunked, chunked", "identity", ""],
  };
  for (const [header, values] of Object.entries(encodings)) {
    for (const value of values) {
      const headers = { [header]: value };
      const body = await readBody(fedReader([]), { status: 200, headers }, MAX);
      assert.equal(body.ok ? "" : body.failure.code, "protocol", value);
    }
  }
  const headers = { "content-encoding": "Identity", ...length("2") };
  const plain = await readBody(fedReader(["hi"]), { status: 200, headers }, 2);
  assert.equal(...compared(plain, "hi"));
});

Deno.test("readBody() gives up what is all wrapping", async () => {
  const wrapped = (extension: number) =>
    Array.from({ length: 10 }, () => `1;${"e".repeat(extension)}\r\nx\r\n`);
  const read = (pieces: readonly string[]) =>
    readBody(
      fedReader(pieces, "stays"),
      { status: 200, headers: CHUNKED },
      MAX,
    );
  const fine = await read([...wrapped(6_000), "0\r\n"]);
  assert.equal(...compared(fine, "x".repeat(10)));
  assert.equal(...compared(await read(wrapped(8_000)), tooLarge));
  const endless = await read(["1;", "e".repeat(8 * 1_024)]);
  assert.equal(
    ...compared(endless, malformed(/a chunk size of more than 8192/)),
  );
});

/** What was read and what should be, as comparable texts. */
function compared(
  body: Awaited<ReturnType<typeof readBody>>,
  expected: Expected,
): [string, string] {
  const text = body.ok
    ? `body ${JSON.stringify(new TextDecoder("latin1").decode(body.value))}`
    : `${body.failure.code}: ${
      "detail" in body.failure ? body.failure.detail : ""
    }`;
  if (typeof expected === "string") {
    return [text, `body ${JSON.stringify(expected)}`];
  }
  const { code, detail } = expected;
  const isIt = !body.ok && body.failure.code === code && detail.test(text);
  return [text, isIt ? text : `${code}: ${detail}`];
}
