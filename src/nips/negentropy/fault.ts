/**
 * Faults of a negentropy message.
 *
 * @module
 */

export type NegentropyFault =
  /** Another version of the protocol, 0x60 to 0x6f; alone it is the highest one the sender knows. */
  | { readonly code: "version"; readonly version: number }
  /** The message is cut off, out of order, or no negentropy at all. */
  | { readonly code: "malformed"; readonly detail: string }
  /** The message says nothing about what was asked: going on would go on forever. */
  | { readonly code: "idle"; readonly detail: string }
  /** The message, or the conversation, goes beyond a bound of ours. */
  | { readonly code: "excess"; readonly detail: string };

/** The fault as a line for people. */
export function faultText(fault: NegentropyFault): string {
  switch (fault.code) {
    case "version":
      return `negentropy of version 0x${fault.version.toString(16)}`;
    case "malformed":
    case "idle":
    case "excess":
      return fault.detail;
  }
}
