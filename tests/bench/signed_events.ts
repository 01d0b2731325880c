/**
 * Signs random events, so that they verify: by libsecp256k1 where it is found, as signing a hundred thousand otherwise
 * takes longer than what is to be measured.
 *
 * @module
 */
import { signSchnorr, xOnlyPointFromScalar } from "tiny-secp256k1";
import { eventId, type NostrEvent } from "../../src/models/event.ts";
import { libraryCandidates } from "../../src/nips/verify/library_search.ts";
import { randomEvents } from "./random_events.ts";

/** Authors; few are enough, as verifying does not care. */
const AUTHORS = 500;

/** Events as the network has them, signed. The same seed gives the same ids. */
export function signedEvents(count: number, seed: number): NostrEvent[] {
  using signer = openSigner();
  const keys = Array.from({ length: AUTHORS }, (_, i) => {
    const secret = new Uint8Array(32).fill(1);
    new DataView(secret.buffer).setUint32(0, seed * AUTHORS + i);
    return { secret, pubkey: signer.pubkey(secret) };
  });
  return randomEvents(count, seed).map((event, i) => {
    const { secret, pubkey } = keys[i % AUTHORS]!;
    const id = eventId({ ...event, pubkey });
    return { ...event, pubkey, id, sig: signer.sign(id, secret) };
  });
}

interface Signer extends Disposable {
  pubkey(secret: Uint8Array): string;
  sign(id: string, secret: Uint8Array): string;
}

function openSigner(): Signer {
  const [path] = libraryCandidates([]);
  return path === undefined ? slowSigner() : librarySigner(path);
}

function slowSigner(): Signer {
  return {
    pubkey: (secret) => xOnlyPointFromScalar(secret).toHex(),
    sign: (id, secret) => signSchnorr(Uint8Array.fromHex(id), secret).toHex(),
    [Symbol.dispose]() {},
  };
}

function librarySigner(path: string): Signer {
  const library = Deno.dlopen(path, {
    secp256k1_context_create: { parameters: ["u32"], result: "pointer" },
    secp256k1_keypair_create: {
      parameters: ["pointer", "buffer", "buffer"],
      result: "i32",
    },
    secp256k1_schnorrsig_sign32: {
      parameters: ["pointer", "buffer", "buffer", "buffer", "pointer"],
      result: "i32",
    },
  });
  const context = library.symbols.secp256k1_context_create(1);
  const keypairs = new Map<Uint8Array, Uint8Array<ArrayBuffer>>();
  const keypairOf = (secret: Uint8Array) => {
    const made = keypairs.get(secret) ?? new Uint8Array(96);
    if (!keypairs.has(secret)) {
      const bytes = new Uint8Array(secret);
      library.symbols.secp256k1_keypair_create(context, made, bytes);
      keypairs.set(secret, made);
    }
    return made;
  };
  return {
    pubkey: (secret) => xOnlyPointFromScalar(secret).toHex(),
    sign(id, secret) {
      const sig = new Uint8Array(64);
      library.symbols.secp256k1_schnorrsig_sign32(
        context,
        sig,
        Uint8Array.fromHex(id),
        keypairOf(secret),
        null,
      );
      return sig.toHex();
    },
    [Symbol.dispose]: () => library.close(),
  };
}
