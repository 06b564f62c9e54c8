import { CfnOutput, type Stack } from "aws-cdk-lib";
import type { AuditTrail } from "./audit-trail.ts";
import type { FrontDoor } from "./front-door.ts";
import type { Monitoring } from "./monitoring.ts";
import type { VaultTable } from "./vault-table.ts";
import type { VendorSecrets } from "./vendor-secrets.ts";

export interface OutputsProps {
  readonly frontDoor: FrontDoor;
  readonly vault: VaultTable;
  readonly audit: AuditTrail;
  readonly secrets: VendorSecrets;
  readonly monitoring: Monitoring;
}

/** What a person needs after a deployment: addresses, and commands to paste. No output holds a secret, only its name. */
export function writeOutputs(
  stack: Stack,
  { frontDoor, vault, audit, secrets, monitoring }: OutputsProps,
): void {
  const { region } = stack;
  const output = (name: string, value: string, description: string) =>
    new CfnOutput(stack, name, { value, description });
  const secretCommand = (verb: string, secretId: string, rest: string) =>
    `aws secretsmanager ${verb} --region ${region} --secret-id ${secretId} ${rest}`;
  const apiKey = secrets.adminApiKeyArn;

  output("BaseUrl", frontDoor.baseUrl, "Where clients point: KEYBRAKE_URL");
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
  output(
    "AuditQueryCommand",
    `aws dynamodb query --region ${region} --table-name ${audit.table.tableName} --index-name by_vendor_day` +
      " --key-condition-expression 'vendor_day = :day'" +
      ` --expression-attribute-values '{":day":{"S":"stripe#'$(date -u +%F)'"}}'` +
      " --no-scan-index-forward --max-items 20",
    "The newest audit events of today; more in docs/audit-queries.md",
  );
  output(
    "ReplayDeadLettersCommand",
    `AWS_REGION=${region} npm run replay-dead-letters -- ${audit.deadLetters.bucketName} ${audit.consumer.lambda.functionName}`,
    "Gives the consumer once more what it could not record",
  );
  output("AlarmTopicArn", monitoring.topic.topicArn, "Where all alarms go");
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
