/**
 * The path of a relay URL: its normal form, and the part of it that belongs to a single user.
 *
 * @module
 */

/** A segment of a path, decoded: begins and ends with a letter or digit. */
const SEGMENT = /^[A-Za-z0-9](?:[A-Za-z0-9._~:-]*[A-Za-z0-9])?$/;

/** A key in any spelling: such a segment, and what is behind it, is one user's view of the relay. */
const USER_SEGMENT = /^(?:(?:npub1|nprofile1)[a-z0-9]{20,}|[0-9a-f]{64})$/i;

/** Segments that announce a user's name. */
const USER_PREFIX = new Set([
  "u",
  "user",
  "users",
  "npub",
  "pubkey",
  "profile",
]);

/** Path, query and fragment as a path in normal form; null for the root or a path that no relay needs. */
export function normalizePath(rest: string): string | null {
  if (!rest.startsWith("/")) return null;
  const raw = rest.replace(/[?#][^]*$/, "");
  const path = resolveDots(decodeUnreserved(raw));
  if (path === "") return null;
  const segments = decode(path)?.slice(1).split("/") ?? [""];
  return segments.every((segment) => SEGMENT.test(segment)) ? path : null;
}

/** Percent escapes of characters that need none are these characters (RFC 3986, 6.2.2.2); others in uppercase. */
function decodeUnreserved(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase();
  });
}

/** Resolves `.` and `..` (RFC 3986, 5.2.4) and drops empty segments, the trailing one included. */
function resolveDots(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "." && segment !== "") kept.push(segment);
  }
  return kept.map((segment) => `/${segment}`).join("");
}

function decode(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** The path without its per-user part; null when nothing else is left. */
export function withoutUserPath(path: string): string | null {
  const segments = path.slice(1).split("/");
  const user = segments.findIndex((segment, i) =>
    USER_SEGMENT.test(segment) ||
    (i < segments.length - 1 && USER_PREFIX.has(segment.toLowerCase()))
  );
  if (user === -1) return path;
  return user === 0 ? null : `/${segments.slice(0, user).join("/")}`;
}
