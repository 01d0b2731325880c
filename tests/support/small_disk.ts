/**
 * A disk of a few mebibytes, for tests that fill it up.
 *
 * @module
 */
import { temporaryDirectory } from "./temporary_directory.ts";

/** Whether this user may mount one. */
export async function canMountSmallDisk(): Promise<boolean> {
  try {
    await using _disk = await smallDisk(1);
    return true;
  } catch {
    return false;
  }
}

/** Mounts one; disposal unmounts it. Throws for anybody but root. */
export async function smallDisk(
  mebibytes: number,
): Promise<AsyncDisposable & { readonly path: string }> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryDirectory());
  await run("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "none", path]);
  stack.defer(() => unmount(path));
  await Deno.chmod(path, 0o755);
  const owned = stack.move();
  return { path, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A program that lost its disk may take a moment to end: initdb leaves its server to see for itself that nobody talks to it. */
async function unmount(path: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      return await run("umount", [path]);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function run(program: string, args: string[]): Promise<void> {
  const { success } = await new Deno.Command(program, {
    args,
    stderr: "null",
  }).output();
  if (!success) throw new Error(`Cannot ${program} ${args.join(" ")}`);
}
