/**
 * The WASM against other implementations: tiny-secp256k1 (libsecp256k1 with other arithmetic), nostr-tools (no line of
 * it shared), and the machine's library where there is one.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { verifyEvent } from "nostr-tools/pure";
import { verifySchnorr } from "tiny-secp256k1";
import { eventId, type NostrEvent } from "../../../../src/models/event.ts";
import { loadVerifier } from "../../../../src/nips/verify/verifier.ts";
import { eventFactory } from "../../../support/event_factory.ts";

const factory = eventFactory("wasm_test");

/** The order of the group, and the prime of the field. */
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const P = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2fn;
const LARGEST = 2n ** 256n - 1n;

type Part = "pubkey" | "id" | "r" | "s";

Deno.test("bip340.wasm judges valid and corrupted signatures as every other implementation does", async () => {
  using wasm = await loadVerifier({ library: null });
  using best = await loadVerifier();
  assert.equal(wasm.name, "wasm");
  let valid = 0;
  fc.assert(
    fc.property(authors(), corruptions(), (author, corrupt) => {
      const event = corrupt(factory.sign({ author }));
      const verdict = wasm.verify(event);
      // Once more, as the key is remembered by now.
      assert.equal(wasm.verify(event), verdict, "a second time");
      assert.equal(byTiny(event), verdict, "tiny-secp256k1");
      assert.equal(best.verify(event), verdict, best.name);
      assert.equal(byNostrTools(event), verdict, "nostr-tools");
      if (verdict) valid++;
    }),
    { numRuns: 500 },
  );
  assert.ok(valid >= 20, `${valid} valid ones are too few to mean anything`);
});

Deno.test("bip340.wasm imports nothing, cannot grow, and shares its memory with no other thread", async () => {
  const file = new URL(
    "../../../../src/nips/verify/bip340.wasm",
    import.meta.url,
  );
  const module = await WebAssembly.compile(await Deno.readFile(file));
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  const { memory } = await import("../../../../src/nips/verify/bip340.wasm");
  assert.ok(memory.buffer instanceof ArrayBuffer);
  assert.throws(() => memory.grow(1), RangeError);
});

/** Few, so that keys are met again. */
function authors(): fc.Arbitrary<number> {
  return fc.nat(20);
}

/** What is done to an event that was valid. */
function corruptions(): fc.Arbitrary<(event: NostrEvent) => NostrEvent> {
  const parts = fc.constantFrom<Part>("pubkey", "id", "r", "s");
  const edges = fc.constantFrom(0n, 1n, N, P, LARGEST).chain((edge) =>
    fc.bigInt({ min: -3n, max: 3n }).map((by) => clamp(edge + by))
  );
  return fc.oneof(
    fc.constant((event: NostrEvent) => event),
    fc.tuple(parts, fc.nat(255)).map(([part, bit]) =>
      change(part, (value) => value ^ 1n << BigInt(bit))
    ),
    fc.tuple(parts, edges).map(([part, edge]) => change(part, () => edge)),
    fc.tuple(parts, fc.bigInt({ min: 0n, max: LARGEST })).map(([part, any]) =>
      change(part, () => any)
    ),
    // -s among them, which ECDSA would take.
    parts.map((part) => change(part, (value) => clamp(N - value))),
    fc.constant(resigned),
  );
}

function clamp(value: bigint): bigint {
  return value < 0n ? 0n : value > LARGEST ? LARGEST : value;
}

/** Changes one of the numbers that a signed event consists of. */
function change(
  part: Part,
  by: (value: bigint) => bigint,
): (event: NostrEvent) => NostrEvent {
  return (event) => {
    const { pubkey, id, sig } = event;
    const numbers = { pubkey, id, r: sig.slice(0, 64), s: sig.slice(64) };
    const changed = by(BigInt(`0x${numbers[part]}`));
    numbers[part] = changed.toString(16).padStart(64, "0");
    const { r, s, ...rest } = numbers;
    return { ...event, ...rest, sig: r + s };
  };
}

/** Another author's event, with a valid id, and the signature of this one. */
function resigned(event: NostrEvent): NostrEvent {
  const other = { ...event, pubkey: factory.pubkey(21) };
  return { ...other, id: eventId(other) };
}

function byTiny({ id, pubkey, sig }: NostrEvent): boolean {
  const [message, key, signature] = [id, pubkey, sig].map((hex) =>
    Uint8Array.fromHex(hex)
  );
  try {
    return verifySchnorr(message!, key!, signature!);
  } catch {
    // It throws where a part is out of range.
    return false;
  }
}

/** It looks at the id, too; no signature of these is valid for an id that is not the event's. */
function byNostrTools(event: NostrEvent): boolean {
  return verifyEvent({ ...event, tags: event.tags.map((tag) => [...tag]) });
}
