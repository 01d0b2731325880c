/**
 * The SCRAM-SHA-256 verifier of RFC 5803, which PostgreSQL keeps instead of a password.
 *
 * @module
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** As PostgreSQL does by default. */
const ITERATIONS = 4096;

/** The verifier of a password, with a new salt each time. `alter role … password` stores it as it is. */
export function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  // The NFKC of SASLprep (RFC 4013); characters it forbids are for the operator to avoid.
  const salted = pbkdf2Sync(
    password.normalize("NFKC"),
    salt,
    ITERATIONS,
    32,
    "sha256",
  );
  const hmac = (text: string) =>
    createHmac("sha256", salted).update(text).digest();
  const stored = createHash("sha256").update(hmac("Client Key")).digest();
  const base64 = (bytes: Uint8Array) => bytes.toBase64();
  return `SCRAM-SHA-256$${ITERATIONS}:${base64(salt)}$${base64(stored)}:${
    base64(hmac("Server Key"))
  }`;
}
