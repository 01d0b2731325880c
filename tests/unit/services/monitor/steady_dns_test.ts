import assert from "node:assert/strict";
import type { CheckDocument } from "../../../../src/nips/check_document.ts";
import { steadyDns } from "../../../../src/services/monitor/steady_dns.ts";

const DAY = 86_400;

function answer(data: Readonly<Record<string, unknown>>): CheckDocument {
  return { data, logs: { success: true }, failure: null };
}

Deno.test("steadyDns() gives one document for all the numbers that a resolver counts down", () => {
  let lifetimes = undefined;
  const seen = new Set<string>();
  for (const dns_ttl of [300, 299, 7, 181, 60, 1]) {
    const found = answer({
      dns_ips: ["192.0.2.1"],
      dns_ttl,
      dns_ttl_v6: 3_599,
    });
    const steady = steadyDns(found, lifetimes, 1_000);
    lifetimes = steady.lifetimes;
    seen.add(JSON.stringify(steady.document.data));
  }
  assert.deepEqual([...seen], [
    `{"dns_ips":["192.0.2.1"],"dns_ttl":300,"dns_ttl_v6":3600}`,
  ]);
});

Deno.test("steadyDns() believes a shorter lifetime after a month, a longer one at once, and invents none", () => {
  const { lifetimes } = steadyDns(answer({ dns_ttl: 3_600 }), undefined, 0);
  const ttl = (dns_ttl: number, now: number) =>
    steadyDns(answer({ dns_ttl }), lifetimes, now).document.data["dns_ttl"];
  assert.deepEqual([ttl(50, 29 * DAY), ttl(50, 30 * DAY)], [3_600, 60]);
  assert.deepEqual([ttl(7_000, DAY), ttl(900_000, DAY)], [7_200, 900_000]);
  assert.deepEqual(steadyDns(answer({}), lifetimes, DAY).document.data, {});
});
