import assert from "node:assert/strict";
import type { NegentropyFault } from "../../../../src/nips/negentropy/fault.ts";
import { Negotiation } from "../../../../src/nips/nip77/negotiation.ts";
import type {
  NegotiateOptions,
  NegotiationOutcome,
} from "../../../../src/nips/nip77/negotiation_outcome.ts";

const FILTER = { kinds: [1] };
const FAULTS: Readonly<Record<string, NegentropyFault>> = {
  ff: { code: "malformed", detail: "it is cut off" },
  fe: { code: "idle", detail: "it says nothing" },
  fd: { code: "excess", detail: "it is too long" },
  fc: { code: "version", version: 0x60 },
};

/** A negotiation of so many questions, of one byte each: 61, 62 … What it sends and how it ends is kept. */
class Talk implements Disposable {
  readonly sent: string[] = [];
  readonly ends: (readonly [NegotiationOutcome, boolean])[] = [];
  readonly negotiation: Negotiation;
  readonly #over = new AbortController();
  isTaking = true;

  constructor(
    { questions = 3, ...options }: Partial<NegotiateOptions> & {
      readonly questions?: number;
      readonly isTaking?: boolean;
    } = {},
  ) {
    let asked = 0;
    this.isTaking = options.isTaking ?? true;
    this.negotiation = new Negotiation(
      {
        filter: FILTER,
        dialogue: {
          next: () =>
            asked === questions ? null : Uint8Array.of(0x61 + asked++),
          take: (message) => FAULTS[message.toHex()] ?? null,
        },
      },
      {
        signal: this.#over.signal,
        probeTimeoutMs: 60_000,
        idleTimeoutMs: 60_000,
        totalTimeoutMs: 60_000,
        maxBytes: 10_000,
        maxRounds: 100,
        ...options,
      },
      {
        id: "n",
        send: (text) => {
          this.sent.push(text);
          return this.isTaking;
        },
        ended: (outcome, silently) => this.ends.push([outcome, silently]),
        isStalled: () => false,
      },
    );
  }

  /** Answers, and lets it take the answer. */
  async answer(hex: string, characters = hex.length): Promise<void> {
    this.negotiation.take(hex, characters);
    await Promise.resolve();
  }

  get outcome(): NegotiationOutcome | undefined {
    return this.ends[0]?.[0];
  }

  abort(): void {
    this.#over.abort();
  }

  [Symbol.dispose](): void {
    this.abort();
  }
}

const OPEN = '["NEG-OPEN","n",{"kinds":[1]},"61"]';
const SECOND = '["NEG-MSG","n","62"]';
const THIRD = '["NEG-MSG","n","63"]';

Deno.test("a negotiation opens once, goes on by messages, and costs what went to and fro", async () => {
  using talk = new Talk();
  assert.deepEqual(talk.sent, [OPEN]);
  await talk.answer("00", 20);
  await talk.answer("00", 30);
  assert.deepEqual(talk.sent, [OPEN, SECOND, THIRD]);
  assert.equal(talk.outcome, undefined);
  await talk.answer("00", 40);
  const bytes = OPEN.length + SECOND.length + THIRD.length + 90;
  assert.deepEqual(talk.ends, [[{ type: "done", rounds: 3, bytes }, false]]);
});

Deno.test("a negotiation without a question ends before it has begun", () => {
  using talk = new Talk({ questions: 0 });
  assert.deepEqual(talk.sent, []);
  assert.deepEqual(talk.outcome, { type: "done", rounds: 0, bytes: 0 });
});

Deno.test("an answer that cannot be taken ends it, each for its reason", async () => {
  const answers: Readonly<Record<string, NegotiationOutcome>> = {
    zz: { type: "unsupported", detail: "an answer is not hex" },
    "6": { type: "unsupported", detail: "an answer is not hex" },
    ff: { type: "unsupported", detail: "it is cut off" },
    fe: { type: "unsupported", detail: "it says nothing" },
    fc: { type: "unsupported", detail: "negentropy of version 0x60" },
    fd: { type: "over-budget", detail: "it is too long" },
  };
  for (const [hex, outcome] of Object.entries(answers)) {
    using talk = new Talk();
    await talk.answer(hex);
    await talk.answer("00");
    assert.deepEqual(talk.ends, [[outcome, false]], hex);
    assert.deepEqual(talk.sent, [OPEN], hex);
  }
});

Deno.test("a negotiation takes exactly what its bounds allow", async () => {
  const whole = OPEN.length + 20 + SECOND.length + 20 + THIRD.length;
  const bounds: readonly [Partial<NegotiateOptions>, string | null][] = [
    [{ maxRounds: 3 }, null],
    [{ maxRounds: 2 }, "more than 2 messages"],
    [{ maxBytes: whole - THIRD.length }, null],
    [
      { maxBytes: whole - THIRD.length - 1 },
      `more than ${whole - THIRD.length - 1} characters`,
    ],
  ];
  for (const [bound, detail] of bounds) {
    using talk = new Talk(bound);
    await talk.answer("00", 20);
    await talk.answer("00", 20);
    const ends = detail === null
      ? []
      : [[{ type: "over-budget", detail }, false]];
    assert.deepEqual(talk.ends, ends);
    assert.equal(talk.sent.length, detail === null ? 3 : 2);
  }
});

Deno.test("a negotiation is repeated once, as it was opened, and only before the first answer", async () => {
  using talk = new Talk();
  const { negotiation } = talk;
  assert.deepEqual([negotiation.mayRepeat(), negotiation.mayRepeat()], [
    true,
    false,
  ]);
  negotiation.repeat();
  assert.deepEqual(talk.sent, [OPEN, OPEN]);
  using answered = new Talk();
  await answered.answer("00");
  assert.equal(answered.negotiation.mayRepeat(), false);
  using ended = new Talk();
  ended.abort();
  assert.equal(ended.negotiation.mayRepeat(), false);
});

Deno.test("while our side has not taken an answer nothing is asked, and nothing more is taken", async () => {
  const taken = Promise.withResolvers<void>();
  using talk = new Talk({ onAnswer: () => taken.promise });
  await talk.answer("00", 20);
  await talk.answer("ff", 20);
  assert.deepEqual([talk.sent, talk.ends], [[OPEN], []]);
  taken.resolve();
  await taken.promise;
  await Promise.resolve();
  assert.deepEqual(talk.sent, [OPEN, SECOND]);
});

Deno.test("the first end counts, and none is told that knows already", async () => {
  using stopped = new Talk();
  stopped.abort();
  stopped.abort();
  await stopped.answer("00");
  stopped.negotiation.end({ type: "refused", prefix: "blocked", reason: "no" });
  assert.deepEqual(stopped.ends, [[{ type: "aborted" }, false]]);
  using refused = new Talk();
  const outcome = { type: "refused", prefix: "blocked", reason: "no" } as const;
  refused.negotiation.end(outcome, true);
  refused.abort();
  assert.deepEqual(refused.ends, [[outcome, true]]);
  using before = new Talk({ signal: AbortSignal.abort() });
  assert.deepEqual([before.sent, before.outcome], [[], { type: "aborted" }]);
});

Deno.test("a relay that does not take the question is not told of the end", () => {
  using talk = new Talk({ isTaking: false });
  assert.equal(talk.ends.length, 1);
  const [outcome, silently] = talk.ends[0]!;
  assert.deepEqual([outcome.type, silently], ["disconnected", true]);
});

Deno.test("silence is ignorance before the first answer, and slowness after it", async () => {
  const ended = async (talk: Talk) => {
    while (talk.outcome === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return talk.outcome;
  };
  using silent = new Talk({ probeTimeoutMs: 20 });
  const ignorant = await ended(silent);
  assert.equal(ignorant.type, "unsupported");
  assert.match("detail" in ignorant ? ignorant.detail : "", /after NEG-OPEN$/);
  using slow = new Talk({ idleTimeoutMs: 20 });
  await slow.answer("00");
  assert.equal((await ended(slow)).type, "timeout");
});
