import { listAt, numberAt } from "./json.ts";

/** The simulated Stripe's own side: what it charged, what reached it, what shall go wrong. */
export interface Simulator {
  /** Cents that it let through or gave back, by its own books. */
  spentCents(): Promise<number>;
  books(): Promise<unknown>;
  requests(): Promise<readonly unknown[]>;
  fault(order: Readonly<Record<string, unknown>>): Promise<void>;
  /** Forgets the faults that still stand. */
  heal(): Promise<void>;
}

export function simulatorAt(origin: string): Simulator {
  const json = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const response = await fetch(`${origin}${path}`, init);
    if (!response.ok) throw new Error(`the simulator answered ${response.status}: ${await response.text()}`);
    return response.json();
  };
  return {
    books: () => json("/books"),
    spentCents: async () => numberAt(await json("/books"), "spent_cents"),
    requests: async () => listAt({ list: await json("/requests") }, "list"),
    fault: async (order) => {
      await json("/faults", { method: "POST", body: JSON.stringify(order) });
    },
    heal: async () => {
      await json("/faults", { method: "DELETE" });
    },
  };
}
