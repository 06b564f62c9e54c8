import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { ProblemCode } from "../domain/problem.ts";
import { METRICS } from "../environment.ts";

type MetricName = (typeof METRICS)[
  | "unknownKey"
  | "overrun"
  | "unresolved"
  | "auditFailure"
  | "latePricesOverdue"
  | "latePricesOldestS"];

const metrics = new Metrics({ namespace: METRICS.namespace });

/** Counts `times` things for the alarms; nothing is written for none. The stack is the service of the environment. */
export function count(name: MetricName, times = 1): void {
  if (times === 0) return;
  metrics.addMetric(name, MetricUnit.Count, times);
  metrics.publishStoredMetrics();
}

/** Counts a denied call under its reason. Reasons are few, so what CloudWatch asks for each of them is bounded. */
export function countDenial(reason: ProblemCode): void {
  metrics.singleMetric().addDimension(METRICS.reason, reason).addMetric(METRICS.denied, MetricUnit.Count, 1);
}
