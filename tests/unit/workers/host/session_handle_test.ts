import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import {
  encodeEvents,
  encodeKeys,
} from "../../../../src/models/encoded_events.ts";
import { BatchCredit } from "../../../../src/workers/host/batch_credit.ts";
import {
  SessionHandle,
  type SessionHost,
} from "../../../../src/workers/host/session_handle.ts";
import type { ToWorker } from "../../../../src/workers/protocol/messages.ts";
import {
  type SyncReport,
  UNKNOWN_TRAITS,
  type WorkerBatch,
} from "../../../../src/workers/protocol/report.ts";

const SESSION = 7;
const WINDOW = { since: 0, until: 9 };

Deno.test("SessionHandle stores batches one after the other, and ends when all are stored", async () => {
  const { handle, host, posted } = open();
  for (const reason of ["first", "second"]) {
    handle.receive({ type: "want-credit", session: SESSION });
    handle.receive({ type: "batch", session: SESSION, batch: batch(reason) });
  }
  handle.receive({ type: "done", session: SESSION, report: REPORT });
  let isOver = false;
  const outcome = handle.outcome.finally(() => isOver = true);
  await setImmediate();
  assert.deepEqual(host.begun, ["first"]);
  host.finish();
  await setImmediate();
  assert.deepEqual([host.begun, isOver], [["first", "second"], false]);
  host.finish();
  assert.deepEqual(await outcome, { ok: true, value: REPORT });
  assert.deepEqual(posted.map(({ type }) => type), ["credit", "credit"]);
});

Deno.test("SessionHandle gives credit back when a batch is stored, and not before", async () => {
  const { handle, host, posted } = open({ maxBatches: 1 });
  handle.receive({ type: "want-credit", session: SESSION });
  handle.receive({ type: "batch", session: SESSION, batch: batch() });
  handle.receive({ type: "want-credit", session: SESSION });
  await setImmediate();
  assert.equal(posted.length, 1);
  host.finish();
  await setImmediate();
  assert.equal(posted.length, 2);
});

Deno.test("SessionHandle answers what rests on the archive when all sent before is stored, the rest at once", async () => {
  const { handle, host, posted } = open();
  const keys = encodeKeys([]);
  const query = { filter: {}, filterHash: "f" };
  const question = { session: SESSION, request: 1 };
  handle.receive({ type: "batch", session: SESSION, batch: batch() });
  for (const isInOrder of [false, true]) {
    handle.receive({ type: "ask-known", ...question, keys, isInOrder });
  }
  const ids = new Uint8Array();
  handle.receive({ type: "ask-found", ...question, filterHash: "f", ids });
  handle.receive({
    type: "ask-vector",
    ...question,
    query: { ...query, window: WINDOW, before: null },
  });
  handle.receive({
    type: "ask-near",
    ...question,
    query: { ...query, at: 5, below: 1, above: 1 },
  });
  handle.receive({
    type: "ask-sighted",
    ...question,
    query: { ...query, window: WINDOW },
  });
  handle.receive({
    type: "ask-live",
    ...question,
    question: { report: REPORT, address: null },
  });
  await setImmediate();
  assert.deepEqual(posted.map(({ type }) => type), ["known"]);
  assert.equal(handle.isLive, false);
  host.finish();
  await setImmediate();
  assert.deepEqual(
    posted.slice(1).map(({ type }) => type).sort(),
    ["found", "known", "live", "near", "sighted", "vector"],
  );
  assert.equal(handle.isLive, true);
});

Deno.test("SessionHandle ends by what the host throws, tells its worker, and lends its credits to others", async () => {
  const { handle, host, posted, credits } = open({ maxBatches: 1 });
  handle.receive({ type: "want-credit", session: SESSION });
  handle.receive({ type: "batch", session: SESSION, batch: batch("first") });
  handle.receive({ type: "batch", session: SESSION, batch: batch("second") });
  await setImmediate();
  host.fail(new Error("The disk is full"));
  await assert.rejects(handle.outcome, { message: "The disk is full" });
  await setImmediate();
  assert.deepEqual(host.begun, ["first"], "coverage rests on what failed");
  assert.deepEqual(posted.at(-1), { type: "abandon", session: SESSION });
  let granted = 0;
  credits.want({ grant: () => granted++ });
  assert.equal(granted, 1);
});

Deno.test("SessionHandle stores what it has when its worker is lost, and hears no more of it", async () => {
  const { handle, host } = open();
  handle.receive({ type: "batch", session: SESSION, batch: batch("sent") });
  handle.lose({ detail: "It crashed", isSuspect: true });
  handle.receive({ type: "batch", session: SESSION, batch: batch("late") });
  handle.receive({ type: "done", session: SESSION, report: REPORT });
  await setImmediate();
  host.finish();
  assert.deepEqual(await handle.outcome, {
    ok: false,
    failure: { detail: "It crashed", isSuspect: true },
  });
  assert.deepEqual(host.begun, ["sent"]);
});

Deno.test("SessionHandle rejects when the session crashed, and cancels only what is not over", async () => {
  const { handle, posted } = open();
  handle.cancel();
  assert.deepEqual(posted, [{ type: "cancel", session: SESSION }]);
  handle.receive({ type: "crashed", session: SESSION, detail: "at line 1" });
  await assert.rejects(handle.outcome, /at line 1/);
  const told = posted.length;
  handle.cancel();
  handle.lose({ detail: "too late", isSuspect: true });
  assert.equal(posted.length, told);
});

function open({ maxBatches = 4 } = {}) {
  const posted: ToWorker[] = [];
  const credits = new BatchCredit(maxBatches);
  const host = new SlowHost();
  const handle = new SessionHandle({
    number: SESSION,
    host,
    credits,
    post: (message) => posted.push(message),
  });
  return { handle, host, posted, credits };
}

/** An archive that stores a batch when it is told to, and answers everything else at once. */
class SlowHost implements SessionHost {
  /** The reason of the gap of each batch that it was given. */
  readonly begun: (string | undefined)[] = [];
  #storing = Promise.withResolvers<void>();

  authors(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  store({ gaps }: WorkerBatch): Promise<void> {
    this.begun.push(gaps[0]?.filterHash);
    this.#storing = Promise.withResolvers();
    return this.#storing.promise;
  }

  /** What is being stored is stored. */
  finish(): void {
    this.#storing.resolve();
  }

  fail(error: Error): void {
    this.#storing.reject(error);
  }

  known = () => Promise.resolve(new Uint8Array());
  found = () => Promise.resolve(new Float64Array());
  vector = () => Promise.resolve(null);
  near = () => Promise.resolve(null);
  sighted = () => Promise.resolve(null);
  live = () => Promise.resolve(true);
  note = () => Promise.resolve();
  progress = () => {};
}

/** A batch that is known by a name. */
function batch(name = ""): WorkerBatch {
  return {
    events: encodeEvents([]),
    known: encodeKeys([]),
    hints: [],
    rejected: [],
    unsampled: {},
    coverage: [],
    gaps: [{ ...WINDOW, filterHash: name, reason: "timeout" }],
  };
}

const REPORT: SyncReport = {
  received: 0,
  requests: 0,
  rejected: {},
  walk: 0,
  until: 0,
  doing: [],
  failure: null,
  traits: UNKNOWN_TRAITS,
  negentropy: "unknown",
  wholeList: -1,
  hasReconciled: false,
  audits: [],
  retracted: [],
  live: null,
};
