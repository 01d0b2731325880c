/**
 * Open files of this process, sockets among them. libc counts them, because Deno lets only programs with all permissions
 * read in /proc.
 *
 * @module
 */

/** Counts open files; disposing closes the library. */
export interface OpenFiles extends Disposable {
  /** How many are open; NaN where that cannot be told. */
  count(): number;
  /** How many may be open; infinite without a limit, NaN where that cannot be told. */
  limit(): number;
}

/** Opens libc; elsewhere than on Linux with glibc nothing can be told. */
export function openOpenFiles(): OpenFiles {
  try {
    return libcFiles();
  } catch {
    return { count: () => NaN, limit: () => NaN, [Symbol.dispose]() {} };
  }
}

/** The directory itself, the one above it, and the descriptor by which it is read. */
const NOT_COUNTED = 3;

const RLIMIT_NOFILE = 7;
const RLIM_INFINITY = 2n ** 64n - 1n;

function libcFiles(): OpenFiles {
  const libc = Deno.dlopen("libc.so.6", {
    opendir: { parameters: ["buffer"], result: "pointer" },
    readdir: { parameters: ["pointer"], result: "pointer" },
    closedir: { parameters: ["pointer"], result: "i32" },
    getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  });
  const { opendir, readdir, closedir, getrlimit } = libc.symbols;
  const path = new TextEncoder().encode("/proc/self/fd\0");
  return {
    count() {
      const directory = opendir(path);
      if (directory === null) return NaN;
      let entries = 0;
      while (readdir(directory) !== null) entries++;
      closedir(directory);
      return entries - NOT_COUNTED;
    },
    limit() {
      // struct rlimit: the soft limit, then the hard one.
      const limits = new BigUint64Array(2);
      if (getrlimit(RLIMIT_NOFILE, limits) !== 0) return NaN;
      const [soft = 0n] = limits;
      return soft === RLIM_INFINITY ? Infinity : Number(soft);
    },
    [Symbol.dispose]: () => libc.close(),
  };
}
