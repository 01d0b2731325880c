/**
 * `bigbrotr refresher`: the service, and making statistics again.
 *
 * @module
 */
import { requestDerivedRemake } from "../../archive/derived/derived.ts";
import {
  requestRemake,
  statisticsStatus,
} from "../../archive/statistics/refresh.ts";
import type { Database } from "../../core/database/connection/database.ts";
import { refresher } from "../../services/refresher/mod.ts";
import type { Command, Invocation } from "../command.ts";
import { TIME_FORMS } from "../options/time_text.ts";
import { watchRemaking } from "../terminal/remake_watch.ts";
import { UsageError } from "../usage_error.ts";
import { serviceCommand } from "./service_command.ts";

export const refresherCommand: Command = serviceCommand(refresher, {
  arguments: [],
  options: [{
    name: "rebuild",
    description:
      "make statistics again from the archive, then exit as with --once; what is written meanwhile is counted once",
  }, {
    name: "since",
    value: "TIME",
    description:
      `with --rebuild: only days from this on, and no relays: ${TIME_FORMS}`,
  }, {
    name: "until",
    value: "TIME",
    description: "with --rebuild: only days up to this, and no relays",
  }],
  examples: [
    { command: "refresher", does: "until SIGINT or SIGTERM" },
    { command: "refresher --once", does: "until nothing waits" },
    {
      command: "refresher --rebuild --since 2026-01-01",
      does: "this year once more, beside a running one",
    },
  ],
  overrides: () => ({}),
  isOnce: (invocation) => {
    const { options } = invocation;
    boundsOf(invocation);
    return options.flag("rebuild");
  },
  begin: (invocation, database) =>
    invocation.options.flag("rebuild")
      ? rebuild(invocation, database)
      : Promise.resolve({ [Symbol.dispose]() {} }),
});

interface Bounds {
  readonly since?: number;
  readonly until?: number;
}

/** Throws `UsageError` for bounds of nothing. */
function boundsOf({ options }: Invocation): Bounds {
  const since = options.time("since");
  const until = options.time("until");
  if (!options.flag("rebuild") && (since ?? until) !== undefined) {
    throw new UsageError("--since and --until: only with --rebuild");
  }
  if (since !== undefined && until !== undefined && until < since) {
    throw new UsageError(
      `--until must not be before --since: ${until} < ${since}`,
    );
  }
  return {
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
}

async function rebuild(
  invocation: Invocation,
  database: Database,
): Promise<Disposable> {
  const { log, screen } = invocation;
  const bounds = boundsOf(invocation);
  const asked = await requestRemake(database, bounds);
  // They have no days: all of them, or none.
  if (bounds.since === undefined && bounds.until === undefined) {
    await requestDerivedRemake(database);
  }
  log.info("statistics are to be made again", { ...asked });
  return watchRemaking(screen, () => database.run(statisticsStatus));
}
