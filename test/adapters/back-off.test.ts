import {
  type DynamoDBClient,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { describe, expect, test } from "vitest";
import { resent, type Tried, type Waiting, withBackOff } from "../../lambda/adapters/back-off.ts";
import { DynamoAuditLog } from "../../lambda/adapters/dynamo-audit-log.ts";
import { EVENTS } from "./stored-values.ts";

/** Guarantees how often something is sent again, and what is thrown in the end. */

/** Tries that end as told, one after another; the last one again and again. */
function endingIn<T>(...ends: readonly Tried<T>[]): { tries: number; once: () => Promise<Tried<T>> } {
  const ending = {
    tries: 0,
    once: async (): Promise<Tried<T>> => {
      const end = ends[Math.min(ending.tries++, ends.length - 1)];
      return end ?? { kind: "again", cause: new Error("no end was told") };
    },
  };
  return ending;
}
const done: Tried<string> = { kind: "done", value: "done" };
/** Time that passes at once, and keeps how long it was waited. */
function waiting(chance: number): Waiting & { readonly waits: number[] } {
  const waits: number[] = [];
  return { waits, wait: async (ms) => waits.push(ms), chance: () => chance };
}

const again = (message: string): Tried<string> => ({ kind: "again", cause: new Error(message) });

describe("the back-off", () => {
  test.each([
    ["what is done at once is tried once", [done], 1],
    ["what may pass is tried again", [again("first"), again("second"), done], 3],
    ["the last try counts as the others", [again("first"), again("second"), again("third"), done], 4],
  ])("%s", async (_, ends, tries) => {
    const ending = endingIn(...ends);

    expect(await withBackOff(3, ending.once, waiting(0.5))).toBe("done");
    expect(ending.tries).toBe(tries);
  });

  test("the cause of the last try is thrown, where no try is left", async () => {
    const ending = endingIn(again("first"), again("second"), again("last"));

    await expect(withBackOff(2, ending.once, waiting(0.5))).rejects.toThrow("last");
    expect(ending.tries).toBe(3);
  });

  test.each([
    ["the shortest that chance allows", 0, [10, 20, 40]],
    ["the middle", 0.5, [20, 40, 80]],
    ["longer than that", 0.75, [25, 50, 100]],
  ])("waits twice as long each time: %s", async (_, chance, waits) => {
    const time = waiting(chance);
    await expect(withBackOff(3, endingIn(again("no")).once, time)).rejects.toThrow("no");

    expect(time.waits).toEqual(waits);
  });

  test("waits in real time, where it is told of no other", async () => {
    const startMs = performance.now();
    await expect(withBackOff(1, endingIn(again("no")).once)).rejects.toThrow("no");

    // 10 milliseconds at least; a timer may be early by one.
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(9);
  });

  test("a send that may have been applied is not sent again", async () => {
    let sends = 0;
    const timeout = Object.assign(new Error("no answer"), { name: "TimeoutError" });

    await expect(
      resent(async () => {
        sends++;
        throw timeout;
      }),
    ).rejects.toBe(timeout);
    expect(sends).toBe(1);
  });
});

describe("the audit log", () => {
  const cancelled = (...codes: readonly string[]) =>
    new TransactionCanceledException({
      message: "cancelled",
      $metadata: {},
      CancellationReasons: codes.map((Code) => ({ Code })),
    });

  /** Sends of one append, by the number of events that each puts, where the table answers as told. */
  async function appended(...answers: readonly (Error | null)[]): Promise<readonly number[]> {
    const sends: number[] = [];
    const send = async (command: unknown) => {
      if (!(command instanceof TransactWriteItemsCommand)) throw new Error("it only writes");
      const answer = answers[sends.length];
      sends.push((command.input.TransactItems ?? []).filter(({ Put }) => Put !== undefined).length);
      if (answer !== null && answer !== undefined) throw answer;
      return {};
    };
    const client = { send } as unknown as DynamoDBClient;
    const log = new DynamoAuditLog(client, "audit", 400, { now: () => 0 }, waiting(0.5));
    await log.append(EVENTS.slice(0, 3));
    return sends;
  }

  test.each([
    ["writes events at once", [null], [3]],
    ["sends them again after a conflict", [cancelled("TransactionConflict"), null], [3, 3]],
    [
      "leaves out what is recorded already",
      [cancelled("None", "ConditionalCheckFailed", "None"), cancelled("None", "ThrottlingError"), null],
      [3, 2, 2],
    ],
    [
      "ends where all is recorded",
      [cancelled("ConditionalCheckFailed", "ConditionalCheckFailed", "ConditionalCheckFailed")],
      [3],
    ],
  ])("%s", async (_, answers, sends) => {
    expect(await appended(...answers)).toEqual(sends);
  });

  test("throws any other fault at once", async () => {
    await expect(appended(new Error("no table"), null)).rejects.toThrow("no table");
  });
});
