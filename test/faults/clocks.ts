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
  return (function_, event, context) =>
    function_ === name
      ? offsets.run(offsetMs, () => invoke(function_, event, context))
      : invoke(function_, event, context);
}
