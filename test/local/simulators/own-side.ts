/** A simulator's own endpoints, which need no key; `origin` is asked at each call, since every test has a new one. */
export function ownSideOf<Books>(origin: () => string) {
  return {
    books: async (): Promise<Books> => JSON.parse(await (await fetch(`${origin()}/books`)).text()),
    fault: (order: Record<string, unknown>): Promise<Response> =>
      fetch(`${origin()}/faults`, { method: "POST", body: JSON.stringify(order) }),
  };
}

/** Asks again and again, as the next answer depends on nothing but the simulator's progress. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
