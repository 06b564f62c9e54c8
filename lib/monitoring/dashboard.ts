import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
} from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import type { Metrics } from "./metrics.ts";

/** One page: the alarms, and below them what happens. */
export function makeDashboard(scope: Construct, metrics: Metrics, alarms: Alarm[]): Dashboard {
  const dashboard = new Dashboard(scope, "Dashboard");
  dashboard.addWidgets(new AlarmStatusWidget({ title: "Alarms", alarms, width: 24 }));
  dashboard.addWidgets(
    ...graphsOf(metrics).map(([title, left]) => new GraphWidget({ title, left: [...left], width: 8 })),
  );
  return dashboard;
}

const graphsOf = (metrics: Metrics): readonly (readonly [title: string, readonly IMetric[]])[] => [
  ["Calls", [metrics.calls, metrics.clientErrors, metrics.serverErrors, metrics.refusedByGateway]],
  ["Denials by reason", [metrics.denials]],
  ["Latency, ms", [metrics.latencyP50, metrics.latencyP99]],
  ["To look into", [metrics.overruns, metrics.unresolved, metrics.unknownKeys, metrics.auditFailures]],
  ["Audit log behind, ms", [metrics.streamAge]],
  ["Dead letters, and those lost", [metrics.deadLetters, metrics.lostLetters]],
  [
    "Late prices that are due, and the age of the oldest in seconds",
    [metrics.latePricesOverdue, metrics.latePricesOldestS],
  ],
  ["Errors of functions", [metrics.errors]],
  ["Running at once, throttled", [metrics.proxyRunning, metrics.proxyThrottled, metrics.accountConcurrency]],
  ["Write units, sum of five minutes", metrics.writeUnits],
  ["Read units, sum of five minutes", metrics.readUnits],
  [
    "Throttled writes",
    [...metrics.vaultThrottledWrites, ...metrics.auditThrottledWrites].map(({ metric }) => metric),
  ],
];
