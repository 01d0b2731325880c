import assert from "node:assert/strict";
import {
  LiveAdmission,
  type LiveRelay,
} from "../../../../../src/services/synchronizer/live/admission.ts";

Deno.test("LiveSeats gives a seat to another only when it is clearly better", () => {
  const seats = new LiveAdmission(2);
  const left: number[] = [];
  const take = (relayId: number, draft: Partial<LiveRelay>) =>
    seats.take(relay(relayId, draft), () => left.push(relayId));
  assert.ok(take(1, { value: 10 }));
  assert.ok(take(2, { value: 20 }));
  assert.ok(!take(3, { value: 20 }), "twice as much is not enough");
  assert.ok(take(4, { value: 21 }));
  assert.deepEqual(left, [1]);
  assert.ok(take(5, { value: 0, rank: 1 }), "a higher tier comes first");
  assert.deepEqual(left, [1, 2]);
  assert.ok(!take(6, { value: 1_000, rank: 4 }), "a lower one does not");
  seats.free(4);
  assert.ok(take(6, { value: 0, rank: 4 }));
});

Deno.test("LiveSeats has one seat at an address", () => {
  const seats = new LiveAdmission(10);
  const left: number[] = [];
  const take = (relayId: number, draft: Partial<LiveRelay>) =>
    seats.take(relay(relayId, draft), () => left.push(relayId));
  assert.ok(take(1, { place: "192.0.2.1", value: 10 }));
  assert.ok(take(2, { place: "192.0.2.2", value: 1 }));
  assert.ok(!take(3, { place: "192.0.2.1", value: 10 }));
  assert.ok(take(4, { place: "192.0.2.1", value: 100 }));
  assert.deepEqual(left, [1]);
});

function relay(relayId: number, draft: Partial<LiveRelay>): LiveRelay {
  return {
    relayId,
    network: "clearnet",
    place: `${relayId}`,
    rank: 3,
    value: 0,
    ...draft,
  };
}
