import assert from "node:assert/strict";
import { BatchCredit } from "../../../../src/workers/host/batch_credit.ts";

Deno.test("BatchCredit lends no more than it has, first come first served", () => {
  const pool = new BatchCredit(2);
  const [a, b, c] = [borrower(), borrower(), borrower()];
  for (const one of [a, b, c]) pool.want(one);
  assert.deepEqual([a.granted, b.granted, c.granted], [1, 1, 0]);
  pool.giveBack(b);
  assert.equal(c.granted, 1);
});

Deno.test("BatchCredit lends two to one borrower at most, however many are free", () => {
  const pool = new BatchCredit(10);
  const [greedy, other] = [borrower(), borrower()];
  for (let i = 0; i < 4; i++) pool.want(greedy);
  pool.want(other);
  assert.deepEqual([greedy.granted, other.granted], [2, 1]);
  pool.giveBack(greedy);
  assert.equal(greedy.granted, 3);
});

Deno.test("BatchCredit takes back what a borrower held that is gone, and forgets its wishes", () => {
  const pool = new BatchCredit(2);
  const [dead, heir] = [borrower(), borrower()];
  for (let i = 0; i < 3; i++) pool.want(dead);
  pool.want(heir);
  assert.equal(heir.granted, 0);
  pool.forget(dead);
  assert.deepEqual([dead.granted, heir.granted], [2, 1]);
  // A batch that was on its way when its session ended gives nothing back twice.
  pool.giveBack(dead);
  for (let i = 0; i < 3; i++) pool.want(heir);
  assert.equal(heir.granted, 2);
});

Deno.test("BatchCredit passes by who has all it may have, and serves it first when it gives back", () => {
  const credit = new BatchCredit(4);
  const [greedy, late] = [borrower(), borrower()];
  for (let i = 0; i < 3; i++) credit.want(greedy);
  for (let i = 0; i < 3; i++) credit.want(late);
  assert.deepEqual([greedy.granted, late.granted], [2, 2]);
  credit.giveBack(late);
  assert.deepEqual([greedy.granted, late.granted], [2, 3]);
  credit.giveBack(greedy);
  assert.deepEqual([greedy.granted, late.granted], [3, 3]);
});

Deno.test("BatchCredit takes nothing back that was not lent", () => {
  const credit = new BatchCredit(1);
  const [stranger, one, other] = [borrower(), borrower(), borrower()];
  credit.giveBack(stranger);
  credit.forget(stranger);
  credit.want(one);
  credit.want(other);
  assert.deepEqual([one.granted, other.granted], [1, 0]);
});

function borrower() {
  return {
    granted: 0,
    grant() {
      this.granted += 1;
    },
  };
}
