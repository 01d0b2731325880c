import assert from "node:assert/strict";
import {
  failureOf,
  never,
  relayAt,
  testDialer,
  valueOf,
} from "../../support/dialing.ts";
import { testRelay } from "../../support/test_relay.ts";
import { makeCertificate } from "../../support/tls.ts";

const resolve = () => Promise.resolve(["127.0.0.1"]);

Deno.test("open() verifies the certificate against trusted authorities and the name", async () => {
  const certificate = await makeCertificate({ names: ["relay.test"] });
  await using relay = await testRelay({ certificate, host: "relay.test" });
  const caCertificates = [certificate.ca];
  const dialer = testDialer({ resolve, caCertificates });
  await using socket = valueOf(
    await dialer.open(relay.relay, { signal: never }),
  );
  assert.equal(socket.tls?.verified, true);
  assert.match(socket.tls.protocol ?? "TLSv1.3", /^TLSv1\.[23]$/);
  assert.equal(relay.requests[0]?.headers["host"], `relay.test:${relay.port}`);
});

Deno.test("open() accepts a certificate of an IP address", async () => {
  const certificate = await makeCertificate({ names: ["127.0.0.1"] });
  await using relay = await testRelay({ certificate });
  const dialer = testDialer({ caCertificates: [certificate.ca] });
  await using socket = valueOf(
    await dialer.open(relay.relay, { signal: never }),
  );
  assert.equal(socket.tls?.verified, true);
});

Deno.test("open() refuses a certificate that does not hold", async () => {
  const day = 86_400_000;
  const certificates = {
    "of another name": await makeCertificate({ names: ["other.test"] }),
    "expired": await makeCertificate({
      names: ["relay.test"],
      notBefore: new Date(Date.now() - 9 * day),
      notAfter: new Date(Date.now() - day),
    }),
    "not valid yet": await makeCertificate({
      names: ["relay.test"],
      notBefore: new Date(Date.now() + day),
    }),
  };
  for (const [what, certificate] of Object.entries(certificates)) {
    await using relay = await testRelay({ certificate, host: "relay.test" });
    const dialer = testDialer({ resolve, caCertificates: [certificate.ca] });
    const refused = await dialer.open(relay.relay, { signal: never });
    const { detail } = failureOf(refused, "tls");
    assert.match(detail, /^relay\.test: /, what);
    assert.deepEqual(relay.requests, [], what);
  }
});

Deno.test("open() refuses an unknown authority, unless insecure TLS is allowed, and says so", async () => {
  const certificate = await makeCertificate({ names: ["relay.test"] });
  await using relay = await testRelay({ certificate, host: "relay.test" });
  const strict = testDialer({ resolve });
  failureOf(await strict.open(relay.relay, { signal: never }), "tls");
  assert.deepEqual(relay.requests, []);

  const lax = testDialer({ resolve, allowInsecureTls: true });
  await using socket = valueOf(await lax.open(relay.relay, { signal: never }));
  assert.equal(socket.tls?.verified, false);
});

Deno.test("open() does not take insecure TLS for a way around other failures", async () => {
  await using plain = await testRelay();
  const target = relayAt(`wss://127.0.0.1:${plain.port}`);
  const lax = testDialer({ allowInsecureTls: true });
  failureOf(await lax.open(target, { signal: never }), "tls");
  assert.deepEqual(plain.requests, []);
});

Deno.test("messages flow over TLS as fast as they are taken", async () => {
  const certificate = await makeCertificate({ names: ["127.0.0.1"] });
  const text = "x".repeat(10_000);
  await using relay = await testRelay({
    certificate,
    onReq: (req) => {
      for (let i = 0; i < 1_000; i++) req.send(text);
      req.eose();
    },
  });
  const dialer = testDialer({ caCertificates: [certificate.ca] });
  await using socket = valueOf(
    await dialer.open(relay.relay, { signal: never }),
  );
  socket.send('["REQ","x",{}]');
  let count = 0;
  for await (const batch of socket) {
    count += batch.length;
    if (String(batch.at(-1)).startsWith('["EOSE"')) break;
  }
  assert.equal(count, 1_001);
});
