/**
 * Signed events out of nothing: they verify, and the same seed makes the same events.
 *
 * The id is computed here and not by the code under test.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { signSchnorr, xOnlyPointFromScalar } from "tiny-secp256k1";
import type { NostrEvent } from "../../src/models/event.ts";

/** An event to be; what is left out is chosen by the factory. */
export interface EventDraft {
  /** Number of the author, from 0. Default: 0. */
  readonly author?: number;
  /** Default: 1. */
  readonly kind?: number;
  /** Unix seconds. Default: a second after the event before. */
  readonly createdAt?: number;
  readonly tags?: readonly (readonly string[])[];
  /** Default: a short text, different every time. */
  readonly content?: string;
}

/** Makes events, and the accidents in them. */
export interface EventFactory {
  /** Signs a draft (about 4000 a second). */
  sign(draft?: EventDraft): NostrEvent;
  /** The public key of an author, in hex. */
  pubkey(author: number): string;
  /** A whole number from 0 up to, and without, `below`. */
  number(below: number): number;
  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T;
}

/** 2025-06-01: the first event of a factory is dated right after it, unless its draft says otherwise. */
const FIRST_SECOND = 1_748_736_000;

/** A factory whose events follow from `seed`, from the order of the calls, and from where their dates begin. */
export function eventFactory(
  seed: string,
  { firstSecond = FIRST_SECOND }: { readonly firstSecond?: number } = {},
): EventFactory {
  const number = randomNumbers(seed);
  const keys: { secret: Uint8Array; pubkey: string }[] = [];
  let made = 0;

  function key(author: number) {
    return keys[author] ??= keyPair(`${seed}:${author}`);
  }
  return {
    sign(draft = {}) {
      made++;
      return signDraft({
        author: 0,
        kind: 1,
        createdAt: firstSecond + made,
        tags: [],
        content: `Event ${made} of ${seed}`,
        ...draft,
      }, key(draft.author ?? 0));
    },
    pubkey: (author) => key(author).pubkey,
    number,
    pick(items) {
      const picked = items[number(items.length)];
      if (picked === undefined) throw new Error("Cannot pick one of none");
      return picked;
    },
  };
}

function signDraft(
  { kind, createdAt, tags, content }: Required<EventDraft>,
  { secret, pubkey }: { secret: Uint8Array; pubkey: string },
): NostrEvent {
  const commitment = JSON.stringify([
    0,
    pubkey,
    createdAt,
    kind,
    tags,
    content,
  ]);
  const id = createHash("sha256").update(commitment).digest();
  // Without fresh randomness in the nonce a signature is the same every time, which BIP-340 allows.
  const sig = signSchnorr(id, secret, new Uint8Array(32));
  return {
    id: id.toString("hex"),
    pubkey,
    created_at: createdAt,
    kind,
    tags,
    content,
    sig: hex(sig),
  };
}

function keyPair(name: string): { secret: Uint8Array; pubkey: string } {
  const secret = createHash("sha256").update(name).digest();
  return { secret, pubkey: hex(xOnlyPointFromScalar(secret)) };
}

/** Mulberry32: 32 bits of state are plenty for test data. */
function randomNumbers(seed: string): (below: number) => number {
  let state = createHash("sha256").update(seed).digest().readUInt32LE(0);
  return (below) => {
    state = (state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * below);
  };
}

function hex(bytes: Uint8Array): string {
  return bytes.toHex();
}
