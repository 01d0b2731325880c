/**
 * From the words of the command line to a command and its values, by commander.
 *
 * @module
 */
import {
  Argument as CliArgument,
  Command as CliCommand,
  CommanderError,
  InvalidArgumentError,
  Option as CliOption,
} from "cli";
import type { ReadEnv } from "../core/config/secret.ts";
import type { Argument, Command, Option } from "./command.ts";
import { COMMON_OPTIONS } from "./options/common_options.ts";
import { environmentValues } from "./options/environment.ts";
import { labelledLines } from "./terminal/labelled_lines.ts";
import { OptionValues } from "./options/option_values.ts";
import { UsageError } from "./usage_error.ts";
import { VERSION } from "./version.ts";

/** Meaning of the words: a command to run, or nothing more to do (help, an error already explained). */
export type ParsedLine =
  | {
    readonly command: Command;
    readonly arguments: readonly string[];
    readonly options: OptionValues;
  }
  | { readonly command: null; readonly exitCode: number };

export interface ParseOptions {
  readonly commands: readonly Command[];
  /** For help and version that were asked for. */
  readonly writeOut: (text: string) => void;
  /** For explanations of what is wrong. */
  readonly writeErr: (text: string) => void;
  readonly columns: number;
  /** Default: the process's environment. */
  readonly readEnv?: ReadEnv;
}

/** Parses `args` (without the program's name). Never throws for what was typed. */
export async function parseCommandLine(
  args: readonly string[],
  options: ParseOptions,
): Promise<ParsedLine> {
  let parsed: ParsedLine = { command: null, exitCode: 2 };
  const program = root(options);
  for (const command of options.commands) {
    addCommand(program, command, {
      readEnv: options.readEnv ?? Deno.env.get,
      columns: options.columns,
      chosen: (line) => parsed = line,
    });
  }
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof UsageError) {
      options.writeErr(`bigbrotr: ${error.message}\n`);
      return { command: null, exitCode: 2 };
    }
    if (!(error instanceof CommanderError)) throw error;
    return { command: null, exitCode: error.exitCode === 0 ? 0 : 2 };
  }
  return parsed;
}

function root({ writeOut, writeErr, columns }: ParseOptions): CliCommand {
  const program = new CliCommand("bigbrotr")
    .description("Archives and monitors the whole Nostr network.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "explain the program or one of its commands")
    .helpCommand(...HELP_COMMAND)
    .configureOutput({
      writeOut,
      writeErr,
      getOutHelpWidth: () => columns,
      getErrHelpWidth: () => columns,
    })
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 20 })
    .exitOverride()
    .showHelpAfterError("(bigbrotr --help explains)")
    .addHelpText("after", teaching(columns));
  for (const option of COMMON_OPTIONS) program.addOption(cliOption(option));
  return program;
}

const HELP_COMMAND = ["help [command]", "Explain one command"] as const;

const EXAMPLES: Command["examples"] = [
  { command: "up", does: "everything in one process, on an empty machine" },
  { command: "sync nos.lol", does: "archive one relay now" },
  { command: "status", does: "what stands where in the pipeline" },
  { command: "doctor", does: "what is wrong here, and what to do" },
  { command: "validator --help", does: "explain one command" },
];

const TEACHING = [
  "Each option of this list may be given by an environment variable, too: BIGBROTR_DATABASE for --database, " +
  "BIGBROTR_DATA_DIR for --data-dir. What is typed wins.",
  "Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 130 interrupted before it was done.",
];

function teaching(columns: number): string {
  const paragraphs = TEACHING.map((text) =>
    labelledLines([["", text]], { label: 0, columns })
  );
  return [examplesText(EXAMPLES, columns), ...paragraphs].join("\n").trimEnd();
}

const GROUPS: Readonly<Record<string, string>> = {
  db: "Set up, look after and reach the database",
  relay: "Look at single relays, and say what is done with them",
  config: "Show, check and describe the configuration",
};

function addCommand(
  program: CliCommand,
  command: Command,
  { readEnv, columns, chosen }: {
    readonly readEnv: ReadEnv;
    readonly columns: number;
    readonly chosen: (line: ParsedLine) => void;
  },
): void {
  const words = command.name.split(" ");
  const name = words.at(-1) ?? command.name;
  const parent = words.length > 1 ? group(program, words[0] ?? "") : program;
  const cli = parent.command(name).summary(command.summary)
    .description(flowing(command.description ?? `${command.summary}.`))
    .showHelpAfterError(`(bigbrotr ${command.name} --help explains)`)
    .addHelpText("after", examplesText(command.examples, columns).trimEnd());
  for (const argument of command.arguments ?? []) {
    cli.addArgument(cliArgument(argument));
  }
  for (const option of command.options) cli.addOption(cliOption(option));
  cli.action(() => {
    const declared = [...COMMON_OPTIONS, ...command.options];
    const typed = givenValues(cli, declared);
    const set = environmentValues(new Set(typed.keys()), readEnv);
    const options = new OptionValues(new Map([...set, ...typed]));
    chosen({ command, arguments: cli.args, options });
  });
}

/** Source lines are no paragraphs: help breaks lines at the terminal's width. */
function flowing(text: string): string {
  return text.replace(/([^\n])\n(?=[^\n])/g, "$1 ");
}

/** `db` and `config` are words without an action of their own. */
function group(program: CliCommand, name: string): CliCommand {
  const found = program.commands.find((one) => one.name() === name);
  if (found !== undefined) return found;
  return program.command(name).description(GROUPS[name] ?? name)
    .helpCommand(...HELP_COMMAND)
    .showHelpAfterError(`(bigbrotr ${name} --help explains)`);
}

function cliArgument(argument: Argument): CliArgument {
  const name = argument.name + (argument.variadic ? "..." : "");
  const cli = new CliArgument(
    argument.required ? `<${name}>` : `[${name}]`,
    argument.description,
  );
  return argument.choices ? cli.choices([...argument.choices]) : cli;
}

function cliOption(option: Option): CliOption {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  const value = option.value === undefined ? "" : ` <${option.value}>`;
  const cli = new CliOption(
    `${short}--${option.name}${value}`,
    option.description,
  );
  const { choices } = option;
  if (choices) cli.choices([...choices]);
  const check = cli.parseArg;
  return cli.argParser((text: string, earlier: unknown) => {
    // LEVELS and FORMATS are often written in capitals elsewhere.
    const given = choices ? text.toLowerCase() : text;
    check?.(given, undefined);
    if (!option.repeatable) {
      if (option.value === undefined || earlier === undefined) return given;
      throw new InvalidArgumentError("It is given twice.");
    }
    return Array.isArray(earlier) ? [...earlier, given] : [given];
  });
}

/** Values that were typed, by declared name; commander's own names are in camelCase. */
function givenValues(
  cli: CliCommand,
  declared: readonly Option[],
): Map<string, string | boolean | string[]> {
  const typed = new Map<string, unknown>(Object.entries(cli.optsWithGlobals()));
  const values = new Map<string, string | boolean | string[]>();
  for (const option of declared) {
    const name = cliOption(option).attributeName();
    if (cli.getOptionValueSourceWithGlobals(name) !== "cli") continue;
    const value = typed.get(name);
    // A flag that was given was given, also one called no-…, which commander takes for a negation.
    if (typeof value === "boolean") values.set(option.name, true);
    else if (typeof value === "string") values.set(option.name, value);
    else if (Array.isArray(value)) values.set(option.name, value.map(String));
  }
  return values;
}

/** Effects beside the commands, or below them where the terminal is too narrow for that. */
function examplesText(
  examples: Command["examples"],
  columns: number,
): string {
  const width = Math.max(...examples.map(({ command }) => command.length));
  const lines = examples.map(({ command, does }) =>
    `  $ bigbrotr ${command.padEnd(width)}   ${does}`
  );
  const fits = lines.every((line) => line.length <= columns);
  const shown = fits ? lines : examples.map(({ command, does }) => {
    const below = labelledLines([["", does]], { label: 6, columns });
    return `  $ bigbrotr ${command}\n${below.trimEnd()}`;
  });
  return `\nExamples:\n${shown.join("\n")}\n`;
}
