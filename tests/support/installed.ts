/**
 * Programs that tests can do without: such a test is ignored, and its name says why.
 *
 * @module
 */

/** Whether the program is installed here. */
export async function isInstalled(program: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Registers a test that needs the program. */
export async function testWith(
  program: string,
  name: string,
  test: () => Promise<void>,
): Promise<void> {
  const ignore = !await isInstalled(program);
  const reason = ignore ? ` (ignored: ${program} is not installed)` : "";
  Deno.test({ name: name + reason, ignore, fn: test });
}
