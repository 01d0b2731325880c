/**
 * `bigbrotr config schema`: the JSON Schema of a configuration, for editors.
 *
 * @module
 */
import { z } from "zod";
import type { Command } from "../command.ts";
import { NAMED_CONFIGURATION, schemaNamed } from "../options/named_config.ts";

export const configSchema: Command = {
  name: "config schema",
  summary: "Print the JSON Schema of a configuration, for editors",
  description:
    `Prints a JSON Schema (draft 2020-12) with type, bounds, default and meaning of every key. An editor with a YAML
language server completes and checks a file that begins with: # yaml-language-server: $schema=finder.schema.json`,
  arguments: [NAMED_CONFIGURATION],
  options: [],
  examples: [
    {
      command: "config schema finder > finder.schema.json",
      does: "for the editor",
    },
  ],
  run({ arguments: [name = ""], stdout }) {
    // `input`: what may be written in the file, where keys with a default may be missing.
    const schema = z.toJSONSchema(schemaNamed(name), {
      io: "input",
      unrepresentable: "any",
    });
    stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
    return Promise.resolve(0);
  },
};
