import assert from "node:assert/strict";
import { databaseClock, isSkewed } from "../../../src/archive/clock.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { shiftClock } from "../../support/shifted_clock.ts";

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
    const { now } = await databaseClock(database);
    for (const shift of [30 * 86_400, -9]) {
      using _clock = shiftClock(shift);
      const clock = await databaseClock(database);
      const error = clock.skewSeconds - shift;
      assert.ok(Math.abs(error) < 2, `off by ${error} s`);
      assert.ok(clock.now - now >= 0 && clock.now - now < 60);
      assert.equal(isSkewed(clock), true);
    }
  },
);
