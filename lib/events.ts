import { Duration, SecretValue, Stack, Validations } from "aws-cdk-lib";
import {
  ApiDestination,
  Authorization,
  Connection,
  EventBus,
  EventField,
  HttpMethod,
  type IApiDestination,
  type IRuleTarget,
  Rule,
  RuleTargetInput,
} from "aws-cdk-lib/aws-events";
import {
  ApiDestination as ApiDestinationTarget,
  LambdaFunction,
  SnsTopic,
} from "aws-cdk-lib/aws-events-targets";
import { type IRole, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { ENV, WAKE_EVENT } from "../lambda/environment.ts";
import type { Config } from "./config.ts";
import type { ServiceFunction } from "./service-function.ts";

export interface EventsProps {
  readonly config: Config;
  readonly key: IKey | undefined;
}

/** How long EventBridge tries to deliver an event: its own maximum is a day and 185 attempts. */
const AGE_MAX = Duration.hours(24);
/** By then the next one says the same. */
const WAKE_AGE_MAX = Duration.minutes(5);

/**
 * The event bus of this deployment, and who is told of its events: a webhook and an e-mail address, where the configuration
 * names them. A bus of its own, since whoever may put events on the account's default bus could speak in our name
 * (docs/decisions/0046-events.md).
 */
export class Events extends Construct {
  readonly bus: EventBus;
  /** What no target took; null where the configuration names none. */
  readonly deadLetters: Queue | null;

  constructor(scope: Construct, id: string, { config, key }: EventsProps) {
    super(scope, id);
    this.bus = new EventBus(this, "Bus", { description: `What happens in ${Stack.of(this).stackName}` });
    const { eventWebhook, eventEmail } = config;
    this.deadLetters = eventWebhook === undefined && eventEmail === undefined ? null : this.#deadLetters();
    if (eventWebhook !== undefined) this.#rule("ToWebhook", eventWebhook.types, this.#webhook(eventWebhook));
    if (eventEmail !== undefined)
      this.#rule("ToEmail", eventEmail.types, this.#email(eventEmail.address, key));
  }

  /** Puts events on this bus, and on no other. `baseUrl`: for what they say. */
  grantSend(service: ServiceFunction, baseUrl: string): void {
    service.allow(["events:PutEvents"], [this.bus.eventBusArn]);
    service.setEnvironment(ENV.eventBus, this.bus.eventBusName);
    service.setEnvironment(ENV.baseUrl, baseUrl);
  }

  /** Runs the function that finishes calls, whenever another says on this bus that some are due. */
  wakes({ lambda, name }: ServiceFunction): void {
    // Lambda would run a failed invocation twice more, and hold one that has no room for six hours.
    lambda.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: WAKE_AGE_MAX });
    Validations.of(lambda).acknowledge({
      id: "Serverless::Serverless-LambdaAsyncFailureDestination",
      reason: "what is due stays due: the next event says the same, and an alarm tells of failures",
    });
    const rule = new Rule(this, "Wake", {
      description: `Runs ${name} when calls are due`,
      eventBus: this.bus,
      eventPattern: { source: [WAKE_EVENT.source], detailType: [WAKE_EVENT.type] },
      targets: [new LambdaFunction(lambda, { retryAttempts: 0 })],
    });
    Validations.of(rule).acknowledge({
      id: "Serverless::Serverless-EventBusDLQ",
      reason: "what is due stays due: the next event says the same",
    });
  }

  #rule(id: string, types: readonly string[], target: IRuleTarget): void {
    new Rule(this, id, {
      description: `Tells ${id === "ToEmail" ? "an e-mail address" : "a webhook"} what happens`,
      eventBus: this.bus,
      eventPattern: { source: ["keybrake"], detailType: [...types] },
      targets: [target],
    });
  }

  #webhook({ url, header, secretArn, slackChannel }: NonNullable<Config["eventWebhook"]>): IRuleTarget {
    const connection = new Connection(this, "Connection", {
      description: `The header ${header} of the webhook`,
      authorization: Authorization.apiKey(header, SecretValue.secretsManager(secretArn)),
    });
    const destination = new ApiDestination(this, "Webhook", {
      connection,
      endpoint: url,
      httpMethod: HttpMethod.POST,
      rateLimitPerSecond: 10,
    });
    return new ApiDestinationTarget(destination as IApiDestination, {
      ...this.#delivery(),
      ...(slackChannel !== undefined && {
        event: RuleTargetInput.fromObject({ channel: slackChannel, text: SLACK_TEXT }),
      }),
    });
  }

  #email(address: string, key: IKey | undefined): IRuleTarget {
    const topic = new Topic(this, "Mail", {
      displayName: "Keybrake events",
      enforceSSL: true,
      ...(key !== undefined && { masterKey: key }),
    });
    Validations.of(topic).acknowledge({
      id: "Serverless::Serverless-SNSRedrivePolicy",
      reason: "SNS retries a mail by itself, and the event stands in the audit log",
    });
    topic.addSubscription(new EmailSubscription(address));
    // By a role, since a policy of the topic would let the rules of any account publish.
    return new SnsTopic(topic, {
      ...this.#delivery(),
      authorizeUsingRole: true,
      role: this.#publisherOf(topic, key),
      message: RuleTargetInput.fromMultilineText(MAIL_TEXT),
    });
  }

  /** What the rule may do. CDK would add a wildcard of actions of KMS to it. */
  #publisherOf(topic: Topic, key: IKey | undefined): IRole {
    const role = new Role(this, "MailRole", { assumedBy: new ServicePrincipal("events.amazonaws.com") });
    role.addToPolicy(new PolicyStatement({ actions: ["sns:Publish"], resources: [topic.topicArn] }));
    if (key !== undefined)
      role.addToPolicy(
        new PolicyStatement({ actions: ["kms:GenerateDataKey", "kms:Decrypt"], resources: [key.keyArn] }),
      );
    return role.withoutPolicyUpdates();
  }

  #delivery() {
    if (this.deadLetters === null) throw new Error("a target of events has no queue of dead letters");
    return { deadLetterQueue: this.deadLetters, maxEventAge: AGE_MAX, retryAttempts: 185 };
  }

  #deadLetters(): Queue {
    const queue = new Queue(this, "DeadLetters", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(queue).acknowledge(
      { id: "AwsSolutions::AwsSolutions-SQS3", reason: "it is the queue of dead letters" },
      { id: "Serverless::Serverless-SQSRedrivePolicy", reason: "it is the queue of dead letters" },
    );
    return queue;
  }
}

const at = (name: string) => EventField.fromPath(`$.detail.${name}`);
const SLACK_TEXT = `${at("text")}\n${at("dashboard_url")}\nto stop it: ${at("stop_command")}`;
const MAIL_TEXT = `${at("text")}\n\n${at("dashboard_url")}\n\nTo stop it:\n${at("stop_command")}`;
