/**
 * Authentication to a relay (NIP-42): on demand, for this relay only, and not endlessly.
 *
 * @module
 */
import { unixNow } from "../base/clock.ts";
import type { NostrEvent } from "../models/event.ts";
import { nip66Url, type RelayUrl } from "../models/relay_url.ts";
import { signEvent } from "./sign_event.ts";

const CLIENT_AUTH_KIND = 22_242;

/** The answer to a challenge. The relay it names is always the one the connection leads to, whatever the challenge says. */
export function signAuth(
  relay: RelayUrl,
  challenge: string,
  { key, nowSeconds }: { key: Uint8Array; nowSeconds: number },
): NostrEvent {
  return signEvent({
    kind: CLIENT_AUTH_KIND,
    created_at: nowSeconds,
    // With the slash of the root path, as most clients write it and relays that compare strictly expect.
    tags: [["relay", nip66Url(relay)], ["challenge", challenge]],
    content: "",
  }, key);
}

/** How long a challenge may follow the refusal that it belongs to, ms. */
const CHALLENGE_AFTER_MS = 1_000;

/** When a challenge is answered. */
export type AuthPolicy =
  /** When the relay refuses something, or is silent: who need not say who it is does not. */
  | "when-refused"
  /** The first one at once: a relay may give strangers a part, and call that all. */
  | "when-challenged";

export interface AuthenticatorOptions {
  /** Without one nobody authenticates. */
  readonly key: Uint8Array | undefined;
  readonly maxAuths: number;
  readonly policy?: AuthPolicy;
  /** Sends an AUTH; resolves with whether the relay may know us now: false when it refused. */
  readonly present: (event: NostrEvent) => Promise<boolean>;
}

/** Answers challenges of one connection, at most `maxAuths` times. */
export class Authenticator {
  readonly #relay: RelayUrl;
  readonly #options: AuthenticatorOptions;
  #left: number;
  #challenge: string | undefined;
  #isAnswered = true;
  #challenged: (() => void) | undefined;
  #running: Promise<boolean> | undefined;
  /** AUTHs that the relay has not refused. */
  #identity = 0;

  constructor(relay: RelayUrl, options: AuthenticatorOptions) {
    this.#relay = relay;
    this.#options = options;
    this.#left = options.maxAuths;
  }

  /** Grows with each AUTH that the relay has not refused: what was asked before may be answered otherwise now. */
  get identity(): number {
    return this.#identity;
  }

  /** Whether an AUTH is on its way. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Whether there is a challenge that was not answered, and could be. */
  get isOpen(): boolean {
    const { key } = this.#options;
    return key !== undefined && this.#left > 0 && !this.#isAnswered;
  }

  /** Remembers the latest challenge. */
  challenge(challenge: string): void {
    this.#challenge = challenge;
    this.#isAnswered = false;
    this.#challenged?.();
    const { policy } = this.#options;
    if (policy !== "when-challenged" || this.#identity > 0) return;
    if (this.isOpen) void this.authenticate();
  }

  /** Whether the relay may know who we are now. Several who ask at once share one answer. */
  authenticate(): Promise<boolean> {
    const { key } = this.#options;
    if (key === undefined) return Promise.resolve(false);
    this.#running ??= this.#answer(key).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** For `when-challenged`: waits so long for a challenge, ms, and for what comes of its answer. */
  async introduce(waitMs: number): Promise<void> {
    const { key, policy } = this.#options;
    if (key === undefined || policy !== "when-challenged") return;
    if (this.#challenge === undefined) await this.#awaitChallenge(waitMs);
    await this.#running;
  }

  async #answer(key: Uint8Array): Promise<boolean> {
    if (this.#left <= 0) return false;
    if (this.#challenge === undefined) {
      await this.#awaitChallenge(CHALLENGE_AFTER_MS);
    }
    const challenge = this.#challenge;
    if (challenge === undefined) return false;
    this.#left -= 1;
    this.#isAnswered = true;
    const nowSeconds = unixNow();
    const event = signAuth(this.#relay, challenge, { key, nowSeconds });
    const mayKnowUs = await this.#options.present(event);
    if (mayKnowUs) this.#identity += 1;
    return mayKnowUs;
  }

  async #awaitChallenge(waitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#challenged = resolve;
    const timer = setTimeout(resolve, waitMs);
    await promise;
    clearTimeout(timer);
    this.#challenged = undefined;
  }
}
