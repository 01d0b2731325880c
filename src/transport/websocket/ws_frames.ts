/**
 * The half of npm:ws that writes frames (RFC 6455), which its own types leave out.
 *
 * @module
 */
import type { Duplex } from "node:stream";

/** Writes frames to a socket. */
export declare class Sender {
  constructor(socket: Duplex, extensions: Record<string, never>);
  send(
    data: string,
    options: {
      fin: boolean;
      mask: boolean;
      binary: boolean;
      compress: boolean;
    },
  ): void;
  ping(data: Uint8Array, mask: boolean): void;
  pong(data: Uint8Array, mask: boolean): void;
  close(status: number, reason: string, mask: boolean): void;
}
