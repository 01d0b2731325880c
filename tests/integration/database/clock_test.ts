import assert from "node:assert/strict";
import { databaseClock, isSkewed } from "../../../src/archive/clock.ts";
import { testOnEachServer } from "../../support/each_server.ts";

testOnEachServer(
  "databaseClock() gives the database's time, and by how much ours differs",
  async ({ database }) => {
    const clock = await databaseClock(database);
    // The server runs on this machine: one clock.
    assert.ok(Math.abs(clock.now - Date.now() / 1_000) < 5, `${clock.now}`);
    assert.ok(Number.isInteger(clock.now));
    assert.ok(Math.abs(clock.skewSeconds) < 2, `${clock.skewSeconds} s`);
  },
);

testOnEachServer(
  "databaseClock() says that our clock is ahead, or behind",
  async ({ database }) => {
    for (const shiftMs of [30 * 86_400_000, -7_000]) {
      const real = Date.now;
      Date.now = () => real() + shiftMs;
      try {
        const clock = await databaseClock(database);
        const error = clock.skewSeconds - shiftMs / 1_000;
        assert.ok(Math.abs(error) < 2, `off by ${error} s`);
        assert.ok(Math.abs(clock.now - real() / 1_000) < 5);
        assert.equal(isSkewed(clock), true);
      } finally {
        Date.now = real;
      }
    }
  },
);
