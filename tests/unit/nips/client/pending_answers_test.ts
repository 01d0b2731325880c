import assert from "node:assert/strict";
import { PendingReplies } from "../../../../src/nips/client/pending_answers.ts";
import { RequestIds } from "../../../../src/nips/client/request_ids.ts";
import { fail, ok } from "../../../../src/models/result.ts";

const { signal } = new AbortController();

Deno.test("PendingReplies gives each its answer, whatever their order, and no second one", async () => {
  const replies = new PendingReplies<number>();
  const [a, b] = ["a", "b"].map((id) => ask(replies, id));
  assert.equal(replies.size, 2);
  assert.equal(replies.answer("b", ok(2)), true);
  assert.equal(replies.answer("a", ok(1)), true);
  assert.deepEqual(await Promise.all([a, b]), [ok(1), ok(2)]);
  assert.equal(replies.answer("a", ok(3)), false);
  assert.equal(replies.has("a"), false);
});

Deno.test("PendingReplies ends by timeout, by a connection that is gone, and for all at once", async () => {
  const replies = new PendingReplies<number>();
  const late = await ask(replies, "late", { timeoutMs: 1 });
  assert.equal(late.ok ? "" : late.failure.code, "timeout");
  assert.equal(replies.answer("late", ok(1)), false);
  const gone = await ask(replies, "gone", { send: () => false });
  assert.equal(gone.ok ? "" : gone.failure.code, "closed");
  const all = ["a", "b"].map((id) => ask(replies, id));
  replies.answerAll(fail({ code: "aborted" }));
  for (const answer of await Promise.all(all)) assert.equal(answer.ok, false);
  assert.equal(replies.size, 0);
});

Deno.test("RequestIds knows the ids that it has given, in no other spelling", () => {
  const ids = new RequestIds();
  const given = Array.from({ length: 40 }, () => ids.next());
  assert.equal(new Set(given).size, given.length);
  for (const id of given) assert.equal(ids.isOurs(id), true, id);
  for (const id of ["bb0", "bb15", "bb01", "BB1", "bb1 ", "bb", "", "xx1"]) {
    assert.equal(ids.isOurs(id), false, id);
  }
});

function ask(
  replies: PendingReplies<number>,
  id: string,
  options: { readonly timeoutMs?: number; readonly send?: () => boolean } = {},
) {
  const { timeoutMs = 10_000, send = () => true } = options;
  return replies.ask(id, "test", { signal, timeoutMs, send });
}
