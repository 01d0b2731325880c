/**
 * MMDB files (MaxMind DB): what is known of an IP address. The file is a stranger's, too: what is broken in it says so
 * or is not there.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Reader, type Response } from "mmdb-lib";
import ipaddr from "ipaddr.js";
import { fail, ok, type Result } from "../../models/result.ts";

/** An open database. */
export interface Mmdb {
  /** As it calls itself: `GeoLite2-City`. */
  readonly type: string;
  /** Unix seconds. */
  readonly builtAt: number;
  /** Null when it knows nothing of the address, or what it knows cannot be read. */
  lookUp(address: string): MmdbEntry | null;
}

export interface MmdbEntry {
  readonly fields: Readonly<Record<string, unknown>>;
  /** The network that the entry is of: `198.51.100.0/24`. */
  readonly network: string;
}

/** Why there is no database; for people. */
export interface MmdbFault {
  readonly detail: string;
}

/** Whether it can be read, and is fresh enough to be believed. */
export interface MmdbOptions {
  /** An older one is refused, days. Default: any age will do. */
  readonly maxAgeDays?: number;
}

const DAY_SECONDS = 86_400;

/** Opens a database over the bytes of its file, which must not change. */
export function openMmdb(
  bytes: Uint8Array,
  { maxAgeDays = Infinity }: MmdbOptions = {},
): Result<Mmdb, MmdbFault> {
  let reader: Reader<Response>;
  try {
    const { buffer, byteOffset, byteLength } = bytes;
    reader = new Reader(Buffer.from(buffer, byteOffset, byteLength));
  } catch {
    return fail({ detail: "The file is no MMDB database" });
  }
  const { databaseType: type, buildEpoch, ipVersion } = reader.metadata;
  const builtAt = Math.floor(buildEpoch.getTime() / 1_000);
  if (!Number.isSafeInteger(builtAt) || typeof type !== "string") {
    return fail({ detail: "The file does not say what it is" });
  }
  const ageDays = Math.floor((Date.now() / 1_000 - builtAt) / DAY_SECONDS);
  if (ageDays > maxAgeDays) {
    const detail =
      `The database ${type} must not be older than ${maxAgeDays} days: it is ${ageDays}`;
    return fail({ detail });
  }
  return ok({
    type,
    builtAt,
    lookUp: (address) => lookUp(reader, ipVersion, address),
  });
}

function lookUp(
  reader: Reader<Response>,
  ipVersion: number,
  address: string,
): MmdbEntry | null {
  // A file of IPv4 alone would take the first half of an IPv6 address for one of its own.
  if (address.includes(":") && ipVersion === 4) return null;
  try {
    const [entry, prefix] = reader.getWithPrefixLength(address);
    if (typeof entry !== "object" || entry === null) return null;
    return { fields: { ...entry }, network: networkOf(address, prefix) };
  } catch {
    return null;
  }
}

function networkOf(address: string, prefix: number): string {
  const cidr = `${address}/${prefix}`;
  const first = address.includes(":")
    ? ipaddr.IPv6.networkAddressFromCIDR(cidr)
    : ipaddr.IPv4.networkAddressFromCIDR(cidr);
  return `${first.toString()}/${prefix}`;
}
