import type { FunctionName } from "../../lib/services.ts";
import { ASSUMED, DAYS_OF_MONTH } from "./assumptions.ts";
import type { Deployment } from "./deployment.ts";
import type { Measured, Use } from "./measured.ts";
import { usdFor } from "./prices.ts";

/** Dollars of one part of a bill. */
export interface Line {
  readonly what: string;
  /** How much of it. */
  readonly detail: string;
  readonly usd: number;
}

/** What one use asks of everything but the tables: functions with seconds each, requests, bytes. */
interface Asked {
  readonly invocations: readonly (readonly [FunctionName, seconds: number])[];
  readonly requests: number;
  readonly denials: number;
  readonly transferBytes: number;
}

const { vendorS, ownS, lookupS } = ASSUMED;
const paidCall = ["proxy-call", vendorS + ownS] as const;
const call = (seconds: number, transferBytes: number, denials = 0): Asked => ({
  invocations: [["proxy-call", seconds]],
  requests: 1,
  denials,
  transferBytes,
});

const ASKED: Readonly<Record<Use, Asked>> = {
  paid: call(vendorS + ownS, ASSUMED.transferBytes),
  paidWithoutKey: call(vendorS + ownS, ASSUMED.transferBytes),
  ownKey: {
    invocations: [["issue-key", ownS], paidCall, ["own-key", ownS]],
    requests: 3,
    denials: 0,
    transferBytes: ASSUMED.transferBytes + 2 * ASSUMED.answerBytes,
  },
  free: call(vendorS + ownS, ASSUMED.transferBytes),
  denied: call(ownS, ASSUMED.answerBytes, 1),
  givesBack: call(vendorS + ownS, ASSUMED.transferBytes),
  lookup: call(lookupS + vendorS + ownS, ASSUMED.transferBytes),
  alone: call(vendorS + ownS, ASSUMED.transferBytes),
  latePrice: {
    invocations: [paidCall, ["settle-late-prices", lookupS]],
    requests: 1,
    denials: 0,
    transferBytes: ASSUMED.transferBytes,
  },
};

const MILLION = 1_000_000;

function lambdaUsd({ functions }: Deployment, name: FunctionName, seconds: number): number {
  const { memoryMb, isArm } = functions[name];
  return usdFor(isArm ? "gbSecondArm" : "gbSecondX86", (seconds * memoryMb) / 1024);
}

/** What a million of one use cost at the time, without what is kept of them. */
export function callLines(use: Use, measured: Measured, deployment: Deployment): readonly Line[] {
  const { invocations, requests, denials, transferBytes } = ASKED[use];
  const { ledgerWrites, ledgerReads, auditWrites, auditReads } = measured.units[use];
  // Late prices are asked for many at a time.
  const starts = invocations.filter(([name]) => name !== "settle-late-prices").length;
  const seconds = invocations.reduce((sum, [, s]) => sum + s, 0);
  const isAlone = use === "alone";
  const batches = isAlone ? ASSUMED.batchesAlone : 1 / ASSUMED.callsInBatch;
  const consumerS = isAlone ? ASSUMED.batchesAlone * ASSUMED.batchS : ASSUMED.consumerS;
  const logBytes = (starts + batches) * ASSUMED.logBytes + denials * ASSUMED.denialLogBytes;
  const line = (what: string, detail: string, usdForOne: number): Line => ({
    what,
    detail,
    usd: usdForOne * MILLION,
  });
  return [
    line("API Gateway", plural(requests, "request"), usdFor("gatewayRequest", requests)),
    line(
      starts === 1 ? "Lambda" : `Lambda, ${starts} functions`,
      `${seconds.toFixed(2)} s at ${deployment.functions["proxy-call"].memoryMb} MB`,
      usdFor("invocation", starts) +
        invocations.reduce((sum, [name, s]) => sum + lambdaUsd(deployment, name, s), 0),
    ),
    line(
      "DynamoDB, the ledger",
      units(ledgerWrites, ledgerReads),
      usdFor("writeUnit", ledgerWrites) + usdFor("readUnit", ledgerReads),
    ),
    line(
      "DynamoDB, the audit log",
      units(auditWrites, auditReads),
      usdFor("writeUnit", auditWrites) + usdFor("readUnit", auditReads),
    ),
    line(
      "Lambda, the consumer",
      isAlone ? `${batches} invocations` : `${ASSUMED.callsInBatch} calls share one`,
      usdFor("invocation", batches) + lambdaUsd(deployment, "record-audit", consumerS),
    ),
    line("CloudWatch Logs", `${Math.round(logBytes)} bytes`, usdFor("logs", logBytes)),
    line(
      "data to the internet",
      `${(transferBytes / 1000).toFixed(1)} KB`,
      usdFor("transfer", transferBytes),
    ),
  ];
}

/** What it costs to keep what a million of one use leave behind, for as long as it is kept. */
export function keptLines(use: Use, { stored }: Measured, deployment: Deployment): readonly Line[] {
  const { table, indexes, ledgerByteDays } = stored[use];
  const { retentionDays, recovers } = deployment;
  const months = retentionDays / DAYS_OF_MONTH;
  const ledgerMonths = ledgerByteDays / DAYS_OF_MONTH;
  const kept = [
    ["events", `${Math.round(table)} bytes`, usdFor("storage", table * months)],
    ["their four indexes", `${Math.round(indexes)} bytes`, usdFor("storage", indexes * months)],
    [
      "point-in-time recovery",
      "of the events, not of indexes",
      recovers ? usdFor("recovery", table * months) : 0,
    ],
    [
      "records of the ledger",
      "with recovery, until they are forgotten",
      usdFor("storage", ledgerMonths) + (recovers ? usdFor("recovery", ledgerMonths) : 0),
    ],
  ] as const;
  return kept.map(([what, detail, usd]) => ({ what, detail, usd: usd * MILLION }));
}

/** What a month costs in which nobody calls; `freeAlarms`: metrics of alarms that the account still has free. */
export function idleLines(
  { idle }: Measured,
  deployment: Deployment,
  { freeAlarms = 0 }: { readonly freeAlarms?: number } = {},
): readonly Line[] {
  const { secrets, alarms, alarmMetrics, runsOfMonth } = deployment;
  const scheduled = (Object.keys(idle) as (keyof Measured["idle"])[]).map((name) => {
    const runs = runsOfMonth[name] ?? 0;
    const { ledgerReads, ledgerWrites, auditReads, auditWrites } = idle[name];
    const ofOne =
      usdFor("scheduleEvent", 1) +
      usdFor("invocation", 1) +
      lambdaUsd(deployment, name, ASSUMED.idleRunS) +
      usdFor("readUnit", ledgerReads + auditReads) +
      usdFor("writeUnit", ledgerWrites + auditWrites) +
      usdFor("logs", ASSUMED.logBytes);
    return { runs, usd: runs * ofOne };
  });
  const runs = scheduled.reduce((sum, each) => sum + each.runs, 0);
  return [
    {
      what: "secrets",
      detail: `${secrets}: the admin API key, one for each credential`,
      usd: usdFor("secret", secrets),
    },
    {
      what: "alarms",
      detail: alarms === alarmMetrics ? `${alarms}` : `${alarms}, of ${alarmMetrics} metrics`,
      usd: usdFor("alarmMetric", Math.max(0, alarmMetrics - freeAlarms)),
    },
    {
      what: "schedules",
      detail: `${Math.round(runs).toLocaleString("en-US")} runs that find nothing to do`,
      usd: scheduled.reduce((sum, { usd }) => sum + usd, 0),
    },
  ];
}

export const totalOf = (lines: readonly Line[]): number => lines.reduce((sum, { usd }) => sum + usd, 0);

function units(writes: number, reads: number): string {
  const written = `${writes.toFixed(1)} write units`;
  return reads < 0.05 ? written : `${written}, ${reads.toFixed(1)} read`;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
