/**
 * A reader of bytes that come as a test cuts them.
 *
 * @module
 */
import { PassThrough } from "node:stream";
import { SocketReader } from "../../src/transport/websocket/socket_reader.ts";

/** How a peer ends: by closing, by a reset, or not yet. */
export type PeerEnd = "closes" | "resets" | "stays";

/** Gives the pieces one after the other, each seen by itself, and then the end. */
export function fedReader(
  pieces: Iterable<string>,
  end: PeerEnd = "closes",
): SocketReader {
  const stream = new PassThrough();
  const reader = new SocketReader(stream);
  void feed(stream, pieces, end);
  return reader;
}

async function feed(
  stream: PassThrough,
  pieces: Iterable<string>,
  end: PeerEnd,
): Promise<void> {
  for (const piece of pieces) {
    stream.write(piece, "latin1");
    await new Promise((resolve) => setTimeout(resolve));
  }
  if (end === "closes") stream.end();
  if (end === "resets") stream.destroy(new Error("connection reset"));
}

/** The ways to cut a text on its way: not at all, into bytes, and in two at each place. */
export function* waysToCut(text: string): Generator<readonly string[]> {
  yield [text];
  yield [...text];
  for (let at = 1; at < text.length; at++) {
    yield [text.slice(0, at), text.slice(at)];
  }
}
