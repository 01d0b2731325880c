/**
 * A service manager that listens to sd_notify(3), as systemd does. Deno itself cannot receive Unix datagrams.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { lines } from "./lines.ts";

/** Prints each datagram that arrives at the socket, after one line that says it listens. */
const LISTENER = `
import socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1].replace("@", "\\0", 1))
print("listening", flush=True)
while True:
    print(server.recv(4096).decode(), flush=True)
`;

/** systemd's end of the notification socket. */
export interface ServiceManager extends AsyncDisposable {
  /** The next message, waited for as long as it takes. */
  next(): Promise<string>;
}

/** Listens at `socket`, a path or an abstract address (`@…`). Needs python3. */
export async function serviceManager(socket: string): Promise<ServiceManager> {
  const child = new Deno.Command("python3", {
    args: ["-c", LISTENER, socket],
    stdout: "piped",
  }).spawn();
  const messages = lines(child.stdout);
  const next = async () => (await messages.next()).value ?? "";
  equal(await next(), "listening");
  return {
    next,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await messages.return(undefined);
    },
  };
}
