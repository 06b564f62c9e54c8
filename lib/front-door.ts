import { Duration, RemovalPolicy, Validations } from "aws-cdk-lib";
import {
  AccessLogFormat,
  CfnAccount,
  type CfnRestApi,
  type DomainName,
  EndpointAccessMode,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  ResponseType,
  RestApi,
  SecurityPolicy,
  type StageOptions,
} from "aws-cdk-lib/aws-apigateway";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import {
  AnyPrincipal,
  Effect,
  ManagedPolicy,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from "aws-cdk-lib/aws-iam";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { ARecord, HostedZone, RecordTarget } from "aws-cdk-lib/aws-route53";
import { ApiGatewayDomain } from "aws-cdk-lib/aws-route53-targets";
import { CfnWebACLAssociation } from "aws-cdk-lib/aws-wafv2";
import { Construct } from "constructs";
import type { VendorRegistry } from "../lambda/vendors/registry.ts";
import type { Config } from "./config.ts";
import { GATEWAY_RESPONSE_TYPES, gatewayResponseOf } from "./gateway-responses.ts";
import { INTEGRATION_TIMEOUT_S } from "./limits.ts";
import { OPERATING_ROUTES, routesOf, vendorRoutes } from "./routes.ts";
import type { ServiceFunction } from "./service-function.ts";
import type { AnsweringFunction } from "./services.ts";

export interface FrontDoorProps {
  readonly config: Config;
  readonly vendors: VendorRegistry;
  /** Who answers the routes of lib/routes.ts. */
  readonly services: Readonly<Record<AnsweringFunction, ServiceFunction>>;
}

/**
 * The way in: a regional REST API with the routes of lib/routes.ts.
 *
 * Not an HTTP API: that one decodes the path before we see it, and the bodies of its own errors look to stripe-node like
 * a success (docs/decisions/0013-a-rest-api.md).
 */
export class FrontDoor extends Construct {
  readonly api: RestApi;
  /** Where clients point, without a slash at the end. */
  readonly baseUrl: string;
  /** What a record of the custom domain has to point at, where its zone is not ours to write. */
  readonly customDomainTarget: string | null;

  constructor(scope: Construct, id: string, { config, vendors, services }: FrontDoorProps) {
    super(scope, id);
    this.api = new RestApi(this, "Api", {
      restApiName: config.stackName,
      description: `The front door of ${config.stackName}`,
      endpointTypes: [EndpointType.REGIONAL],
      // Every body arrives as base64, so that it is passed on byte for byte.
      binaryMediaTypes: ["*/*"],
      cloudWatchRole: false,
      // One way in: what is set up for the custom domain cannot be gone around.
      ...(config.customDomain !== undefined && { disableExecuteApiEndpoint: true }),
      ...(config.managingCidrs !== undefined && { policy: managedFrom(config.managingCidrs, config.stage) }),
      deployOptions: {
        stageName: config.stage,
        throttlingRateLimit: config.throttle.managing.requestsPerSecond,
        throttlingBurstLimit: config.throttle.managing.burst,
        methodOptions: Object.fromEntries(
          vendorRoutes(vendors.names).map(({ path, method }) => [
            `${path}/${method}`,
            {
              throttlingRateLimit: config.throttle.requestsPerSecond,
              throttlingBurstLimit: config.throttle.burst,
            },
          ]),
        ),
        ...this.#accessLogs(config),
      },
    });
    // RestApi has no properties for these two. Without them the API's own address takes TLS 1.0, and a custom domain
    // with it: a handshake goes by the policy of the API (documentation of API Gateway, "Security policies for REST
    // APIs", read 2026-11-27).
    const resource = this.api.node.defaultChild as CfnRestApi;
    resource.securityPolicy = TLS.securityPolicy;
    resource.endpointAccessMode = TLS.endpointAccessMode;
    if (config.webAclArn !== undefined)
      new CfnWebACLAssociation(this, "WebAcl", {
        resourceArn: this.api.deploymentStage.stageArn,
        webAclArn: config.webAclArn,
      });
    this.api.node.tryRemoveChild("Endpoint");
    Validations.of(this.api).acknowledge(...ACKNOWLEDGED);
    this.#answerForItself();
    this.#route(services, vendors);

    const domain = config.customDomain && this.#domainOf(config.customDomain);
    this.baseUrl =
      domain === undefined ? this.api.urlForPath().replace(/\/$/, "") : `https://${domain.domainName}`;
    this.customDomainTarget =
      config.customDomain?.hostedZone === undefined ? (domain?.domainNameAliasDomainName ?? null) : null;
  }

  #route(services: FrontDoorProps["services"], { names }: VendorRegistry): void {
    for (const { method, path, function: name } of routesOf(names)) {
      const integration = new LambdaIntegration(services[name].lambda, {
        timeout: Duration.seconds(INTEGRATION_TIMEOUT_S),
        allowTestInvoke: false,
      });
      this.api.root.resourceForPath(path).addMethod(method, integration);
    }
  }

  /** A body of ours for each failure of the gateway itself, so that every SDK raises its natural exception. */
  #answerForItself(): void {
    for (const type of GATEWAY_RESPONSE_TYPES) {
      const { status, setsStatus, headers, template } = gatewayResponseOf(type);
      this.api.addGatewayResponse(`Answer-${type}`, {
        type: ResponseType.of(type),
        ...(setsStatus && { statusCode: `${status}` }),
        responseHeaders: Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name, headerExpression(value)]),
        ),
        templates: { "application/json": template },
      });
    }
  }

  #accessLogs({ accessLogs }: Config): StageOptions {
    if (accessLogs === "off") return {};
    const logs = new LogGroup(this, "AccessLogs", {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    if (accessLogs === "set-account-role") {
      const role = new Role(this, "AccessLogsRole", {
        assumedBy: new ServicePrincipal("apigateway.amazonaws.com"),
        managedPolicies: [
          ManagedPolicy.fromAwsManagedPolicyName("service-role/AmazonAPIGatewayPushToCloudWatchLogs"),
        ],
      });
      const account = new CfnAccount(this, "Account", { cloudWatchRoleArn: role.roleArn });
      account.applyRemovalPolicy(RemovalPolicy.RETAIN);
      role.applyRemovalPolicy(RemovalPolicy.RETAIN);
      logs.node.addDependency(account);
    }
    return {
      accessLogDestination: new LogGroupLogDestination(logs),
      accessLogFormat: AccessLogFormat.jsonWithStandardFields({
        caller: false,
        httpMethod: true,
        ip: true,
        protocol: true,
        requestTime: true,
        resourcePath: true,
        responseLength: true,
        status: true,
        user: false,
      }),
    };
  }

  #domainOf({ name, certificateArn, hostedZone }: NonNullable<Config["customDomain"]>): DomainName {
    const domain = this.api.addDomainName("Domain", {
      domainName: name,
      certificate: Certificate.fromCertificateArn(this, "Certificate", certificateArn),
      endpointType: EndpointType.REGIONAL,
      ...TLS,
    });
    if (hostedZone !== undefined) {
      new ARecord(this, "Record", {
        zone: HostedZone.fromHostedZoneAttributes(this, "Zone", {
          hostedZoneId: hostedZone.id,
          zoneName: hostedZone.name,
        }),
        recordName: `${name}.`,
        target: RecordTarget.fromAlias(new ApiGatewayDomain(domain)),
      });
    }
    return domain;
  }
}

/**
 * TLS 1.2 and newer. A policy of this kind wants an access mode beside it; `STRICT` would also refuse a client whose SNI and
 * Host differ, which a proxy in front of it may cause.
 */
const TLS = {
  securityPolicy: SecurityPolicy.TLS13_1_2_PQ_2025_09,
  endpointAccessMode: EndpointAccessMode.BASIC,
};

/**
 * Lets everybody in, but from elsewhere than these ranges to none of the managing routes. A resource is tried against the
 * path of the request, so a key's id is `key_*`: `self` is a vault key's own and stays open. A route takes its path with a
 * slash behind it too (aws-powertools/powertools-lambda-python#1552, read 2026-11-28), so that is denied as well. What is
 * denied gets the GatewayResponse ACCESS_DENIED (documentation of API Gateway, "Resource policy examples", read 2026-11-27).
 */
function managedFrom(ranges: readonly string[], stage: string): PolicyDocument {
  const invoke = { principals: [new AnyPrincipal()], actions: ["execute-api:Invoke"] };
  const managing = OPERATING_ROUTES.flatMap(({ method, path }) =>
    [path, path.replace("{id}", path.startsWith("/vault/keys/") ? "key_*" : "*").replace("{file}", "*")]
      .flatMap((each) => [each, `${each}/`])
      .map((each) => `execute-api:/${stage}/${method}${each}`),
  );
  return new PolicyDocument({
    statements: [
      new PolicyStatement({ ...invoke, effect: Effect.ALLOW, resources: ["execute-api:/*"] }),
      new PolicyStatement({
        ...invoke,
        effect: Effect.DENY,
        resources: [...new Set(managing)],
        conditions: { NotIpAddress: { "aws:SourceIp": [...ranges] } },
      }),
    ],
  });
}

/** A literal stands in single quotes; a variable stands without its dollar sign (documentation of API Gateway, read 2026-11-22). */
const headerExpression = (value: string): string =>
  value.startsWith("$context.") ? value.slice(1) : `'${value}'`;

const ACCESS_LOGS_OFF =
  "access logs need a role that is one setting for a whole account and region; the configuration turns them on, and the audit log has every call";
const OWN_AUTHENTICATION =
  "callers are authenticated by vault keys and API keys, which the vendors' SDKs send as they send the vendor's own; no SDK can sign for IAM or Cognito";

const ACKNOWLEDGED = [
  { id: "AwsSolutions::AwsSolutions-APIG4", reason: OWN_AUTHENTICATION },
  { id: "AwsSolutions::AwsSolutions-COG4", reason: OWN_AUTHENTICATION },
  {
    id: "AwsSolutions::AwsSolutions-APIG2",
    reason:
      "bodies are parsed by our own functions: a validator of the gateway knows JSON only, and its answer would not be in the vendor's shape",
  },
  {
    id: "AwsSolutions::AwsSolutions-APIG3",
    reason:
      "a web ACL costs by the month; the configuration associates one with the stage, and GatewayResponse WAF_FILTERED answers for it",
  },
  { id: "AwsSolutions::AwsSolutions-APIG1", reason: ACCESS_LOGS_OFF },
  { id: "AwsSolutions::AwsSolutions-APIG6", reason: ACCESS_LOGS_OFF },
  { id: "Serverless::Serverless-APIGWAccessLogging", reason: ACCESS_LOGS_OFF },
  {
    id: "Serverless::Serverless-APIGWXrayEnabled",
    reason: "the X-Ray SDK costs 127 KB and 75 ms at every start; each call's row has its own times",
  },
];
