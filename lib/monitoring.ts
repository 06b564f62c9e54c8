import { Duration, Stack, Validations } from "aws-cdk-lib";
import {
  Alarm,
  AlarmStatusWidget,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Operation, type TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";
import { METRICS } from "../lambda/environment.ts";
import type { AuditTrail } from "./audit-trail.ts";
import type { Config } from "./config.ts";
import type { FrontDoor } from "./front-door.ts";
import { MANAGING_ROUTES, ROUTES } from "./routes.ts";
import { pascal, type ServiceFunction } from "./service-function.ts";
import { AUDIT_TABLE, type TableSchema, VAULT_TABLE } from "./table-schemas.ts";
import type { VaultTable } from "./vault-table.ts";

export interface MonitoringProps {
  readonly frontDoor: FrontDoor;
  readonly vault: VaultTable;
  readonly audit: AuditTrail;
  readonly proxy: ServiceFunction;
  readonly scheduled: readonly ServiceFunction[];
  readonly services: readonly ServiceFunction[];
  readonly config: Config;
  readonly key: IKey | undefined;
}

const FIVE_MINUTES = Duration.minutes(5);
/** The stream keeps a day; a consumer that is so late has a quarter of an hour of calls to tell. */
const STREAM_AGE_MS_MAX = 15 * 60 * 1000;
/** Late prices are asked for every five minutes. */
const LATE_PRICE_AGE_S_MAX = 3_600;
/** A call may take 29 seconds; one in a hundred that takes half of that is a vendor or a table in trouble. */
const LATENCY_P99_MS_MAX = 15_000;

/** Whether somebody has to be woken. Each has a topic of its own, so that a topic can be a pager. */
type Severity = "now" | "tomorrow";

interface Ringing {
  readonly severity: Severity;
  readonly metric: IMetric;
  readonly threshold: number;
  /** Of the last `of` five minutes, so many have to be above the threshold. One of one: a single event is a reason. */
  readonly periods: readonly [number, of: number];
  readonly description: string;
}

/** A single event that somebody has to look at. */
const ONCE = [1, 1] as const;
/** A moment is noise: it has to last or to come again within a quarter of an hour. */
const LASTING = [2, 3] as const;

/**
 * Alarms for what an operator has to act on, and one dashboard. Every alarm says in its description how soon and what to
 * do, and tells when it is over (docs/decisions/0034-alarms.md).
 */
export class Monitoring extends Construct {
  readonly topics: Readonly<Record<Severity, Topic>>;
  readonly dashboard: Dashboard;
  readonly #alarms: Alarm[] = [];

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { frontDoor, vault, audit, proxy, scheduled, services, config, key } = props;
    const { alarmEmail, pageEmail = alarmEmail } = config;
    this.topics = {
      now: this.#topic("Alarms", "Keybrake alarms: act now", key, pageEmail),
      tomorrow: this.#topic("AlarmsForTomorrow", "Keybrake alarms: look tomorrow", key, alarmEmail),
    };

    const { stackName } = Stack.of(this);
    const ours = (metricName: string, statistic = "Sum") =>
      new Metric({
        namespace: METRICS.namespace,
        metricName,
        dimensionsMap: { [METRICS.dimension]: stackName },
        statistic,
        period: FIVE_MINUTES,
      });
    const errors = services.map(({ lambda }) => lambda.metricErrors({ period: FIVE_MINUTES }));
    const failures = frontDoor.api.metricServerError({ period: FIVE_MINUTES, statistic: "Sum" });
    const streamAge = audit.consumer.lambda.metric("IteratorAge", {
      statistic: "Maximum",
      period: FIVE_MINUTES,
    });
    const latency = (statistic: string) => frontDoor.api.metricLatency({ statistic, period: FIVE_MINUTES });
    const claimed = LambdaFunction.metricAll("ClaimedAccountConcurrency", {
      statistic: "Maximum",
      period: FIVE_MINUTES,
    });
    const consumerErrors = audit.consumer.lambda.metricErrors({ period: FIVE_MINUTES });
    const deadLetters = this.#ofMapping(audit, "OnFailureDestinationDeliveredEventCount");
    const lostLetters = audit.consumer.lambda.metric("DestinationDeliveryFailures", {
      statistic: "Sum",
      period: FIVE_MINUTES,
    });
    const throttledOf = {
      vault: throttledWrites(vault.table, VAULT_TABLE),
      audit: throttledWrites(audit.table, AUDIT_TABLE),
    };
    const notReached = refusedByGateway(
      frontDoor,
      services.filter(({ name }) => ROUTES.some((route) => route.function === name)),
    );

    this.#rings("Failures", {
      severity: "now",
      metric: failures,
      threshold: 5,
      periods: LASTING,
      description:
        "Callers get 5xx: of a function that failed (its log group says why), of the vendor, or of a credential that is not set. GET /vault/audit tells which.",
    });
    this.#rings("ProxyThrottled", {
      severity: "now",
      metric: proxy.lambda.metricThrottles({ period: FIVE_MINUTES }),
      threshold: 10,
      periods: LASTING,
      description:
        "Lambda has no room for the function that passes calls on: they are answered 5xx without being run, and a revocation may find no room either (docs/emergency.md has one that needs none). Raise the account's quota of concurrent executions.",
    });
    this.#rings("AuditThrottled", {
      severity: "tomorrow",
      metric: audit.consumer.lambda.metricThrottles({ period: FIVE_MINUTES }),
      threshold: 1,
      periods: LASTING,
      description:
        "Lambda has no room for the consumer of the audit log, which waits and loses nothing. Raise the account's quota of concurrent executions.",
    });
    this.#rings("AccountConcurrency", {
      severity: "tomorrow",
      metric: claimed,
      threshold: Math.floor(config.lambdaQuota * 0.8),
      periods: LASTING,
      description: `The account uses 80 % of ${config.lambdaQuota} concurrent executions of Lambda, all its functions together (lambdaQuota of the configuration). Raise the quota, or narrow the runs.`,
    });
    this.#rings("AuditFailures", {
      severity: "tomorrow",
      metric: ours(METRICS.auditFailure),
      threshold: 1,
      periods: LASTING,
      description:
        "A change cannot be recorded in the audit log at the moment. It is tried again ten times; the consumer's log group says why.",
    });
    this.#rings("AuditCrashes", {
      severity: "tomorrow",
      metric: consumerErrors,
      threshold: 1,
      periods: LASTING,
      description:
        "The consumer of the audit log crashes or takes too long. Its batch is tried again ten times; look into its log group.",
    });
    for (const { node, lambda } of scheduled)
      this.#rings(`${node.id}Failed`, {
        severity: "tomorrow",
        metric: lambda.metricErrors({ period: FIVE_MINUTES }),
        threshold: 1,
        periods: LASTING,
        description:
          "A function that runs on a schedule fails again and again. Its next run does the same work; look into its log group.",
      });
    this.#rings("LatePricesLate", {
      severity: "tomorrow",
      metric: ours(METRICS.latePricesOldestS, "Maximum"),
      threshold: LATE_PRICE_AGE_S_MAX,
      periods: LASTING,
      description:
        "Final prices that are due have not been asked for within an hour: more calls than the schedule can ask for, or a function that fails. Until then estimates count; after seven days they stay.",
    });
    this.#rings("AuditLate", {
      severity: "now",
      metric: streamAge,
      threshold: STREAM_AGE_MS_MAX,
      periods: ONCE,
      description:
        "The audit log is more than 15 minutes behind, and the stream keeps changes for a day. Look into the consumer's log group.",
    });
    this.#rings("DeadLetters", {
      severity: "tomorrow",
      metric: deadLetters,
      threshold: 1,
      periods: ONCE,
      description:
        "Changes could not be recorded and lie in the dead letter bucket. Mend the cause, then run the command of the output ReplayDeadLettersCommand.",
    });
    this.#rings("DeadLettersLost", {
      severity: "now",
      metric: lostLetters,
      threshold: 1,
      periods: ONCE,
      description:
        "Changes could neither be recorded nor kept in the dead letter bucket. Read the stream before its day is over.",
    });
    this.#rings("Overrun", {
      severity: "tomorrow",
      metric: ours(METRICS.overrun),
      threshold: 1,
      periods: ONCE,
      description:
        "A vendor charged more than was reserved. It is counted; GET /vault/audit?overrun=true has the rows.",
    });
    this.#rings("Unresolved", {
      severity: "tomorrow",
      metric: ours(METRICS.unresolved),
      threshold: 1,
      periods: ONCE,
      description:
        "Calls ended without an answer that tells whether they were charged. Their budget stays held; GET /vault/audit?state=unresolved has the rows.",
    });
    this.#rings("UnknownKeys", {
      severity: "tomorrow",
      metric: ours(METRICS.unknownKey),
      threshold: 100,
      periods: LASTING,
      description: `Many requests with vault keys or API keys that do not exist: an old key in a loop, or somebody who guesses. CloudWatch Logs Insights tells who, over the log groups ${logGroups(services)} with the query: ${STRANGERS_QUERY}`,
    });
    for (const operation of [Operation.PUT_ITEM, Operation.UPDATE_ITEM, Operation.TRANSACT_WRITE_ITEMS]) {
      this.#rings(`VaultThrottled${operation}`, {
        severity: "now",
        metric: vault.table.metricThrottledRequestsForOperation(operation, { period: FIVE_MINUTES }),
        threshold: 10,
        periods: LASTING,
        description:
          "DynamoDB throttles the Vault table: one key takes about 1,000 writes a second, and calls beyond them are refused with 503. Use several keys for a wider run.",
      });
    }
    for (const { metric } of throttledOf.vault.filter(({ index }) => index !== null))
      this.#rings("VaultIndexThrottled", {
        severity: "now",
        metric,
        threshold: 1,
        periods: LASTING,
        description:
          "DynamoDB throttles the index of late prices, and a throttled index throttles its table: calls are refused with 503. Spread the runs of this vendor over time.",
      });
    for (const { index, metric } of throttledOf.audit)
      this.#rings(`AuditTableThrottled${index === null ? "" : pascal(index.replaceAll("_", "-"))}`, {
        severity: "tomorrow",
        metric,
        threshold: 1,
        periods: LASTING,
        description:
          "DynamoDB throttles the Audit table or an index of it: many calls of one label, one group or one vendor at once. The audit log falls behind and loses nothing; AuditLate rings when it is late.",
      });
    this.#rings("GatewayRefuses", {
      severity: "tomorrow",
      metric: notReached,
      threshold: 100,
      periods: LASTING,
      description:
        "Many requests reach no function: the gateway answers them itself, mostly with 429 above the throttle of the configuration, else 403, 413 or what WAF blocks. Access logs tell which; so do the callers, by error.code gateway_….",
    });
    this.#rings("Slow", {
      severity: "tomorrow",
      metric: latency("p99"),
      threshold: LATENCY_P99_MS_MAX,
      periods: LASTING,
      description:
        "One call in a hundred takes more than 15 seconds, and at 29 it ends without an answer. Rows of GET /vault/audit have vendor_ms and overhead_ms: they tell whether it is the vendor.",
    });

    this.dashboard = new Dashboard(this, "Dashboard");
    this.dashboard.addWidgets(new AlarmStatusWidget({ title: "Alarms", alarms: this.#alarms, width: 24 }));
    this.dashboard.addWidgets(
      graph("Calls", [
        frontDoor.api.metricCount({ period: FIVE_MINUTES }),
        frontDoor.api.metricClientError({ period: FIVE_MINUTES }),
        failures,
        notReached,
      ]),
      graph("Denials by reason", [
        new MathExpression({
          expression: `SEARCH('{${METRICS.namespace},${METRICS.dimension},${METRICS.reason}} MetricName="${METRICS.denied}" ${METRICS.dimension}="${stackName}"', 'Sum', 300)`,
          usingMetrics: {},
          label: "",
          period: FIVE_MINUTES,
        }),
      ]),
      graph("Latency, ms", [latency("p50"), latency("p99")]),
      graph(
        "To look into",
        [METRICS.overrun, METRICS.unresolved, METRICS.unknownKey, METRICS.auditFailure].map((name) =>
          ours(name),
        ),
      ),
      graph("Audit log behind, ms", [streamAge]),
      graph("Dead letters, and those lost", [deadLetters, lostLetters]),
      graph("Late prices that are due, and the age of the oldest in seconds", [
        ours(METRICS.latePricesOverdue, "Maximum"),
        ours(METRICS.latePricesOldestS, "Maximum"),
      ]),
      graph("Errors of functions", errors),
      graph("Running at once, throttled", [
        proxy.lambda.metric("ConcurrentExecutions", { statistic: "Maximum", period: FIVE_MINUTES }),
        proxy.lambda.metricThrottles({ period: FIVE_MINUTES }),
        claimed,
      ]),
      graph("Write units, sum of five minutes", [
        vault.table.metricConsumedWriteCapacityUnits({ period: FIVE_MINUTES, label: "Vault" }),
        audit.table.metricConsumedWriteCapacityUnits({ period: FIVE_MINUTES, label: "Audit" }),
      ]),
      graph("Read units, sum of five minutes", [
        vault.table.metricConsumedReadCapacityUnits({ period: FIVE_MINUTES, label: "Vault" }),
        audit.table.metricConsumedReadCapacityUnits({ period: FIVE_MINUTES, label: "Audit" }),
      ]),
      graph(
        "Throttled writes",
        [...throttledOf.vault, ...throttledOf.audit].map(({ metric }) => metric),
      ),
    );
  }

  #topic(id: string, displayName: string, key: IKey | undefined, email: string | undefined): Topic {
    const topic = new Topic(this, id, {
      displayName,
      enforceSSL: true,
      ...(key !== undefined && { masterKey: key }),
    });
    Validations.of(topic).acknowledge({
      id: "Serverless::Serverless-SNSRedrivePolicy",
      reason: "SNS retries a mail by itself, and an alarm that reached nobody still stands in CloudWatch",
    });
    // A topic with a policy of its own has lost the default one, by which CloudWatch may publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": Stack.of(this).account } },
      }),
    );
    if (email !== undefined) topic.addSubscription(new EmailSubscription(email));
    return topic;
  }

  #rings(id: string, { severity, metric, threshold, periods: [above, of], description }: Ringing): void {
    const alarm = new Alarm(this, id, {
      metric,
      threshold,
      evaluationPeriods: of,
      datapointsToAlarm: above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: `${severity === "now" ? "Act now" : "Look tomorrow"}: ${description}`,
    });
    const action = new SnsAction(this.topics[severity]);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
    this.#alarms.push(alarm);
  }

  #ofMapping({ mapping }: AuditTrail, metricName: string): Metric {
    return new Metric({
      namespace: "AWS/Lambda",
      metricName,
      dimensionsMap: { EventSourceMappingUUID: mapping.eventSourceMappingId },
      statistic: "Sum",
      period: FIVE_MINUTES,
    });
  }
}

/** For Logs Insights: who sent keys that do not exist. The fields are those of lambda/handlers/strangers.ts. */
export const STRANGERS_QUERY =
  'filter message = "unknown key" | stats sum(requests) by source_ip, user_agent, looks_like';

/** Where strangers are logged: the names of the log groups of whoever is asked for a key. */
const logGroups = (services: readonly ServiceFunction[]): string =>
  services
    .filter(({ name }) => name === "proxy-call" || MANAGING_ROUTES.some((route) => route.function === name))
    .map(({ lambda }) => lambda.logGroup.logGroupName)
    .join(", ");

/**
 * Requests that no function was run for. REST APIs count no 429 of their own, and 4XXError has the vendors' among them; what
 * arrived less what was invoked is what the gateway answered itself ("Amazon API Gateway dimensions and metrics" and
 * "Types of metrics for Lambda functions", read 2026-11-27). A call on the edge of two periods counts in one and then in
 * the other, so small numbers mean nothing.
 */
function refusedByGateway({ api }: FrontDoor, answering: readonly ServiceFunction[]): MathExpression {
  const invoked = answering.map(({ lambda }, at) => [
    `i${at}`,
    lambda.metricInvocations({ period: FIVE_MINUTES }),
  ]);
  return new MathExpression({
    expression: `FILL(arrived, 0) - (${invoked.map(([name]) => `FILL(${name}, 0)`).join(" + ")})`,
    usingMetrics: {
      arrived: api.metricCount({ period: FIVE_MINUTES, statistic: "Sum" }),
      ...Object.fromEntries(invoked),
    },
    label: "answered by the gateway itself",
    period: FIVE_MINUTES,
  });
}

/**
 * Throttled writes of a table (`index` null) and of each of its indexes: the table's have none of the indexes' in them
 * ("DynamoDB metrics and dimensions", read 2026-11-27).
 */
function throttledWrites(
  { tableName }: TableV2,
  { indexes }: TableSchema,
): readonly { readonly index: string | null; readonly metric: Metric }[] {
  return [null, ...indexes.map(({ name }) => name)].map((index) => ({
    index,
    metric: new Metric({
      namespace: "AWS/DynamoDB",
      metricName: "WriteThrottleEvents",
      dimensionsMap: { TableName: tableName, ...(index !== null && { GlobalSecondaryIndexName: index }) },
      statistic: "Sum",
      period: FIVE_MINUTES,
    }),
  }));
}

const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 8 });
