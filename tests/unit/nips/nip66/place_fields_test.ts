import assert from "node:assert/strict";
import { placeFields } from "../../../../src/nips/nip66/place_fields.ts";

const known = (entry: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(placeFields(entry)).filter(([, value]) =>
      value !== undefined
    ),
  );

Deno.test("placeFields() reads MaxMind's layout, the smallest subdivision for the region", () => {
  assert.deepEqual(
    known({
      continent: { code: "EU", names: { en: "Europe" } },
      country: {
        iso_code: "DE",
        names: { en: "Germany" },
        is_in_european_union: true,
        geoname_id: 1,
      },
      subdivisions: [{ names: { en: "Large" } }, { names: { en: "Small" } }],
      city: { names: { en: "Town" } },
      postal: { code: "12345" },
      location: {
        latitude: 52.123456789,
        longitude: 13.4,
        accuracy_radius: 20,
        time_zone: "Europe/Berlin",
      },
    }),
    {
      geo_country: "DE",
      geo_country_name: "Germany",
      geo_continent: "EU",
      geo_continent_name: "Europe",
      geo_is_eu: true,
      geo_region: "Small",
      geo_city: "Town",
      geo_postal: "12345",
      geo_lat: 52.1235,
      geo_lon: 13.4,
      geo_accuracy: 20,
      geo_tz: "Europe/Berlin",
      geo_geoname_id: 1,
    },
  );
});

Deno.test("placeFields() takes the country in which the network is registered when its own is unknown", () => {
  const registered_country = { iso_code: "US", names: { en: "America" } };
  const given = known({ country: {}, registered_country });
  assert.equal(given["geo_country"], "US");
  assert.equal(given["geo_is_eu"], false);
});

Deno.test("placeFields() reads the flat layout", () => {
  assert.deepEqual(
    known({
      country_code: "JP",
      state1: "Kanto",
      city: "Tokyo",
      postcode: "100",
      latitude: 35.5,
      longitude: 139.5,
      timezone: "Asia/Tokyo",
    }),
    {
      geo_country: "JP",
      geo_region: "Kanto",
      geo_city: "Tokyo",
      geo_postal: "100",
      geo_lat: 35.5,
      geo_lon: 139.5,
      geo_tz: "Asia/Tokyo",
    },
  );
});

Deno.test("placeFields() leaves out what is of the wrong type, and half a pair of coordinates", () => {
  assert.deepEqual(
    known({
      country: "DE",
      city: null,
      subdivisions: {},
      postal: [],
      location: { latitude: 91, longitude: 10, accuracy_radius: "1" },
    }),
    {},
  );
  assert.deepEqual(known({ country_code: "DE", latitude: 1 }), {
    geo_country: "DE",
  });
});
