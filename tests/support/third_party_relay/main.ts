/**
 * The program behind `relay_process.ts`: a relay of third-party code (@nostr-relay) on loopback.
 *
 * It speaks lines. stdin: each line is an event, held from then on without further checks; an empty line asks
 * for the counters; the end of stdin ends the program, so it never outlives its owner. stdout: one JSON object
 * a line, `{"url"}` at the start, the counters in answer to an empty line.
 *
 *     deno run -q -A --config tests/support/third_party_relay/deno.json tests/support/third_party_relay/main.ts [port] [name]
 *
 * @module
 */
import { createServer, type IncomingMessage } from "node:http";
import { createOutgoingNoticeMessage, LogLevel } from "@nostr-relay/common";
import { NostrRelay } from "@nostr-relay/core";
import { Validator } from "@nostr-relay/validator";
import { type WebSocket, WebSocketServer } from "ws";
import { lines } from "../lines.ts";
import { MemoryRepository } from "./memory_repository.ts";

const [port = "0", name = "relay"] = Deno.args;
const repository = new MemoryRepository();
const relay = new NostrRelay(repository, { logLevel: LogLevel.ERROR });
const validator = new Validator();
const counters = { connections: 0, requests: 0, sent: 0 };

const server = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "application/nostr+json" });
  response.end(JSON.stringify(informationDocument()));
});
new WebSocketServer({ server }).on("connection", serve);
server.listen(Number(port), "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") return;
  say({ url: `ws://127.0.0.1:${address.port}` });
});

for await (const line of lines(Deno.stdin.readable)) {
  if (line === "") say({ held: repository.size, ...counters });
  else repository.upsert(JSON.parse(line));
}
Deno.exit(0);

function serve(socket: WebSocket, request: IncomingMessage): void {
  counters.connections++;
  relay.handleConnection(socket, request.socket.remoteAddress);
  socket.on("message", (data) => answer(socket, String(data)));
  socket.on("close", () => relay.handleDisconnect(socket));
  socket.on("error", () => socket.terminate());
}

async function answer(socket: WebSocket, text: string): Promise<void> {
  try {
    const message = await validator.validateIncomingMessage(text);
    const result = await relay.handleMessage(socket, message);
    if (result?.messageType !== "REQ") return;
    counters.requests++;
    counters.sent += result.events.length;
  } catch (error) {
    // As the authors' own server does: a bad message gets a NOTICE and nothing else.
    const reason = error instanceof Error ? error.message : String(error);
    socket.send(JSON.stringify(createOutgoingNoticeMessage(reason)));
  }
}

/** NIP-11; the limits stay unsaid, as these relays leave them. */
function informationDocument(): Record<string, unknown> {
  return {
    name,
    description:
      "A relay of third-party code, on loopback, for a demonstration",
    software: "https://github.com/CodyTseng/nostr-relay",
    version: "0.0.40",
    supported_nips: [1, 2, 11],
  };
}

function say(message: Record<string, unknown>): void {
  Deno.stdout.writeSync(
    new TextEncoder().encode(`${JSON.stringify(message)}\n`),
  );
}
