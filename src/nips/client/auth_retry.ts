/**
 * What a REQ got from a relay that did not know who asks: told so, the relay may answer it, or answer more.
 *
 * @module
 */
import type { Authenticator } from "../nip42.ts";
import type { EoseHint, ReqOutcome } from "./req_outcome.ts";
import type { Subscription } from "./subscription.ts";

export interface AuthRetryDeps {
  readonly authenticator: Authenticator;
  /** Sends the REQ. */
  readonly send: (subscription: Subscription) => void;
}

export class AuthRetry {
  readonly #authenticator: Authenticator;
  readonly #send: (subscription: Subscription) => void;

  constructor({ authenticator, send }: AuthRetryDeps) {
    this.#authenticator = authenticator;
    this.#send = send;
  }

  /** EOSE came. When the relay knows who asks only since, the answer is outdated. */
  eose(
    subscription: Subscription | undefined,
    hint: EoseHint | undefined,
  ): void {
    if (subscription === undefined) return;
    if (!this.#isOutdated(subscription)) return subscription.eose(hint);
    this.#identify(subscription).then((isKnown) =>
      subscription.eose(hint, isKnown)
    );
  }

  /** The relay refused: that is the end, unless it helps to say who asks. Then the REQ is sent again, once. */
  refused(
    subscription: Subscription,
    outcome: Extract<ReqOutcome, { type: "closed" | "notice" }>,
    wantsAuth: boolean,
  ): void {
    const end = () => subscription.end(outcome, outcome.type === "closed");
    const mayHelp = wantsAuth || this.#isOutdated(subscription);
    if (!mayHelp || !subscription.mayRepeat()) return end();
    this.#repeat(subscription).then((isRepeated) => {
      if (!isRepeated) end();
    });
  }

  /** Nothing has come yet: some relays keep a REQ waiting until they know who asks. */
  silent(subscription: Subscription): void {
    const mayHelp = this.#authenticator.isOpen ||
      this.#isOutdated(subscription);
    if (mayHelp && subscription.mayRepeat()) void this.#repeat(subscription);
  }

  /** Whether the relay has been told who asks since the REQ was sent, or is being told. */
  #isOutdated({ sentAs }: Subscription): boolean {
    const { isRunning, identity } = this.#authenticator;
    return isRunning || sentAs < identity;
  }

  /** Whether the relay may know by now who asks. */
  async #identify({ sentAs }: Subscription): Promise<boolean> {
    const { isRunning, identity } = this.#authenticator;
    if (!isRunning && sentAs < identity) return true;
    return await this.#authenticator.authenticate();
  }

  /** False when the REQ has not been sent again. */
  async #repeat(subscription: Subscription): Promise<boolean> {
    const isKnown = await this.#identify(subscription);
    if (!isKnown || subscription.hasEnded) return false;
    this.#send(subscription);
    return true;
  }
}
