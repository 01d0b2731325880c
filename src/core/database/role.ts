/**
 * Names of the roles that share an archive.
 *
 * @module
 */

export const ROLES = ["admin", "writer", "reader", "refresher"] as const;

export type Role = (typeof ROLES)[number];

/** The name in the server, where roles of all databases live side by side. */
export function roleName(role: Role): `bigbrotr_${Role}` {
  return `bigbrotr_${role}`;
}
