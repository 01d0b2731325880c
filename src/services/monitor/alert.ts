/**
 * What operators are told about a relay that they watch.
 *
 * @module
 */

/** A watched relay that does not answer. */
export interface Downtime {
  /** Unix seconds of the first failed check. */
  readonly since: number;
  /** In a row. */
  readonly failures: number;
  /** The failure of the last check. */
  readonly cause: string;
  /** Whether the operators were told. */
  readonly told: boolean;
}

/** Something to tell about a watched relay. */
export interface Alert {
  readonly url: string;
  /** Unix seconds. */
  readonly at: number;
  readonly isUp: boolean;
  readonly downtime: Downtime;
}
