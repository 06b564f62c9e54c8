import { Duration, Stack, Validations } from "aws-cdk-lib";
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Operation } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";
import { METRICS } from "../lambda/environment.ts";
import type { AuditTrail } from "./audit-trail.ts";
import type { FrontDoor } from "./front-door.ts";
import type { ServiceFunction } from "./service-function.ts";
import type { VaultTable } from "./vault-table.ts";

export interface MonitoringProps {
  readonly frontDoor: FrontDoor;
  readonly vault: VaultTable;
  readonly audit: AuditTrail;
  readonly proxy: ServiceFunction;
  readonly scheduled: readonly ServiceFunction[];
  readonly services: readonly ServiceFunction[];
  readonly email: string | undefined;
}

const FIVE_MINUTES = Duration.minutes(5);
/** The stream keeps a day; a consumer that is so late has a quarter of an hour of calls to tell. */
const STREAM_AGE_MS_MAX = 15 * 60 * 1000;

/**
 * Alarms for what an operator has to act on, and one dashboard. Every alarm says in its description what to do; all of
 * them go to one topic.
 */
export class Monitoring extends Construct {
  readonly topic: Topic;
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { frontDoor, vault, audit, proxy, scheduled, services, email } = props;
    this.topic = new Topic(this, "Alarms", { displayName: "Keybrake alarms", enforceSSL: true });
    Validations.of(this.topic).acknowledge({
      id: "Serverless::Serverless-SNSRedrivePolicy",
      reason: "SNS retries a mail by itself, and an alarm that reached nobody still stands in CloudWatch",
    });
    // A topic with a policy of its own has lost the default one, by which CloudWatch may publish.
    const { account, stackName } = Stack.of(this);
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": account } },
      }),
    );
    if (email !== undefined) this.topic.addSubscription(new EmailSubscription(email));

    const ours = (metricName: string) =>
      new Metric({
        namespace: METRICS.namespace,
        metricName,
        dimensionsMap: { [METRICS.dimension]: stackName },
        statistic: "Sum",
        period: FIVE_MINUTES,
      });
    const errors = services.map(({ lambda }) => lambda.metricErrors({ period: FIVE_MINUTES }));
    const failures = frontDoor.api.metricServerError({ period: FIVE_MINUTES, statistic: "Sum" });
    const streamAge = audit.consumer.lambda.metric("IteratorAge", {
      statistic: "Maximum",
      period: FIVE_MINUTES,
    });

    this.#rings(
      "Failures",
      failures,
      1,
      "Callers got a 5xx: of a function that failed (its log group says why), of the vendor, or of a credential that is not set. GET /vault/audit tells which.",
    );
    for (const [job, { lambda }] of [
      ["Proxy", proxy],
      ["Audit", audit.consumer],
    ] as const) {
      this.#rings(
        `${job}Throttled`,
        lambda.metricThrottles({ period: FIVE_MINUTES }),
        1,
        "Lambda had no room for a function: calls were answered 5xx without being run, or the audit log waits. Raise the account's quota of concurrent executions.",
      );
    }
    this.#rings(
      "AuditFailures",
      ours(METRICS.auditFailure),
      1,
      "A change cannot be recorded in the audit log at the moment. It is tried again ten times; the consumer's log group says why.",
    );
    this.#rings(
      "AuditCrashes",
      audit.consumer.lambda.metricErrors({ period: FIVE_MINUTES }),
      1,
      "The consumer of the audit log crashed or took too long. Its batch is tried again ten times; look into its log group.",
    );
    for (const { node, lambda } of scheduled)
      this.#rings(
        `${node.id}Failed`,
        lambda.metricErrors({ period: FIVE_MINUTES }),
        1,
        "A function that runs on a schedule failed. Its next run does the same work; look into its log group if this stays.",
      );
    this.#rings(
      "AuditLate",
      streamAge,
      STREAM_AGE_MS_MAX,
      "The audit log is more than 15 minutes behind, and the stream keeps changes for a day. Look into the consumer's log group.",
    );
    this.#rings(
      "DeadLetters",
      this.#ofMapping(audit, "OnFailureDestinationDeliveredEventCount"),
      1,
      "Changes could not be recorded and lie in the dead letter bucket. Mend the cause, then run the command of the output ReplayDeadLettersCommand.",
    );
    this.#rings(
      "DeadLettersLost",
      audit.consumer.lambda.metric("DestinationDeliveryFailures", { statistic: "Sum", period: FIVE_MINUTES }),
      1,
      "Changes could neither be recorded nor kept in the dead letter bucket. Read the stream before its day is over.",
    );
    this.#rings(
      "Overrun",
      ours(METRICS.overrun),
      1,
      "A vendor charged more than was reserved. It is counted; look up the rows with overrun in the audit log.",
    );
    this.#rings(
      "Unresolved",
      ours(METRICS.unresolved),
      1,
      "Calls ended without an answer that tells whether they were charged. Their budget stays held; look up the rows with state unresolved.",
    );
    this.#rings(
      "UnknownKeys",
      ours(METRICS.unknownKey),
      100,
      "Many requests with vault keys or API keys that do not exist: an old key in a loop, or somebody who guesses. Look for the address in the access logs, or stop the old run.",
    );
    for (const operation of [Operation.PUT_ITEM, Operation.UPDATE_ITEM]) {
      this.#rings(
        `VaultThrottled${operation}`,
        vault.table.metricThrottledRequestsForOperation(operation, { period: FIVE_MINUTES }),
        1,
        "DynamoDB throttled the Vault table: one key takes about 1,000 writes a second. Use several keys for a wider run.",
      );
    }

    const latency = (statistic: string) =>
      frontDoor.api.metricLatency({ statistic, period: FIVE_MINUTES, label: statistic });
    this.dashboard = new Dashboard(this, "Dashboard");
    this.dashboard.addWidgets(
      graph("Calls", [
        frontDoor.api.metricCount({ period: FIVE_MINUTES }),
        frontDoor.api.metricClientError({ period: FIVE_MINUTES }),
        failures,
      ]),
      graph("Latency, ms", [latency("p50"), latency("p99")]),
      graph(
        "To look into",
        [METRICS.overrun, METRICS.unresolved, METRICS.unknownKey, METRICS.auditFailure].map(ours),
      ),
      graph("Audit log behind, ms", [streamAge]),
      graph("Errors of functions", errors),
      graph("Proxy: running at once, throttled", [
        proxy.lambda.metric("ConcurrentExecutions", { statistic: "Maximum", period: FIVE_MINUTES }),
        proxy.lambda.metricThrottles({ period: FIVE_MINUTES }),
      ]),
    );
  }

  #rings(id: string, metric: IMetric, threshold: number, alarmDescription: string): void {
    const alarm = new Alarm(this, id, {
      metric,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
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

const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 8 });
