/**
 * The lease of the refresher: one process works, the others wait and take over.
 *
 * Nothing is wrong when two work at once, as facts are taken by one transaction after the other; they would only wait for
 * each other. So a lease that expires under a process that stands still is no harm.
 *
 * @module
 */
import {
  type LeaseClaim,
  releaseServiceLease,
  takeServiceLease,
} from "../../archive/processes/service_lease.ts";
import { holderText, newHolder } from "../../core/lifecycle/holder.ts";
import type { Context } from "../../core/lifecycle/service.ts";

export const SERVICE = "refresher";

/** A process that is gone is waited for no longer. */
const LEASE_SECONDS = 15;

const RENEW_EVERY_MS = 5_000;

/** The share of the time that is worked is that of about the last minute: each renewal forgets so much of it. */
const FORGOTTEN = 0.1;

type Deps = Pick<Context, "database" | "log">;

/** The lease of this process, renewed as long as it is held; disposing ends it. */
export class RefresherLease implements AsyncDisposable {
  readonly #deps: Deps;
  readonly #claim: LeaseClaim = { service: SERVICE, holder: newHolder() };
  readonly #timer: ReturnType<typeof setInterval>;
  /** Who holds it, as far as is known. */
  #holder: string | null = null;
  #renewing = Promise.resolve();
  #busyMs = 0;
  #busyShare = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#timer = setInterval(() => {
      if (this.isOurs) this.#renewing = this.#renew();
    }, RENEW_EVERY_MS);
    Deno.unrefTimer(this.#timer);
  }

  get isOurs(): boolean {
    return this.#holder === this.#claim.holder;
  }

  /** Whether it is ours now: taken when nobody holds it. Says in the log whom it waits for, and when it takes over. */
  async take(): Promise<boolean> {
    if (this.isOurs) return true;
    const { database, log } = this.#deps;
    const before = this.#holder;
    this.#holder = await takeServiceLease(database, this.#claim, this.#terms);
    if (this.isOurs) {
      if (before !== null) log.info("took over from another refresher");
    } else if (this.#holder !== before) {
      log.info("another refresher works, waits to take over", {
        holder: holderText(this.#holder),
      });
    }
    return this.isOurs;
  }

  /** Notes that so much was worked; the next renewal tells it. */
  worked(busyMs: number): void {
    this.#busyMs += busyMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    const { database, log } = this.#deps;
    // A database that is away frees it by itself.
    if (!this.isOurs || database.isAway) return;
    await releaseServiceLease(database, this.#claim).catch((error) =>
      log.debug("lease not released", { error })
    );
  }

  get #terms() {
    return { seconds: LEASE_SECONDS, busyShare: this.#busyShare };
  }

  async #renew(): Promise<void> {
    const { database, log } = this.#deps;
    const share = Math.min(1, this.#busyMs / RENEW_EVERY_MS);
    this.#busyShare += FORGOTTEN * (share - this.#busyShare);
    this.#busyMs = 0;
    try {
      this.#holder = await database.run(
        (sql) => takeServiceLease(sql, this.#claim, this.#terms),
        { signal: AbortSignal.timeout(RENEW_EVERY_MS) },
      );
    } catch (error) {
      log.debug("lease not renewed", { error });
    }
  }
}
