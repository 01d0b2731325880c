/**
 * Certificates as OpenSSL makes and reads them: an opinion that is not ours.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Certificate } from "./tls.ts";

/** A server's certificate under an authority under a root, with everything a name can have. */
export async function makeChain(
  directory: string,
  host: string,
): Promise<{ full: Certificate; short: Certificate; selfSigned: Certificate }> {
  const file = (name: string) => `${directory}/${name}`;
  const read = (name: string) => Deno.readTextFile(file(name));
  await Deno.writeTextFile(file("ca.ext"), "basicConstraints=critical,CA:TRUE");
  await Deno.writeTextFile(
    file("leaf.ext"),
    `subjectAltName=DNS:${host},DNS:*.wild.test,IP:127.0.0.1,IP:2001:db8::1`,
  );
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const request = async (name: string, subject: string) =>
    await openssl([
      "req",
      "-new",
      ...key,
      "-nodes",
      "-subj",
      subject,
      "-keyout",
      file(`${name}.key`),
      "-out",
      file(`${name}.csr`),
    ]);
  const sign = async (name: string, by: string, extensions: string) =>
    await openssl([
      "x509",
      "-req",
      "-in",
      file(`${name}.csr`),
      "-days",
      "30",
      "-CA",
      file(`${by}.crt`),
      "-CAkey",
      file(`${by}.key`),
      "-CAcreateserial",
      "-extfile",
      file(extensions),
      "-out",
      file(`${name}.crt`),
    ]);
  await openssl([
    "req",
    "-x509",
    ...key,
    "-nodes",
    "-days",
    "30",
    "-subj",
    "/CN=Root",
    "-keyout",
    file("root.key"),
    "-out",
    file("root.crt"),
  ]);
  await request("middle", "/O=Middle & Söhne/CN=Middle authority");
  await sign("middle", "root", "ca.ext");
  await request("leaf", `/O=Relay operators/CN=${host}`);
  await sign("leaf", "middle", "leaf.ext");
  await openssl([
    "req",
    "-x509",
    ...key,
    "-nodes",
    "-days",
    "30",
    "-subj",
    `/O=Myself/CN=${host}`,
    "-addext",
    `subjectAltName=DNS:${host}`,
    "-keyout",
    file("self.key"),
    "-out",
    file("self.crt"),
  ]);
  const leaf = { key: await read("leaf.key"), ca: await read("root.crt") };
  const cert = await read("leaf.crt");
  return {
    full: { ...leaf, cert: cert + await read("middle.crt") },
    short: { ...leaf, cert },
    selfSigned: {
      ...leaf,
      key: await read("self.key"),
      cert: await read("self.crt"),
    },
  };
}

/** What OpenSSL reads in a certificate, in the words of the `nip66_ssl` document. */
export async function readCertificate(pem: string) {
  const options = ["-subject", "-issuer", "-serial", "-startdate", "-enddate"];
  const more = ["-fingerprint", "-sha256", "-ext", "subjectAltName"];
  const text = await openssl(
    ["x509", "-noout", ...options, ...more, "-nameopt", "utf8,sep_multiline"],
    pem,
  );
  const version = await openssl(["x509", "-noout", "-text"], pem);
  const line = (pattern: RegExp, from = text) => pattern.exec(from)?.[1];
  const [subject = "", issuer = ""] = text.split(/^issuer=/m);
  return {
    ssl_subject_cn: line(/^\s+CN ?= ?(.*)$/m, subject),
    ssl_issuer: line(/^\s+O ?= ?(.*)$/m, issuer.split("serial=")[0]),
    ssl_issuer_cn: line(/^\s+CN ?= ?(.*)$/m, issuer),
    ssl_not_before: Date.parse(line(/^notBefore=(.*)$/m) ?? "") / 1_000,
    ssl_expires: Date.parse(line(/^notAfter=(.*)$/m) ?? "") / 1_000,
    ssl_san: line(/Alternative Name: *\n\s*(.*)/)?.split(", "),
    ssl_serial: line(/^serial=(.*)$/m),
    ssl_version: Number(line(/Version: (\d)/, version)),
    ssl_fingerprint: `SHA256:${line(/Fingerprint=(.*)$/m)}`,
  };
}

/** What OpenSSL's client sees of a server: protocol and cipher. */
export async function readSession(port: number) {
  const text = await openssl(
    ["s_client", "-connect", `127.0.0.1:${port}`],
    "",
  );
  const [, protocol, cipher] = /^New, (.*), Cipher is (.*)$/m.exec(text) ?? [];
  return { protocol, cipher };
}

/** Its standard output. */
async function openssl(
  args: readonly string[],
  input?: string,
): Promise<string> {
  await using child = new Deno.Command("openssl", {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input ?? ""));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert(success, `openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** OpenSSL's own TLS server on a free port of 127.0.0.1, with an RSA certificate; `options` say which protocol and ciphers. */
export async function opensslServer(
  directory: string,
  options: readonly string[],
): Promise<AsyncDisposable & { readonly port: number; readonly ca: string }> {
  const file = (name: string) => `${directory}/${name}`;
  await openssl([
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "3",
    "-subj",
    "/CN=localhost",
    "-addext",
    "subjectAltName=DNS:localhost",
    "-keyout",
    file("rsa.key"),
    "-out",
    file("rsa.crt"),
  ]);
  const child = new Deno.Command("openssl", {
    args: [
      "s_server",
      "-accept",
      "127.0.0.1:0",
      "-www",
      ...options,
      "-key",
      file("rsa.key"),
      "-cert",
      file("rsa.crt"),
    ],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let said = "";
  const output = child.stdout.pipeThrough(new TextDecoderStream());
  for await (const part of output.values({ preventCancel: true })) {
    said += part;
    if (/^ACCEPT .*\n/m.test(said)) break;
  }
  return {
    port: Number(/^ACCEPT .*:(\d+)$/m.exec(said)?.[1]),
    ca: await Deno.readTextFile(file("rsa.crt")),
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.status;
      await output.cancel();
    },
  };
}
