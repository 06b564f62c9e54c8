import { join } from "node:path";
import { Duration, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { Effect, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Code, Function as LambdaFunction, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { ConfigError } from "./config.ts";
import { FUNCTION_MEMORY_MB, FUNCTION_TIMEOUT_S, RESOLVER_TIMEOUT_S } from "./limits.ts";
import type { FunctionName } from "./services.ts";

export interface ServiceFunctionProps {
  readonly name: FunctionName;
  /** Folder with <name>/index.js, as bin/build.ts makes it. */
  readonly bundles: string;
  /** Executions that are kept for it and that it cannot exceed. */
  readonly reservedConcurrency?: number | undefined;
  /** ARN of the customer's key that tables and secrets are encrypted with. */
  readonly kmsKeyArn?: string | undefined;
}

/** Documentation of Lambda, "Lambda quotas", read 2026-11-27. */
const ENVIRONMENT_BYTES_MAX = 4_096;

/**
 * One job with one role. The role begins with nothing but its own log group; each construct that owns something adds what
 * this job may do there, and tells it where.
 *
 * No reserved concurrency unless configured: it fails the deployment of an account that still has the starting quota of 10.
 */
export class ServiceFunction extends Construct {
  readonly lambda: LambdaFunction;
  readonly name: FunctionName;
  readonly #environment: Record<string, string>;
  readonly #kmsKeyArn: string | undefined;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    super(scope, id);
    const { name, bundles, reservedConcurrency, kmsKeyArn } = props;
    this.name = name;
    this.#kmsKeyArn = kmsKeyArn;
    this.#environment = {
      POWERTOOLS_SERVICE_NAME: Stack.of(this).stackName,
      POWERTOOLS_LOG_LEVEL: "INFO",
    };
    const logGroup = new LogGroup(this, "Logs", {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      description: `What the function ${name} of ${Stack.of(this).stackName} may do`,
    });
    this.lambda = new LambdaFunction(this, "Function", {
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: "index.handler",
      code: Code.fromAsset(join(bundles, name)),
      memorySize: FUNCTION_MEMORY_MB,
      timeout: Duration.seconds(name === "resolve-calls" ? RESOLVER_TIMEOUT_S : FUNCTION_TIMEOUT_S),
      role,
      logGroup,
      description: `Keybrake: ${name}`,
      environment: { ...this.#environment },
      ...(reservedConcurrency !== undefined && { reservedConcurrentExecutions: reservedConcurrency }),
    });
    Validations.of(this.lambda).acknowledge(
      {
        id: "Serverless::Serverless-LambdaDLQ",
        reason:
          "dead letter queues are for asynchronous invocations; ours are called by the gateway or on a schedule that comes again, or by an event that does, and the consumer's mapping has a dead letter bucket",
      },
      {
        id: "Serverless::Serverless-LambdaTracing",
        reason: "the X-Ray SDK costs 127 KB and 75 ms at every start; each call's row has its own times",
      },
    );
    this.allow(["logs:CreateLogStream", "logs:PutLogEvents"], [logGroup.logGroupArn]);
  }

  /** Lets its role do these actions on these resources, under these conditions of IAM. */
  allow(actions: readonly string[], resources: readonly string[], conditions: object = {}): void {
    this.lambda.addToRolePolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: [...actions],
        resources: [...resources],
        conditions: { ...conditions },
      }),
    );
  }

  /** Sets an environment variable. */
  setEnvironment(variable: string, value: string): void {
    this.#environment[variable] = value;
    this.lambda.addEnvironment(variable, value);
  }

  /**
   * Lets its role use the customer's key, where there is one, for what these services keep: each of them asks KMS in the
   * name of whoever asks it.
   */
  allowKey(services: readonly ("dynamodb" | "secretsmanager" | "s3")[], actions: readonly KeyAction[]): void {
    if (this.#kmsKeyArn === undefined) return;
    const { region, urlSuffix } = Stack.of(this);
    this.allow(
      actions.map((action) => `kms:${action}`),
      [this.#kmsKeyArn],
      { StringEquals: { "kms:ViaService": services.map((service) => `${service}.${region}.${urlSuffix}`) } },
    );
  }

  /**
   * Throws where its variables are longer than Lambda takes. What CloudFormation fills in is counted as long as it can
   * become, so that this is said here and not in the middle of a deployment.
   */
  checkEnvironment(): void {
    const sizes = Object.entries(this.#environment).map(([variable, value]) => ({
      variable,
      bytes: Buffer.byteLength(JSON.stringify({ [variable]: filledIn(Stack.of(this).resolve(value)) })),
    }));
    const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total <= ENVIRONMENT_BYTES_MAX) return;
    const largest = sizes
      .sort((one, other) => other.bytes - one.bytes)
      .slice(0, 3)
      .map(({ variable, bytes }) => `${variable} ${bytes}`)
      .join(", ");
    throw new ConfigError(
      `the configuration cannot be used:\n  the environment of the function ${this.name} may become ${total} bytes long; expected at most ${ENVIRONMENT_BYTES_MAX}. The largest are ${largest}: name fewer credentials or vendorOrigins, fewer rates and prices, or fewer endpoints of vendors`,
    );
  }
}

type KeyAction = "Decrypt" | "DescribeKey" | "Encrypt" | "GenerateDataKey" | "ReEncryptFrom" | "ReEncryptTo";

/** The longest prefix of an ARN of ours: partition, service, region, account. */
const ARN_PREFIX_MAX = "arn:aws-us-gov:secretsmanager:ap-southeast-1:123456789012:secret:".length;
/** What CloudFormation and Secrets Manager add to a logical id. */
const SUFFIX_MAX = "-123456789012-123456".length;

/** A value with the longest text in the place of whatever CloudFormation puts into it. */
function filledIn(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  if ("Fn::Join" in value) {
    const [separator, parts] = value["Fn::Join"] as readonly [string, readonly unknown[]];
    return parts.map(filledIn).join(separator);
  }
  const [id = ""] = Object.values(value).flat() as readonly string[];
  return "x".repeat(ARN_PREFIX_MAX + id.length + SUFFIX_MAX);
}

/** `my-live` as a part of a construct's id: `MyLive`. */
export const pascal = (name: string): string =>
  name
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
