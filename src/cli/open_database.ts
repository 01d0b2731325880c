/**
 * The configured database, with its schema in the state a command needs.
 *
 * @module
 */
import type { BrotrConfig } from "../core/config/brotr_config.ts";
import {
  connectDatabase,
  type DatabaseOptions,
} from "../core/database/connect.ts";
import type { Database } from "../core/database/connection/database.ts";
import {
  dataDirectory,
  hasCluster,
} from "../core/database/embedded/data_directory.ts";
import {
  migrate,
  requireCurrentSchema,
  schemaState,
} from "../core/database/migrate.ts";
import { counted } from "./terminal/numbers.ts";
import { serverAddress } from "../core/database/connection/server_address.ts";

/** State of the schema that a command needs; see `Invocation.openDatabase`. */
export type SchemaDemand =
  | "made"
  | "ready"
  | "current"
  | "migrate"
  | "as-is"
  | "as-found";

interface OpenOptions extends DatabaseOptions {
  readonly schema: SchemaDemand;
  /** Told of what takes long before it begins. */
  readonly onStep: (step: string) => void;
}

/** Connects and sees to the schema. Throws a sentence that says what to do when it is not as demanded. */
export async function openReadyDatabase(
  config: BrotrConfig,
  { schema, onStep, ...options }: OpenOptions,
): Promise<Database> {
  if (!MAKING.has(schema)) await demandArchive(config);
  const mustWrite = schema !== "current" && schema !== "as-found";
  const database = await connectDatabase(config, { ...options, mustWrite });
  // What only looks, or works in steps that can be repeated, has nothing in hand that a stop must wait for.
  const interruptible = endingWith(database, options.signal);
  try {
    await meetDemand(interruptible, { schema, config, onStep, ...options });
    return LOOKING.has(schema) ? interruptible : database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/** Demands of commands that make an archive where there is none; for any other a wrong directory would look empty. */
const MAKING: ReadonlySet<SchemaDemand> = new Set(["made", "migrate", "as-is"]);

const LOOKING: ReadonlySet<SchemaDemand> = new Set(
  ["current", "as-is", "as-found"],
);

/** The database, with all of its work cut off when `signal` aborts. */
function endingWith(database: Database, signal: AbortSignal): Database {
  const ending = (own?: AbortSignal) =>
    own === undefined ? signal : AbortSignal.any([own, signal]);
  return {
    run: (work, options) =>
      database.run(work, { ...options, signal: ending(options?.signal) }),
    transaction: (work, options) =>
      database.transaction(work, {
        ...options,
        signal: ending(options?.signal),
      }),
    listen: (channel, own) => database.listen(channel, ending(own)),
    get connections() {
      return database.connections;
    },
    get isAway() {
      return database.isAway;
    },
    health: (own) => database.health(ending(own)),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

async function demandArchive(config: BrotrConfig): Promise<void> {
  if (serverAddress(config.database) !== null) return;
  const directory = dataDirectory(config.embedded.dataDir);
  if (await hasCluster(directory)) return;
  throw new Error(
    `There is no archive in ${directory.root} yet: "bigbrotr up" makes one, and so does "bigbrotr db init". ` +
      "One that is elsewhere is named by --data-dir DIR or --database URL",
  );
}

async function meetDemand(
  database: Database,
  { schema, config, log, signal, onStep }: OpenOptions & {
    readonly config: BrotrConfig;
  },
): Promise<void> {
  if (schema === "as-is" || schema === "as-found") return;
  const isEmbedded = serverAddress(config.database) === null;
  const isOurs = isEmbedded || schema === "migrate";
  if (schema === "current" || !isOurs) {
    return await requireCurrentSchema(database);
  }
  // Looked up first: the usual start then takes no lock and needs no right to change anything.
  const { state, pending } = await schemaState(database);
  if (state === "current") return;
  onStep(`bringing the schema up to date (${counted(pending.length, "file")})`);
  const { applied, edition } = await migrate(database, { signal, onStep });
  log.info("schema brought up to date", { applied: applied.length, edition });
}
