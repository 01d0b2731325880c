/**
 * The worker: carries the sessions of several relays, and knows neither the database nor the configuration.
 *
 * @module
 */
import type { Verifier } from "../nips/verify/verifier.ts";
import { loadVerifier } from "../nips/verify/verifier.ts";
import { createDialer, type Dialer } from "../transport/dialer.ts";
import type {
  FromWorker,
  SyncJob,
  ToWorker,
  WorkerOptions,
} from "./protocol.ts";
import { GatePort } from "./gate_port.ts";
import { runSession } from "./session.ts";
import { Abandoned, SessionPort } from "./session_port.ts";
import { shareOf } from "./share.ts";

/** The global of a worker; Deno's types know only those of the main thread. */
declare function postMessage(message: FromWorker): void;

interface Means {
  readonly dialer: Dialer;
  readonly verifier: Verifier;
  readonly authKey: Uint8Array | null;
  readonly share: () => number;
}

const sessions = new Map<number, SessionPort>();
const gate = new GatePort(postMessage);
const means = Promise.withResolvers<Means>();

globalThis.addEventListener("message", (event) => {
  if (event instanceof MessageEvent) receive(event.data);
});

function receive(message: ToWorker): void {
  switch (message.type) {
    case "init":
      void init(message.options);
      return;
    case "sync":
      void sync(message.session, message.job);
      return;
    case "known":
      sessions.get(message.session)?.known(message.request, message.known);
      return;
    case "vector":
      sessions.get(message.session)?.vector(message.request, message.chunk);
      return;
    case "found":
      sessions.get(message.session)?.found(message.request, message.createdAt);
      return;
    case "live":
      sessions.get(message.session)?.live(message.request, message.granted);
      return;
    case "credit":
      sessions.get(message.session)?.credit();
      return;
    case "cancel":
      sessions.get(message.session)?.cancel();
      return;
    case "abandon":
      sessions.get(message.session)?.abandon();
      return;
    case "turn":
      gate.turn(message.request, message.waitMs);
      return;
    case "seats":
      gate.seats(message.request, message.taken);
      return;
    case "ping":
      postMessage({ type: "pong", number: message.number });
      return;
  }
}

async function init(options: WorkerOptions): Promise<void> {
  try {
    const { library, authKey, heldBytes } = options;
    const verifier = await loadVerifier({ library });
    const dialer = createDialer({ ...options, gate });
    const share = () => shareOf(heldBytes, sessions.size);
    means.resolve({ verifier, authKey, dialer, share });
    const { name, detail } = verifier;
    postMessage({ type: "ready", verifier: { name, detail } });
  } catch (error) {
    postMessage({ type: "unfit", detail: textOf(error) });
  }
}

async function sync(session: number, job: SyncJob): Promise<void> {
  const link = new SessionPort(session, postMessage);
  sessions.set(session, link);
  try {
    const report = await runSession(job, {
      ...await means.promise,
      link,
      signal: link.signal,
      onProgress: (progress) => link.progress(progress),
    });
    postMessage({ type: "done", session, report });
  } catch (error) {
    if (error instanceof Abandoned) return;
    postMessage({ type: "crashed", session, detail: textOf(error) });
  } finally {
    sessions.delete(session);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
