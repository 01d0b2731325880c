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
import { serverAddress } from "../core/database/connection/server_address.ts";

/** State of the schema that a command needs; see `Invocation.openDatabase`. */
export type SchemaDemand =
  | "ready"
  | "current"
  | "migrate"
  | "as-is"
  | "as-found";

/** Connects and sees to the schema. Throws a sentence that says what to do when it is not as demanded. */
export async function openReadyDatabase(
  config: BrotrConfig,
  { schema, ...options }: DatabaseOptions & { readonly schema: SchemaDemand },
): Promise<Database> {
  const mustWrite = schema !== "current" && schema !== "as-found";
  if (!mustWrite) await demandArchive(config);
  const database = await connectDatabase(config, { ...options, mustWrite });
  try {
    await meetDemand(database, { schema, config, ...options });
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
  { schema, config, log, signal }: DatabaseOptions & {
    readonly schema: SchemaDemand;
    readonly config: BrotrConfig;
  },
): Promise<void> {
  if (schema === "as-is" || schema === "as-found") return;
  const isEmbedded = serverAddress(config.database) === null;
  if (schema === "current" || (schema === "ready" && !isEmbedded)) {
    return await requireCurrentSchema(database);
  }
  // Looked up first: the usual start then takes no lock and needs no right to change anything.
  if ((await schemaState(database)).state === "current") return;
  const { applied, edition } = await migrate(database, { signal });
  log.info("schema brought up to date", { applied: applied.length, edition });
}
