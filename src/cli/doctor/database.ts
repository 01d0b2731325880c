/**
 * The database: reached, its schema whole, its indexes sound, its clock the same, the services that work on it alive.
 *
 * @module
 */
import { databaseClock, isSkewed } from "../../archive/clock.ts";
import type { Database } from "../../core/database/connection/database.ts";
import {
  brokenIndexes,
  type IndexDamage,
  invalidIndexes,
  rebuildIndexes,
  refreshCollation,
  staleIndexes,
} from "../../core/database/index_health.ts";
import { asynchronousStandbys } from "../../core/database/standbys.ts";
import { migrate, schemaState } from "../../core/database/migrate.ts";
import { verifySchema } from "../../core/database/verify.ts";
import type { Invocation } from "../command.ts";
import { pipelineReport } from "../reports/pipeline_report.ts";
import { duration } from "../terminal/numbers.ts";
import { errorText } from "../../base/error_text.ts";
import { type Diagnosis, note, sound, wrong } from "./diagnosis.ts";

export interface DatabaseCheck {
  /** Also read every index, which takes a while. */
  readonly deep: boolean;
  /** Put right what can be. */
  readonly repair: boolean;
}

/** All that can be said of the database; one diagnosis when it cannot be reached. */
export async function databaseDiagnoses(
  invocation: Invocation,
  check: DatabaseCheck,
): Promise<Diagnosis[]> {
  let database: Database;
  try {
    database = await invocation.openDatabase({ schema: "as-found" });
  } catch (error) {
    invocation.signal.throwIfAborted();
    return [wrong("database", errorText(error))];
  }
  const schema = await schemaDiagnoses(invocation, database, check);
  const indexes = await indexDiagnoses(invocation, database, check);
  const isUsable = schema.every(({ grade }) => grade !== "wrong");
  return [
    sound("database", "it answers"),
    ...schema,
    ...indexes,
    ...(isUsable ? await lifeDiagnoses(database) : []),
  ];
}

async function schemaDiagnoses(
  { signal }: Invocation,
  database: Database,
  { repair }: DatabaseCheck,
): Promise<Diagnosis[]> {
  const { state, pending } = await schemaState(database);
  if (state === "empty") {
    const text = "the database has no schema yet";
    return [wrong("schema", text, "bigbrotr db init makes it")];
  }
  if (pending.length > 0) {
    const text = `${pending.join(", ")} not applied`;
    if (!repair) {
      return [wrong("schema", text, "--repair, or bigbrotr db migrate")];
    }
    await migrate(database, { signal, repair: true });
    return [note("schema", `${text}: applied now`)];
  }
  const found = await verifySchema(database);
  if (found.problems.length === 0) {
    return [sound("schema", `${found.checked} objects are whole`)];
  }
  const { repaired } = repair
    ? await migrate(database, { signal, repair: true })
    : { repaired: [] };
  const { problems } = repaired.length > 0
    ? await verifySchema(database)
    : found;
  if (problems.length === 0) {
    return [note("schema", `${repaired.join(", ")}: put back now`)];
  }
  const list = problems.map(({ kind, name, problem }) =>
    `${problem} ${kind}: ${name}`
  );
  return [
    wrong(
      "schema",
      list.join("\n"),
      "--repair, or bigbrotr db migrate, puts back what holds no data; what does comes from a backup",
    ),
  ];
}

async function indexDiagnoses(
  { signal, screen }: Invocation,
  database: Database,
  { deep, repair }: DatabaseCheck,
): Promise<Diagnosis[]> {
  const invalid = await invalidIndexes(database);
  const broken = deep
    ? await brokenIndexes(database, {
      signal,
      onIndex: (index) => screen.show([`reading ${index}`]),
    })
    : [];
  screen.show([]);
  const notRead = broken === null
    ? [
      note(
        "indexes",
        "not read, this user may not use amcheck",
        "Run it as a superuser",
      ),
    ]
    : [];
  const stale = await staleIndexes(database);
  const damages = [...invalid, ...stale, ...broken ?? []];
  if (damages.length === 0) {
    const how = deep && broken !== null ? "read, and sound" : "valid";
    return [sound("indexes", how), ...notRead];
  }
  return [
    await damageDiagnosis(database, damages, { repair, signal }),
    ...notRead,
  ];
}

async function damageDiagnosis(
  database: Database,
  damages: readonly IndexDamage[],
  { repair, signal }: {
    readonly repair: boolean;
    readonly signal: AbortSignal;
  },
): Promise<Diagnosis> {
  const list = damages.map(({ index, why }) => `${index}: ${why}`).join("\n");
  if (!repair) {
    return wrong(
      "indexes",
      list,
      "--repair builds them anew, beside running services",
    );
  }
  await rebuildIndexes(database, damages, signal);
  if ((await staleIndexes(database)).length > 0) {
    await refreshCollation(database);
  }
  return note("indexes", `${list}\nbuilt anew`);
}

/** Standbys that confirm nothing: a failover to one takes commits back of which a walk believes that they are stored. */
async function standbyDiagnoses(database: Database): Promise<Diagnosis[]> {
  const names = await asynchronousStandbys(database);
  if (names.length === 0) return [];
  return [
    note(
      "standbys",
      `${
        names.join(", ")
      } replicate without confirming: a failover loses the last commits, and what they proved may count as archived`,
      "Name one in synchronous_standby_names, or audit more for some time after a failover (audit.requestsPerSync)",
    ),
  ];
}

/** The clock, and what the services of this archive say of themselves. */
async function lifeDiagnoses(database: Database): Promise<Diagnosis[]> {
  const { skewSeconds } = await databaseClock(database);
  const skew = Math.abs(skewSeconds) < 0.1
    ? "this machine's is the database's"
    : `this machine's is ${skewSeconds} s off the database's`;
  const clock = isSkewed({ skewSeconds })
    ? wrong(
      "clock",
      skew,
      "Set it right (NTP): nothing is proven complete until then",
    )
    : sound("clock", skew);
  const { services } = await pipelineReport(database);
  const silent = services.filter(({ state }) => state === "silent").map(
    ({ service, process, uptimeSeconds }) =>
      note(
        service,
        `${process} has not been heard of, after ${
          duration(uptimeSeconds ?? 0)
        }`,
        "It was killed or lost the database: start it again",
      ),
  );
  const failing = services.filter(({ state, runtime }) =>
    state === "running" && (runtime?.consecutiveFailures ?? 0) > 0
  ).map(({ service, runtime }) =>
    note(service, `its last cycle failed: ${runtime?.lastError ?? ""}`)
  );
  return [clock, ...await standbyDiagnoses(database), ...silent, ...failing];
}
