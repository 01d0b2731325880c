/**
 * The spot check of a session: what paging proved is not believed any more when the relay turns out not to keep to
 * the order that paging relies on. Then the next sync walks by binary split.
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";

import type { PageTarget, RelayRequests } from "./relay_requests.ts";
import type { Pace } from "../walk/relay_profile.ts";
import type { Window } from "../../models/window.ts";
import { SpotSample } from "../walk/spot_sample.ts";

/** Shorter sessions are not made longer by it: a relay that is caught up costs two requests. */
const MIN_REQUESTS = 10;

export interface SpotDeps {
  readonly line: RelayRequests;
  readonly pace: Pace;
  /** Where the events go that come only now, and what waits until there is room for them. */
  readonly ingest: {
    accept(event: NostrEvent): void;
    room(): Promise<void>;
  };
}

export class SpotCheck {
  readonly #deps: SpotDeps;
  readonly sample: SpotSample = new SpotSample();

  constructor(deps: SpotDeps) {
    this.#deps = deps;
  }

  /** What this session proved and does not believe any more. */
  get retracted(): (Window & { readonly filterHash: string })[] {
    return this.#deps.pace.order === "unsorted" ? this.sample.proven : [];
  }

  /** Looks once more at a few events, and judges the relay by what comes. */
  async run(): Promise<void> {
    const { line, pace, ingest } = this.#deps;
    if (line.requests < MIN_REQUESTS || pace.order === "unsorted") return;
    const target: PageTarget = {
      accept: (event) => {
        if (this.sample.lacks(event)) ingest.accept(event);
      },
      reject: () => {},
      room: () => ingest.room(),
    };
    const asking = this.sample.findsHidden();
    let step = asking.next();
    while (!step.done) step = asking.next(await line.fetch(step.value, target));
    if (step.value) pace.judgeOrder("unsorted", true);
  }
}
