import assert from "node:assert/strict";
import postgres from "postgres";
import { brotrConfig } from "../../../../../src/core/config/brotr_config.ts";
import { DatabaseError } from "../../../../../src/core/database/connection/database_error.ts";
import { Retries } from "../../../../../src/core/database/connection/retries.ts";
import { CircuitOpen } from "../../../../../src/core/lifecycle/breaker.ts";

const LOST = new DatabaseError("unreachable", "nobody there");

function retries(retry: Record<string, unknown> = {}): Retries {
  return new Retries(brotrConfig.parse({ retry }).retry);
}

function sqlState(code: string): Error {
  const error = new postgres.PostgresError("planned");
  return Object.assign(error, { code });
}

Deno.test("Retries counts conflicts, and gives up after so many tries", () => {
  const work = retries({ maxAttempts: 3, initialDelayMs: 100 });
  const waits = ["40001", "40P01", "40001"].map((code) =>
    work.after(sqlState(code))
  );
  const [first, second, third] = waits;
  assert.ok(first !== null && first! > 60 && first! <= 100, `${first} ms`);
  assert.ok(second !== null && second! > 130 && second! <= 200, `${second} ms`);
  assert.equal(third, null);
});

Deno.test("Retries waits for a server that is away however often that is, and counts no conflict for it", () => {
  const work = retries({ maxAttempts: 2, maxDelayMs: 1_000 });
  for (let times = 0; times < 100; times++) {
    for (const error of [LOST, sqlState("57P03"), sqlState("08006")]) {
      const waitMs = work.after(error);
      assert.ok(waitMs !== null && waitMs <= 1_000, `${waitMs} ms`);
    }
  }
  assert.notEqual(work.after(sqlState("40001")), null);
  assert.equal(work.after(sqlState("40001")), null);
});

Deno.test("Retries takes a refusal of the breaker for no try, and waits as long as it says", () => {
  const work = retries({ initialDelayMs: 100 });
  for (let times = 0; times < 100; times++) {
    assert.equal(work.after(new CircuitOpen("It", 2_500, LOST)), 2_500);
  }
  const soon = work.after(new CircuitOpen("It", 0, LOST));
  assert.ok(soon !== null && soon > 0 && soon <= 100, `${soon} ms`);
  const first = work.after(LOST);
  assert.ok(first !== null && first <= 100, `${first} ms`);
});

Deno.test("Retries waits no longer than the outage may last", () => {
  const work = retries({ outageSeconds: 1 });
  const waitMs = work.after(new CircuitOpen("It", 60_000, LOST));
  assert.ok(waitMs !== null && waitMs > 900 && waitMs <= 1_000, `${waitMs} ms`);
  assert.equal(retries({ outageSeconds: 0 }).after(LOST), null);
});

Deno.test("Retries does not wait for a full disk, unless it waits without end", () => {
  const full = new DatabaseError("disk-full", "no room");
  assert.equal(retries().after(full), null);
  assert.equal(retries().after(new CircuitOpen("It", 10, full)), null);
  const { retry } = brotrConfig.parse({});
  const patient = new Retries(retry, { outageSeconds: null });
  assert.notEqual(patient.after(full), null);
});

Deno.test("Retries waits without end for who has the patience", () => {
  const { retry } = brotrConfig.parse({ retry: { outageSeconds: 0 } });
  const work = new Retries(retry, { outageSeconds: null });
  for (let times = 0; times < 100; times++) {
    const waitMs = work.after(LOST);
    assert.ok(waitMs !== null && waitMs <= 10_000, `${waitMs} ms`);
  }
});

Deno.test("Retries tries nothing again that would fail again", () => {
  for (const code of ["23505", "22P05", "42P01"]) {
    assert.equal(retries().after(sqlState(code)), null);
  }
  assert.equal(retries().after(new Error("ours")), null);
  assert.equal(retries().after(new DatabaseError("refused", "no")), null);
});
