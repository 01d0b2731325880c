/**
 * Verification: both implementations against the official vectors, real events and forgeries.
 *
 * @module
 */
import assert from "node:assert/strict";
import { eventId, type NostrEvent } from "../../../../src/models/event.ts";
import { BIP340_VECTORS } from "../../../../src/nips/verify/bip340_vectors.ts";
import { libraryCandidates } from "../../../../src/nips/verify/library_search.ts";
import { failedVector } from "../../../../src/nips/verify/signature_check.ts";
import {
  loadVerifier,
  type Verifier,
  workerPermissions,
} from "../../../../src/nips/verify/verifier.ts";
import { checkEvent } from "../../../support/check_event.ts";
import { edgeCaseEvents } from "../../../support/edge_case_events.ts";
import { eventFactory } from "../../../support/event_factory.ts";
import type { Verdicts, Work } from "./verifying_worker.ts";

const factory = eventFactory("verifier_test");
const [library] = libraryCandidates([]);
const libraries = library === undefined ? [null] : [library, null];
const native = {
  ignore: library === undefined,
  suffix: library === undefined
    ? " (skipped: this machine has no libsecp256k1)"
    : "",
};

for (const path of libraries) {
  const name = path === null ? "WASM" : "libsecp256k1";

  Deno.test(`loadVerifier() loads ${name}, which takes real and strange events`, async () => {
    using verifier = await loadVerifier({ library: path });
    const events = [
      ...fixture<NostrEvent>("events.jsonl"),
      ...Object.values(edgeCaseEvents(factory)),
    ];
    for (const event of events) {
      const checked = checkEvent(event, verifier);
      assert.ok(checked.ok, `${event.id} by ${verifier.name}`);
    }
  });

  Deno.test(`checkEvent() by ${name} gives the reason of every refusal`, async () => {
    using verifier = await loadVerifier({ library: path });
    const invalid = fixture<{ code: string; why: string; event: unknown }>(
      "invalid_events.jsonl",
    );
    for (const { code, why, event } of invalid) {
      assert.equal(faultOf(event, verifier), code, why);
    }
    for (const [code, forgery] of forgeries()) {
      assert.equal(faultOf(forgery, verifier), code, JSON.stringify(forgery));
    }
  });

  Deno.test(`a worker without other permissions verifies by ${name}`, async () => {
    using verifier = await loadVerifier({ library: path });
    const event = factory.sign();
    const forgery = { ...event, sig: factory.sign().sig };
    const work = { library: path, events: [event, forgery] };
    assert.deepEqual(await workElsewhere(verifier, work), {
      name: verifier.name,
      valid: [true, false],
    });
  });
}

Deno.test({
  name: `loadVerifier() prefers libsecp256k1, and names it${native.suffix}`,
  ignore: native.ignore,
  async fn() {
    using verifier = await loadVerifier();
    assert.equal(verifier.name, "libsecp256k1");
    assert.equal(verifier.library, library);
    assert.equal(verifier.detail, library);
    assert.deepEqual(workerPermissions(verifier), { ffi: [library] });
  },
});

Deno.test({
  name:
    `loadVerifier() looks into the directories it is given first${native.suffix}`,
  ignore: native.ignore,
  async fn() {
    const directory = await Deno.makeTempDir();
    try {
      const path = `${directory}/libsecp256k1.so.9`;
      await Deno.symlink(library ?? "", path);
      using verifier = await loadVerifier({ directories: [directory] });
      assert.equal(verifier.library, path);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test("loadVerifier() falls back to WASM and says why", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/libsecp256k1.so`;
    await Deno.writeTextFile(path, "not a library");
    using verifier = await loadVerifier({ library: path });
    assert.equal(verifier.name, "wasm");
    assert.equal(verifier.library, null);
    assert.match(verifier.detail, new RegExp(`^${path}: Could not open`));
    assert.ok(checkEvent(factory.sign(), verifier).ok);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  using wasm = await loadVerifier({ library: null });
  assert.equal(wasm.detail, "libsecp256k1 not asked for");
});

Deno.test("failedVector() catches a check that takes or refuses everything", () => {
  assert.equal(BIP340_VECTORS.length, 15);
  assert.equal(
    failedVector(() => true),
    "accepts an invalid signature (vector 5)",
  );
  assert.equal(
    failedVector(() => false),
    "refuses a valid signature (vector 0)",
  );
});

/** Events of which one thing was changed, and the fault they must be refused with. */
function forgeries(): [string, unknown][] {
  const event = factory.sign();
  const other = factory.sign({ author: 1 });
  const { sig: _, ...unsigned } = event;
  return [
    ["shape", unsigned],
    ["shape", { ...event, sig: event.sig.toUpperCase() }],
    ["kind", { ...event, kind: 65_536 }],
    ["created-at", { ...event, created_at: -1 }],
    ["id", { ...event, content: "forged" }],
    ["id", { ...event, pubkey: other.pubkey }],
    ["id", { ...event, id: other.id }],
    ["signature", { ...event, sig: other.sig }],
    ["signature", { ...event, sig: "0".repeat(128) }],
    ["signature", { ...event, sig: "f".repeat(128) }],
    ["signature", eventOfNobody()],
  ];
}

/** An event with a valid id, whose author is no point on the curve. */
function eventOfNobody(): NostrEvent {
  const [vector] = BIP340_VECTORS.filter(({ index }) => index === 5);
  const pubkey = vector?.hex[0] ?? "";
  const event = { ...factory.sign(), pubkey };
  return { ...event, id: eventId(event) };
}

async function workElsewhere(
  verifier: Verifier,
  work: Work,
): Promise<Verdicts> {
  const worker = new Worker(
    new URL("./verifying_worker.ts", import.meta.url),
    {
      type: "module",
      deno: {
        permissions: {
          net: false,
          env: false,
          read: false,
          write: false,
          run: false,
          sys: false,
          ...workerPermissions(verifier),
        },
      },
    },
  );
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Verdicts>) => resolve(data);
      worker.onerror = (error) => {
        error.preventDefault();
        reject(new Error(error.message));
      };
      worker.postMessage(work);
    });
  } finally {
    worker.terminate();
  }
}

function faultOf(value: unknown, verifier: Verifier): string | null {
  const checked = checkEvent(value, verifier);
  return checked.ok ? null : checked.failure.code;
}

function fixture<T>(name: string): T[] {
  const path = new URL(`../../../fixtures/${name}`, import.meta.url);
  return Deno.readTextFileSync(path).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
}
