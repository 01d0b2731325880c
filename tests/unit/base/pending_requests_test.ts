import assert from "node:assert/strict";
import { PendingRequests } from "../../../src/base/pending_requests.ts";

Deno.test("PendingRequests gives each request its own reply, in whatever order they come", async () => {
  const pending = new PendingRequests<string>();
  const asked: number[] = [];
  const replies = ["a", "b"].map(() => pending.ask((it) => asked.push(it)));
  pending.answer(asked[1]!, "second");
  pending.answer(asked[0]!, "first");
  pending.answer(asked[0]!, "too late");
  pending.answer(99, "of no request");
  assert.deepEqual(await Promise.all(replies), ["first", "second"]);
});

Deno.test("PendingRequests rejects what is open when it is abandoned", async () => {
  const pending = new PendingRequests<string>();
  const reply = pending.ask(() => {});
  pending.abandon(new Error("the worker is lost"));
  await assert.rejects(reply, { message: "the worker is lost" });
});
