import { createRequire } from "node:module";
import { join } from "node:path";
import { FUNCTIONS, type FunctionName } from "../../lib/services.ts";
import type { Invoke } from "./invocation.ts";

/** A handler as Node 24's runtime takes it: no callback. */
type Handler = (...args: Parameters<Invoke> extends [unknown, ...infer Rest] ? Rest : never) => unknown;

/**
 * Loads the bundles in `directory` into this process, a fresh copy of each, and returns a function that invokes them.
 *
 * All at once and not on the first call: a function reads its environment while it loads, and a bundle that does not
 * load is to be seen before the run is ready.
 */
export function loadFunctions(directory: string, names: readonly FunctionName[] = FUNCTIONS): Invoke {
  const handlers = new Map(names.map((name) => [name, load(join(directory, name, "index.js"))]));

  return async (name, event, context) => {
    const handler = handlers.get(name);
    if (handler === undefined) throw new Error(`no function ${name} is loaded`);
    return await handler(event, context);
  };
}

const requireHere = createRequire(import.meta.url);

function load(path: string): Handler {
  delete requireHere.cache[requireHere.resolve(path)];
  const bundle: unknown = requireHere(path);
  if (!hasHandler(bundle)) throw new Error(`${path} does not export a function called handler`);
  return bundle.handler;
}

function hasHandler(bundle: unknown): bundle is { readonly handler: Handler } {
  return (
    typeof bundle === "object" &&
    bundle !== null &&
    "handler" in bundle &&
    typeof bundle.handler === "function"
  );
}
