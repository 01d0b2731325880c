import assert from "node:assert/strict";
import type { CheckDocument } from "../../../src/nips/check_document.ts";
import { fetchNip11 } from "../../../src/nips/nip11.ts";
import { never, relayAt, testDialer } from "../../support/dialing.ts";
import { testRelay } from "../../support/test_relay.ts";
import type { HttpReply } from "../../support/test_relay_script.ts";

const headers = { "content-type": "application/nostr+json" };

Deno.test("fetchNip11() asks the relay's own URL for its document", async () => {
  const body = JSON.stringify({ name: "ours", supported_nips: [11, 1] });
  await using relay = await testRelay({
    http: { status: 200, headers, body },
  });
  const document = await fetchNip11(testDialer(), relay.relay, {
    signal: never,
    timeoutMs: 20_000,
    maxBytes: 65_536,
  });
  assert.deepEqual(document, {
    data: { name: "ours", supported_nips: [1, 11] },
    logs: { success: true },
    failure: null,
  });
  const [request] = relay.requests;
  assert.equal(request?.method, "GET");
  assert.equal(request.path, "/");
  assert.equal(request.headers["accept"], "application/nostr+json");
});

Deno.test("fetchNip11() gives the reason why there is no document", async () => {
  const html = { "content-type": "text/html" };
  const away = { location: "http://169.254.169.254/latest/meta-data" };
  const cases: [HttpReply, RegExp][] = [
    [{ status: 404, body: "no" }, /^http 404: no information document/],
    [{ status: 200, headers: html, body: "<html>" }, /text\/html instead/],
    [{ status: 200, body: "{}" }, /no content type instead/],
    [{ status: 302, headers: away }, /leads to another host/],
    [{ status: 200, headers, body: "{" }, /not valid JSON/],
    [{ status: 200, headers, body: "[]" }, /not a JSON object/],
    [{ status: 200, headers, body: "null" }, /not a JSON object/],
    [{ status: 200, headers, body: "{}" }, /no field of NIP-11/],
    [{ status: 200, headers, body: '{"a":1}' }, /no field of NIP-11/],
    [{ status: 200, headers, body: '{"name":[5]}' }, /no field of NIP-11/],
    [{ status: 200, headers, body: "[".repeat(60_000) }, /not valid JSON/],
    [
      { status: 200, headers, body: Uint8Array.of(0x22, 0xff, 0x22) },
      /not valid UTF-8/,
    ],
    [
      { status: 200, headers, body: `{"name":"${"x".repeat(70_000)}"}` },
      /^too-large: .*65536 bytes/,
    ],
    [
      { status: 200, headers: { ...headers, "content-encoding": "gzip" } },
      /encoded: gzip/,
    ],
    [{ status: 200, headers, body: "{", unending: true }, /^timeout: answer/],
  ];
  for (const [http, reason] of cases) {
    const { data, logs, failure } = await fetchFrom(http);
    assert.deepEqual(data, {});
    assert.equal(logs["success"], false);
    assert.match(String(logs["reason"]), reason);
    assert.notEqual(failure, null);
  }
});

Deno.test("fetchNip11() takes what has its right type, and keeps the rest as it came", async () => {
  const body = '{"name":"ours","contact":7,"limitation":{"max_limit":"9"}}';
  const { data } = await fetchFrom({ status: 200, headers, body });
  assert.deepEqual(data, {
    name: "ours",
    extra: { contact: 7, limitation: { max_limit: "9" } },
  });
});

Deno.test("fetchNip11() hangs up on a document of 100 MB long before its end", async () => {
  const end = 100_000_000;
  for (const sent of ["announced", "in parts"]) {
    let bytes = 0;
    const flood = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(64 * 1024).fill(0x20));
        bytes += 64 * 1024;
        if (bytes >= end) controller.close();
      },
    });
    const length = { "content-length": String(end) };
    const announced = sent === "announced" ? length : {};
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response(flood, { headers: { ...headers, ...announced } }),
    );
    const relay = relayAt(`ws://127.0.0.1:${server.addr.port}`);
    const { data, logs } = await fetchNip11(testDialer(), relay, {
      signal: never,
      timeoutMs: 60_000,
      maxBytes: 1_048_576,
    });
    assert.deepEqual(data, {});
    assert.match(String(logs["reason"]), /^too-large: .*1048576 bytes/, sent);
    assert(bytes < end / 4, `${sent}: ${bytes} bytes were taken`);
  }
});

Deno.test("fetchNip11() says aborted when told to stop", async () => {
  await using relay = await testRelay();
  const document = await fetchNip11(testDialer(), relay.relay, {
    signal: AbortSignal.abort(),
    timeoutMs: 1_000,
    maxBytes: 1_000,
  });
  assert.deepEqual(document.failure, { code: "aborted" });
});

async function fetchFrom(http: HttpReply): Promise<CheckDocument> {
  await using relay = await testRelay({ http });
  return await fetchNip11(testDialer(), relay.relay, {
    signal: never,
    timeoutMs: http.unending ? 100 : 20_000,
    maxBytes: 65_536,
  });
}
