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

/** Answers challenges of one connection, at most `maxAuths` times. */
export class Authenticator {
  readonly #relay: RelayUrl;
  readonly #key: Uint8Array | undefined;
  readonly #present: (event: NostrEvent) => Promise<boolean>;
  #left: number;
  #challenge: string | undefined;
  #challenged: (() => void) | undefined;
  #running: Promise<boolean> | undefined;

  constructor(
    relay: RelayUrl,
    { key, maxAuths, present }: {
      key: Uint8Array | undefined;
      maxAuths: number;
      /** Sends an AUTH; resolves with whether the relay accepted it. */
      present: (event: NostrEvent) => Promise<boolean>;
    },
  ) {
    this.#relay = relay;
    this.#key = key;
    this.#left = maxAuths;
    this.#present = present;
  }

  /** Remembers the latest challenge. Answering it waits until something is refused: who need not say who he is does not. */
  challenge(challenge: string): void {
    this.#challenge = challenge;
    this.#challenged?.();
  }

  /** Whether the relay accepts who we are. Several who ask at once share one answer. */
  authenticate(): Promise<boolean> {
    if (this.#key === undefined) return Promise.resolve(false);
    this.#running ??= this.#answer(this.#key).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #answer(key: Uint8Array): Promise<boolean> {
    if (this.#left <= 0) return false;
    if (this.#challenge === undefined) await this.#awaitChallenge();
    const challenge = this.#challenge;
    if (challenge === undefined) return false;
    this.#left -= 1;
    const nowSeconds = unixNow();
    const event = signAuth(this.#relay, challenge, { key, nowSeconds });
    return await this.#present(event);
  }

  async #awaitChallenge(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#challenged = resolve;
    const timer = setTimeout(resolve, CHALLENGE_AFTER_MS);
    await promise;
    clearTimeout(timer);
    this.#challenged = undefined;
  }
}
