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
  stack.defer(() => run("umount", [path]));
  await Deno.chmod(path, 0o755);
  const owned = stack.move();
  return { path, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function run(program: string, args: string[]): Promise<void> {
  const { success } = await new Deno.Command(program, {
    args,
    stderr: "null",
  }).output();
  if (!success) throw new Error(`Cannot ${program} ${args.join(" ")}`);
}
