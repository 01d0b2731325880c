import assert from "node:assert/strict";
import {
  packSignatures,
  unpackSignatures,
} from "../../../../src/nips/verify/signature_batch.ts";
import { eventFactory } from "../../../support/event_factory.ts";

Deno.test("unpackSignatures() gives what was packed, in its order", () => {
  const factory = eventFactory("signature batch");
  const events = Array.from({ length: 5 }, (_, author) => {
    const { id, pubkey, sig } = factory.sign({ author });
    return { id, pubkey, sig };
  });
  assert.deepEqual(unpackSignatures(packSignatures(events)), events);
  assert.deepEqual(unpackSignatures(packSignatures([])), []);
});
