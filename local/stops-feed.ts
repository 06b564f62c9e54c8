import type { DynamoDBRecord } from "aws-lambda";
import { STOPS_FILTER } from "../lib/limits.ts";
import { passesFilter } from "./aws/event-filter.ts";
import { type Invoke, invocationContext } from "./aws/invocation.ts";
import { described } from "./start-error.ts";

const FUNCTION = "apply-stops";

export interface StopsFeed {
  /** Hands over records of the stream, as the deployed mapping's filter lets them through. */
  see(records: readonly DynamoDBRecord[]): void;
  /** Whether the function runs, or has to. */
  isBusy(): boolean;
  /** Resolves once it does not run any more. */
  idle(): Promise<void>;
}

/**
 * Runs the function that revokes the keys of stops when the stops change: one run at a time, and one more where they changed
 * during it. A run of its own beside the audit log, which does not wait for it.
 */
export function startStopsFeed(invoke: Invoke, announce: (message: string) => void): StopsFeed {
  let seen: DynamoDBRecord[] = [];
  let running: Promise<void> | null = null;

  async function run(): Promise<void> {
    while (seen.length > 0) {
      const Records = seen;
      seen = [];
      try {
        await invoke(FUNCTION, { Records }, invocationContext(FUNCTION));
      } catch (error) {
        announce(`${FUNCTION} threw: ${described(error)}`);
      }
    }
    running = null;
  }

  return {
    see(records) {
      seen.push(...records.filter((record) => passesFilter(STOPS_FILTER, record)));
      if (seen.length > 0) running ??= run();
    },
    isBusy: () => running !== null,
    idle: async () => {
      await running;
    },
  };
}
