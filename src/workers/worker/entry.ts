/**
 * The worker: carries the sessions of several relays, and knows neither the database nor the configuration.
 *
 * @module
 */
import { HostList } from "../../models/host_list.ts";
import { loadVerifier, type Verifier } from "../../nips/verify/verifier.ts";
import {
  type SignatureBatch,
  unpackSignatures,
} from "../../nips/verify/signature_batch.ts";
import { createDialer, type Dialer } from "../../transport/dialer.ts";
import { verifyInTurns } from "../ingest/verify_in_turns.ts";
import type { SyncJob } from "../protocol/job.ts";
import type {
  FromWorker,
  ToWorker,
  WorkerOptions,
} from "../protocol/messages.ts";
import { RemoteLimiter } from "./remote_limiter.ts";
import { runSession } from "./session.ts";
import { Abandoned, HostLink } from "./host_link.ts";
import { memoryBudget } from "./memory_budget.ts";

/** The global of a worker; Deno's types know only those of the main thread. */
declare function postMessage(message: FromWorker): void;

interface Deps {
  readonly dialer: Dialer;
  readonly verifier: Verifier;
  readonly authKey: Uint8Array | null;
  readonly budget: () => number;
}

const sessions = new Map<number, HostLink>();
const limiter = new RemoteLimiter(postMessage);
const optOut = new HostList([]);
const deps = Promise.withResolvers<Deps>();
/** As {@linkcode WorkerOptions.running}; `init` is the first message. */
let running: Int32Array = new Int32Array(1);

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
    case "opt-out":
      optOut.replace(message.hosts);
      return;
    case "known":
      sessions.get(message.session)?.known(message.request, message.known);
      return;
    case "verified":
      sessions.get(message.session)?.verified(message.request, message.valid);
      return;
    case "verify":
      void verify(message.request, message.signatures);
      return;
    case "vector":
      sessions.get(message.session)?.vector(message.request, message.chunk);
      return;
    case "found":
      sessions.get(message.session)?.found(message.request, message.createdAt);
      return;
    case "near":
      sessions.get(message.session)?.near(message.request, message.keys);
      return;
    case "authors":
      sessions.get(message.session)?.authors(message.request, message.authors);
      return;
    case "sighted":
      sessions.get(message.session)?.sighted(message.request, message.count);
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
    case "connection-reserved":
      limiter.turn(message.request, message.waitMs);
      return;
    case "slots":
      limiter.slots(message.request, message.taken);
      return;
    case "ping":
      postMessage({ type: "pong", number: message.number });
      return;
  }
}

async function init(options: WorkerOptions): Promise<void> {
  running = new Int32Array(options.running);
  try {
    const { library, authKey, bufferedBytes } = options;
    optOut.replace(options.optOut);
    const verifier = await loadVerifier({ library });
    const dialer = createDialer({
      ...options,
      optOut,
      limiter,
      maxUnfinishedBytes: bufferedBytes,
    });
    const budget = () => memoryBudget(bufferedBytes, sessions.size);
    deps.resolve({ verifier, authKey, dialer, budget });
    const { name, detail } = verifier;
    postMessage({ type: "ready", verifier: { name, detail } });
  } catch (error) {
    postMessage({ type: "unfit", detail: textOf(error) });
  }
}

async function sync(session: number, job: SyncJob): Promise<void> {
  const link = new HostLink(session, postMessage, running);
  sessions.set(session, link);
  try {
    const report = await runSession(job, {
      ...await deps.promise,
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

/** Checks signatures for a session of another thread. */
async function verify(
  request: number,
  signatures: SignatureBatch,
): Promise<void> {
  const { verifier } = await deps.promise;
  const valid = await verifyInTurns(verifier, unpackSignatures(signatures));
  postMessage({ type: "verified", request, valid });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
