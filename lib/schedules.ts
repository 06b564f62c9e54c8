import { Duration, Validations } from "aws-cdk-lib";
import { Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { Construct } from "constructs";
import type { ServiceFunction } from "./service-function.ts";
import { type FunctionName, SCHEDULED } from "./services.ts";

/** Runs each function that lib/services.ts schedules in its interval. What fails is not repeated: the next run does the same work. */
export class Schedules extends Construct {
  constructor(scope: Construct, id: string, services: Readonly<Record<FunctionName, ServiceFunction>>) {
    super(scope, id);
    for (const { name, everyMinutes } of SCHEDULED) {
      const service = services[name];
      // Lambda would run a failed invocation twice more, and hold one that has no room for six hours.
      service.lambda.configureAsyncInvoke({
        retryAttempts: 0,
        maxEventAge: Duration.minutes(everyMinutes),
      });
      Validations.of(service.lambda).acknowledge({
        id: "Serverless::Serverless-LambdaAsyncFailureDestination",
        reason:
          "an event of a schedule says nothing: the next run does what this one did not, and an alarm tells of failures",
      });
      const rule = new Rule(this, service.node.id, {
        description: `Runs ${name} every ${everyMinutes} minutes`,
        schedule: Schedule.rate(Duration.minutes(everyMinutes)),
        targets: [new LambdaFunction(service.lambda, { retryAttempts: 0 })],
      });
      Validations.of(rule).acknowledge({
        id: "Serverless::Serverless-EventBusDLQ",
        reason: "an event of a schedule says nothing: the next run does what this one did not",
      });
    }
  }
}
