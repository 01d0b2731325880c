/**
 * `bigbrotr completions`: what a shell needs to complete commands, options and their values.
 *
 * @module
 */
import { bashCompletions } from "../completions/bash.ts";
import { fishCompletions } from "../completions/fish.ts";
import { zshCompletions } from "../completions/zsh.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../usage_error.ts";

const SHELLS: Readonly<
  Record<string, (commands: readonly Command[]) => string>
> = { bash: bashCompletions, zsh: zshCompletions, fish: fishCompletions };

/** The command, over all `commands` (asked for late, since it is one of them). */
export function completionsCommand(
  commands: () => readonly Command[],
): Command {
  return {
    name: "completions",
    summary: "Print shell completions for bash, zsh or fish",
    arguments: [{
      name: "SHELL",
      description: "for which shell",
      required: true,
      choices: Object.keys(SHELLS),
    }],
    options: [],
    examples: [
      {
        command:
          "completions bash > ~/.local/share/bash-completion/completions/bigbrotr",
        does: "for bash",
      },
      {
        command: 'completions zsh > "${fpath[1]}/_bigbrotr"',
        does: "for zsh",
      },
      {
        command: "completions fish > ~/.config/fish/completions/bigbrotr.fish",
        does: "for fish",
      },
    ],
    run({ arguments: [shell = ""], stdout }) {
      const script = SHELLS[shell];
      if (script === undefined) {
        throw new UsageError(`no completions for the shell "${shell}"`);
      }
      stdout.write(script(commands()));
      return Promise.resolve(0);
    },
  };
}
