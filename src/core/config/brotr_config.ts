/**
 * `config/brotr.yaml`: the database, and what every process of one installation shares.
 *
 * @module
 */
import { z } from "zod";
import { LOG_FORMATS, LOG_TIMES } from "../log/format.ts";
import { LOG_LEVELS } from "../log/logger.ts";
import { metricsConfig } from "./common_config.ts";

/** From no TLS to a certificate that is checked in full; the names are libpq's. */
export const TLS_MODES = [
  "disable",
  "prefer",
  "require",
  "verify-ca",
  "verify-full",
] as const;

/** A server by URL or by its parts; with neither, the embedded PostgreSQL. */
const database = z.strictObject({
  url: z.string().regex(/^postgres(ql)?:\/\//, "must start with postgres://")
    .optional()
    .describe("postgres://user@host:port/database; instead of the parts below"),
  host: z.string().min(1).optional()
    .describe("Name or address of the server, or the directory of its socket"),
  port: z.int().min(1).max(65_535).default(5432),
  database: z.string().min(1).default("bigbrotr"),
  user: z.string().min(1).default("bigbrotr"),
  passwordEnv: z.string().min(1).optional()
    .describe("Environment variable that holds the password"),
  passwordFile: z.string().min(1).optional()
    .describe("File that holds the password (systemd: name of a credential)"),
  tls: z.enum(TLS_MODES).default("prefer").describe(
    "prefer: TLS where offered; require: encrypted, but anyone's certificate; verify-ca: a trusted authority signed it; verify-full: and it names the host",
  ),
  caFile: z.string().min(1).optional().describe(
    "PEM of the authority that signed the server's certificate; default: the public ones",
  ),
  pgbouncer: z.boolean().default(false)
    .describe("The server is PgBouncer in transaction mode"),
}).superRefine((value, context) => {
  if (value.url !== undefined && value.host !== undefined) {
    context.addIssue({
      code: "custom",
      path: ["host"],
      message: `give either "url" or "host", not both`,
    });
  }
  if (value.passwordEnv !== undefined && value.passwordFile !== undefined) {
    context.addIssue({
      code: "custom",
      path: ["passwordFile"],
      message: `give either "passwordEnv" or "passwordFile", not both`,
    });
  }
});

const embedded = z.strictObject({
  dataDir: z.string().min(1).optional().describe(
    "Where the embedded PostgreSQL keeps its data; default /var/lib/bigbrotr as root, ./data otherwise",
  ),
  port: z.int().min(1).max(65_535).optional().describe(
    "Also listen on this port of 127.0.0.1, for Grafana and the like; default: its Unix socket only",
  ),
});

const pool = z.strictObject({
  minConnections: z.int().min(0).max(100).default(1)
    .describe("Connections kept open when idle"),
  maxConnections: z.int().min(1).max(200).default(10),
  acquisitionTimeoutMs: z.int().min(100).max(600_000).default(10_000)
    .describe("Longest wait for a free connection"),
  idleTimeoutSeconds: z.int().min(1).max(86_400).default(300)
    .describe("An idle connection above the minimum is closed after this"),
  maxLifetimeSeconds: z.int().min(10).max(604_800).default(3_600)
    .describe("A connection is replaced when older than this"),
  maxUses: z.int().min(1).max(10_000_000).default(50_000)
    .describe("A connection is replaced after this many pieces of work"),
  healthCheckIdleSeconds: z.int().min(0).max(86_400).default(30).describe(
    "A connection idle for longer than this is tried before it is handed out",
  ),
  healthCheckTimeoutMs: z.int().min(100).max(60_000).default(5_000)
    .describe("Deadline of one health check"),
  healthCheckAttempts: z.int().min(1).max(20).default(3)
    .describe("Failed checks in a row after which the database is unhealthy"),
}).refine((one) => one.maxConnections >= one.minConnections, {
  path: ["maxConnections"],
  message: "must be >= minConnections",
});

const deadlineMs = z.int().min(100).max(3_600_000).nullable();

const timeouts = z.strictObject({
  connectMs: z.int().min(100).max(600_000).default(10_000),
  queryMs: deadlineMs.default(60_000)
    .describe("Deadline of one query; null for none"),
  batchMs: deadlineMs.default(120_000)
    .describe("Deadline of one batch of writes; null for none"),
  cleanupMs: deadlineMs.default(600_000)
    .describe("Deadline of one step of cleaning up; null for none"),
  refreshMs: deadlineMs.default(null)
    .describe("Deadline of one refresh of statistics; null for none"),
});

const retry = z.strictObject({
  maxAttempts: z.int().min(1).max(20).default(5)
    .describe("How often work is tried that others got in the way of"),
  outageSeconds: z.int().min(0).max(3_600).default(60).describe(
    "How long a command waits for a server that cannot be reached, restarts or takes no writes; up and services wait as long as it takes",
  ),
  initialDelayMs: z.int().min(1).max(60_000).default(200),
  maxDelayMs: z.int().min(1).max(600_000).default(10_000),
  backoff: z.enum(["exponential", "linear"]).default("exponential"),
}).refine((one) => one.maxDelayMs >= one.initialDelayMs, {
  path: ["maxDelayMs"],
  message: "must be >= initialDelayMs",
});

const breaker = z.strictObject({
  failureThreshold: z.int().min(1).max(1_000).default(10).describe(
    "Failed connections in a row after which the database is left alone",
  ),
  resetMs: z.int().min(100).max(600_000).default(2_000)
    .describe("How long it is left alone before one attempt is let through"),
});

const serverSettings = z.strictObject({
  applicationName: z.string().min(1).max(63).default("bigbrotr")
    .describe("application_name in pg_stat_activity; the service is appended"),
  timezone: z.string().min(1).default("UTC"),
  statementTimeoutMs: z.int().min(0).max(86_400_000).default(0).describe(
    "statement_timeout, the server's own deadline of every statement; 0 for none",
  ),
  lockTimeoutMs: z.int().min(0).max(3_600_000).default(0)
    .describe("lock_timeout; 0 for none"),
});

const log = z.strictObject({
  level: z.enum(LOG_LEVELS).default("info"),
  format: z.enum(LOG_FORMATS).default("text"),
  time: z.enum(LOG_TIMES).default("iso")
    .describe("ISO 8601 in UTC, or Unix seconds"),
  file: z.string().min(1).optional().describe("A file instead of stderr"),
  maxFileBytes: z.int().min(10_000).default(64 * 1024 * 1024)
    .describe("The file is rotated before it gets larger"),
  maxFiles: z.int().min(0).max(1_000).default(5)
    .describe("Rotated files that are kept"),
});

/** `bigbrotr up`: everything in one process has one endpoint, and the politeness of one crawler. */
const up = z.strictObject({
  // Not by a prefault alone: a file that only says the port would then switch the endpoint off.
  metrics: metricsConfig.extend({
    enabled: z.boolean().default(true)
      .describe("Serve /metrics, /healthz and /readyz over HTTP"),
  }).prefault({}),
  maxNewConnectionsPerMinute: z.int().min(1).max(60_000).default(1_200)
    .describe(
      "Connections that all services together open per minute at most, a sixth of them at once",
    ),
});

const serving = z.strictObject({
  url: z.string().regex(/^wss?:\/\/[^\s/]+\S*$/, "must be ws:// or wss://")
    .max(500)
    .transform((url) => url.toLowerCase().replace(/\/+$/, ""))
    .optional().describe(
      "The URL others know this archive by as a relay: requests to vanish (NIP-62) may name it",
    ),
  vanish: z.enum(["hide", "forget"]).default("hide").describe(
    "What a request to vanish does by itself: hide, the archive keeps and does not serve; forget, services delete for good, within minutes",
  ),
});

export const brotrConfig = z.strictObject({
  database: database.prefault({}),
  embedded: embedded.prefault({}),
  pool: pool.prefault({}),
  timeouts: timeouts.prefault({}),
  retry: retry.prefault({}),
  breaker: breaker.prefault({}),
  serverSettings: serverSettings.prefault({}),
  log: log.prefault({}),
  shutdownGraceSeconds: z.int().min(1).max(600).default(20)
    .describe("How long work in hand may take to finish after SIGTERM"),
  serving: serving.prefault({}),
  up: up.prefault({}),
});

export type BrotrConfig = z.output<typeof brotrConfig>;
