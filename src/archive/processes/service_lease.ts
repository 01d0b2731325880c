/**
 * Leases of services of which one process works at a time: the others wait and take over.
 *
 * A lease spares processes that would only wait for each other; nothing may be wrong when two hold one for a moment.
 *
 * @module
 */
import {
  type Executor,
  onConnection,
} from "../../core/database/connection/executor.ts";

/** A process that wants to be the one of its service. */
export interface LeaseClaim {
  readonly service: string;
  /** Names this process among all of them (host, pid, random). */
  readonly holder: string;
}

/** The process that works. */
export interface ServiceLease {
  readonly holder: string;
  /** Share of the time of late that it worked, 0 to 1. */
  readonly busyShare: number;
}

/** Takes the lease, or holds it for `seconds` from now; gives who holds it now. */
export function takeServiceLease(
  db: Executor,
  { service, holder }: LeaseClaim,
  { seconds, busyShare }: {
    readonly seconds: number;
    readonly busyShare: number;
  },
): Promise<string> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ holder: string }[]>`
      select service_lease_take(${service}, ${holder}, ${seconds}::int,
        ${busyShare}::float4) as holder`;
    return row!.holder;
  });
}

/** Ends the lease, so that another has it at once. Does nothing where somebody else holds it. */
export function releaseServiceLease(
  db: Executor,
  { service, holder }: LeaseClaim,
): Promise<void> {
  return onConnection(db, async (sql) => {
    await sql`select service_lease_release(${service}, ${holder})`;
  });
}

/** The lease that holds now; null when no process of the service works. */
export function findServiceLease(
  db: Executor,
  service: string,
): Promise<ServiceLease | null> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<FoundLease[]>`
      select holder, busy_share as "busyShare"
      from service_lease_find(${service})`;
    const { holder, busyShare } = row!;
    return holder === null ? null : { holder, busyShare };
  });
}

interface FoundLease {
  readonly holder: string | null;
  readonly busyShare: number;
}
