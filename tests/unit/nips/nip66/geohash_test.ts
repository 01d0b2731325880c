import assert from "node:assert/strict";
import { geohash } from "../../../../src/nips/nip66/geohash.ts";

Deno.test("geohash() gives the known hashes of known places", () => {
  const known = [
    [57.64911, 10.40744, "u4pruydqqvj"],
    [42.605, -5.603, "ezs42"],
    [-25.382708, -49.265506, "6gkzwgjzn820"],
    [0, 0, "s00000"],
    [90, 180, "zzzzzz"],
    [-90, -180, "000000"],
  ] as const;
  for (const [latitude, longitude, hash] of known) {
    assert.equal(geohash({ latitude, longitude }, hash.length), hash);
  }
});

Deno.test("geohash() of a lower precision is the beginning of that of a higher one", () => {
  const place = { latitude: 52.3717, longitude: 4.8852 };
  const long = geohash(place, 12);
  for (let precision = 1; precision <= 12; precision++) {
    assert.equal(geohash(place, precision), long.slice(0, precision));
  }
});
