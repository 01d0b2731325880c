import assert from "node:assert/strict";
import { Keepalive } from "../../../../src/nips/client/keepalive.ts";

const { signal } = new AbortController();

Deno.test("Keepalive counts a pong when everything that was sent before it has been handed on", async () => {
  let handedOn = 3;
  const keepalive = alive({ before: 5, handedOn: () => handedOn });
  let answer: string | undefined;
  const asked = keepalive.ask({ signal, timeoutMs: 10_000 })
    .then((given) => answer = given);
  for (handedOn = 4; handedOn <= 5; handedOn++) {
    await turn();
    assert.equal(answer, undefined, `${handedOn - 1} were handed on`);
    keepalive.advance();
  }
  assert.equal(await asked, "alive");
});

Deno.test("Keepalive says that it is over when the connection ends before, or nobody asks any more", async () => {
  const ended = alive({ before: 5, handedOn: () => 0 });
  const asked = ended.ask({ signal, timeoutMs: 10_000 });
  await turn();
  ended.end();
  assert.equal(await asked, "over");
  assert.equal(await ended.ask({ signal, timeoutMs: 10_000 }), "over");

  const gone = alive({ before: null, handedOn: () => 0 });
  assert.equal(await gone.ask({ signal, timeoutMs: 10_000 }), "over");

  const leaving = new AbortController();
  const silent = new Keepalive(never());
  const waiting = silent.ask({ signal: leaving.signal, timeoutMs: 10_000 });
  leaving.abort();
  assert.equal(await waiting, "over");
});

Deno.test("Keepalive calls a relay silent, but not while we do not read", async () => {
  assert.equal(
    await new Keepalive(never()).ask({ signal, timeoutMs: 10 }),
    "silent",
  );
  let isStalled = true;
  const stalled = new Keepalive({ ...never(), isStalled: () => isStalled });
  const startedAt = performance.now();
  const asked = stalled.ask({ signal, timeoutMs: 10 });
  setTimeout(() => isStalled = false, 100);
  assert.equal(await asked, "silent");
  assert(performance.now() - startedAt >= 100);
});

/** A line whose pings are answered at once, behind so many messages. */
function alive(
  { before, handedOn }: {
    readonly before: number | null;
    readonly handedOn: () => number;
  },
): Keepalive {
  return new Keepalive({
    socket: { ping: () => Promise.resolve(before) },
    handedOn,
    isStalled: () => false,
  });
}

/** A line whose pings are not answered. */
function never() {
  return {
    socket: { ping: () => new Promise<null>(() => {}) },
    handedOn: () => 0,
    isStalled: () => false,
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
