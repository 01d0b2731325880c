/**
 * Metrics of the database: the pool of this process, the size of the archive, and the disk it lies on.
 *
 * @module
 */
import { statfs } from "node:fs/promises";
import { Gauge, type Registry } from "prom-client";
import { METRIC_PREFIX } from "../metrics/metrics.ts";
import type { BrotrConfig } from "../config/brotr_config.ts";
import { serverAddress } from "./connection/server_address.ts";
import { dataDirectory } from "./embedded/data_directory.ts";
import type { Database } from "./connection/database.ts";

export interface DatabaseMetricsOptions {
  readonly registry: Registry;
  readonly database: Database;
  /** Says whether the database is embedded, and where. */
  readonly config: Pick<BrotrConfig, "database" | "embedded">;
}

/** Sizes change slowly, and reading them asks the file system for every table. */
const FRESH_MS = 60_000;

/** A scrape waits for sizes no longer than this: the rest of the metrics matters most when the database is away. */
const DEADLINE_MS = 2_000;

/** Adds them to a registry; they are read when somebody asks. */
export function registerDatabaseMetrics(
  { registry, database, config }: DatabaseMetricsOptions,
): void {
  registerPool(registry, database);
  registerSizes(registry, database);
  // The disk of a server is elsewhere.
  const isEmbedded = serverAddress(config.database) === null;
  const { dataDir } = config.embedded;
  if (isEmbedded) registerDisk(registry, dataDirectory(dataDir).root);
}

function registerPool(registry: Registry, database: Database): void {
  new Gauge({
    name: `${METRIC_PREFIX}database_connections`,
    help:
      "Connections of this process by state; waiting is work without one. Waiting above 0 for minutes: raise pool.maxConnections, or look for slow statements in pg_stat_activity",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      const { open, idle, waiting } = database.connections;
      this.set({ state: "busy" }, open - idle);
      this.set({ state: "idle" }, idle);
      this.set({ state: "waiting" }, waiting);
    },
  });
  new Gauge({
    name: `${METRIC_PREFIX}database_max_connections`,
    help: "Connections that this process may open (pool.maxConnections)",
    registers: [registry],
    collect() {
      this.set(database.connections.max);
    },
  });
}

interface Sizes {
  readonly total: number;
  readonly tables: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly rows: number;
  }[];
}

function registerSizes(registry: Registry, database: Database): void {
  const read = fresh(() => readSizes(database));
  const registers = [registry];
  new Gauge({
    name: `${METRIC_PREFIX}database_up`,
    help:
      "1 when the database answered within the last minute, else 0: look at /readyz and at PostgreSQL's log",
    registers,
    async collect() {
      this.set(await read() === null ? 0 : 1);
    },
  });
  new Gauge({
    name: `${METRIC_PREFIX}database_size_bytes`,
    help:
      "Size of the whole database; its growth a day against disk_free_bytes is the time left",
    registers,
    async collect() {
      const sizes = await read();
      this.set(sizes?.total ?? NaN);
    },
  });
  new Gauge({
    name: `${METRIC_PREFIX}table_size_bytes`,
    help: "Size of a table with its indexes; says what the disk is needed for",
    labelNames: ["table"],
    registers,
    async collect() {
      this.reset();
      for (const { name: table, bytes } of (await read())?.tables ?? []) {
        this.set({ table }, bytes);
      }
    },
  });
  new Gauge({
    name: `${METRIC_PREFIX}table_rows`,
    help:
      "Rows of a table as PostgreSQL estimates them; right after the next analyze",
    labelNames: ["table"],
    registers,
    async collect() {
      this.reset();
      for (const { name: table, rows } of (await read())?.tables ?? []) {
        this.set({ table }, rows);
      }
    },
  });
}

async function readSizes(database: Database): Promise<Sizes> {
  return await database.run(async (sql) => {
    const [row] = await sql<Sizes[]>`
      select pg_database_size(current_database())::float8 as total,
        (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from archive_sizes() t)
          as tables`;
    return row!;
  }, { signal: AbortSignal.timeout(DEADLINE_MS) });
}

function registerDisk(registry: Registry, directory: string): void {
  const registers = [registry];
  const read = fresh(() => statfs(directory), 1_000);
  new Gauge({
    name: `${METRIC_PREFIX}disk_free_bytes`,
    help:
      "Free space where the embedded PostgreSQL keeps its data; below a tenth of disk_size_bytes: make room, a full disk stops everything",
    registers,
    async collect() {
      const disk = await read();
      this.set(disk === null ? NaN : disk.bavail * disk.bsize);
    },
  });
  new Gauge({
    name: `${METRIC_PREFIX}disk_size_bytes`,
    help: "Size of the file system that disk_free_bytes is about",
    registers,
    async collect() {
      const disk = await read();
      this.set(disk === null ? NaN : disk.blocks * disk.bsize);
    },
  });
}

/** Reads at most once in `ms`, for all who ask meanwhile; null when that fails. */
function fresh<T>(
  read: () => Promise<T>,
  ms: number = FRESH_MS,
): () => Promise<T | null> {
  let readAtMs = -Infinity;
  let reading: Promise<T | null> = Promise.resolve(null);
  return () => {
    if (performance.now() - readAtMs < ms) return reading;
    readAtMs = performance.now();
    reading = read().catch(() => {
      // What failed is tried again at the next scrape.
      readAtMs = -Infinity;
      return null;
    });
    return reading;
  };
}
