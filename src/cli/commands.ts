/**
 * All commands, in the order in which help lists them.
 *
 * @module
 */
import type { Command } from "./command.ts";
import { checkCommand } from "./commands/check.ts";
import { completionsCommand } from "./commands/completions.ts";
import { configCheck } from "./commands/config_check.ts";
import { configSchema } from "./commands/config_schema.ts";
import { configShow } from "./commands/config_show.ts";
import { dbCleanup } from "./commands/db_cleanup.ts";
import { dbInit } from "./commands/db_init.ts";
import { dbMigrate } from "./commands/db_migrate.ts";
import { dbServe } from "./commands/db_serve.ts";
import { dbUrl } from "./commands/db_url.ts";
import { dbVerify } from "./commands/db_verify.ts";
import { doctor } from "./commands/doctor.ts";
import { exportCommand } from "./commands/export.ts";
import { forgetCommand } from "./commands/forget.ts";
import { importCommand } from "./commands/import.ts";
import { refresherCommand } from "./commands/refresher.ts";
import { relayAdd } from "./commands/relay/add.ts";
import { relayList } from "./commands/relay/list.ts";
import { relayOptOut } from "./commands/relay/opt_out.ts";
import { relayRemove } from "./commands/relay/remove.ts";
import { relayRetry } from "./commands/relay/retry.ts";
import { relayShow } from "./commands/relay/show.ts";
import { seederCommand } from "./commands/seeder.ts";
import { serviceCommand } from "./commands/service_command.ts";
import { stats } from "./commands/stats.ts";
import { status } from "./commands/status.ts";
import { syncCommand } from "./commands/sync.ts";
import { up } from "./commands/up.ts";
import { refresher } from "../services/refresher/mod.ts";
import { seeder } from "../services/seeder/mod.ts";
import { SERVICES } from "./services.ts";

/** A command is registered by standing here; help and completions follow. */
export const COMMANDS: readonly Command[] = [
  up,
  seederCommand,
  ...SERVICES.filter((service) => service !== seeder && service !== refresher)
    .map((service) => serviceCommand(service)),
  refresherCommand,
  status,
  stats,
  doctor,
  dbInit,
  dbMigrate,
  dbVerify,
  dbCleanup,
  dbServe,
  dbUrl,
  syncCommand,
  checkCommand,
  relayList,
  relayShow,
  relayAdd,
  relayRetry,
  relayOptOut,
  relayRemove,
  importCommand,
  exportCommand,
  forgetCommand,
  configShow,
  configCheck,
  configSchema,
  completionsCommand(() => COMMANDS),
];
