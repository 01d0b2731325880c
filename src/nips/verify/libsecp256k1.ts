/**
 * Signatures by the system's libsecp256k1 through FFI: about twice as fast as WASM.
 *
 * @module
 */
import { keyParser } from "./key_parser.ts";
import type { Implementation } from "./signature_check.ts";

/** The schnorrsig module's names, without which a build is of no use. */
const SYMBOLS = {
  secp256k1_context_create: { parameters: ["u32"], result: "pointer" },
  secp256k1_context_destroy: { parameters: ["pointer"], result: "void" },
  secp256k1_xonly_pubkey_parse: {
    parameters: ["pointer", "buffer", "buffer"],
    result: "i32",
  },
  secp256k1_schnorrsig_verify: {
    parameters: ["pointer", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
  },
  // Never called. It came together with the length parameter of `verify`: older builds, which lack both, would crash.
  secp256k1_schnorrsig_sign_custom: {
    parameters: ["pointer", "buffer", "buffer", "usize", "buffer", "pointer"],
    result: "i32",
  },
} as const;

/** SECP256K1_CONTEXT_VERIFY: needed before 0.2, and the same as none since. */
const CONTEXT_VERIFY = 257;

/**
 * Loads the library at `path`.
 *
 * @throws when there is none, it lacks the schnorrsig module, or permission `ffi` is missing.
 */
export function openLibsecp256k1(path: string): Implementation {
  const library = Deno.dlopen(path, SYMBOLS);
  const { symbols } = library;
  const context = symbols.secp256k1_context_create(CONTEXT_VERIFY);
  const parseKey = keyParser((parsed, publicKey) =>
    symbols.secp256k1_xonly_pubkey_parse(context, parsed, publicKey) === 1
  );
  const message = new Uint8Array(32);
  const signature = new Uint8Array(64);
  let isOpen = true;
  return {
    check(publicKeyHex, messageHex, signatureHex) {
      // The library would crash the process.
      if (!isOpen) throw new Error(`Cannot verify: ${path} was closed`);
      const key = parseKey(publicKeyHex);
      if (key === null) return false;
      message.setFromHex(messageHex);
      signature.setFromHex(signatureHex);
      return symbols.secp256k1_schnorrsig_verify(
        context,
        signature,
        message,
        32n,
        key,
      ) === 1;
    },
    [Symbol.dispose]() {
      if (!isOpen) return;
      isOpen = false;
      symbols.secp256k1_context_destroy(context);
      library.close();
    },
  };
}
