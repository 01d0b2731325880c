import assert from "node:assert/strict";
import {
  deleteState,
  getState,
  upsertState,
} from "../../../src/archive/service_state.ts";
import { testOnEachServer } from "../../support/each_server.ts";

const FINDER = { serviceName: "finder", stateType: "cursor" } as const;

testOnEachServer(
  "upsertState() replaces, and of one key twice in a batch the last counts",
  async ({ database }) => {
    await upsertState(database, [
      { ...FINDER, stateKey: "a", value: { at: 1 } },
      { ...FINDER, stateKey: "b", value: null },
      { ...FINDER, stateKey: "a", value: [2, "a\0b"] },
    ]);
    const [a, b, ...none] = await getState(database, FINDER);
    assert.deepEqual([a?.stateKey, a?.value], ["a", [2, "a\uFFFDb"]]);
    assert.deepEqual([b?.stateKey, b?.value], ["b", null]);
    assert.deepEqual(none, []);
    assert.ok(a!.updatedAt > 1_700_000_000);

    await upsertState(database, [{ ...FINDER, stateKey: "a", value: 3 }]);
    const [replaced] = await getState(database, { ...FINDER, stateKey: "a" });
    assert.equal(replaced?.value, 3);
  },
);

testOnEachServer(
  "deleteState() deletes exactly the keys named",
  async ({ database }) => {
    const keys = ["a", "b", "c"].map((stateKey) => ({ ...FINDER, stateKey }));
    await upsertState(database, keys.map((key) => ({ ...key, value: {} })));
    const missing = { ...FINDER, stateKey: "z" };
    assert.equal(await deleteState(database, [keys[0]!, keys[2]!, missing]), 2);
    const left = await getState(database, FINDER);
    assert.deepEqual(left.map(({ stateKey }) => stateKey), ["b"]);
  },
);
