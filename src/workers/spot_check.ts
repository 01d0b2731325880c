/**
 * The spot check of a session: what paging proved is not believed any more when the relay turns out not to keep to
 * the order that paging relies on. Then the next sync walks by binary split.
 *
 * @module
 */
import type { NostrEvent } from "../models/event.ts";
import type { DoubtedStretch } from "./nip77_job.ts";
import type { PageTarget, RelayLine } from "./relay_line.ts";
import type { Pace } from "./walk/pace.ts";
import { SpotSample } from "./walk/spot_sample.ts";

/** Shorter sessions are not made longer by it: a relay that is caught up costs two requests. */
const MIN_REQUESTS = 10;

export interface SpotMeans {
  readonly line: RelayLine;
  readonly pace: Pace;
  /** Where the events go that come only now, and what waits until there is room for them. */
  readonly intake: {
    accept(event: NostrEvent): void;
    room(): Promise<void>;
  };
}

export class SpotCheck {
  readonly #means: SpotMeans;
  readonly sample: SpotSample = new SpotSample();

  constructor(means: SpotMeans) {
    this.#means = means;
  }

  /** What this session proved and does not believe any more. */
  get doubted(): DoubtedStretch[] {
    return this.#means.pace.order === "unsorted" ? this.sample.proven : [];
  }

  /** Looks once more at a few events, and judges the relay by what comes. */
  async run(): Promise<void> {
    const { line, pace, intake } = this.#means;
    if (line.requests < MIN_REQUESTS || pace.order === "unsorted") return;
    const target: PageTarget = {
      accept: (event) => {
        if (this.sample.lacks(event)) intake.accept(event);
      },
      reject: () => {},
      room: () => intake.room(),
    };
    const asking = this.sample.findsHidden();
    let step = asking.next();
    while (!step.done) step = asking.next(await line.fetch(step.value, target));
    if (step.value) pace.judgeOrder("unsorted", true);
  }
}
