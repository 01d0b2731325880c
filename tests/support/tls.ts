/**
 * Certificates made on the spot (ECDSA P-256, X.509 by hand), so that no test needs openssl or carries a key.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** What a TLS server shows, and who vouches for it; all PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** The authority that signed it. */
  readonly ca: string;
}

export interface CertificateOptions {
  /** DNS names and IPv4 addresses it is of. */
  readonly names: readonly string[];
  /** Default: a day ago. */
  readonly notBefore?: Date;
  /** Default: in 30 days. */
  readonly notAfter?: Date;
}

const DAY_MS = 86_400_000;

/** Makes an authority of its own and a server certificate signed by it. */
export async function makeCertificate(
  options: CertificateOptions,
): Promise<Certificate> {
  const notBefore = options.notBefore ?? new Date(Date.now() - DAY_MS);
  const notAfter = options.notAfter ?? new Date(Date.now() + 30 * DAY_MS);
  const authority = await keyPair();
  const server = await keyPair();
  const ca = await signCertificate({
    subject: "Test authority",
    subjectKey: authority.publicKey,
    signer: authority.privateKey,
    notBefore: new Date(Date.now() - 365 * DAY_MS),
    notAfter: new Date(Date.now() + 365 * DAY_MS),
    extensions: [
      extension(OID.basicConstraints, sequence(boolean(true)), true),
      // keyCertSign
      extension(OID.keyUsage, tlv(0x03, Uint8Array.of(2, 0x04)), true),
    ],
  });
  const cert = await signCertificate({
    subject: options.names[0] ?? "nobody",
    subjectKey: server.publicKey,
    signer: authority.privateKey,
    notBefore,
    notAfter,
    extensions: [
      extension(OID.basicConstraints, sequence(), true),
      extension(OID.subjectAltName, sequence(...options.names.map(altName))),
      extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth))),
    ],
  });
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", server.privateKey);
  return {
    cert: pem("CERTIFICATE", cert),
    key: pem("PRIVATE KEY", new Uint8Array(pkcs8)),
    ca: pem("CERTIFICATE", ca),
  };
}

const OID = {
  commonName: [2, 5, 4, 3],
  keyUsage: [2, 5, 29, 15],
  subjectAltName: [2, 5, 29, 17],
  basicConstraints: [2, 5, 29, 19],
  extendedKeyUsage: [2, 5, 29, 37],
  serverAuth: [1, 3, 6, 1, 5, 5, 7, 3, 1],
  ecdsaWithSha256: [1, 2, 840, 10045, 4, 3, 2],
} as const;

function keyPair(): Promise<CryptoKeyPair> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

interface CertificateParts {
  readonly subject: string;
  readonly subjectKey: CryptoKey;
  readonly signer: CryptoKey;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Uint8Array[];
}

/** RFC 5280, section 4.1. */
async function signCertificate(parts: CertificateParts): Promise<Uint8Array> {
  const spki = await crypto.subtle.exportKey("spki", parts.subjectKey);
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const body = sequence(
    tlv(0xa0, integer(Uint8Array.of(2))),
    integer(crypto.getRandomValues(new Uint8Array(8))),
    algorithm,
    distinguishedName("Test authority"),
    sequence(time(parts.notBefore), time(parts.notAfter)),
    distinguishedName(parts.subject),
    new Uint8Array(spki),
    tlv(0xa3, sequence(...parts.extensions)),
  );
  const raw = new Uint8Array(
    await crypto.subtle.sign(
      { name: "ECDSA", hash: "SHA-256" },
      parts.signer,
      new Uint8Array(body),
    ),
  );
  const signature = sequence(
    integer(raw.subarray(0, 32)),
    integer(raw.subarray(32)),
  );
  return sequence(body, algorithm, bitString(signature));
}

function distinguishedName(commonName: string): Uint8Array {
  const name = tlv(0x0c, new TextEncoder().encode(commonName));
  return sequence(tlv(0x31, sequence(oid(OID.commonName), name)));
}

function extension(
  id: readonly number[],
  value: Uint8Array,
  isCritical = false,
): Uint8Array {
  const content = tlv(0x04, value);
  return isCritical
    ? sequence(oid(id), boolean(true), content)
    : sequence(oid(id), content);
}

function altName(name: string): Uint8Array {
  return /^[0-9.]+$/.test(name)
    ? tlv(0x87, Uint8Array.from(name.split("."), Number))
    : tlv(0x82, new TextEncoder().encode(name));
}

function time(date: Date): Uint8Array {
  const digits = date.toISOString().replace(/\D/g, "").slice(2, 14);
  return tlv(0x17, new TextEncoder().encode(`${digits}Z`));
}

function sequence(...items: readonly Uint8Array[]): Uint8Array {
  return tlv(0x30, ...items);
}

function boolean(value: boolean): Uint8Array {
  return tlv(0x01, Uint8Array.of(value ? 0xff : 0));
}

/** A positive integer: no leading zeros but the one that keeps it positive. */
function integer(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start === -1 ? Uint8Array.of(0) : bytes.subarray(start);
  const isNegative = (digits[0] ?? 0) >= 0x80;
  return isNegative ? tlv(0x02, Uint8Array.of(0), digits) : tlv(0x02, digits);
}

function bitString(bytes: Uint8Array): Uint8Array {
  return tlv(0x03, Uint8Array.of(0), bytes);
}

function oid([first = 0, second = 0, ...rest]: readonly number[]): Uint8Array {
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) {
      groups.unshift((left & 0x7f) | 0x80);
    }
    bytes.push(...groups);
  }
  return tlv(0x06, Uint8Array.from(bytes));
}

function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, { length }) => sum + length, 0);
  const head = length < 0x80
    ? [tag, length]
    : length < 0x100
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 0xff];
  return new Uint8Array(Buffer.concat([Uint8Array.from(head), ...contents]));
}

function pem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""]
    .join("\n");
}
