/**
 * `bigbrotr db verify`: is the schema whole, and do references hold?
 *
 * @module
 */
import { isSearchable } from "../../archive/event_scan.ts";
import {
  checkStatistics,
  type StatisticsFault,
} from "../../archive/statistics/check_statistics.ts";
import { checkServed } from "../../archive/visibility/served_check.ts";
import type { Database } from "../../core/database/connection/database.ts";
import {
  type IntegrityProblem,
  verifyIntegrity,
} from "../../core/database/integrity.ts";
import { type SchemaState, schemaState } from "../../core/database/migrate.ts";
import { isRepairable } from "../../core/database/repair.ts";
import {
  type SchemaVerification,
  verifySchema,
} from "../../core/database/verify.ts";
import type { Command, Invocation } from "../command.ts";

export const dbVerify: Command = {
  name: "db verify",
  summary: "Check that the schema is whole and as this program made it",
  description:
    `Names every extension, table, column, constraint, index, view and function that is missing or altered, each right that
a role of db init --roles lacks, and exits 1 if there is one. Changes nothing; any role may run it. With --deep it also reads every row to prove that whatever is
referred to exists, of some authors, drawn at random, that what is served is what it should be, and of some days, relays,
authors and sketches that statistics are what the tables hold; that takes a while on a large archive.`,
  options: [
    { name: "deep", description: "also prove referential integrity" },
    { name: "json", description: "print one JSON object" },
  ],
  examples: [{ command: "db verify --deep", does: "everything" }],
  run: verify,
};

interface Report extends SchemaVerification {
  readonly ok: boolean;
  /** Files `db migrate` would apply. */
  readonly pending: readonly string[];
  /** Null unless asked for. */
  readonly integrity: readonly IntegrityProblem[] | null;
  /** The same; cells that are not what the tables say. */
  readonly statistics: readonly StatisticsFault[] | null;
}

/** Rows looked at by one statement. */
const BATCH_SIZE = 20_000;

async function verify(invocation: Invocation): Promise<number> {
  const { options, stdout } = invocation;
  const database = await invocation.openDatabase({ schema: "as-found" });
  const state = await schemaState(database);
  if (state.state === "empty") {
    stdout.write(
      options.flag("json")
        ? `${JSON.stringify({ ok: false, pending: state.pending }, null, 2)}\n`
        : `There is no schema: run "bigbrotr db init"\n`,
    );
    return 1;
  }
  const report = await verifyAll(invocation, database, state);
  stdout.write(
    options.flag("json")
      ? `${JSON.stringify(report, null, 2)}\n`
      : reportText(report),
  );
  return report.ok ? 0 : 1;
}

async function verifyAll(
  { options, signal, screen }: Invocation,
  database: Database,
  { pending }: SchemaState,
): Promise<Report> {
  const schema = await verifySchema(database);
  // Without its tables there is nothing to read.
  const readable = schema.problems.every(({ kind }) =>
    kind !== "table" && kind !== "column"
  );
  const isDeep = options.flag("deep") && readable;
  const integrity = isDeep
    ? [
      ...await verifyIntegrity(database, {
        batchSize: BATCH_SIZE,
        signal,
        onRule: (rule) => screen.show([`checking ${rule}`]),
      }),
      ...await verifyServed(database, signal),
    ]
    : null;
  if (isDeep) screen.show(["checking statistics"]);
  const statistics = isDeep
    ? await checkStatistics(database, { ...STATISTICS_SAMPLE, signal })
    : null;
  screen.show([]);
  return {
    ok: schema.problems.length === 0 && pending.length === 0 &&
      (integrity ?? []).length + (statistics ?? []).length === 0,
    ...schema,
    pending,
    integrity,
    statistics,
  };
}

/** Of these everything that statistics say of them is counted anew. */
const STATISTICS_SAMPLE = { days: 20, relays: 3, authors: 50, sketches: 50 };

/** Authors whose served events are compared with what the protocol says of them. */
const SAMPLE = 50;

async function verifyServed(
  database: Database,
  signal: AbortSignal,
): Promise<IntegrityProblem[]> {
  if (!await isSearchable(database)) return [];
  const faults = await checkServed(database, { authors: SAMPLE, signal });
  const [first] = faults;
  if (first === undefined) return [];
  const { id, served } = first;
  const example = `${id} is ${served ? "served" : "hidden"}`;
  return [{ rule: "what is served", rows: faults.length, example }];
}

function reportText(report: Report): string {
  const lines = [
    ...report.pending.map((name) => `not applied: ${name}`),
    ...report.problems.map(({ kind, name, problem, expected, found }) =>
      problem === "missing"
        ? `missing ${kind}: ${name}`
        : `altered ${kind}: ${name} is "${found}" instead of "${expected}"`
    ),
    ...(report.integrity ?? []).map(({ rule, rows, example }) =>
      `broken reference: ${rule}: ${rows} (such as ${example})`
    ),
    ...(report.statistics ?? []).map(({ cell, expected, found }) =>
      `wrong statistics: ${cell}: ${found} instead of ${expected}`
    ),
    ...report.withoutExtensions.map((name) =>
      `note: without ${name}, which only adds statistics`
    ),
  ];
  const deep = report.integrity === null
    ? ""
    : ", all references hold, and statistics are right";
  if ((report.statistics ?? []).length > 0) {
    lines.push(`"bigbrotr refresher --rebuild" makes statistics again`);
  }
  const repairable = report.problems.filter(({ kind }) => isRepairable(kind));
  if (repairable.length > 0) {
    const which = repairable.length === report.problems.length
      ? "all of it"
      : `${repairable.length} of ${report.problems.length}`;
    lines.push(`"bigbrotr db migrate" puts ${which} back`);
  }
  if (report.ok) {
    lines.push(`The schema is whole: ${report.checked} objects${deep}.`);
  }
  return lines.map((line) => `${line}\n`).join("");
}
