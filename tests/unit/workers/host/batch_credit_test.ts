import assert from "node:assert/strict";
import { BatchCredit } from "../../../../src/workers/host/batch_credit.ts";

Deno.test("CreditPool lends no more than it has, first come first served", () => {
  const pool = new BatchCredit(2);
  const [a, b, c] = [borrower(), borrower(), borrower()];
  for (const one of [a, b, c]) pool.want(one);
  assert.deepEqual([a.granted, b.granted, c.granted], [1, 1, 0]);
  pool.giveBack(b);
  assert.equal(c.granted, 1);
});

Deno.test("CreditPool lends two to one borrower at most, however many are free", () => {
  const pool = new BatchCredit(10);
  const [greedy, other] = [borrower(), borrower()];
  for (let i = 0; i < 4; i++) pool.want(greedy);
  pool.want(other);
  assert.deepEqual([greedy.granted, other.granted], [2, 1]);
  pool.giveBack(greedy);
  assert.equal(greedy.granted, 3);
});

Deno.test("CreditPool takes back what a borrower held that is gone, and forgets its wishes", () => {
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

function borrower() {
  return {
    granted: 0,
    grant() {
      this.granted += 1;
    },
  };
}
