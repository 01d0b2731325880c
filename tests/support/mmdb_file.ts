/**
 * MMDB files for tests, written from the text of the MaxMind DB specification 2.0.
 *
 * @module
 */
import ipaddr from "ipaddr.js";

export interface MmdbFileOptions {
  readonly type: string;
  /** Default: now. */
  readonly builtAt?: Date;
}

/** A value of an entry. Whole numbers become uint32, others doubles. */
export type MmdbValue =
  | string
  | number
  | boolean
  | readonly MmdbValue[]
  | { readonly [name: string]: MmdbValue };

/** The bytes of a file with an entry for each network (`198.51.100.0/24`), for both families. */
export function mmdbFile(
  networks: Readonly<Record<string, MmdbValue>>,
  { type, builtAt = new Date() }: MmdbFileOptions,
): Uint8Array {
  const nodes: [Branch, Branch][] = [[null, null]];
  const data: number[] = [];
  for (const [network, value] of Object.entries(networks)) {
    const entry = { at: data.length };
    data.push(...encode(value));
    insert(nodes, bitsOf(network), entry);
  }
  const record = (branch: Branch) =>
    branch === null
      ? nodes.length
      : typeof branch === "number"
      ? branch
      : nodes.length + 16 + branch.at;
  const tree = nodes.flatMap((node) => node.map(record).flatMap(threeBytes));
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: Math.floor(builtAt.getTime() / 1_000),
    database_type: type,
    description: { en: "made by a test" },
    ip_version: 6,
    languages: ["en"],
    node_count: nodes.length,
    record_size: 24,
  });
  const marker = [0xab, 0xcd, 0xef, ...new TextEncoder().encode("MaxMind.com")];
  const separator = new Array<number>(16).fill(0);
  return Uint8Array.from([
    ...tree,
    ...separator,
    ...data,
    ...marker,
    ...metadata,
  ]);
}

/** The next node, an entry, or nothing. */
type Branch = number | { readonly at: number } | null;

function insert(
  nodes: [Branch, Branch][],
  bits: readonly (0 | 1)[],
  entry: Branch,
): void {
  let node = 0;
  for (const bit of bits.slice(0, -1)) {
    const next = nodes[node]?.[bit] ?? null;
    if (typeof next === "number") {
      node = next;
      continue;
    }
    nodes[node]![bit] = nodes.length;
    node = nodes.length;
    nodes.push([null, null]);
  }
  nodes[node]![bits.at(-1)!] = entry;
}

/** IPv4 lives in `::/96`. */
function bitsOf(network: string): (0 | 1)[] {
  const [address, prefix] = ipaddr.parseCIDR(network);
  const bytes = address.toByteArray();
  const isV4 = bytes.length === 4;
  const whole = isV4 ? [...new Array<number>(12).fill(0), ...bytes] : bytes;
  return whole
    .flatMap((byte) => byte.toString(2).padStart(8, "0").split(""))
    .map((bit) => bit === "1" ? 1 : 0)
    .slice(0, isV4 ? 96 + prefix : prefix);
}

function encode(value: MmdbValue): number[] {
  if (typeof value === "string") {
    const bytes = [...new TextEncoder().encode(value)];
    return [...control(2, bytes.length), ...bytes];
  }
  if (typeof value === "boolean") return control(14, value ? 1 : 0);
  if (typeof value === "number") return encodeNumber(value);
  if (isList(value)) {
    return [...control(11, value.length), ...value.flatMap(encode)];
  }
  const fields = Object.entries(value);
  return [
    ...control(7, fields.length),
    ...fields.flatMap(([name, item]) => [...encode(name), ...encode(item)]),
  ];
}

function encodeNumber(value: number): number[] {
  const bytes = new DataView(new ArrayBuffer(8));
  if (Number.isInteger(value) && value >= 0) {
    bytes.setUint32(0, value);
    return [...control(6, 4), ...new Uint8Array(bytes.buffer, 0, 4)];
  }
  bytes.setFloat64(0, value);
  return [...control(3, 8), ...new Uint8Array(bytes.buffer)];
}

/** Type and size; types above 7 stand in a byte of their own. */
function control(type: number, size: number): number[] {
  const [short, rest] = size < 29 ? [size, []] : [29, [size - 29]];
  return type <= 7 ? [type << 5 | short, ...rest] : [short, type - 7, ...rest];
}

function threeBytes(value: number): number[] {
  return [value >> 16, value >> 8 & 0xff, value & 0xff];
}

function isList(value: MmdbValue): value is readonly MmdbValue[] {
  return Array.isArray(value);
}
