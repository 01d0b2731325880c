/**
 * The two halves of npm:ws that read and write frames (RFC 6455), which its own types leave out.
 *
 * @module
 */
import type { Duplex } from "node:stream";

/** Reads frames: bytes are written to it, messages are emitted as soon as they are whole. */
export declare class Receiver {
  constructor(options: {
    isServer: boolean;
    maxPayload: number;
    maxFragments: number;
    maxBufferedChunks: number;
    allowSynchronousEvents: boolean;
    skipUTF8Validation: boolean;
  });
  write(bytes: Uint8Array): void;
  on(
    event: "message",
    listener: (data: Uint8Array, isBinary: boolean) => void,
  ): this;
  on(
    event: "conclude",
    listener: (status: number, reason: Uint8Array) => void,
  ): this;
  on(event: "ping" | "pong", listener: (data: Uint8Array) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
}

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
