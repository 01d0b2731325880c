/**
 * What can be wrong with a negentropy message.
 *
 * @module
 */

export type NegentropyFault =
  /** It is of another version of the protocol, 0x60 to 0x6f; alone it is the highest one the sender knows. */
  | { readonly code: "version"; readonly version: number }
  /** It is cut off, out of order, or no negentropy at all. */
  | { readonly code: "malformed"; readonly detail: string }
  /** It says nothing about what was asked: going on would go on forever. */
  | { readonly code: "idle"; readonly detail: string }
  /** It goes beyond a bound of ours. */
  | { readonly code: "excess"; readonly detail: string };

/** One line for people. */
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
