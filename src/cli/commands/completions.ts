/**
 * `bigbrotr completions`: what a shell needs to complete commands, options and their values.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { whyUnwritable } from "../../core/config/config_error.ts";
import { bashCompletions } from "../completions/bash.ts";
import { fishCompletions } from "../completions/fish.ts";
import { zshCompletions } from "../completions/zsh.ts";
import type { Command, Invocation } from "../command.ts";
import { UsageError } from "../usage_error.ts";

interface Shell {
  readonly script: (commands: readonly Command[]) => string;
  /** The user's file, below a directory of the XDG specification. */
  readonly base: "data" | "config";
  readonly file: string;
  /** What is to be done beside, for the file to be read. */
  readonly hint: string;
}

const SHELLS: Readonly<Record<string, Shell>> = {
  bash: {
    script: bashCompletions,
    base: "data",
    file: "bash-completion/completions/bigbrotr",
    hint: "New shells read it, where bash-completion is installed.",
  },
  zsh: {
    script: zshCompletions,
    base: "data",
    file: "zsh/site-functions/_bigbrotr",
    hint:
      "New shells read it when .zshrc has, before compinit: fpath+=(~/.local/share/zsh/site-functions)",
  },
  fish: {
    script: fishCompletions,
    base: "config",
    file: "fish/completions/bigbrotr.fish",
    hint: "New shells read it.",
  },
};

/** The command, over all `commands` (asked for late, since it is one of them). */
export function completionsCommand(
  commands: () => readonly Command[],
): Command {
  return {
    name: "completions",
    summary: "Print shell completions for bash, zsh or fish",
    description:
      `Prints the script, or with --install writes it where the user's shells look for it, and makes that directory.`,
    arguments: [{
      name: "SHELL",
      description: "for which shell",
      required: true,
      choices: Object.keys(SHELLS),
    }],
    options: [{ name: "install", description: "write it for this user" }],
    examples: [
      { command: "completions bash --install", does: "for all new shells" },
      { command: "completions fish | source", does: "for this fish" },
    ],
    run: (invocation) => printOrInstall(invocation, commands()),
  };
}

async function printOrInstall(
  { arguments: [name = ""], options, stdout }: Invocation,
  commands: readonly Command[],
): Promise<number> {
  const shell = SHELLS[name];
  if (shell === undefined) {
    throw new UsageError(`no completions for the shell "${name}"`);
  }
  const script = shell.script(commands);
  if (!options.flag("install")) {
    stdout.write(script);
    return 0;
  }
  const path = join(userDirectory(shell.base), shell.file);
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, script);
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${whyUnwritable(error)}`);
  }
  stdout.write(`${path}\n${shell.hint}\n`);
  return 0;
}

/** As the XDG Base Directory specification has it. */
function userDirectory(base: Shell["base"]): string {
  const set = Deno.env.get(`XDG_${base.toUpperCase()}_HOME`);
  if (set) return set;
  const home = Deno.env.get("HOME");
  if (!home) throw new Error("Cannot install completions: HOME is not set");
  return join(home, base === "data" ? ".local/share" : ".config");
}
