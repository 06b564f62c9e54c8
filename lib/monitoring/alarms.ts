import type { IMetric } from "aws-cdk-lib/aws-cloudwatch";
import { pascal } from "../service-function.ts";
import type { Metrics } from "./metrics.ts";

/** Whether somebody has to be woken. */
export type Severity = "now" | "tomorrow";

/** One alarm: what an operator has to act on. */
export interface AlarmRule {
  readonly id: string;
  readonly severity: Severity;
  readonly metric: IMetric;
  readonly threshold: number;
  /** Of the last `of` five minutes, so many have to be at the threshold or above. One of one: a single event is a reason. */
  readonly periods: readonly [number, of: number];
  /** What to do. */
  readonly description: string;
  /**
   * It tells sooner, or why, what another alarm tells too, or what callers are told: made where the configuration asks for
   * `all` alarms.
   */
  readonly isEarly?: true;
}

export interface AlarmSettings {
  /** The account's quota of concurrent executions of Lambda. */
  readonly lambdaQuota: number;
  /** Whether a vendor of the configuration tells prices after the call. */
  readonly pricesComeLate: boolean;
  /** `needed`: without those that only tell sooner. */
  readonly alarms: "needed" | "all";
  /** What the names of the functions' log groups begin with. */
  readonly logGroupPrefix: string;
}

/** A single event that somebody has to look at. */
const ONCE = [1, 1] as const;
/** A moment is noise: it has to last or to come again within a quarter of an hour. */
const LASTING = [2, 3] as const;

/** The stream keeps a day; a consumer that is so late has a quarter of an hour of calls to tell. */
const STREAM_AGE_MS_MAX = 15 * 60 * 1000;
/** Late prices are asked for every five minutes. */
const LATE_PRICE_AGE_S_MAX = 3_600;
/** A call may take 29 seconds; one in a hundred that takes half of that is a vendor or a table in trouble. */
const LATENCY_P99_MS_MAX = 15_000;

/** For Logs Insights: who sent keys that do not exist. The fields are those of lambda/handlers/unknown-keys.ts. */
export const UNKNOWN_KEYS_QUERY =
  'filter message = "unknown key" | stats sum(requests) by source_ip, user_agent, looks_like';

/** The alarms of a configuration, in the order of the dashboard (docs/decisions/0034-alarms.md). */
export const alarmRules = (metrics: Metrics, settings: AlarmSettings): readonly AlarmRule[] =>
  allRules(metrics, settings).filter(({ isEarly = false }) => settings.alarms === "all" || !isEarly);

function allRules(
  metrics: Metrics,
  { lambdaQuota, logGroupPrefix, pricesComeLate }: AlarmSettings,
): readonly AlarmRule[] {
  const late = <T>(rules: readonly T[]) => (pricesComeLate ? rules : []);
  return [
    {
      id: "Failures",
      severity: "now",
      metric: metrics.serverErrors,
      threshold: 5,
      periods: LASTING,
      description:
        "Callers get 5xx: from a function that failed (see its log group), from the vendor, or because a credential is not set. GET /vault/audit shows which.",
    },
    {
      id: "ProxyThrottled",
      severity: "now",
      metric: metrics.proxyThrottled,
      threshold: 10,
      periods: LASTING,
      description:
        "Lambda has no capacity for the function that forwards calls: they get 5xx without being run, and a revocation may get no capacity either (docs/emergency.md has one that needs none). Raise the account's quota of concurrent executions.",
    },
    {
      id: "AuditThrottled",
      severity: "tomorrow",
      isEarly: true,
      metric: metrics.consumerThrottled,
      threshold: 1,
      periods: LASTING,
      description:
        "Lambda has no capacity for the consumer of the audit log, which waits and loses nothing. Raise the account's quota of concurrent executions.",
    },
    {
      id: "AccountConcurrency",
      severity: "tomorrow",
      isEarly: true,
      metric: metrics.accountConcurrency,
      threshold: Math.floor(lambdaQuota * 0.8),
      periods: LASTING,
      description: `The account uses 80 % of ${lambdaQuota} concurrent executions of Lambda, all its functions together (lambdaQuota of the configuration). Raise the quota, or narrow the runs.`,
    },
    {
      id: "AuditFailures",
      severity: "tomorrow",
      isEarly: true,
      metric: metrics.auditFailures,
      threshold: 1,
      periods: LASTING,
      description:
        "A change cannot be recorded in the audit log at the moment. It is tried again ten times; the consumer's log group says why.",
    },
    {
      id: "AuditCrashes",
      severity: "tomorrow",
      metric: metrics.consumerErrors,
      threshold: 1,
      periods: LASTING,
      description:
        "The consumer of the audit log crashes or takes too long: its batch is tried again ten times. Or calls have been due for half an hour that resolve-calls did not finish: they hold their budget. The consumer's log group says which.",
    },
    {
      id: "StopsFailed",
      severity: "now",
      isEarly: true,
      metric: metrics.stopErrors,
      threshold: 1,
      periods: LASTING,
      description:
        "The keys of a stop cannot all be revoked: some of them may still be used, while no new key of the run is issued. GET /vault/stops shows which. The next run tries again; look into the log group of apply-stops, and into docs/emergency.md for a way that needs no function.",
    },
    ...metrics.unattended
      .filter(({ name }) => pricesComeLate || name !== "settle-late-prices")
      .map(
        ({ name, id, errors }): AlarmRule => ({
          id: `${id}Failed`,
          severity: "tomorrow",
          // What it has not done yet stays held, and a part of the stream that is missing rings as dead letters.
          ...(name === "resolve-calls" && { isEarly: true as const }),
          metric: errors,
          threshold: 1,
          periods: LASTING,
          description:
            "A function that nobody waits for fails again and again. Its next run does the same work; look into its log group.",
        }),
      ),
    ...late<AlarmRule>([
      {
        id: "LatePricesLate",
        severity: "tomorrow",
        metric: metrics.latePricesOldestS,
        threshold: LATE_PRICE_AGE_S_MAX,
        periods: LASTING,
        description:
          "Final prices that are due have not been asked for within an hour: more calls than the schedule can ask for, or a function that fails. Until then estimates count; after seven days they stay.",
      },
    ]),
    {
      id: "AuditLate",
      severity: "now",
      metric: metrics.streamAge,
      threshold: STREAM_AGE_MS_MAX,
      periods: ONCE,
      description:
        "The audit log is more than 15 minutes behind, and the stream keeps changes for a day. Look into the consumer's log group.",
    },
    {
      id: "DeadLetters",
      severity: "tomorrow",
      metric: metrics.deadLetters,
      threshold: 1,
      periods: ONCE,
      description:
        "Changes could not be recorded and lie in the dead letter bucket. Mend the cause, then run the command of the output ReplayDeadLettersCommand.",
    },
    {
      id: "DeadLettersLost",
      severity: "now",
      metric: metrics.lostLetters,
      threshold: 1,
      periods: ONCE,
      description:
        "Changes could neither be recorded nor kept in the dead letter bucket. Read the stream before its day is over.",
    },
    {
      id: "Overrun",
      severity: "tomorrow",
      metric: metrics.overruns,
      threshold: 1,
      periods: ONCE,
      description:
        "A vendor charged more than was reserved. It is counted; GET /vault/audit?overrun=true has the rows.",
    },
    {
      id: "Unresolved",
      severity: "tomorrow",
      metric: metrics.unresolved,
      threshold: 1,
      periods: ONCE,
      description:
        "Calls ended without an answer that tells whether they were charged. Their budget stays held until the vendor's books tell. `keybrake audit --state unresolved` (GET /vault/audit?state=unresolved) lists those that are left: look each up at the vendor, then close it with `keybrake resolve CALL --charged` or `--not-charged` (POST /vault/calls/{id}/resolve).",
    },
    {
      id: "UnknownKeys",
      severity: "tomorrow",
      metric: metrics.unknownKeys,
      threshold: 100,
      periods: LASTING,
      description: `Many requests with vault keys or API keys that do not exist: an old key in a loop, or somebody who guesses. CloudWatch Logs Insights shows who, over the log groups that begin with ${logGroupPrefix}, with the query: ${UNKNOWN_KEYS_QUERY}`,
    },
    ...metrics.vaultThrottledWrites
      .filter(({ index }) => index === null || pricesComeLate)
      .map(
        ({ index, metric }): AlarmRule =>
          index === null
            ? {
                id: "VaultThrottled",
                severity: "now",
                metric,
                threshold: 10,
                periods: LASTING,
                description:
                  "DynamoDB throttles the Vault table: one key takes about 1,000 writes a second, and calls beyond them are refused with 503. Use several keys for a wider run.",
              }
            : {
                id: "VaultIndexThrottled",
                severity: "now",
                metric,
                threshold: 1,
                periods: LASTING,
                description:
                  "DynamoDB throttles the index of late prices, and a throttled index throttles its table: calls are refused with 503. Spread the runs of this vendor over time.",
              },
      ),
    ...metrics.auditThrottledWrites.map(
      ({ index, metric }): AlarmRule => ({
        id: `AuditTableThrottled${index === null ? "" : pascal(index.replaceAll("_", "-"))}`,
        severity: "tomorrow",
        isEarly: true,
        metric,
        threshold: 1,
        periods: LASTING,
        description:
          "DynamoDB throttles the Audit table or an index of it: many calls of one label, one group or one vendor at once. The audit log falls behind and loses nothing; AuditLate rings when it is late.",
      }),
    ),
    {
      id: "GatewayRefuses",
      severity: "tomorrow",
      isEarly: true,
      metric: metrics.refusedByGateway,
      threshold: 100,
      periods: LASTING,
      description:
        "Many requests reach no function: the gateway answers them itself, mostly with 429 above the throttle of the configuration, else 403, 413 or what WAF blocks. Access logs show which; so do the callers, by error.code gateway_….",
    },
    {
      id: "Slow",
      severity: "tomorrow",
      isEarly: true,
      metric: metrics.latencyP99,
      threshold: LATENCY_P99_MS_MAX,
      periods: LASTING,
      description:
        "One call in a hundred takes more than 15 seconds, and at 29 it ends without an answer. Rows of GET /vault/audit have vendor_ms and overhead_ms: they show whether it is the vendor.",
    },
  ];
}
