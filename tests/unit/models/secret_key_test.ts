import assert from "node:assert/strict";
import { parseSecretKey } from "../../../src/models/secret_key.ts";

/** From the text of NIP-19. */
const NSEC = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5";
const HEX = "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa";

Deno.test("parseSecretKey() reads hex and nsec alike", () => {
  for (const text of [HEX, HEX.toUpperCase(), NSEC, NSEC.toUpperCase()]) {
    const key = parseSecretKey(text);
    assert.equal(key.ok && hex(key.value), HEX, text.slice(0, 4));
  }
});

Deno.test("parseSecretKey() refuses what is no key, without quoting it", () => {
  const bad = [
    "",
    "hunter2",
    HEX.slice(1),
    `${HEX}00`,
    NSEC.replace("vl", "lv"),
    // The npub of NIP-19: public, not secret.
    "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg",
    "00".repeat(32),
    "ff".repeat(32),
  ];
  for (const text of bad) {
    const key = parseSecretKey(text);
    assert.ok(!key.ok, text);
    assert.ok(text === "" || !key.failure.detail.includes(text));
  }
});

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
