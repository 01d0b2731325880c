/**
 * The live view of `up` in a real terminal, which wraps what is too long when its window is made narrower.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testArchive } from "../../support/archive.ts";
import { missing, unless } from "../../support/installed.ts";
import { SOURCE } from "../../support/program.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { until } from "../../support/until.ts";

const NO_TMUX = await missing("tmux", ["-V"]);

Deno.test({
  ...unless(
    NO_TMUX,
    "a window that is made narrower and wider shows the live view once, whole and in its width",
  ),
  async fn() {
    await using archive = await testArchive();
    await using directory = await temporaryDirectory();
    await writeFiles(directory.path);
    const up = [...SOURCE.command, "up", "--database", archive.url];
    await using terminal = await openTerminal(directory.path, up);
    await until(
      "everything is counted",
      async () => (await terminal.lines()).includes(" candidates 0"),
    );
    for (const columns of [100, 60, 45, 110]) {
      await terminal.run("resize-window", "-x", `${columns}`, "-y", "24");
      await until(`it is drawn ${columns} wide`, async () => {
        const views = await terminal.views();
        return views.length === 1 && views[0]?.length === columns - 1 &&
          // What the terminal wrapped by itself may end there, too.
          (await terminal.lines()).some((line, i, all) =>
            line === " candidates 0" && all[i - 1] === views[0]
          );
      });
      const lines = await terminal.lines();
      const head = lines.findIndex((line) => line.startsWith("── bigbrotr"));
      assert.deepEqual(lines.slice(head + 1, head + 5), [
        " candidates 0",
        " relays     0 · 0 online",
        " events     0 · +0/s",
        " proven     nothing yet",
      ]);
      assert.match(lines[head + 5] ?? "", /^ services {3}\w/);
    }
    await terminal.run("send-keys", "C-c");
    await until("it has ended and wiped its view", async () => {
      const ended = (await terminal.lines()).includes("exit code 0");
      return ended && (await terminal.views()).length === 0;
    });
  },
});

async function writeFiles(directory: string): Promise<void> {
  const services = `${directory}/config/services`;
  await Deno.mkdir(services, { recursive: true });
  const files = {
    "config/brotr.yaml": "up: { metrics: { port: 0 } }\n",
    "config/services/finder.yaml": "api: { enabled: false }\n",
    "config/services/seeder.yaml": "filePath: seeds.txt\n",
    "seeds.txt": "# none\n",
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${directory}/${name}`, text);
  }
}

interface Terminal extends AsyncDisposable {
  /** A command of tmux. Throws when it fails. */
  run(...words: string[]): Promise<string>;
  /** Everything in the window, and what has scrolled out of it. */
  lines(): Promise<string[]>;
  /** First lines of the live views that are to be seen: more than one when something stale is left. */
  views(): Promise<string[]>;
}

/** A server of tmux of its own, with one window in which the command runs. */
async function openTerminal(
  cwd: string,
  command: readonly string[],
): Promise<Terminal> {
  const run = async (...words: string[]) => {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-S", `${cwd}/tmux`, "-f", "/dev/null", ...words],
      env: { LC_ALL: "C.UTF-8", NO_COLOR: "1" },
    }).output();
    if (success) return new TextDecoder().decode(stdout);
    throw new Error(new TextDecoder().decode(stderr));
  };
  const quoted = command.map((word) => `'${word}'`).join(" ");
  const line = `trap : INT; ${quoted}; echo exit code $?; exec cat`;
  await run("new-session", "-d", "-x", "80", "-y", "24", "-c", cwd, line);
  const lines = async () =>
    (await run("capture-pane", "-p", "-S", "-")).split("\n");
  return {
    run,
    lines,
    views: async () =>
      (await lines()).filter((line) => line.startsWith("── bigbrotr")),
    async [Symbol.asyncDispose]() {
      await run("kill-server").catch(() => {});
    },
  };
}
