/**
 * The large families: each of the effects, when any of the conditions holds.
 *
 * @module
 */
import { type Condition, CONDITIONS } from "./conditions.ts";
import { type Effect, EFFECTS } from "./effects.ts";
import { type Transformer, transformer } from "../transformer.ts";

/** Every effect under every condition, as a transformer of its own: `empty when the window is wide`. */
export const CONDITIONAL: readonly Transformer[] = EFFECTS.flatMap((effect) =>
  CONDITIONS.map((condition) => combined(effect, condition))
);

function combined(effect: Effect, condition: Condition): Transformer {
  return transformer({
    name: `${effect.name} when ${condition.name}`,
    parameters: { threshold: condition.thresholds },
    create: ({ threshold }, deps) => {
      const apply = effect.create(deps);
      const holds = condition.create(threshold, deps);
      return {
        answers: (answer, question) =>
          holds(question) ? apply(answer, question) : answer,
      };
    },
  });
}
