/**
 * What an audit is about, and what it works with.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import type { Window } from "../../models/window.ts";
import type { NearKeys, NearQuery } from "../protocol/messages.ts";
import type { Page, PageEvent, Query } from "../walk/page.ts";
import type { RelayProfile } from "../walk/relay_profile.ts";
import type { Rhythm } from "../walk/rhythm.ts";

/** What is to be audited. */
export interface AuditSubject {
  readonly filter: Filter;
  readonly filterHash: string;
  /** What is claimed, ascending. */
  readonly claimed: readonly Window[];
  /** Moments worth a question first. */
  readonly rhythm: Pick<Rhythm, "silences" | "dense" | "moments">;
  /** Unix seconds: what is younger may still be arriving. */
  readonly settledBefore: number;
  /** Events asked for at once at most. */
  readonly limit: number;
}

/** What the audit of one filter works with. */
export interface AuditDeps {
  /** The sightings of the relay next to a moment, ascending; null when the archive cannot tell. */
  near(query: NearQuery): Promise<NearKeys | null>;
  /** Asks the relay; what comes is archived. */
  fetch(query: Query): Promise<Page>;
  /** Some authors whose events the relay gives. */
  authors(): readonly string[];
  /** Those of these events, which came just now, that are archived: the others are not their authors'. */
  archived(events: readonly PageEvent[]): Promise<readonly PageEvent[]>;
  readonly profile: RelayProfile;
  /** Goes on over a new connection. */
  renew(): Promise<unknown>;
  /** Draws from [0, 1). */
  readonly random: () => number;
  readonly signal: AbortSignal;
}
