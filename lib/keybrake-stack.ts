import { Stack, type StackProps } from "aws-cdk-lib";
import { ManagedPolicy, PermissionsBoundary } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import { ENV } from "../lambda/environment.ts";
import { AuditTrail } from "./audit-trail.ts";
import type { Config } from "./config.ts";
import { FrontDoor } from "./front-door.ts";
import { Monitoring } from "./monitoring.ts";
import { writeOutputs } from "./outputs.ts";
import { type FunctionName, LATE_PRICE_VENDORS } from "./routes.ts";
import { Schedules } from "./schedules.ts";
import { pascal, ServiceFunction } from "./service-function.ts";
import { VaultTable } from "./vault-table.ts";
import { VendorSecrets } from "./vendor-secrets.ts";

export interface KeybrakeStackProps extends StackProps {
  readonly config: Config;
  /** Folder of the bundles that bin/build.ts made. */
  readonly bundles: string;
}

/** The whole of Keybrake: two tables, a function for each job, secrets, the way in, and what watches over them. */
export class KeybrakeStack extends Stack {
  constructor(scope: Construct, id: string, { config, bundles, ...props }: KeybrakeStackProps) {
    super(scope, id, {
      description:
        "Keybrake: dollar caps, expiry and an audit trail for the vendor keys that unattended agents hold",
      terminationProtection: config.terminationProtection,
      ...props,
    });

    const { kmsKeyArn } = config;
    const key = kmsKeyArn === undefined ? undefined : Key.fromKeyArn(this, "Key", kmsKeyArn);
    const vault = new VaultTable(this, "Vault", { key });
    const audit = new AuditTrail(this, "Audit", {
      vault,
      retentionDays: config.auditRetentionDays,
      bundles,
      key,
    });
    const secrets = new VendorSecrets(this, "Secrets", config);

    const reserved: Readonly<Partial<Record<FunctionName, number>>> = config.reservedConcurrency;
    const service = (name: FunctionName) =>
      new ServiceFunction(this, pascal(name), {
        name,
        bundles,
        reservedConcurrency: reserved[name],
        kmsKeyArn,
      });

    const issueKey = service("issue-key");
    vault.grantIssue(issueKey);
    secrets.grantReadAdminApiKey(issueKey);
    secrets.tellNames(issueKey);

    const manageKey = service("manage-key");
    vault.grantManage(manageKey);
    audit.grantReadTotals(manageKey);
    secrets.grantReadAdminApiKey(manageKey);

    const ownKey = service("own-key");
    vault.grantManage(ownKey);
    audit.grantReadTotals(ownKey);

    const queryAudit = service("query-audit");
    audit.grantQuery(queryAudit);
    secrets.grantReadAdminApiKey(queryAudit);

    const proxyCall = service("proxy-call");
    vault.grantCalls(proxyCall);
    audit.grantReadTotals(proxyCall);
    secrets.grantReadCredentials(proxyCall);

    const settleLatePrices = service("settle-late-prices");
    vault.grantLatePrices(settleLatePrices);
    secrets.grantReadCredentials(settleLatePrices, LATE_PRICE_VENDORS);

    for (const caller of [proxyCall, settleLatePrices]) {
      const { vendorOrigins, rates, rateMarginPercent, prices } = config;
      caller.tell(ENV.vendorOrigins, JSON.stringify(vendorOrigins));
      caller.tell(ENV.terms, JSON.stringify({ rates, rateMarginPercent, prices }));
    }
    new Schedules(this, "Schedules", { "settle-late-prices": settleLatePrices });

    const health = service("health");

    const frontDoor = new FrontDoor(this, "FrontDoor", {
      config,
      answering: {
        "issue-key": issueKey,
        "manage-key": manageKey,
        "own-key": ownKey,
        "query-audit": queryAudit,
        "proxy-call": proxyCall,
        health,
      },
    });
    const services = [
      issueKey,
      manageKey,
      ownKey,
      queryAudit,
      proxyCall,
      audit.consumer,
      settleLatePrices,
      health,
    ];
    const monitoring = new Monitoring(this, "Monitoring", {
      frontDoor,
      vault,
      audit,
      proxy: proxyCall,
      scheduled: [settleLatePrices],
      services,
      config,
      key,
    });
    writeOutputs(this, { config, frontDoor, vault, audit, secrets, monitoring, proxy: proxyCall });

    for (const each of services) each.checkEnvironment();

    if (config.permissionsBoundaryArn !== undefined) {
      PermissionsBoundary.of(this).apply(
        ManagedPolicy.fromManagedPolicyArn(this, "Boundary", config.permissionsBoundaryArn),
      );
    }
  }
}
