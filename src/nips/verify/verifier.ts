/**
 * Verifier of signatures: chosen once, in one place, which also says what was chosen and why.
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import { libraryCandidates } from "./library_search.ts";
import { openLibsecp256k1 } from "./libsecp256k1.ts";
import { failedVector, type Implementation } from "./signature_check.ts";
import { loadWasm } from "./wasm.ts";

/** Checks signatures of events. Has passed the BIP-340 vectors. Dispose it when nothing will be verified any more. */
export interface Verifier extends Disposable {
  readonly name: "libsecp256k1" | "wasm";
  /** Which library, or why none: for the log and for `status`. */
  readonly detail: string;
  /** The library's path, to be handed to workers; null for WASM. */
  readonly library: string | null;
  /** Whether `sig` is the author's signature of `id`. That the id belongs to the event is `hasValidId`'s to say. */
  verify(event: Pick<NostrEvent, "id" | "pubkey" | "sig">): boolean;
}

export interface VerifierOptions {
  /** This library and no other; null for none, so WASM. Default: the machine is searched. */
  readonly library?: string | null;
  /** Directories searched before the system's. */
  readonly directories?: readonly string[];
}

/**
 * The fastest verifier that this thread may load and that passes the BIP-340 vectors.
 *
 * @throws when not even WASM can be loaded.
 */
export async function loadVerifier(
  options: VerifierOptions = {},
): Promise<Verifier> {
  const refused: string[] = [];
  for (const path of candidates(options)) {
    const opened = openChecked(path);
    if (typeof opened === "string") refused.push(`${path}: ${opened}`);
    else {
      const detail = [path, ...refused].join("; refused ");
      return verifier(opened, { library: path, detail });
    }
  }
  const none = options.library === null ? "not asked for" : "not found";
  const detail = refused.join("; ") || `libsecp256k1 ${none}`;
  return verifier(await loadCheckedWasm(), { library: null, detail });
}

/** Permissions with which a worker can load the same verifier by `loadVerifier({library: verifier.library})`. */
export function workerPermissions(
  { library }: Verifier,
): { ffi: string[] | false } {
  return { ffi: library === null ? false : [library] };
}

function candidates({ library, directories = [] }: VerifierOptions): string[] {
  if (library === null) return [];
  return library === undefined ? libraryCandidates(directories) : [library];
}

/** The library at `path`, or why it cannot be used. */
function openChecked(path: string): Implementation | string {
  try {
    const library = openLibsecp256k1(path);
    const fault = failedVector(library.check);
    if (fault === null) return library;
    library[Symbol.dispose]();
    return fault;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function loadCheckedWasm(): Promise<Implementation> {
  const check = await loadWasm();
  const fault = failedVector(check);
  if (fault === null) return { check, [Symbol.dispose]() {} };
  throw new Error(`Cannot verify signatures as the WASM ${fault}`);
}

function verifier(
  implementation: Implementation,
  { library, detail }: Pick<Verifier, "library" | "detail">,
): Verifier {
  const { check } = implementation;
  return {
    name: library === null ? "wasm" : "libsecp256k1",
    detail,
    library,
    verify: ({ id, pubkey, sig }) => check(pubkey, id, sig),
    [Symbol.dispose]: () => implementation[Symbol.dispose](),
  };
}
