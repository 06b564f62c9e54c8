import { describe, expect, test } from "vitest";
import { ConfigError, type ConfigInput, parseConfig } from "../../lib/config.ts";
import { inside, shown, synthesised, textsOf } from "./template.ts";

/** Guarantees who hears of events, that a webhook's secret is in no template, and that nothing is given up at the first failure. */

const secretArn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:keybrake-slack-AbCdEf";
const webhook = { url: "https://slack.com/api/chat.postMessage", secretArn, slackChannel: "C0123456789" };

/** A logical id without the hash that CDK ends it with. */
const plain = (text: string) => text.replaceAll(/[0-9A-F]{8}(?=$|[./])/g, "");

const usual = synthesised();
const both = synthesised({ eventWebhook: webhook, eventEmail: { address: "ops@example.com" } });

type Rule = { readonly EventPattern?: unknown; readonly Targets: readonly Record<string, unknown>[] };
const ruleNamed = (name: string, of = both) =>
  of.one("AWS::Events::Rule", name).Properties as unknown as Rule;

describe("the bus", () => {
  test("is the stack's own, and the consumer of the audit log alone may send to it", () => {
    expect(usual.of("AWS::Events::EventBus").map(([id]) => plain(id))).toEqual(["EventsBus"]);
    expect(usual.of("AWS::Events::EventBusPolicy")).toEqual([]);
    const senders = usual
      .of("AWS::IAM::Policy")
      .filter(([, policy]) => textsOf(policy.Properties).includes("events:PutEvents"));
    expect(senders.map(([id]) => plain(id))).toEqual(["AuditConsumerRoleDefaultPolicy"]);
    const statements = inside(
      senders[0]?.[1],
      "Properties",
      "PolicyDocument",
      "Statement",
    ) as readonly unknown[];
    const ofBus = statements.filter((statement) => inside(statement, "Action") === "events:PutEvents");
    expect(ofBus.map((statement) => plain(shown(inside(statement, "Resource"))))).toEqual(["EventsBus.Arn"]);
    expect(shown(usual.outputs["EventBusName"]?.Value)).toMatch(/^EventsBus/);
  });

  test("has no listener of what happens, no queue and no secret more unless one is configured", () => {
    const patterns = usual
      .of("AWS::Events::Rule")
      .flatMap(([, rule]) => rule.Properties?.["EventPattern"] ?? []);
    expect(patterns).toEqual([{ source: ["keybrake.work"], "detail-type": ["calls.due"] }]);
    for (const type of ["AWS::Events::Connection", "AWS::Events::ApiDestination", "AWS::SQS::Queue"])
      expect(usual.of(type), type).toEqual([]);
  });

  test("is asked for by the consumer with the address that people use", () => {
    const domain = {
      name: "keybrake.example.com",
      certificateArn: "arn:aws:acm:eu-west-1:111122223333:certificate/1",
    };
    const baseUrlIn = (of: typeof usual) => {
      const consumer = of.one("AWS::Lambda::Function", "AuditConsumer");
      return shown(inside(consumer, "Properties", "Environment", "Variables", "KEYBRAKE_BASE_URL"));
    };
    expect(plain(baseUrlIn(synthesised({ customDomain: domain })))).toBe("https://FrontDoorApiDomain");
    expect(baseUrlIn(usual)).toMatch(/^https:\/\/FrontDoorApi\w+\.execute-api\..*\/.*Stage/);
  });
});

describe("a webhook", () => {
  test("gets what is not routine, by the header whose secret only CloudFormation resolves", () => {
    const rule = ruleNamed("EventsToWebhook");
    expect(rule.EventPattern).toEqual({
      source: ["keybrake"],
      "detail-type": ["cap.threshold", "spend.rate", "run.stopped", "call.unresolved", "call.overrun"],
    });
    const { Properties: connection } = both.one("AWS::Events::Connection");
    expect(connection).toMatchObject({
      AuthorizationType: "API_KEY",
      AuthParameters: {
        ApiKeyAuthParameters: {
          ApiKeyName: "Authorization",
          ApiKeyValue: `{{resolve:secretsmanager:${secretArn}:SecretString:::}}`,
        },
      },
    });
    expect(both.one("AWS::Events::ApiDestination").Properties).toMatchObject({
      InvocationEndpoint: webhook.url,
      HttpMethod: "POST",
    });
    expect(JSON.stringify(both.outputs)).not.toContain("resolve:");
  });

  test("of Slack gets a channel and one text with what to do", () => {
    const [target] = ruleNamed("EventsToWebhook").Targets;
    const template = String(inside(target, "InputTransformer", "InputTemplate"));
    expect(template).toBe(
      '{"channel":"C0123456789","text":"<detail-text>\\n<detail-dashboard_url>\\nto stop it: <detail-stop_command>"}',
    );
    expect(inside(target, "InputTransformer", "InputPathsMap")).toEqual({
      "detail-text": "$.detail.text",
      "detail-dashboard_url": "$.detail.dashboard_url",
      "detail-stop_command": "$.detail.stop_command",
    });
  });

  test("without a channel gets the event as it is, of the types that are asked for", () => {
    const { slackChannel: _, ...any } = webhook;
    const made = synthesised({ eventWebhook: { ...any, header: "X-Token", types: ["key.revoked"] } });
    const rule = ruleNamed("EventsToWebhook", made);
    expect(rule.Targets[0]).not.toHaveProperty("InputTransformer");
    expect(inside(rule.EventPattern, "detail-type")).toEqual(["key.revoked"]);
    expect(textsOf(made.one("AWS::Events::Connection").Properties)).toContain("X-Token");
  });

  test("is called by a role that may do nothing else", () => {
    const [policy] = both
      .of("AWS::IAM::Policy")
      .filter(([, { Properties }]) => textsOf(Properties).includes("events:InvokeApiDestination"));
    const statements = inside(policy?.[1], "Properties", "PolicyDocument", "Statement") as readonly unknown[];
    expect(statements.map((statement) => inside(statement, "Action"))).toEqual([
      "events:InvokeApiDestination",
    ]);
    expect(statements.map((statement) => plain(shown(inside(statement, "Resource"))))).toEqual([
      "EventsWebhookApiDestination.Arn",
    ]);
  });
});

test("an e-mail has the sentence, the dashboard and the command, and its topic is open to one role alone", () => {
  const [target] = ruleNamed("EventsToEmail").Targets;
  const template = String(inside(target, "InputTransformer", "InputTemplate"));
  expect(template.split("\n").map((line) => line.replaceAll('"', ""))).toEqual([
    "<detail-text>",
    "",
    "<detail-dashboard_url>",
    "",
    "To stop it:",
    "<detail-stop_command>",
  ]);
  const subscriptions = both.of("AWS::SNS::Subscription").map(([, { Properties: it = {} }]) => it);
  expect(subscriptions).toMatchObject([{ Protocol: "email", Endpoint: "ops@example.com" }]);
  const policies = both
    .of("AWS::SNS::TopicPolicy")
    .filter(([, { Properties }]) => textsOf(Properties).includes("events.amazonaws.com"));
  expect(policies).toEqual([]);
  const senders = both
    .of("AWS::IAM::Policy")
    .filter(([, { Properties }]) => textsOf(Properties).includes("sns:Publish"));
  expect(
    senders.map(([, policy]) => inside(policy, "Properties", "PolicyDocument", "Statement")),
  ).toMatchObject([[{ Action: "sns:Publish", Effect: "Allow" }]]);
});

test("what is not delivered in a day lies in a private queue for 14 days", () => {
  for (const name of ["EventsToWebhook", "EventsToEmail"]) {
    const [target] = ruleNamed(name).Targets;
    expect(plain(shown(inside(target, "DeadLetterConfig", "Arn")))).toBe("EventsDeadLetters.Arn");
    expect(inside(target, "RetryPolicy")).toEqual({
      MaximumEventAgeInSeconds: 86_400,
      MaximumRetryAttempts: 185,
    });
  }
  expect(both.one("AWS::SQS::Queue").Properties).toMatchObject({
    MessageRetentionPeriod: 14 * 86_400,
    SqsManagedSseEnabled: true,
  });
});

test.each<[ConfigInput | Record<string, unknown>, RegExp]>([
  [{ eventWebhook: { url: webhook.url } }, /^ {2}eventWebhook\.secretArn: it is missing$/m],
  [{ eventWebhook: { ...webhook, url: "http://slack.com/x" } }, /^ {2}eventWebhook\.url: .*expected https:/m],
  [
    { eventWebhook: { ...webhook, url: "https://h/x?token=1" } },
    /^ {2}eventWebhook\.url: .*without a query/m,
  ],
  [
    { eventWebhook: { ...webhook, secretArn: "xoxb-12345" } },
    /^ {2}eventWebhook\.secretArn: .*expected the ARN/m,
  ],
  [
    { eventWebhook: { ...webhook, types: ["key.issued"] } },
    /^ {2}eventWebhook\.types\.0: .*expected one of cap\.threshold/m,
  ],
  [{ eventEmail: { address: "ops" } }, /^ {2}eventEmail\.address: .*expected an e-mail address$/m],
  [
    { eventEmail: { address: "ops@example.com", types: [] } },
    /^ {2}eventEmail\.types: expected at least one type$/m,
  ],
])("the configuration %j is refused with the field's name", (input, message) => {
  expect(() => parseConfig(input, "the test")).toThrow(ConfigError);
  expect(() => parseConfig(input, "the test")).toThrow(message);
});
