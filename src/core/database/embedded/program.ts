/**
 * Running one of PostgreSQL's programs to its end.
 *
 * @module
 */
import { noPackage } from "./binaries.ts";
import type { ChildUser } from "./child_user.ts";

/** The whole environment of PostgreSQL: ours may hold secrets, and settings (`PG…`) that are not meant for it. */
export const CHILD_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  // Messages are looked at only for logs, but should not change with the machine.
  LC_ALL: "C",
};

/**
 * Runs it as the given user in `cwd`, which must be a directory that the user can enter.
 *
 * @throws Error with what the program said, when it fails.
 */
export async function runProgram(
  path: string,
  args: readonly string[],
  options: { readonly user: ChildUser; readonly cwd: string },
): Promise<void> {
  const { success, stdout, stderr } = await output(path, args, options);
  if (success) return;
  throw new Error(
    `Cannot run ${path} as ${options.user.label}: ${
      (text(stderr) + text(stdout)).trim()
    }`,
  );
}

async function output(
  path: string,
  args: readonly string[],
  { user, cwd }: { readonly user: ChildUser; readonly cwd: string },
): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command(path, {
      ...user.asChild,
      args: [...args],
      cwd,
      clearEnv: true,
      env: { ...CHILD_ENVIRONMENT },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
  } catch (error) {
    throw explainSpawn(error, path, user);
  }
}

/** A program that is there but "not found" is one whose loader is missing: glibc's, on a system with musl. */
export function explainSpawn(
  error: unknown,
  path: string,
  user: ChildUser,
): unknown {
  if (error instanceof Deno.errors.NotFound) {
    return new Error(noPackage("this system (its C library is not glibc)"), {
      cause: error,
    });
  }
  return new Error(
    `Cannot run ${path} as ${user.label}: ${
      error instanceof Error ? error.message : error
    }`,
    { cause: error },
  );
}

/** Output of a program as text. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
