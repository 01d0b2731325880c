/**
 * Signatures by libsecp256k1 compiled to WebAssembly: works wherever Deno does.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { SignatureCheck } from "./signature_check.ts";

/**
 * Loads the WASM, on demand only: it has 1.2 MB.
 *
 * @throws when permission `read` for `wasmDirectory()` is missing.
 */
export async function loadWasm(): Promise<SignatureCheck> {
  const { verifySchnorr } = await import("tiny-secp256k1");
  const key = new Uint8Array(32);
  const message = new Uint8Array(32);
  const signature = new Uint8Array(64);
  return (publicKeyHex, messageHex, signatureHex) => {
    key.setFromHex(publicKeyHex);
    message.setFromHex(messageHex);
    signature.setFromHex(signatureHex);
    try {
      return verifySchnorr(message, key, signature);
    } catch {
      // It throws where a part is out of range: a key that is not on the curve, r or s too large.
      return false;
    }
  };
}

/** The directory the WASM is read from when it is loaded. */
export function wasmDirectory(): string {
  return fileURLToPath(new URL(".", import.meta.resolve("tiny-secp256k1")));
}
