/**
 * X.509 certificates (RFC 5280), as far as a check of a relay tells about them. Bytes of a stranger: read strictly,
 * within bounds.
 *
 * @module
 */
import { createHash } from "node:crypto";
import ipaddr from "ipaddr.js";
import { fail, ok, type Result } from "../../models/result.ts";
import { DerError, type DerItem, readDer } from "./der.ts";

/** Content of a certificate. */
export interface Certificate {
  /** 1 to 3. */
  readonly version: number;
  /** Uppercase hex, an even number of digits. */
  readonly serial: string;
  readonly issuer: CertificateName;
  readonly subject: CertificateName;
  /** Unix seconds. */
  readonly notBefore: number;
  /** Unix seconds. */
  readonly notAfter: number;
  /** DNS names and IP addresses it is of, in its order. */
  readonly altNames: readonly string[];
  /** `SHA256:` and the bytes in uppercase hex, colons between. */
  readonly fingerprint: string;
  /** Whether issuer and subject are the same. */
  readonly isSelfIssued: boolean;
}

/** A distinguished name; null where it lacks a field. */
export interface CertificateName {
  readonly commonName: string | null;
  readonly organization: string | null;
}

const CONTEXT_0 = 0xa0;
const CONTEXT_3 = 0xa3;
const COMMON_NAME = "550403";
const ORGANIZATION = "55040a";
const SUBJECT_ALT_NAME = "551d11";
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
const MAX_ALT_NAMES = 200;
const MAX_TEXT = 256;

/** Reads a certificate; its signature is not looked at. */
export function parseCertificate(
  der: Uint8Array,
): Result<Certificate, { readonly detail: string }> {
  try {
    return ok(readCertificate(der));
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return fail({ detail: `The certificate is malformed: ${error.message}` });
  }
}

/** Whether a certificate is of a host (RFC 9525): one of its names is, or its common name when it has no others. */
export function coversHost(
  { altNames, subject }: Certificate,
  host: string,
): boolean {
  const names = altNames.length > 0 ? altNames : [subject.commonName ?? ""];
  const wanted = host.toLowerCase();
  return names.some((name) => matches(name.toLowerCase(), wanted));
}

/** A star stands for exactly one label, the first; never for a part of an address. */
function matches(name: string, host: string): boolean {
  if (name === host) return true;
  const dot = host.indexOf(".");
  return name.startsWith("*.") && dot > 0 && !ipaddr.isValid(host) &&
    name.slice(1) === host.slice(dot);
}

function readCertificate(der: Uint8Array): Certificate {
  const [body] = readDer(der).children();
  const fields = [...child(body).children()];
  const version = fields[0]?.tag === CONTEXT_0 ? fields.shift() : undefined;
  const [serial, , issuer, validity, subject] = fields;
  const [notBefore, notAfter] = child(validity).children();
  const extensions = fields.find(({ tag }) => tag === CONTEXT_3);
  const hash = createHash("sha256").update(der).digest("hex").toUpperCase();
  return {
    version: version === undefined
      ? 1
      : (version.children()[0]?.content.at(-1) ?? 0) + 1,
    serial: serialText(child(serial).content),
    issuer: nameOf(child(issuer)),
    subject: nameOf(child(subject)),
    notBefore: timeOf(child(notBefore)),
    notAfter: timeOf(child(notAfter)),
    altNames: extensions === undefined ? [] : altNamesOf(extensions),
    fingerprint: `SHA256:${hash.match(/../g)?.join(":")}`,
    isSelfIssued: child(issuer).content.toHex() ===
      child(subject).content.toHex(),
  };
}

function child(item: DerItem | undefined): DerItem {
  if (item === undefined) throw new DerError("a field is missing");
  return item;
}

/** As OpenSSL prints it: without the byte that only keeps the number positive. */
function serialText(bytes: Uint8Array): string {
  const digits = bytes.length > 1 && bytes[0] === 0 ? bytes.subarray(1) : bytes;
  return digits.subarray(0, 64).toHex().toUpperCase();
}

/** The first of each kind. */
function nameOf(name: DerItem): CertificateName {
  const found = new Map<string, string>();
  for (const set of name.children()) {
    for (const attribute of set.children()) {
      const [type, value] = attribute.children();
      const key = child(type).content.toHex();
      if (!found.has(key)) found.set(key, textOf(child(value)));
    }
  }
  return {
    commonName: found.get(COMMON_NAME) ?? null,
    organization: found.get(ORGANIZATION) ?? null,
  };
}

function textOf({ tag, content }: DerItem): string {
  const encoding = tag === 0x0c
    ? "utf-8"
    : tag === 0x1e
    ? "utf-16be"
    : "latin1";
  return new TextDecoder(encoding).decode(content).slice(0, MAX_TEXT);
}

/** UTCTime, of which 50 and above are of the last century, or GeneralizedTime (RFC 5280, 4.1.2.5). */
function timeOf({ tag, content }: DerItem): number {
  const text = new TextDecoder().decode(content);
  const century = tag === 0x17
    ? (Number(text.slice(0, 2)) < 50 ? "20" : "19")
    : "";
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(century + text);
  if (parts === null) throw new DerError("a time is none");
  const [year = 0, month = 0, ...rest] = parts.slice(1).map(Number);
  const [day = 0, hours = 0, minutes = 0, seconds = 0] = rest;
  return Date.UTC(year, month - 1, day, hours, minutes, seconds) / 1_000;
}

function altNamesOf(wrapper: DerItem): string[] {
  const [list] = wrapper.children();
  for (const extension of child(list).children()) {
    const parts = extension.children();
    if (parts[0]?.content.toHex() !== SUBJECT_ALT_NAME) continue;
    const names = readDer(child(parts.at(-1)).content).children();
    return names.flatMap(altNameOf).slice(0, MAX_ALT_NAMES);
  }
  return [];
}

function altNameOf({ tag, content }: DerItem): string[] {
  if (tag === DNS_NAME) {
    return [new TextDecoder("latin1").decode(content).slice(0, MAX_TEXT)];
  }
  const isAddress = tag === IP_ADDRESS &&
    (content.length === 4 || content.length === 16);
  return isAddress ? [ipaddr.fromByteArray([...content]).toString()] : [];
}
