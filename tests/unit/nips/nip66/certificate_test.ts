import assert from "node:assert/strict";
import {
  coversHost,
  parseCertificate,
} from "../../../../src/nips/nip66/certificate.ts";
import { makeCertificate } from "../../../support/tls.ts";

async function bytesOf(names: readonly string[]): Promise<Uint8Array> {
  const { cert } = await makeCertificate({ names });
  return Uint8Array.fromBase64(cert.replace(/-----[A-Z ]+-----/g, ""));
}

Deno.test("parseCertificate() survives every cut and every flipped byte", async () => {
  const der = await bytesOf(["relay.test"]);
  assert.ok(parseCertificate(der).ok);
  for (let end = 0; end < der.length; end++) {
    assert.equal(parseCertificate(der.subarray(0, end)).ok, false);
  }
  for (let at = 0; at < der.length; at++) {
    const broken = der.with(at, der[at]! ^ 0xff);
    assert.equal(typeof parseCertificate(broken).ok, "boolean");
  }
});

Deno.test("coversHost() lets a star stand for the first label only, and never for part of an address", async () => {
  const parsed = parseCertificate(await bytesOf(["*.a.test", "127.0.0.1"]));
  assert(parsed.ok);
  const hosts = ["x.a.test", "X.A.test", "a.test", "x.y.a.test", "127.0.0.1"];
  assert.deepEqual(hosts.map((host) => coversHost(parsed.value, host)), [
    true,
    true,
    false,
    false,
    true,
  ]);
  const star = { ...parsed.value, altNames: ["*.0.0.1"] };
  assert.equal(coversHost(star, "127.0.0.1"), false);
});
