import { equal, ok, rejects } from "node:assert/strict";
import {
  CircuitOpen,
  createBreaker,
} from "../../../../src/core/lifecycle/breaker.ts";

/** A breaker that opens after two failures for a second, on a clock of its own. */
function bench(counts?: (error: unknown) => boolean) {
  const clock = { ms: 0 };
  const breaker = createBreaker({
    name: "the database",
    failureThreshold: 2,
    resetMs: 1_000,
    now: () => clock.ms,
    ...(counts ? { counts } : {}),
  });
  const failing = () => breaker.run(() => Promise.reject(new Error("down")));
  return { clock, breaker, failing };
}

Deno.test("a breaker opens after failures in a row and then tries nothing", async () => {
  const { breaker, failing } = bench();
  await rejects(failing(), /down/);
  equal(breaker.state, "closed");
  await rejects(failing(), /down/);
  equal(breaker.state, "open");
  let tried = false;
  await rejects(
    breaker.run(() => {
      tried = true;
      return Promise.resolve();
    }),
    (error) => {
      ok(error instanceof CircuitOpen && error.retryAfterMs === 1_000);
      equal(
        error.message,
        "the database is left alone for 1 s after repeated failures",
      );
      return true;
    },
  );
  ok(!tried);
});

Deno.test("what began before the circuit opened lets nobody past the attempt that decides", async () => {
  const { clock, breaker, failing } = bench();
  const early = Promise.withResolvers<string>();
  const slow = breaker.run(() => early.promise);
  await rejects(failing());
  await rejects(failing());
  clock.ms = 1_000;
  const hold = Promise.withResolvers<string>();
  const attempt = breaker.run(() => hold.promise);
  early.reject(new Error("lost long ago"));
  await rejects(slow, /lost long ago/);
  clock.ms = 5_000;
  await rejects(breaker.run(() => Promise.resolve()), CircuitOpen);
  hold.resolve("back");
  equal(await attempt, "back");
});

Deno.test("after the reset one attempt is let through and decides", async () => {
  const { clock, breaker, failing } = bench();
  await rejects(failing());
  await rejects(failing());
  clock.ms = 1_000;
  equal(breaker.state, "half-open");
  const hold = Promise.withResolvers<string>();
  const attempt = breaker.run(() => hold.promise);
  await rejects(breaker.run(() => Promise.resolve()), CircuitOpen);
  hold.reject(new Error("still down"));
  await rejects(attempt, /still down/);
  equal(breaker.state, "open");
  clock.ms = 2_000;
  equal(await breaker.run(() => Promise.resolve("back")), "back");
  equal(breaker.state, "closed");
  await rejects(failing());
  equal(breaker.state, "closed");
});

Deno.test("a success between failures starts the count anew", async () => {
  const { breaker, failing } = bench();
  for (let i = 0; i < 5; i++) {
    await rejects(failing());
    await breaker.run(() => Promise.resolve());
  }
  equal(breaker.state, "closed");
});

Deno.test("errors that do not count leave the circuit closed", async () => {
  const { breaker, failing } = bench((error) => !(error instanceof Error));
  for (let i = 0; i < 5; i++) await rejects(failing(), /down/);
  equal(breaker.state, "closed");
});
