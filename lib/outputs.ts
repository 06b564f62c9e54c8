import { CfnOutput, type Stack } from "aws-cdk-lib";
import type { AuditTrail } from "./audit-trail.ts";
import type { Config } from "./config.ts";
import type { CredentialSecrets } from "./credential-secrets.ts";
import type { Events } from "./events.ts";
import type { FrontDoor } from "./front-door.ts";
import type { Monitoring } from "./monitoring/monitoring.ts";
import { pascal, type ServiceFunction } from "./service-function.ts";
import type { VaultTable } from "./vault-table.ts";

export interface OutputsProps {
  readonly config: Config;
  readonly frontDoor: FrontDoor;
  readonly vault: VaultTable;
  readonly audit: AuditTrail;
  readonly secrets: CredentialSecrets;
  readonly events: Events;
  readonly monitoring: Monitoring;
  readonly proxy: ServiceFunction;
}

/** The keys of a vendor in its index, as PartiQL writes them (lambda/adapters/shards.ts). */
const shardsOf = (vendor: string): readonly string[] =>
  Array.from({ length: 8 }, (_, n) => `'${vendor}#${n}'`);

/** What a person needs after a deployment: addresses, and commands to paste. No output holds a secret, only its name. */
export function writeOutputs(
  stack: Stack,
  { config, frontDoor, vault, audit, secrets, events, monitoring, proxy }: OutputsProps,
): void {
  const { region } = stack;
  const output = (name: string, value: string, description: string) =>
    new CfnOutput(stack, name, { value, description });
  const secretCommand = (verb: string, secretId: string, rest: string) =>
    `aws secretsmanager ${verb} --region ${region} --secret-id ${secretId} ${rest}`;
  const apiKey = secrets.adminApiKeyArn;

  const vendors = [...new Set(secrets.credentials.map(({ vendor }) => vendor))];

  output("BaseUrl", frontDoor.baseUrl, "Where clients point: KEYBRAKE_URL");
  output(
    "DashboardUrl",
    `${frontDoor.baseUrl}/dashboard`,
    "Where people look and stop: npx keybrake dashboard opens it",
  );
  for (const vendor of vendors)
    output(
      `${pascal(vendor)}BaseUrl`,
      `${frontDoor.baseUrl}/${vendor}`,
      `The base URL for ${vendor}'s SDK, in place of the vendor's own`,
    );
  output(
    "ApiKeyCommand",
    `${secretCommand("get-secret-value", apiKey, "--query SecretString --output text")} | sed "1s/^/kb_/;1q"`,
    "Prints the admin API key: KEYBRAKE_API_KEY",
  );
  output(
    "RotateApiKeyCommand",
    `openssl rand -hex 20 | tr -d "\\n" | ${secretCommand("put-secret-value", apiKey, "--secret-string file:///dev/stdin")}`,
    "Makes a new admin API key; the old one is refused after five minutes at most",
  );
  for (const { id, vendor, name, arn } of secrets.credentials) {
    output(
      `Set${id}Command`,
      secretCommand("put-secret-value", arn, "--secret-string file:///dev/stdin"),
      `Sets the credential "${name}" of ${vendor}: run it, paste the secret, press Enter and Ctrl-D`,
    );
  }
  output("VaultTableName", vault.table.tableName, "The table of keys, balances and calls");
  output("AuditTableName", audit.table.tableName, "The table of audit events");
  output("EventBusName", events.bus.eventBusName, "The event bus that is told what happens (docs/events.md)");
  output(
    "AuditQueryCommand",
    `aws dynamodb execute-statement --region ${region} --statement "SELECT * FROM \\"${audit.table.tableName}\\".\\"by_vendor\\"` +
      ` WHERE vendor_shard IN [${shardsOf(vendors[0] ?? "").join(", ")}] AND begins_with(at_id, '$(date -u +%F)')"`,
    `Today's audit events of ${vendors[0]}; more in docs/audit-queries.md`,
  );
  output(
    "ReplayDeadLettersCommand",
    `AWS_REGION=${region} npm run replay-dead-letters -- ${audit.deadLetters.bucketName} ${audit.consumer.lambda.functionName}`,
    "Gives the consumer once more what it could not record",
  );
  const concurrency = (verb: string, rest: string) =>
    `aws lambda ${verb}-function-concurrency --region ${region} --function-name ${proxy.lambda.functionName}${rest}`;
  output(
    "StopAllCallsCommand",
    concurrency("put", " --reserved-concurrent-executions 0"),
    "Emergency: no call of any key goes through from then on; more in docs/emergency.md",
  );
  output(
    "ResumeAllCallsCommand",
    config.reservedConcurrency["proxy-call"] === undefined
      ? concurrency("delete", "")
      : concurrency("put", ` --reserved-concurrent-executions ${config.reservedConcurrency["proxy-call"]}`),
    "Lets calls through again",
  );
  const { now, tomorrow } = monitoring.topics;
  output("AlarmTopicArn", now.topicArn, "Where the alarms go that cannot wait");
  output("AlarmForTomorrowTopicArn", tomorrow.topicArn, "Where all other alarms go");
  const subscribe = (topicArn: string) =>
    `aws sns subscribe --region ${region} --topic-arn ${topicArn} --protocol email --notification-endpoint you@example.com`;
  const silent = [
    ...(config.pageEmail === undefined && config.alarmEmail === undefined ? [now] : []),
    ...(config.alarmEmail === undefined ? [tomorrow] : []),
  ];
  if (silent.length > 0)
    output(
      "SubscribeToAlarmsCommand",
      silent.map(({ topicArn }) => subscribe(topicArn)).join(" && "),
      silent.length === 2
        ? "NOBODY receives any alarm: run this with your address, or set alarmEmail in the configuration"
        : "NOBODY receives the alarms that can wait: run this with your address, or set alarmEmail in the configuration",
    );
  output(
    "CloudWatchDashboardUrl",
    `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards/dashboard/${monitoring.dashboard.dashboardName}`,
    "Calls, failures and how far the audit log is behind",
  );
  if (frontDoor.customDomainTarget !== null) {
    output(
      "CustomDomainTarget",
      frontDoor.customDomainTarget,
      "What a CNAME record of the custom domain points at, where its zone is not in the configuration",
    );
  }
}
