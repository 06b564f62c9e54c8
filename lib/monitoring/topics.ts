import { Stack, Validations } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import type { Construct } from "constructs";
import type { Severity } from "./alarms.ts";

export type Topics = Readonly<Record<Severity, Topic>>;

export interface TopicsProps {
  readonly key: IKey | undefined;
  readonly alarmEmail?: string | undefined;
  readonly pageEmail?: string | undefined;
}

/** A topic for each severity, so that one of them can be a pager. */
export const makeTopics = (
  scope: Construct,
  { key, alarmEmail, pageEmail = alarmEmail }: TopicsProps,
): Topics => ({
  now: makeTopic(scope, "Alarms", { displayName: "Keybrake alarms: act now", key, email: pageEmail }),
  tomorrow: makeTopic(scope, "AlarmsForTomorrow", {
    displayName: "Keybrake alarms: look tomorrow",
    key,
    email: alarmEmail,
  }),
});

interface TopicProps {
  readonly displayName: string;
  readonly key: IKey | undefined;
  readonly email: string | undefined;
}

function makeTopic(scope: Construct, id: string, { displayName, key, email }: TopicProps): Topic {
  const topic = new Topic(scope, id, {
    displayName,
    enforceSSL: true,
    ...(key !== undefined && { masterKey: key }),
  });
  Validations.of(topic).acknowledge({
    id: "Serverless::Serverless-SNSRedrivePolicy",
    reason: "SNS retries a mail by itself, and an alarm that reached nobody still stands in CloudWatch",
  });
  // A topic with a policy of its own has lost the default one, by which CloudWatch may publish.
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
      actions: ["sns:Publish"],
      resources: [topic.topicArn],
      conditions: { StringEquals: { "aws:SourceAccount": Stack.of(scope).account } },
    }),
  );
  if (email !== undefined) topic.addSubscription(new EmailSubscription(email));
  return topic;
}
