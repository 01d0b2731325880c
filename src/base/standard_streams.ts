/**
 * Names of standard input and output on a command line.
 *
 * Deno opens nothing below /dev, /proc and /sys without all permissions, so the usual paths are taken for what they mean.
 *
 * @module
 */

/** Whether a path names standard input. */
export function isStandardInput(path: string): boolean {
  return path === "-" || path === "/dev/stdin" ||
    DESCRIPTOR.exec(path)?.[1] === "0";
}

/** Whether a path names standard output. */
export function isStandardOutput(path: string): boolean {
  return path === "-" || path === "/dev/stdout" ||
    DESCRIPTOR.exec(path)?.[1] === "1";
}

const DESCRIPTOR = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/;
