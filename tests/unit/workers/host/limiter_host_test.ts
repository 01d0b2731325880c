import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import {
  type ConnectionLimiter,
  limiterOf,
  Politeness,
} from "../../../../src/transport/politeness.ts";
import { LimiterHost } from "../../../../src/workers/host/limiter_host.ts";
import type { ToWorker } from "../../../../src/workers/protocol/messages.ts";

/** Aborted, so that nothing lingers. */
const NOW = AbortSignal.abort();

Deno.test("LimiterHost reserves connections for its worker from the budget of all", async () => {
  const { worker } = open(new Politeness({ maxNewConnectionsPerMinute: 6 }));
  worker.receive({ type: "reserve-connection", request: 1 });
  worker.receive({ type: "reserve-connection", request: 2 });
  const [first, second] = await worker.answers(2);
  assert.deepEqual(first, {
    type: "connection-reserved",
    request: 1,
    waitMs: 0,
  });
  assert.ok(second?.type === "connection-reserved" && second.request === 2);
  assert.ok(second.waitMs > 0);
});

Deno.test("LimiterHost gives a slot to the worker in line when another frees it", async () => {
  const { worker, another } = open(ONE_SOCKET());
  worker.receive(acquire(1));
  await worker.answers(1);
  const other = another();
  other.receive(acquire(7));
  await setImmediate();
  assert.deepEqual(other.posted, []);
  worker.receive({ type: "release-slots", addresses: ["a"] });
  assert.deepEqual(await other.answers(1), [
    { type: "slots", request: 7, taken: { ok: true, value: ["a"] } },
  ]);
});

Deno.test("LimiterHost frees only what its worker holds", async () => {
  const { worker, another, limiter } = open(ONE_SOCKET());
  worker.receive(acquire(1));
  await worker.answers(1);
  another().receive({ type: "release-slots", addresses: ["a", "b"] });
  assert.equal(await isFree(limiter), false);
  worker.receive({ type: "release-slots", addresses: ["a"] });
  worker.receive({ type: "release-slots", addresses: ["a"] });
  assert.equal(await isFree(limiter), true);
});

Deno.test("LimiterHost answers a request that is cancelled, and keeps no slot for it", async () => {
  const { worker, another, limiter } = open(ONE_SOCKET());
  worker.receive(acquire(1));
  await worker.answers(1);
  const other = another();
  other.receive(acquire(2));
  other.receive({ type: "cancel-slots", request: 2 });
  const [answer] = await other.answers(1);
  assert.ok(answer?.type === "slots" && !answer.taken.ok);
  assert.equal(answer.taken.failure.code, "aborted");
  worker.receive({ type: "release-slots", addresses: ["a"] });
  assert.equal(await isFree(limiter), true);
});

Deno.test("LimiterHost frees everything of a worker that was ended, what it waited for included", async () => {
  const { worker, another, limiter } = open(
    new Politeness({ maxSocketsPerAddress: 2 }),
  );
  worker.receive(acquire(1));
  worker.receive(acquire(2));
  await worker.answers(2);
  worker.receive(acquire(3));
  await worker.close(NOW);
  await worker.answers(3);
  const other = another();
  other.receive(acquire(1));
  other.receive(acquire(2));
  const answers = await other.answers(2);
  assert.ok(answers.every((a) => a.type === "slots" && a.taken.ok));
  assert.equal(await isFree(limiter), false);
});

Deno.test("LimiterHost gives back a slot that comes after its worker was ended", async () => {
  const { worker, limiter } = open(ONE_SOCKET());
  // Granted already, but not yet handed on.
  worker.receive(acquire(1));
  await worker.close(NOW);
  await setImmediate();
  assert.deepEqual(worker.posted, []);
  assert.equal(await isFree(limiter), true);
});

const ONE_SOCKET = () => new Politeness({ maxSocketsPerAddress: 1 });

function open(politeness: Politeness) {
  const limiter = limiterOf(politeness);
  return {
    limiter,
    worker: workerEnd(limiter),
    another: () => workerEnd(limiter),
  };
}

/** A limiter host, and what its worker is told. */
function workerEnd(limiter: ConnectionLimiter) {
  const posted: ToWorker[] = [];
  const host = new LimiterHost(limiter, (answer) => posted.push(answer));
  return {
    posted,
    receive: host.receive.bind(host),
    close: host.close.bind(host),
    async answers(count: number): Promise<readonly ToWorker[]> {
      while (posted.length < count) await setImmediate();
      return posted;
    },
  };
}

function acquire(request: number) {
  const addresses = ["a"];
  return {
    type: "acquire-slots",
    request,
    addresses,
    timeoutMs: 60_000,
  } as const;
}

/** Whether somebody could connect to the address now. */
async function isFree(limiter: ConnectionLimiter): Promise<boolean> {
  const leaving = new AbortController();
  const asked = limiter.acquire(["a"], {
    timeoutMs: 60_000,
    signal: leaving.signal,
  });
  leaving.abort();
  const taken = await asked;
  if (taken.ok) limiter.release(taken.value);
  return taken.ok;
}
