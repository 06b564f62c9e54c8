import type { ProblemCode } from "../domain/problem.ts";
import { METRICS } from "../environment.ts";

type MetricName = (typeof METRICS)[
  | "unknownKey"
  | "overrun"
  | "unresolved"
  | "auditFailure"
  | "eventFailure"
  | "latePricesOverdue"
  | "latePricesOldestS"];

/** Counts `times` things for the alarms; nothing is written for none. The stack is the service of the environment. */
export function count(name: MetricName, times = 1): void {
  if (times !== 0) publish(name, times, {});
}

/** Counts a denied call under its reason. Reasons are few, so what CloudWatch asks for each of them is bounded. */
export function countDenial(reason: ProblemCode): void {
  publish(METRICS.denied, 1, { [METRICS.reason]: reason });
}

/**
 * One line, of which CloudWatch makes a metric by itself: nothing is called. The line is the "embedded metric format"
 * (docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html, read 2026-11-28).
 */
function publish(name: string, value: number, more: Readonly<Record<string, string>>): void {
  if (process.env["POWERTOOLS_METRICS_DISABLED"] === "true") return;
  const dimensions = { [METRICS.dimension]: process.env["POWERTOOLS_SERVICE_NAME"] ?? "", ...more };
  const _aws = {
    Timestamp: Date.now(),
    CloudWatchMetrics: [
      {
        Namespace: METRICS.namespace,
        Dimensions: [Object.keys(dimensions)],
        Metrics: [{ Name: name, Unit: "Count" }],
      },
    ],
  };
  process.stdout.write(`${JSON.stringify({ _aws, ...dimensions, [name]: value })}\n`);
}
