import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import type { GetOptions } from "../../../src/transport/dialer.ts";
import {
  failureOf,
  never,
  testDialer,
  valueOf,
} from "../../support/dialing.ts";
import { testRelay } from "../../support/test_relay.ts";
import type { HttpReply } from "../../support/test_relay_script.ts";

Deno.test("get() fetches a document and says who asks, and that it wants it plain", async () => {
  await using relay = await testRelay({
    http: {
      status: 200,
      headers: { "content-type": "application/JSON; charset=utf-8" },
      body: '{"name":"✓"}',
    },
  });
  const answer = valueOf(
    await get(`${httpOf(relay.url)}/a%20b?c=d#e`, {
      accept: "application/json",
      contentTypes: ["application/json"],
    }),
  );
  assert.equal(answer.status, 200);
  assert.equal(new TextDecoder().decode(answer.bytes), '{"name":"✓"}');
  assert.equal(answer.address, "127.0.0.1");
  const [request] = relay.requests;
  assert.equal(request?.path, "/a%20b?c=d");
  assert.equal(request?.headers["accept"], "application/json");
  assert.equal(request?.headers["accept-encoding"], "identity");
  assert.match(request?.headers["user-agent"] ?? "", /^BigBrotr\/test/);
});

Deno.test("get() gives an answer of any status, and its type only has to be right when it went well", async () => {
  const reply = { status: 404, headers: { "content-type": "text/html" } };
  await using relay = await testRelay({ http: { ...reply, body: "no" } });
  const contentTypes = ["application/json"];
  const answer = valueOf(await get(httpOf(relay.url), { contentTypes }));
  assert.equal(answer.status, 404);
  await using page = await testRelay({ http: { ...reply, status: 200 } });
  const refused = failureOf(
    await get(httpOf(page.url), { contentTypes }),
    "http",
  );
  assert.match(refused.detail, /text\/html instead of application\/json/);
});

Deno.test("get() gives up a body that is too large, however it is sent", async () => {
  const body = "x".repeat(2_000);
  const sized = { "content-length": "2000" };
  for (const headers of [sized, {}]) {
    await using relay = await testRelay({
      http: { status: 200, headers, body },
    });
    failureOf(await get(httpOf(relay.url), { maxBytes: 1_999 }), "too-large");
    const whole = valueOf(await get(httpOf(relay.url), { maxBytes: 2_000 }));
    assert.equal(whole.bytes.length, 2_000);
  }
  await using endless = await testRelay({
    http: { status: 200, body, unending: true },
  });
  failureOf(await get(httpOf(endless.url), { maxBytes: 1_999 }), "too-large");
  const waiting = await get(httpOf(endless.url), { timeoutMs: 100 });
  assert.match(failureOf(waiting, "timeout").detail, /^answer: .*100 ms/);
  await endless.idle();
});

Deno.test("get() follows redirects on the same host and port only", async () => {
  await using relay = await testRelay({
    http: ({ path }): HttpReply => {
      if (path === "/end") return { status: 200, body: "arrived" };
      const location = path === "/away"
        ? "http://127.0.0.2/end?key=secret"
        : path === "/port"
        ? "http://127.0.0.1:1/end"
        : "/end";
      return { status: 302, headers: { location } };
    },
  });
  const answer = valueOf(await get(`${httpOf(relay.url)}/start`));
  assert.equal(new TextDecoder().decode(answer.bytes), "arrived");
  const away = failureOf(await get(`${httpOf(relay.url)}/away`), "http");
  assert.match(away.detail, /leads to another host: http:\/\/127\.0\.0\.2/);
  assert(!away.detail.includes("secret"), "a query may hold a key");
  const port = failureOf(await get(`${httpOf(relay.url)}/port`), "http");
  assert.match(port.detail, /leads to another port/);

  await using loop = await testRelay({
    http: { status: 301, headers: { location: "/again" } },
  });
  const tired = failureOf(await get(httpOf(loop.url)), "http");
  assert.match(tired.detail, /is one too many/);
  assert.equal(loop.requests.length, 4);
});

Deno.test("get() looks up the target of a redirect again, and dials what it finds then", async () => {
  await using relay = await testRelay({
    host: "relay.test",
    http: { status: 302, headers: { location: "/end" } },
  });
  const answers = [["127.0.0.1"], ["127.0.0.2"]];
  let lookups = 0;
  const resolve = () => Promise.resolve(answers[lookups++] ?? []);
  const dialer = testDialer({ resolve });
  // Nobody listens there, so that the old address would be found out.
  failureOf(await dialer.get(httpOf(relay.url), defaults), "refused");
  assert.equal(lookups, 2);
  assert.equal(relay.requests.length, 1);
});

Deno.test("get() refuses what is not a URL of a document", async () => {
  const urls = [
    "ftp://x.test/",
    "file:///etc/passwd",
    "http://user:secret@127.0.0.1/",
    "nonsense",
    "http://",
  ];
  for (const url of urls) {
    const { detail } = failureOf(await get(url), "protocol");
    assert(!detail.includes("secret"));
  }
  const strict = testDialer({ allowPrivate: false });
  for (const host of ["127.0.0.1", "2130706433", "0x7f.1", "[::1]"]) {
    const refused = await strict.get(`http://${host}/`, defaults);
    assert(!refused.ok && /address|protocol/.test(refused.failure.code), host);
  }
});

Deno.test("get() takes what HTTP allows, byte by byte", async () => {
  const answers = {
    "chunks, extensions, trailers":
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
      '3;x="y"\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: z\r\n\r\n',
    "an end by closing": "HTTP/1.0 200 \r\n\r\nabcde",
    "an interim answer":
      "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\n" +
      "content-length:   5   \r\n\r\nabcde and more",
  };
  for (const [what, answer] of Object.entries(answers)) {
    await using server = await saying(answer);
    const got = valueOf(await get(server.url));
    assert.equal(new TextDecoder().decode(got.bytes), "abcde", what);
  }
});

Deno.test("get() refuses what is not HTTP, or not plain", async () => {
  const head = "HTTP/1.1 200 OK\r\n";
  const cases = [
    ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "protocol"],
    ["", "closed"],
    [`${head}Content-Length: 10\r\n\r\nshort`, "closed"],
    [`${head}Transfer-Encoding: chunked\r\n\r\n5\r\nabc`, "closed"],
    [`${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, "protocol"],
    [`${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n`, "protocol"],
    [`${head}Transfer-Encoding: gzip\r\n\r\n`, "protocol"],
    [`${head}Content-Encoding: gzip\r\n\r\n\x1f\x8b`, "protocol"],
    [`${head}Content-Length: -5\r\n\r\n`, "protocol"],
    [`${head}Content-Length: 5, 6\r\n\r\nabcde`, "protocol"],
    [`${head}Bad Header\r\n\r\n`, "protocol"],
    [`${head} folded: x\r\n\r\n`, "protocol"],
    [`${head}${"x: y\r\n".repeat(300)}\r\n`, "protocol"],
    [`${head}x: ${"y".repeat(40_000)}\r\n\r\n`, "too-large"],
    ["HTTP/1.1 100 Continue\r\n\r\n".repeat(9), "protocol"],
    [`${head}Transfer-Encoding: chunked\r\n\r\nfffffffffff\r\n`, "too-large"],
  ] as const;
  for (const [answer, code] of cases) {
    await using server = await saying(answer);
    failureOf(await get(server.url), code);
  }
});

Deno.test("get() bounds what it reads, not only what it keeps", async () => {
  const plain = "HTTP/1.1 200 OK\r\n";
  const floods = {
    "chunks of one byte": [
      `${plain}Transfer-Encoding: chunked\r\n\r\n`,
      `1;${"x".repeat(8_000)}\r\n{\r\n`,
    ],
    "an extension without an end": [
      `${plain}Transfer-Encoding: chunked\r\n\r\n1;`,
      "x".repeat(8_000),
    ],
    "a head without an end": [plain, `x: ${"y".repeat(1_000)}\r\n`],
    "interim answers without an end": ["", "HTTP/1.1 103 Hints\r\n\r\n"],
  } as const;
  for (const [what, [start, again]] of Object.entries(floods)) {
    await using server = await flooding(start, again);
    const startedAt = performance.now();
    const answer = await get(server.url, { maxBytes: 64 * 1_024 });
    assert(!answer.ok, what);
    assert.match(answer.failure.code, /^(too-large|protocol)$/, what);
    assert(performance.now() - startedAt < 5_000, what);
  }
});

const defaults: GetOptions = {
  signal: never,
  timeoutMs: 10_000,
  maxBytes: 10_000,
  accept: "*/*",
};

function get(url: string, options: Partial<GetOptions> = {}) {
  return testDialer().get(url, { ...defaults, ...options });
}

function httpOf(url: string): string {
  return url.replace(/^ws/, "http");
}

/** A server that answers every connection with this text, and hangs up. */
function saying(text: string) {
  return serving((socket) => socket.end(text, "latin1"));
}

/** A server that begins its answer so, and goes on for ever. */
function flooding(start: string, again: string) {
  const block = again.repeat(Math.ceil(100_000 / again.length));
  return serving((socket) => {
    const send = () => {
      while (!socket.destroyed && socket.write(block));
      if (!socket.destroyed) socket.once("drain", send);
    };
    socket.write(start);
    send();
  });
}

/** A server that answers every connection so. */
async function serving(
  answer: (socket: Socket) => void,
): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => answer(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  assert(address !== null && typeof address !== "string");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
