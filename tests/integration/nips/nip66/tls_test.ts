import assert from "node:assert/strict";
import { examineTls } from "../../../../src/nips/nip66/tls.ts";
import { never, relayAt, testDialer } from "../../../support/dialing.ts";
import { missing, unless } from "../../../support/installed.ts";
import {
  makeChain,
  opensslServer,
  readCertificate,
  readSession,
} from "../../../support/openssl.ts";
import { temporaryDirectory } from "../../../support/temporary_directory.ts";
import { testRelay } from "../../../support/test_relay.ts";
import { type Certificate, makeCertificate } from "../../../support/tls.ts";

const HOST = "relay.test";
const DAY_MS = 86_400_000;
const NO_OPENSSL = await missing("openssl", ["version"]);
const resolve = () => Promise.resolve(["127.0.0.1"]);
const options = { signal: never, timeoutMs: 20_000 };

/** The document for a relay that presents `certificate`, and what OpenSSL thinks of both. */
async function documentFor(
  certificate: Certificate,
  { trusted = [certificate.ca], host = HOST } = {},
) {
  await using relay = await testRelay({ certificate, host });
  const dialer = testDialer({ resolve, caCertificates: trusted });
  const { data, logs, failure } = await examineTls(
    dialer,
    relay.relay,
    options,
  );
  assert.deepEqual({ logs, failure }, {
    logs: { success: true },
    failure: null,
  });
  const { ssl_valid, ssl_problems, ...rest } = data;
  const { ssl_protocol, ssl_cipher, ssl_cipher_bits, ...fields } = rest;
  const session = await readSession(relay.port);
  assert.deepEqual([ssl_protocol, ssl_cipher], [
    session.protocol,
    session.cipher,
  ]);
  assert.equal(ssl_cipher_bits, 256);
  await assertReads(fields, certificate);
  return { ssl_valid, ssl_problems };
}

/** Each field, compared with what OpenSSL prints. */
async function assertReads(
  fields: Record<string, unknown>,
  { cert }: Certificate,
) {
  const { ssl_san, ...expected } = await readCertificate(cert);
  const names = ssl_san?.map((name) =>
    name.replace(/^DNS:|^IP Address:/, "")
      .replace("2001:DB8:0:0:0:0:0:1", "2001:db8::1")
  );
  const known = Object.entries({ ...expected, ssl_san: names })
    .filter(([, value]) => value !== undefined);
  assert.deepEqual(fields, Object.fromEntries(known));
}

Deno.test({
  ...unless(
    NO_OPENSSL,
    "examineTls() reads every field of a certificate as OpenSSL does",
  ),
  async fn() {
    await using directory = await temporaryDirectory();
    const { full, short, selfSigned } = await makeChain(directory.path, HOST);
    assert.deepEqual(await documentFor(full), {
      ssl_valid: true,
      ssl_problems: undefined,
    });
    assert.deepEqual(await documentFor(short), {
      ssl_valid: false,
      ssl_problems: ["incomplete-chain"],
    });
    assert.deepEqual(await documentFor(selfSigned), {
      ssl_valid: false,
      ssl_problems: ["self-signed"],
    });
    const stranger = await makeCertificate({ names: ["x"] });
    const withRoot = { ...full, cert: full.cert + full.ca };
    assert.deepEqual(await documentFor(withRoot, { trusted: [stranger.ca] }), {
      ssl_valid: false,
      ssl_problems: ["untrusted-authority"],
    });
  },
});

Deno.test({
  ...unless(
    NO_OPENSSL,
    "examineTls() tells apart why a certificate does not hold",
  ),
  async fn() {
    const past = new Date(Date.now() - 9 * DAY_MS);
    const yesterday = new Date(Date.now() - DAY_MS);
    const tomorrow = new Date(Date.now() + DAY_MS);
    const cases = [
      [{ names: [HOST] }, undefined],
      [{ names: [HOST], notBefore: past, notAfter: yesterday }, ["expired"]],
      [{ names: [HOST], notBefore: tomorrow }, ["not-yet-valid"]],
      [{ names: ["other.test"] }, ["wrong-host"]],
      [{ names: ["x.test"], notBefore: past, notAfter: yesterday }, [
        "expired",
        "wrong-host",
      ]],
    ] as const;
    for (const [given, problems] of cases) {
      const certificate = await makeCertificate(given);
      assert.deepEqual(await documentFor(certificate), {
        ssl_valid: problems === undefined,
        ssl_problems: problems,
      });
    }
  },
});

Deno.test({
  ...unless(
    NO_OPENSSL,
    "examineTls() names protocol, cipher and its strength as OpenSSL's server does",
  ),
  async fn() {
    const cases = [
      ["TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", 128],
      ["TLSv1.2", "ECDHE-RSA-CHACHA20-POLY1305", 256],
      ["TLSv1.3", "TLS_AES_128_GCM_SHA256", 128],
    ] as const;
    for (const [protocol, cipher, bits] of cases) {
      await using directory = await temporaryDirectory();
      await using server = await opensslServer(directory.path, [
        protocol === "TLSv1.2" ? "-tls1_2" : "-tls1_3",
        protocol === "TLSv1.2" ? "-cipher" : "-ciphersuites",
        cipher,
      ]);
      const dialer = testDialer({ resolve, caCertificates: [server.ca] });
      const relay = relayAt(`wss://localhost:${server.port}`);
      const { data } = await examineTls(dialer, relay, options);
      assert.deepEqual([
        data["ssl_valid"],
        data["ssl_protocol"],
        data["ssl_cipher"],
        data["ssl_cipher_bits"],
      ], [true, protocol, cipher, bits]);
    }
  },
});

Deno.test("examineTls() of a relay without TLS, and of one that is not there, says so", async () => {
  const dialer = testDialer();
  await using plain = await testRelay();
  const none = await examineTls(dialer, plain.relay, options);
  assert.deepEqual([none.data, none.logs["success"]], [{}, false]);
  const silent = relayAt(plain.url.replace("ws:", "wss:"));
  const failed = await examineTls(dialer, silent, options);
  assert.equal(failed.failure?.code, "tls");
  assert.deepEqual(failed.data, {});
});
