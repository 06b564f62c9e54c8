import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { METRICS } from "../environment.ts";

type MetricName = (typeof METRICS)["unknownKey" | "overrun" | "unresolved" | "auditFailure"];

const metrics = new Metrics({ namespace: METRICS.namespace });

/** Counts `times` things for the alarms; nothing is written for none. The stack is the service of the environment. */
export function count(name: MetricName, times = 1): void {
  if (times === 0) return;
  metrics.addMetric(name, MetricUnit.Count, times);
  metrics.publishStoredMetrics();
}

/** Counts a request whose vault key or API key does not exist. */
export const countStranger = (): void => count(METRICS.unknownKey);
