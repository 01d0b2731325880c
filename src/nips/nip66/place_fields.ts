/**
 * The entries of city databases, in the two layouts that are common: MaxMind's (GeoLite2-City, DB-IP) with objects in
 * objects, and the flat one of ip-location-db. Values of the wrong type are not there.
 *
 * @module
 */

type Fields = Readonly<Record<string, unknown>>;

/** A database's record of a place, in the words of the `nip66_geo` document; missing values are undefined. */
export interface PlaceFields {
  readonly geo_country: string | undefined;
  readonly geo_country_name: string | undefined;
  readonly geo_continent: string | undefined;
  readonly geo_continent_name: string | undefined;
  readonly geo_is_eu: boolean | undefined;
  readonly geo_region: string | undefined;
  readonly geo_city: string | undefined;
  readonly geo_postal: string | undefined;
  readonly geo_lat: number | undefined;
  readonly geo_lon: number | undefined;
  readonly geo_accuracy: number | undefined;
  readonly geo_tz: string | undefined;
  readonly geo_geoname_id: number | undefined;
}

/** Reads an entry of either layout. */
export function placeFields(entry: Fields): PlaceFields {
  return typeof entry["country_code"] === "string"
    ? flatPlace(entry)
    : nestedPlace(entry);
}

function flatPlace(entry: Fields): PlaceFields {
  return {
    geo_country: text(entry["country_code"]),
    geo_country_name: undefined,
    geo_continent: undefined,
    geo_continent_name: undefined,
    geo_is_eu: undefined,
    geo_region: text(entry["state2"]) ?? text(entry["state1"]),
    geo_city: text(entry["city"]),
    geo_postal: text(entry["postcode"]),
    ...coordinates(entry),
    geo_accuracy: undefined,
    geo_tz: text(entry["timezone"]),
    geo_geoname_id: undefined,
  };
}

/** The country; when unknown, the one that the network is registered in stands for it. */
function nestedPlace(entry: Fields): PlaceFields {
  const known = record(entry["country"]);
  const country = text(known["iso_code"]) === undefined
    ? record(entry["registered_country"])
    : known;
  const continent = record(entry["continent"]);
  const city = record(entry["city"]);
  const location = record(entry["location"]);
  const subdivisions = entry["subdivisions"];
  const region = Array.isArray(subdivisions) ? subdivisions.at(-1) : undefined;
  const code = text(country["iso_code"]);
  return {
    geo_country: code,
    geo_country_name: name(country),
    geo_continent: text(continent["code"]),
    geo_continent_name: name(continent),
    geo_is_eu: code === undefined
      ? undefined
      : country["is_in_european_union"] === true,
    geo_region: name(record(region)),
    geo_city: name(city),
    geo_postal: text(record(entry["postal"])["code"]),
    ...coordinates(location),
    geo_accuracy: number(location["accuracy_radius"], 40_000),
    geo_tz: text(location["time_zone"]),
    geo_geoname_id: number(city["geoname_id"], Infinity) ??
      number(country["geoname_id"], Infinity),
  };
}

/** Both or neither. */
function coordinates(
  fields: Fields,
): Pick<PlaceFields, "geo_lat" | "geo_lon"> {
  const geo_lat = number(fields["latitude"], 90);
  const geo_lon = number(fields["longitude"], 180);
  return geo_lat === undefined || geo_lon === undefined
    ? { geo_lat: undefined, geo_lon: undefined }
    : { geo_lat: rounded(geo_lat), geo_lon: rounded(geo_lon) };
}

/** Some files keep 32 bits a number: what lies beyond the fourth decimal (11 m) is made up. */
function rounded(degrees: number): number {
  return Math.round(degrees * 10_000) / 10_000;
}

function name(fields: Fields): string | undefined {
  return text(record(fields["names"])["en"]);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== ""
    ? value.slice(0, 200)
    : undefined;
}

function number(value: unknown, limit: number): number | undefined {
  return typeof value === "number" && Math.abs(value) <= limit
    ? value
    : undefined;
}

function record(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
