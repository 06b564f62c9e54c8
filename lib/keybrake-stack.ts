import { Stack, type StackProps } from "aws-cdk-lib";
import { ManagedPolicy, PermissionsBoundary } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import { ENV } from "../lambda/environment.ts";
import { vendorRegistry } from "../lambda/vendors/index.ts";
import { AuditTrail } from "./audit-trail.ts";
import type { Config } from "./config.ts";
import { CredentialSecrets } from "./credential-secrets.ts";
import { Events } from "./events.ts";
import { FrontDoor } from "./front-door.ts";
import { RESOLVE_AFTER_S } from "./limits.ts";
import { Monitoring } from "./monitoring/monitoring.ts";
import { writeOutputs } from "./outputs.ts";
import { Schedules } from "./schedules.ts";
import { pascal, ServiceFunction } from "./service-function.ts";
import { type FunctionName, forEachFunction } from "./services.ts";
import { StopsStream } from "./stops-stream.ts";
import { VaultTable } from "./vault-table.ts";

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

    const { kmsKeyArn, auditRetentionDays: retentionDays } = config;
    const key = kmsKeyArn === undefined ? undefined : Key.fromKeyArn(this, "Key", kmsKeyArn);
    const vault = new VaultTable(this, "Vault", { key });
    const audit = new AuditTrail(this, "Audit", { vault, retentionDays, bundles, key });
    const vendors = vendorRegistry(config.vendors);
    const secrets = new CredentialSecrets(this, "Secrets", config, vendors);
    const tellPricesLate = vendors.all.filter((vendor) => vendor.tellsPricesLate).map(({ name }) => name);

    /** What each function may do beside writing its log. The audit trail says it of its consumer. */
    const rights: Readonly<Record<FunctionName, (service: ServiceFunction) => void>> = {
      "issue-key": (it) => {
        vault.grantIssue(it);
        secrets.grantReadAdminApiKey(it);
        vault.grantHeedStops(it);
        secrets.setCredentialNames(it);
        setVendors(it, config);
      },
      "manage-key": (it) => {
        vault.grantManage(it);
        vault.grantKeepListed(it);
        audit.grantReadTotals(it);
        secrets.grantReadAdminApiKey(it);
      },
      "manage-api-keys": (it) => {
        vault.grantApiKeys(it);
        audit.grantReadTotals(it);
        secrets.grantReadAdminApiKey(it);
        secrets.setCredentialNames(it);
        setVendors(it, config);
      },
      "list-keys": (it) => {
        vault.grantReadKeys(it);
        vault.grantReadLists(it);
        audit.grantReadTotals(it);
        secrets.grantReadAdminApiKey(it);
        setVendors(it, config);
      },
      "own-key": (it) => {
        vault.grantManage(it);
        audit.grantReadTotals(it);
      },
      "query-audit": (it) => {
        vault.grantReadKeys(it);
        audit.grantQuery(it);
        secrets.grantReadAdminApiKey(it);
        setVendors(it, config);
      },
      "manage-stops": (it) => {
        vault.grantManageStops(it);
        audit.grantQuery(it);
        audit.grantReadJournal(it);
        secrets.grantReadAdminApiKey(it);
        setVendors(it, config);
      },
      "resolve-by-hand": (it) => {
        vault.grantCloseCalls(it);
        secrets.grantReadAdminApiKey(it);
        setVendors(it, config);
      },
      "query-spend": (it) => {
        vault.grantReadKeys(it);
        vault.grantReadLists(it);
        audit.grantReadSums(it);
        audit.grantReadJournal(it);
        secrets.grantReadAdminApiKey(it);
        setVendors(it, config);
      },
      "proxy-call": (it) => {
        vault.grantCalls(it);
        audit.grantReadTotals(it);
        secrets.grantReadCredentials(it);
        setVendorsAndRateCard(it, config);
      },
      "record-audit": () => {},
      "apply-stops": (it) => {
        vault.grantApplyStops(it);
        setVendors(it, config);
      },
      "resolve-calls": (it) => {
        vault.grantResolve(it);
        audit.grantReadEvidence(it);
        audit.grantReadByVendor(it);
        secrets.grantReadCredentials(it);
        it.setEnvironment(ENV.resolveAfterS, `${RESOLVE_AFTER_S}`);
        setVendorsAndRateCard(it, config);
      },
      "settle-late-prices": (it) => {
        vault.grantLatePrices(it);
        secrets.grantReadCredentials(it, tellPricesLate);
        setVendorsAndRateCard(it, config);
      },
      dashboard: (it) => {
        vault.grantLogins(it);
        secrets.grantReadAdminApiKey(it);
        setVendors(it, config);
      },
      health: (it) => {
        setVendors(it, config);
      },
    };
    const services = forEachFunction((name) => {
      const service =
        name === "record-audit"
          ? audit.consumer
          : new ServiceFunction(this, pascal(name), {
              name,
              bundles,
              reservedConcurrency: config.reservedConcurrency[name],
              kmsKeyArn,
            });
      rights[name](service);
      return service;
    });

    new StopsStream(this, "StopsStream", { vault, service: services["apply-stops"] });
    new Schedules(this, "Schedules", services);
    const frontDoor = new FrontDoor(this, "FrontDoor", { config, vendors, services });
    const events = new Events(this, "Events", { config, key });
    events.grantSend(audit.consumer, frontDoor.baseUrl);
    events.wakes(services["resolve-calls"]);
    const { spendRateUsdPerMinute: spendRate } = config;
    if (spendRate !== null) audit.consumer.setEnvironment(ENV.spendRateUsd, `${spendRate}`);
    const monitoring = new Monitoring(this, "Monitoring", {
      frontDoor,
      vault,
      audit,
      services,
      config,
      key,
      pricesComeLate: secrets.credentials.some(({ vendor }) => tellPricesLate.includes(vendor)),
    });
    writeOutputs(this, {
      config,
      frontDoor,
      vault,
      audit,
      secrets,
      events,
      monitoring,
      proxy: services["proxy-call"],
    });

    for (const service of Object.values(services)) service.checkEnvironment();

    if (config.permissionsBoundaryArn !== undefined) {
      PermissionsBoundary.of(this).apply(
        ManagedPolicy.fromManagedPolicyArn(this, "Boundary", config.permissionsBoundaryArn),
      );
    }
  }
}

/** Which vendors there are beside the built-in ones. */
function setVendors(service: ServiceFunction, { vendors }: Config) {
  if (vendors.length > 0) service.setEnvironment(ENV.vendors, JSON.stringify(vendors));
}

/** Where the vendors are and what they ask, for whoever calls them. */
function setVendorsAndRateCard(caller: ServiceFunction, config: Config) {
  const { vendorOrigins, rates, rateMarginPercent, prices } = config;
  setVendors(caller, config);
  caller.setEnvironment(ENV.vendorOrigins, JSON.stringify(vendorOrigins));
  caller.setEnvironment(ENV.rateCard, JSON.stringify({ rates, rateMarginPercent, prices }));
}
