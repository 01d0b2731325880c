import assert from "node:assert/strict";
import {
  listHolders,
  releaseHolders,
} from "../../../src/archive/processes/holders.ts";
import {
  findServiceLease,
  releaseServiceLease,
  takeServiceLease,
} from "../../../src/archive/processes/service_lease.ts";
import { testOnEachServer } from "../../support/each_server.ts";

const SERVICE = "refresher";
const TERMS = { seconds: 900, busyShare: 0.25 };

testOnEachServer(
  "a service's lease is one process's until it ends, is released or runs out",
  async ({ database, sql }) => {
    const a = { service: SERVICE, holder: "a" };
    const b = { service: SERVICE, holder: "b" };
    assert.equal(await findServiceLease(database, SERVICE), null);
    assert.equal(await takeServiceLease(database, a, TERMS), "a");
    assert.equal(await takeServiceLease(database, b, TERMS), "a");
    assert.deepEqual(await findServiceLease(database, SERVICE), {
      holder: "a",
      busyShare: 0.25,
    });
    const other = { service: "another", holder: "b" };
    assert.equal(await takeServiceLease(database, other, TERMS), "b");

    // Renewed by who holds it, and released by nobody else.
    const busier = { ...TERMS, busyShare: 0.5 };
    assert.equal(await takeServiceLease(database, a, busier), "a");
    assert.equal((await findServiceLease(database, SERVICE))?.busyShare, 0.5);
    await releaseServiceLease(database, b);
    assert.equal(await takeServiceLease(database, b, TERMS), "a");
    await releaseServiceLease(database, a);
    assert.equal(await takeServiceLease(database, b, TERMS), "b");

    await sql`update service_lease set claimed_until = unix_now() - 1`;
    assert.equal(await findServiceLease(database, SERVICE), null);
    assert.equal(await takeServiceLease(database, a, TERMS), "a");
  },
);

testOnEachServer(
  "of twenty processes that ask at once one gets a service's lease",
  async ({ database }) => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const claim = { service: SERVICE, holder: `process ${i}` };
        return takeServiceLease(database, claim, TERMS);
      }),
    );
    assert.equal(new Set(answers).size, 1);
  },
);

testOnEachServer(
  "releaseHolders() frees the lease of a service",
  async ({ database }) => {
    const a = { service: SERVICE, holder: "a" };
    await takeServiceLease(database, a, TERMS);
    assert.deepEqual(await listHolders(database), ["a"]);
    assert.equal(await releaseHolders(database, ["b"]), 0);
    assert.equal(await releaseHolders(database, ["a"]), 1);
    assert.equal(await findServiceLease(database, SERVICE), null);
  },
);
