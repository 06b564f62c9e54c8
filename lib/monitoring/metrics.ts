import { Duration } from "aws-cdk-lib";
import { type IMetric, MathExpression, Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { METRICS } from "../../lambda/environment.ts";
import type { AuditTrail } from "../audit-trail.ts";
import type { FrontDoor } from "../front-door.ts";
import type { ServiceFunction } from "../service-function.ts";
import { ANSWERING, type FunctionName, UNATTENDED } from "../services.ts";
import { AUDIT_TABLE, type TableSchema, VAULT_TABLE } from "../table-schemas.ts";
import type { VaultTable } from "../vault-table.ts";

/** What there is to watch. */
export interface Watched {
  readonly stackName: string;
  readonly frontDoor: FrontDoor;
  readonly vault: VaultTable;
  readonly audit: AuditTrail;
  readonly services: Readonly<Record<FunctionName, ServiceFunction>>;
}

/** Writes of a table (`index` null) or of one of its indexes that DynamoDB throttled. */
export interface ThrottledWrites {
  readonly index: string | null;
  readonly metric: IMetric;
}

const period = Duration.minutes(5);
/**
 * Left out of what was invoked: an alarm takes ten metrics ("Using metric math", documentation of CloudWatch). API keys are
 * managed and calls are closed by hand a few times a month, and people load the dashboard's page a few times a day.
 */
const RARELY_ASKED: readonly FunctionName[] = ["manage-api-keys", "resolve-by-hand", "dashboard"];
const SUM = { statistic: "Sum", period } as const;
const MAXIMUM = { statistic: "Maximum", period } as const;

export type Metrics = ReturnType<typeof metricsOf>;

/** Every metric that an alarm or the dashboard shows, in periods of five minutes. */
export function metricsOf({ stackName, frontDoor, vault, audit, services }: Watched) {
  const ours = (metricName: string, statistic = "Sum") =>
    new Metric({
      namespace: METRICS.namespace,
      metricName,
      dimensionsMap: { [METRICS.dimension]: stackName },
      statistic,
      period,
    });
  const { api } = frontDoor;
  const consumer = audit.consumer.lambda;
  const proxy = services["proxy-call"].lambda;
  const latency = (statistic: string) => api.metricLatency({ statistic, period });
  return {
    calls: api.metricCount({ period }),
    clientErrors: api.metricClientError({ period }),
    serverErrors: api.metricServerError(SUM),
    refusedByGateway: refusedByGateway(
      frontDoor,
      ANSWERING.filter((name) => !RARELY_ASKED.includes(name)).map((name) => services[name]),
    ),
    latencyP50: latency("p50"),
    latencyP99: latency("p99"),
    denials: new MathExpression({
      expression: `SEARCH('{${METRICS.namespace},${METRICS.dimension},${METRICS.reason}} MetricName="${METRICS.denied}" ${METRICS.dimension}="${stackName}"', 'Sum', 300)`,
      usingMetrics: {},
      label: "",
      period,
    }),

    overruns: ours(METRICS.overrun),
    unresolved: ours(METRICS.unresolved),
    unknownKeys: ours(METRICS.unknownKey),
    auditFailures: ours(METRICS.auditFailure),
    latePricesOverdue: ours(METRICS.latePricesOverdue, "Maximum"),
    latePricesOldestS: ours(METRICS.latePricesOldestS, "Maximum"),

    // A search counts as one: a dashboard with more than 50 metrics is not free. The names of functions begin with the stack's.
    errors: new MathExpression({
      expression: `SEARCH('{AWS/Lambda,FunctionName} MetricName="Errors" ${stackName}', 'Sum', 300)`,
      usingMetrics: {},
      label: "",
      period,
    }),
    unattended: UNATTENDED.map(({ name }) => ({
      name,
      id: services[name].node.id,
      errors: services[name].lambda.metricErrors({ period }),
    })),
    stopErrors: services["apply-stops"].lambda.metricErrors({ period }),
    proxyRunning: proxy.metric("ConcurrentExecutions", MAXIMUM),
    proxyThrottled: proxy.metricThrottles({ period }),
    accountConcurrency: LambdaFunction.metricAll("ClaimedAccountConcurrency", MAXIMUM),

    consumerErrors: consumer.metricErrors({ period }),
    consumerThrottled: consumer.metricThrottles({ period }),
    streamAge: consumer.metric("IteratorAge", MAXIMUM),
    deadLetters: new Metric({
      namespace: "AWS/Lambda",
      metricName: "OnFailureDestinationDeliveredEventCount",
      dimensionsMap: { EventSourceMappingUUID: audit.mapping.eventSourceMappingId },
      ...SUM,
    }),
    lostLetters: consumer.metric("DestinationDeliveryFailures", SUM),

    vaultThrottledWrites: throttledWrites(vault.table, VAULT_TABLE),
    auditThrottledWrites: throttledWrites(audit.table, AUDIT_TABLE),
    writeUnits: [
      vault.table.metricConsumedWriteCapacityUnits({ period, label: "Vault" }),
      audit.table.metricConsumedWriteCapacityUnits({ period, label: "Audit" }),
    ],
    readUnits: [
      vault.table.metricConsumedReadCapacityUnits({ period, label: "Vault" }),
      audit.table.metricConsumedReadCapacityUnits({ period, label: "Audit" }),
    ],
  };
}

/**
 * Requests that no function was run for. REST APIs count no 429 of their own, and 4XXError has the vendors' among them; what
 * arrived less what was invoked is what the gateway answered itself ("Amazon API Gateway dimensions and metrics" and
 * "Types of metrics for Lambda functions", read 2026-11-27). A call on the edge of two periods counts in one and then in
 * the other, so small numbers mean nothing.
 */
function refusedByGateway({ api }: FrontDoor, answering: readonly ServiceFunction[]): MathExpression {
  const invoked = answering.map(({ lambda }, at) => [`i${at}`, lambda.metricInvocations({ period })]);
  return new MathExpression({
    expression: `FILL(arrived, 0) - (${invoked.map(([name]) => `FILL(${name}, 0)`).join(" + ")})`,
    usingMetrics: { arrived: api.metricCount(SUM), ...Object.fromEntries(invoked) },
    label: "answered by the gateway itself",
    period,
  });
}

/** A table's own have none of its indexes' in them ("DynamoDB metrics and dimensions", read 2026-11-27). */
function throttledWrites({ tableName }: TableV2, { indexes }: TableSchema): readonly ThrottledWrites[] {
  return [null, ...indexes.map(({ name }) => name)].map((index) => ({
    index,
    metric: new Metric({
      namespace: "AWS/DynamoDB",
      metricName: "WriteThrottleEvents",
      dimensionsMap: { TableName: tableName, ...(index !== null && { GlobalSecondaryIndexName: index }) },
      ...SUM,
    }),
  }));
}
