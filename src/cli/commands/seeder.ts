/**
 * `bigbrotr seeder [FILE]`: seeds from a file or stdin, without a configuration file.
 *
 * @module
 */
import { SEED_TARGETS } from "../../services/seeder/config.ts";
import { seeder } from "../../services/seeder/mod.ts";
import type { Command } from "../command.ts";
import { serviceCommand } from "./service_command.ts";

export const seederCommand: Command = serviceCommand(seeder, {
  arguments: [{
    name: "FILE",
    description:
      "one relay URL a line; - for standard input (default: the list that comes along)",
    required: false,
    completes: "files",
  }],
  options: [{
    name: "as",
    value: "STAGE",
    description:
      "candidate: the validator tries each first; relay: monitored and archived at once",
    choices: SEED_TARGETS,
  }, {
    name: "allow-private",
    description: "accept private and loopback addresses",
  }],
  examples: [
    { command: "seeder relays.txt", does: "candidates from a file" },
    { command: "seeder - --as relay", does: "relays from standard input" },
  ],
  overrides({ arguments: [filePath], options }) {
    return {
      filePath,
      seedAs: options.text("as"),
      allowPrivate: options.flag("allow-private") || undefined,
    };
  },
});
