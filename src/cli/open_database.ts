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
  if (schema === "current" || schema === "as-found") {
    await demandArchive(config);
  }
  const database = await connectDatabase(config, options);
  try {
    await meetDemand(database, { schema, config, onStep, ...options });
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/** A command that only reads must not make an archive. */
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
  if (schema === "current" || (schema === "ready" && !isEmbedded)) {
    return await requireCurrentSchema(database);
  }
  // Looked up first: the usual start then takes no lock and needs no right to change anything.
  const { state, pending } = await schemaState(database);
  if (state === "current") return;
  onStep(`bringing the schema up to date (${counted(pending.length, "file")})`);
  const { applied, edition } = await migrate(database, { signal });
  log.info("schema brought up to date", { applied: applied.length, edition });
}
