import { ENV } from "../../lambda/environment.ts";
import type { ConfigInput } from "../../lib/config.ts";
import { FUNCTIONS, type FunctionName } from "../../lib/services.ts";
import { inside, shown, synthesised } from "../stack/template.ts";

/** What the template of a deployment has that costs money. */
export interface Deployment {
  readonly secrets: number;
  readonly alarms: number;
  /** An alarm costs by the metrics that it looks at. */
  readonly alarmMetrics: number;
  /** For each dashboard the metrics that it shows; a search counts as one. */
  readonly dashboards: readonly number[];
  readonly functions: Readonly<Record<FunctionName, { readonly memoryMb: number; readonly isArm: boolean }>>;
  /** Function that runs on a schedule -> runs in a month. */
  readonly runsOfMonth: Readonly<Partial<Record<FunctionName, number>>>;
  /** Whether both tables have point-in-time recovery. */
  readonly recovers: boolean;
  readonly retentionDays: number;
}

const MINUTES_OF_MONTH = 730 * 60;

/** Reads the template that this configuration makes. Throws where the template has a schedule or function of another form. */
export function deploymentOf(config: ConfigInput = {}): Deployment {
  const { of } = synthesised(config);
  const count = (type: string) => of(type).length;
  const alarms = of("AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties);
  const named = new Map(
    of("AWS::Lambda::Function").flatMap(([id, { Properties }]) => {
      const name = FUNCTIONS.find((known) => inside(Properties, "Description") === `Keybrake: ${known}`);
      return name === undefined ? [] : [[name, { id, Properties }] as const];
    }),
  );
  const functionOf = (name: FunctionName) => {
    const found = named.get(name);
    if (found === undefined) throw new Error(`the template has no function ${name}`);
    return found;
  };
  const runsOfMonth: Partial<Record<FunctionName, number>> = {};
  for (const [id, { Properties }] of of("AWS::Events::Rule")) {
    // A rule that waits for events costs nothing until one comes.
    if (inside(Properties, "EventPattern") !== undefined) continue;
    const [, minutes] =
      /^rate\((\d+) minutes\)$/.exec(String(inside(Properties, "ScheduleExpression"))) ?? [];
    const target = inside(Properties, "Targets", "0", "Arn", "Fn::GetAtt", "0");
    const name = FUNCTIONS.find((known) => named.get(known)?.id === target);
    if (minutes === undefined || name === undefined) throw new Error(`the rule ${id} is of another form`);
    runsOfMonth[name] = MINUTES_OF_MONTH / Number(minutes);
  }
  const tables = of("AWS::DynamoDB::GlobalTable").map(([, { Properties }]) =>
    inside(Properties, "Replicas", "0", "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"),
  );
  return {
    secrets: count("AWS::SecretsManager::Secret"),
    alarms: alarms.length,
    alarmMetrics: alarms.reduce((sum, alarm) => sum + metricsOf(alarm), 0),
    dashboards: of("AWS::CloudWatch::Dashboard").map(([, { Properties }]) => shownIn(Properties)),
    functions: Object.fromEntries(
      FUNCTIONS.map((name) => {
        const { Properties } = functionOf(name);
        const isArm = inside(Properties, "Architectures", "0") === "arm64";
        return [name, { memoryMb: Number(inside(Properties, "MemorySize")), isArm }];
      }),
    ) as Deployment["functions"],
    runsOfMonth,
    recovers: tables.length === 2 && tables.every((recovers) => recovers === true),
    retentionDays: Number(
      inside(functionOf("record-audit").Properties, "Environment", "Variables", ENV.auditRetentionDays),
    ),
  };
}

function metricsOf(alarm: unknown): number {
  const metrics = inside(alarm, "Metrics");
  if (!Array.isArray(metrics)) return 1;
  return metrics.filter((part) => inside(part, "MetricStat") !== undefined).length;
}

/** The body is JSON with names of resources in it: a metric stands there as a list that begins with its namespace. */
const shownIn = (dashboard: unknown): number =>
  shown(inside(dashboard, "DashboardBody")).match(/\["(AWS\/\w+|Keybrake)",|\{"label":"[^"]*","expression"/g)
    ?.length ?? 0;
