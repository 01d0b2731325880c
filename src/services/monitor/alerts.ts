/**
 * Alerts: operators are told when a relay that they watch goes down, and when it comes back.
 *
 * The downtime of each watched relay that does not answer is service state, written in the transaction of the check, so
 * that no operator is told twice and none is forgotten, whatever restarts in between.
 *
 * @module
 */
import { z } from "zod";
import type { Sql } from "../../core/database/connection/database.ts";
import type { OutboxEvent } from "../../archive/outbox.ts";
import {
  deleteState,
  getState,
  type NewState,
  upsertState,
} from "../../archive/service_state.ts";
import type { Context } from "../../core/lifecycle/service.ts";
import { failureText } from "../../transport/failure.ts";
import type { Alert, Downtime } from "./alert.ts";
import { alertMessages } from "./alert_messages.ts";
import type { MonitorConfig } from "./config.ts";
import { type Publisher, usableRelays } from "./publish/publisher.ts";
import type { Visit } from "./store.ts";

/** Changes of watched relays. */
export interface ChangedAlerts {
  readonly states: readonly NewState[];
  /** Relays that are back, or not watched any more. */
  readonly over: readonly string[];
  readonly messages: readonly OutboxEvent[];
}

const KEY = { serviceName: "monitor", stateType: "alert" } as const;

const downtimeValue = z.object({
  since: z.number(),
  failures: z.number(),
  cause: z.string(),
  told: z.boolean(),
});

/** Finds what these visits change about the watched relays, to be stored by `storeAlerts`. */
export async function changedAlerts(
  ctx: Context<MonitorConfig>,
  publisher: Publisher,
  visits: readonly Visit[],
): Promise<ChangedAlerts> {
  const { config } = ctx;
  const watched = watchedUrls(config);
  const seen = visits.filter(({ url, findings }) =>
    findings !== null && watched.has(url)
  );
  if (seen.length === 0) return { states: [], over: [], messages: [] };

  const known = await knownDowntimes(ctx);
  const states: NewState[] = [];
  const over: string[] = [];
  const alerts: Alert[] = [];
  for (const { url, findings } of seen) {
    if (findings === null) continue;
    const { checkedAt: at, rtt: { failure } } = findings;
    const before = known.get(url);
    if (failure === null) {
      if (before === undefined) continue;
      over.push(url);
      if (before.told) alerts.push({ url, at, isUp: true, downtime: before });
      continue;
    }
    const cause = failureText(failure).slice(0, 300);
    const downtime = lengthened(before, { at, cause }, config.alerts);
    states.push({ ...KEY, stateKey: url, value: downtime });
    const isNews = downtime.told && !before?.told;
    if (isNews) alerts.push({ url, at, isUp: false, downtime });
  }
  return {
    states,
    over,
    messages: await alertMessages(ctx, publisher, alerts),
  };
}

/** Stores what `changedAlerts` gave; its messages go into the outbox in the same transaction. */
export async function storeAlerts(
  sql: Sql,
  { states, over }: ChangedAlerts,
): Promise<void> {
  await upsertState(sql, states);
  await deleteState(sql, over.map((stateKey) => ({ ...KEY, stateKey })));
}

/** Forgets relays that nobody watches any more. */
export async function forgetUnwatched(
  ctx: Context<MonitorConfig>,
): Promise<void> {
  const watched = watchedUrls(ctx.config);
  const known = [...(await knownDowntimes(ctx)).keys()];
  const unwatched = known.filter((url) => !watched.has(url));
  await deleteState(
    ctx.database,
    unwatched.map((stateKey) => ({ ...KEY, stateKey })),
  );
}

/** The normal form of the relays that are watched; none when there is nobody to tell. */
export function watchedUrls(config: MonitorConfig): ReadonlySet<string> {
  const { watch, operators } = config.alerts;
  return new Set(
    operators.length === 0
      ? []
      : usableRelays(watch, config).map(({ url }) => url),
  );
}

async function knownDowntimes(
  { database }: Context<MonitorConfig>,
): Promise<Map<string, Downtime>> {
  const states = await getState(database, KEY);
  return new Map(states.flatMap(({ stateKey, value }) => {
    const downtime = downtimeValue.safeParse(value);
    return downtime.success ? [[stateKey, downtime.data] as const] : [];
  }));
}

/** A single failure says little: some relays restart each night. */
function lengthened(
  before: Downtime | undefined,
  { at, cause }: { readonly at: number; readonly cause: string },
  { afterFailures, afterMinutes }: MonitorConfig["alerts"],
): Downtime {
  const since = before?.since ?? at;
  const failures = (before?.failures ?? 0) + 1;
  const isDown = failures >= afterFailures || at - since >= afterMinutes * 60;
  return { since, failures, cause, told: isDown || (before?.told ?? false) };
}
