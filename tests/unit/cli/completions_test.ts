import { deepStrictEqual, ok } from "node:assert/strict";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { bashCompletions } from "../../../src/cli/completions/bash.ts";
import { fishCompletions } from "../../../src/cli/completions/fish.ts";
import { zshCompletions } from "../../../src/cli/completions/zsh.ts";
import { testWith } from "../../support/installed.ts";

async function run(shell: string, script: string): Promise<string[]> {
  const { code, stdout, stderr } = await new Deno.Command(shell, {
    args: ["-c", script],
  }).output();
  const text = new TextDecoder().decode(stderr);
  ok(code === 0 && text === "", `${shell} exited ${code}: ${text}`);
  return new TextDecoder().decode(stdout).split("\n").filter((one) =>
    one !== ""
  );
}

/** Words that bash offers for the last of these. */
function offered(...words: string[]): Promise<string[]> {
  const line = ["bigbrotr", ...words];
  return run(
    "bash",
    `${bashCompletions(COMMANDS)}
COMP_WORDS=(${line.map((word) => `"${word}"`).join(" ")})
COMP_CWORD=${line.length - 1}
_bigbrotr
printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
}

await testWith(
  "bash",
  "bash completes commands, options, values and files",
  async () => {
    deepStrictEqual(await offered("statu"), ["status"]);
    deepStrictEqual(await offered("config", "s"), ["show", "schema"]);
    ok((await offered("config", "show", "")).includes("brotr"));
    deepStrictEqual(await offered("status", "--js"), ["--json"]);
    deepStrictEqual(await offered("up", "--log-level", ""), [
      "debug",
      "info",
      "warn",
      "error",
    ]);
    deepStrictEqual(await offered("up", "--log-level", "w"), ["warn"]);
    deepStrictEqual(await offered("up", "--config", "/etc/hostn"), [
      "/etc/hostname",
    ]);
    deepStrictEqual(await offered("up", "--database", ""), []);
    ok(
      (await offered("")).includes("db") ===
        COMMANDS.some(({ name }) => name.startsWith("db ")),
    );
  },
);

await testWith(
  "bash",
  "bash offers what comes next, options after a dash, and ends no directory with a space",
  async () => {
    const next = await offered("");
    ok(next.includes("status") && next.every((word) => !word.startsWith("-")));
    deepStrictEqual(await offered("db", "verify", ""), ["--deep", "--json"]);
    const options = await offered("status", "-");
    ok(options.includes("--relay") && options.includes("--database"));
    deepStrictEqual(await offered("relay", "re"), ["retry", "remove"]);

    const directory = await Deno.makeTempDir();
    await Deno.mkdir(`${directory}/with space/deeper`, { recursive: true });
    const said = await run(
      "bash",
      `${bashCompletions(COMMANDS)}
compopt() { printf 'compopt %s\\n' "$*"; }
for words in "up --data-dir" "import"; do
  COMP_WORDS=(bigbrotr $words "${directory}/w")
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _bigbrotr
  printf '%s\\n' "\${COMPREPLY[@]}"
done`,
    );
    const expected = ["compopt -o filenames", `${directory}/with space`];
    deepStrictEqual(said, [...expected, ...expected]);
    await Deno.remove(directory, { recursive: true });
  },
);

await testWith("zsh", "zsh accepts its completions", async () => {
  await run(
    "zsh",
    `autoload -U compinit; compinit -u -D\n${zshCompletions(COMMANDS)}`,
  );
});

await testWith("fish", "fish completes commands and options", async () => {
  const complete = (line: string) =>
    run("fish", `${fishCompletions(COMMANDS)}\ncomplete -C '${line}'`);
  ok(
    (await complete("bigbrotr stat")).some((one) => one.startsWith("status\t")),
  );
  ok(
    (await complete("bigbrotr config sh")).some((one) =>
      one.startsWith("show\t")
    ),
  );
  ok(
    (await complete("bigbrotr up --log-level w")).some((one) =>
      one.startsWith("warn")
    ),
  );
});

Deno.test("every command with each of its options stands in every shell's completions", () => {
  const scripts = [bashCompletions, zshCompletions, fishCompletions].map((
    make,
  ) => make(COMMANDS));
  for (const command of COMMANDS) {
    for (const script of scripts) {
      ok(script.includes(command.name), command.name);
      for (const { name } of command.options) ok(script.includes(name), name);
    }
  }
});
