/**
 * What is wanted of each relay, told to the archive, so that `status` can say how much of it is there.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import { wantWalks } from "../../archive/sync_coverage.ts";
import { filterHash } from "../../models/filter.ts";
import type { WantedFilter } from "./plan.ts";

export class CoverageTargets {
  readonly #database: Database;
  /** Relays that were told already: a configuration does not change while it runs. */
  readonly #told = new Set<number>();

  constructor(database: Database) {
    this.#database = database;
  }

  async tell(relayId: number, filters: readonly WantedFilter[]): Promise<void> {
    if (this.#told.has(relayId)) return;
    const walks = filters.map((wanted) => ({
      ...wanted,
      filterHash: filterHash(wanted.filter),
    }));
    await wantWalks(this.#database, relayId, walks);
    this.#told.add(relayId);
  }
}
