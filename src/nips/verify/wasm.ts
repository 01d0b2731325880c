/**
 * Signatures by libsecp256k1 compiled to WebAssembly (`.ci/bip340/`): works wherever Deno does.
 *
 * @module
 */
import { keyParser } from "./key_parser.ts";
import type { SignatureCheck } from "./signature_check.ts";

/** Loads the WASM, on demand only. It is a module like any other: no permission is needed, each thread has its own. */
export async function loadWasm(): Promise<SignatureCheck> {
  const library = await import("./bip340.wasm");
  library.init();
  // Views made once, as its memory never grows.
  const view = (address: number, length: number) =>
    new Uint8Array(library.memory.buffer, address, length);
  const publicKey = view(library.public_key(), 32);
  const parsedKey = view(library.parsed_key(), 64);
  const message = view(library.message(), 32);
  const signature = view(library.signature(), 64);
  const parseKey = keyParser((parsed, bytes) => {
    publicKey.set(bytes);
    if (library.parse() !== 1) return false;
    parsed.set(parsedKey);
    return true;
  });
  return (publicKeyHex, messageHex, signatureHex) => {
    const key = parseKey(publicKeyHex);
    if (key === null) return false;
    parsedKey.set(key);
    message.setFromHex(messageHex);
    signature.setFromHex(signatureHex);
    return library.verify() === 1;
  };
}
