/**
 * The key of an event, and its place in the order of NIP-01.
 *
 * @module
 */
import { Buffer } from "node:buffer";

export interface EventKey {
  readonly createdAt: number;
  /** Hex. */
  readonly id: string;
}

/** 8 bytes of `created_at` and 32 of the id. */
const KEY_BYTES = 40;

/** Newest first, and of one second the lowest id first. */
export function byNewest(a: EventKey, b: EventKey): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** Keys as the functions of `45_event_reading.sql` give them. */
export function unpackKeys(packed: Uint8Array): EventKey[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.length);
  const keys: EventKey[] = [];
  for (let at = 0; at < bytes.length; at += KEY_BYTES) {
    keys.push({
      createdAt: Number(bytes.readBigInt64BE(at)),
      id: bytes.toString("hex", at + 8, at + KEY_BYTES),
    });
  }
  return keys;
}

/** Keys as the functions of `45_event_reading.sql` take them. */
export function packKeys(keys: readonly EventKey[]): Uint8Array {
  const bytes = Buffer.alloc(KEY_BYTES * keys.length);
  for (const [i, { createdAt, id }] of keys.entries()) {
    bytes.writeBigInt64BE(BigInt(createdAt), KEY_BYTES * i);
    bytes.write(id, KEY_BYTES * i + 8, "hex");
  }
  return bytes;
}
