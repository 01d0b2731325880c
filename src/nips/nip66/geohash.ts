/**
 * Geohashes: a place as a short text whose beginning is the wider place (NIP-52, NIP-66 `g`).
 *
 * @module
 */

const ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz";

/** A place on Earth, in degrees. */
export interface Coordinates {
  /** -90 to 90. */
  readonly latitude: number;
  /** -180 to 180. */
  readonly longitude: number;
}

/** The geohash of a place, `precision` characters long: 5 mean some 5 km, 9 some 5 m. */
export function geohash(
  { latitude, longitude }: Coordinates,
  precision: number,
): string {
  const bits = precision * 5;
  const east = halvings(longitude, 180, Math.ceil(bits / 2));
  const north = halvings(latitude, 90, Math.floor(bits / 2));
  let text = "";
  for (let at = 0; at < bits; at += 5) {
    let digit = 0;
    for (let bit = at; bit < at + 5; bit++) {
      const half = bit % 2 === 0 ? east[bit / 2] : north[(bit - 1) / 2];
      digit = digit * 2 + (half ?? 0);
    }
    text += ALPHABET[digit];
  }
  return text;
}

/** In which half of what is left a value lies, again and again: 1 for the upper one. */
function halvings(value: number, limit: number, count: number): number[] {
  let low = -limit;
  let high = limit;
  return Array.from({ length: count }, () => {
    const middle = (low + high) / 2;
    if (value >= middle) {
      low = middle;
      return 1;
    }
    high = middle;
    return 0;
  });
}
