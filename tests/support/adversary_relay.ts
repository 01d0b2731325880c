/**
 * An adversary behind a real WebSocket, with COUNT and NIP-77 where its spec has them.
 *
 * @module
 */
import { sleep } from "../../src/base/sleep.ts";
import type { RelayUrl } from "../../src/models/relay_url.ts";
import type {
  Adversary,
  ConnectionId,
  OpenAsk,
} from "./adversary/adversary.ts";
import {
  type AnswerEnd,
  isEvent,
  type Stray,
  type WireItem,
} from "./adversary/answer.ts";
import { type TestRelay, testRelay } from "./test_relay.ts";
import type { TestReq } from "./test_relay_script.ts";

/** A running adversary; disposing it cuts all its connections. */
export interface AdversaryRelay extends AsyncDisposable {
  readonly relay: RelayUrl;
  /** How many messages of a type (`REQ`, `COUNT`, `NEG-OPEN`, …) came so far. */
  count(type: string): number;
}

/** Serves an adversary on a free port of 127.0.0.1. */
export async function adversaryRelay(
  adversary: Adversary,
): Promise<AdversaryRelay> {
  const stopped = new AbortController();
  const server = new AdversaryServer(adversary, stopped.signal);
  const { spec } = adversary;
  const relay: TestRelay = await testRelay({
    onReq: (req) => server.answer(req),
    countable: spec.hasCount,
    onCount: ([filter = {}], connection) =>
      adversary.count(server.idOf(connection), filter, Date.now()) ??
        { count: 0 },
    ...(spec.hasNegentropy && {
      negentropy: {
        lists: (_, filter) =>
          (adversary.list(server.lastId(), filter, Date.now()) ?? [])
            // Other dates cannot be said in NIP-77.
            .filter(({ created_at }) => Number.isSafeInteger(created_at)),
      },
    }),
  });
  return {
    relay: relay.relay,
    count: (type) => relay.count(type),
    [Symbol.asyncDispose]: () => {
      stopped.abort();
      return relay[Symbol.asyncDispose]();
    },
  };
}

/** How long answers wait for company, where they may be mixed up: REQs that are sent together come together. */
const MIXING_MS = 3;

class AdversaryServer {
  readonly #adversary: Adversary;
  readonly #ids = new Map<number, ConnectionId>();
  readonly #open = new Map<TestReq, OpenAsk>();
  readonly #mixes: boolean;

  readonly #stopped: AbortSignal;

  constructor(adversary: Adversary, stopped: AbortSignal) {
    this.#adversary = adversary;
    this.#stopped = stopped;
    this.#mixes = adversary.spec.transformers
      .some(({ name }) => name === "answers swapped");
  }

  /** The adversary's number of a connection of the test relay. */
  idOf(connection: number): ConnectionId {
    const known = this.#ids.get(connection);
    if (known !== undefined) return known;
    const id = this.#adversary.connect();
    this.#ids.set(connection, id);
    return id;
  }

  /** That of the last connection on which something was asked. */
  lastId(): ConnectionId {
    return [...this.#ids.values()].at(-1) ?? this.idOf(1);
  }

  async answer(req: TestReq): Promise<void> {
    this.#forgetClosed();
    const ask = { filters: req.filters, nowMs: Date.now() };
    const open = this.#adversary.open(this.idOf(req.connection), ask);
    this.#open.set(req, open);
    if (this.#mixes) await sleep(MIXING_MS, this.#stopped);
    const answer = open.answer();
    if (answer.delayMs > 0) await sleep(answer.delayMs, this.#stopped);
    await send(req, answer.items);
    end(req, answer.end);
    await send(req, answer.afterEnd);
  }

  #forgetClosed(): void {
    for (const [req, open] of this.#open) {
      if (req.isOpen()) continue;
      open.close();
      this.#open.delete(req);
    }
  }
}

async function send(req: TestReq, items: readonly WireItem[]): Promise<void> {
  let run = [];
  for (const item of items) {
    if (isEvent(item)) {
      run.push(item);
      continue;
    }
    await req.events(run);
    run = [];
    req.send(textOf(item, req.subId));
  }
  await req.events(run);
}

function textOf(stray: Stray, subId: string): string {
  if (stray.type === "garbage") return stray.text.replace("%s", subId);
  return JSON.stringify(
    stray.subscription === "wrong"
      ? ["EVENT", `${subId}?`, stray.event]
      : ["EVENT", stray.event],
  );
}

function end(req: TestReq, how: AnswerEnd): void {
  switch (how.type) {
    case "eose":
      if (how.hint === undefined) req.eose();
      else req.eose([how.hint]);
      return;
    case "closed":
      req.closed(how.reason);
      return;
    case "disconnected":
      req.disconnect();
      return;
    case "silent":
  }
}
