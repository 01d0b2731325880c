/**
 * Public and other addresses.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  canonicalAddress,
  isPublicAddress,
} from "../../../src/models/address.ts";

Deno.test("isPublicAddress() holds for globally reachable unicast addresses", () => {
  const addresses = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111"];
  for (const address of addresses) assert.ok(isPublicAddress(address), address);
});

Deno.test("isPublicAddress() does not hold for private and reserved ones, nor for text", () => {
  const addresses = [
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "3fff::1",
    "4000::1",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "localhost",
    "",
  ];
  for (const address of addresses) {
    assert.equal(isPublicAddress(address), false, address);
  }
});

Deno.test("canonicalAddress() gives an address its one spelling, and other text none", () => {
  assert.equal(canonicalAddress("2606:4700:0:0::0:1111"), "2606:4700::1111");
  assert.equal(canonicalAddress("2001:DB8::A"), "2001:db8::a");
  assert.equal(canonicalAddress("8.8.8.8"), "8.8.8.8");
  for (const text of ["08.8.8.8", "8.8.8", "8.8.8.8.", "::1%lo", "a", ""]) {
    assert.equal(canonicalAddress(text), null, text);
  }
});
