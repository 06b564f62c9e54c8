import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "aws-lambda";
import { DynamoEvidence } from "../adapters/dynamo-evidence.ts";
import { closeByBooks } from "../app/resolve/close-by-books.ts";
import { objectsOnRecord } from "../app/resolve/objects-on-record.ts";
import { type ResolveRun, resolveCalls } from "../app/resolve/resolve-calls.ts";
import { ENV } from "../environment.ts";
import { booksOf } from "../vendors/books.ts";
import {
  auditReader,
  callVault,
  clients,
  dueList,
  required,
  systemClock,
  tableLayout,
  vendorPorts,
  warn,
} from "./wiring.ts";

const dynamo = clients();
const reader = auditReader(dynamo);
const booksPorts = {
  ...vendorPorts(),
  vault: callVault(dynamo),
  booksOf,
  objectsOnRecord: (vendor: string, fromMs: number, toMs: number) =>
    objectsOnRecord(vendor, fromMs, toMs, reader),
  found: new Map<string, string>(),
};
const ports = {
  ...booksPorts,
  dueList: dueList(dynamo),
  evidence: new DynamoEvidence(dynamo.steady, required(ENV.auditTable), systemClock),
  pause: sleep,
  askBooks: (recordId: string, deadlineMs: number) => closeByBooks(recordId, deadlineMs, booksPorts),
  warn,
};
const layout = tableLayout(dynamo, true);

/** Woken by the consumer's schedule, where a call is due: finishes the calls whose process died, on evidence. Two runs at once do no harm. */
export const handler = async (_event: unknown, context: Context): Promise<ResolveRun> => {
  await layout.check();
  const afterMs = Number(required(ENV.resolveAfterS)) * 1000;
  const deadlineMs = systemClock.now() + context.getRemainingTimeInMillis();
  const run = await resolveCalls({ afterMs, deadlineMs }, ports);
  // Thrown, so that the alarm of failing functions rings: nothing but the records of the stream can finish them.
  if (run.blocked > 0)
    throw new Error(
      `${run.blocked} calls cannot be finished and keep their budget: changes of their keys were not recorded (see the dead letters, and the warnings before this line)`,
    );
  return run;
};
