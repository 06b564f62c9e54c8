import { join } from "node:path";
import { Duration, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { Effect, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Code, Function as LambdaFunction, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { FUNCTION_MEMORY_MB, FUNCTION_TIMEOUT_S } from "./limits.ts";
import type { FunctionName } from "./routes.ts";

export interface ServiceFunctionProps {
  readonly name: FunctionName;
  /** Folder with <name>/index.js, as bin/build.ts makes it. */
  readonly bundles: string;
}

/**
 * One job with one role. The role begins with nothing but its own log group; each construct that owns something adds what
 * this job may do there, and tells it where.
 *
 * No reserved concurrency: it fails the deployment of an account that still has the starting quota of 10.
 */
export class ServiceFunction extends Construct {
  readonly lambda: LambdaFunction;

  constructor(scope: Construct, id: string, { name, bundles }: ServiceFunctionProps) {
    super(scope, id);
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
      timeout: Duration.seconds(FUNCTION_TIMEOUT_S),
      role,
      logGroup,
      description: `Keybrake: ${name}`,
      environment: { POWERTOOLS_SERVICE_NAME: Stack.of(this).stackName, POWERTOOLS_LOG_LEVEL: "INFO" },
    });
    Validations.of(this.lambda).acknowledge(
      {
        id: "Serverless::Serverless-LambdaDLQ",
        reason:
          "dead letter queues are for asynchronous invocations; ours are called by the gateway or on a schedule that comes again, and the consumer's mapping has a dead letter bucket",
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
  tell(variable: string, value: string): void {
    this.lambda.addEnvironment(variable, value);
  }
}

/** `my-live` as a part of a construct's id: `MyLive`. */
export const pascal = (name: string): string =>
  name
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
