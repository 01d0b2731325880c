/**
 * The coverage that is wanted of each relay, recorded in the archive, so that `status` can say how much of it is proven.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import { wantWalks } from "../../archive/sync/sync_coverage.ts";
import { filterHash } from "../../models/filter.ts";
import type { WantedFilter } from "./plan.ts";

export class CoverageTargets {
  readonly #database: Database;
  /** Relays whose targets are recorded already: the configuration does not change while a process runs. */
  readonly #recorded = new Set<number>();

  constructor(database: Database) {
    this.#database = database;
  }

  async record(
    relayId: number,
    filters: readonly WantedFilter[],
  ): Promise<void> {
    if (this.#recorded.has(relayId)) return;
    const walks = filters.map((wanted) => ({
      ...wanted,
      filterHash: filterHash(wanted.filter),
    }));
    await wantWalks(this.#database, relayId, walks);
    this.#recorded.add(relayId);
  }

  /** Has all be recorded again, as the database may have lost some. */
  forget(): void {
    this.#recorded.clear();
  }
}
