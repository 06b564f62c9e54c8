import { AsyncLocalStorage } from "node:async_hooks";
import type { Invoke } from "../../local/aws/invocation.ts";

const offsets = new AsyncLocalStorage<number>();
const trueNow = Date.now;

/** One function sees another time than the others; all that it waits for is in its time too. */
export function skewed(
  invoke: Invoke,
  { function: name, offsetMs }: { readonly function: string; readonly offsetMs: number },
): Invoke {
  Date.now = () => trueNow() + (offsets.getStore() ?? 0);
  return (function_, event, context) => {
    if (function_ !== name) return invoke(function_, event, context);
    // How long it may take is Lambda's to say, by a clock of its own.
    const getRemainingTimeInMillis = () => offsets.exit(() => context.getRemainingTimeInMillis());
    return offsets.run(offsetMs, () => invoke(function_, event, { ...context, getRemainingTimeInMillis }));
  };
}
