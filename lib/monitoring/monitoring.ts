import { Stack } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, type Dashboard, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import type { Config } from "../config.ts";
import { type AlarmRule, alarmRules } from "./alarms.ts";
import { makeDashboard } from "./dashboard.ts";
import { metricsOf, type Watched } from "./metrics.ts";
import { makeTopics, type Topics } from "./topics.ts";

export interface MonitoringProps extends Omit<Watched, "stackName"> {
  readonly config: Config;
  readonly key: IKey | undefined;
  /** Whether a vendor with a credential tells prices after the call. */
  readonly pricesComeLate: boolean;
}

/**
 * Alarms for what an operator has to act on, and one dashboard. Every alarm says in its description how soon and what to
 * do, and tells when it is over (docs/decisions/0034-alarms.md).
 */
export class Monitoring extends Construct {
  readonly topics: Topics;
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, { config, key, pricesComeLate, ...watched }: MonitoringProps) {
    super(scope, id);
    const { alarms, alarmEmail, pageEmail, lambdaQuota } = config;
    this.topics = makeTopics(this, { key, alarmEmail, pageEmail });
    const metrics = metricsOf({ ...watched, stackName: Stack.of(this).stackName });
    const rules = alarmRules(metrics, {
      lambdaQuota,
      alarms,
      pricesComeLate,
      logGroupPrefix: `${Stack.of(this).stackName}-`,
    });
    this.dashboard = makeDashboard(
      this,
      metrics,
      rules.map((rule) => this.#ring(rule)),
    );
  }

  #ring({ id, severity, metric, threshold, periods: [above, of], description }: AlarmRule): Alarm {
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
    return alarm;
  }
}
