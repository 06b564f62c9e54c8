/** A list price. `usd` buys `per` units of `unit`. */
export interface Price {
  readonly usd: number;
  readonly per: number;
  readonly unit: string;
  /** The page of AWS that has it. */
  readonly source: string;
}

const PAGES = {
  gateway: "aws.amazon.com/api-gateway/pricing",
  lambda: "aws.amazon.com/lambda/pricing",
  dynamodb: "aws.amazon.com/dynamodb/pricing/on-demand",
  secrets: "aws.amazon.com/secrets-manager/pricing",
  cloudwatch: "aws.amazon.com/cloudwatch/pricing",
  events: "aws.amazon.com/eventbridge/pricing",
  ec2: "aws.amazon.com/ec2/pricing/on-demand",
} as const;

const MILLION = 1_000_000;
const GB = 1_000_000_000;

/**
 * List prices of us-east-1 in November 2026, of the first tier, without what is free. Whoever deploys elsewhere puts
 * other prices here and runs `npm run costs`.
 *
 * Free without a price: Lambda reads the streams of its triggers ("Pricing for DynamoDB Streams"); TTL deletes without
 * write units; topics of SNS by mail and the bucket of dead letters cost cents where they are used.
 */
export const PRICES = {
  gatewayRequest: { usd: 3.5, per: MILLION, unit: "requests of a REST API", source: PAGES.gateway },
  invocation: { usd: 0.2, per: MILLION, unit: "invocations", source: PAGES.lambda },
  gbSecondArm: { usd: 13.3334, per: MILLION, unit: "GB-seconds on arm64", source: PAGES.lambda },
  gbSecondX86: { usd: 16.6667, per: MILLION, unit: "GB-seconds on x86_64", source: PAGES.lambda },
  writeUnit: { usd: 0.625, per: MILLION, unit: "write units on demand", source: PAGES.dynamodb },
  readUnit: { usd: 0.125, per: MILLION, unit: "read units on demand", source: PAGES.dynamodb },
  storage: { usd: 0.25, per: GB, unit: "bytes of tables and indexes for a month", source: PAGES.dynamodb },
  /**
   * "DynamoDB charges for PITR based on the size of each DynamoDB table, including table data and local secondary
   * indexes": global indexes are not in it ("Point-in-time recovery: how it works", documentation, read 2026-11-28).
   */
  recovery: { usd: 0.2, per: GB, unit: "bytes of tables for a month", source: PAGES.dynamodb },
  secret: { usd: 0.4, per: 1, unit: "secrets for a month", source: PAGES.secrets },
  /** By the metrics that an alarm looks at, not by alarms. Ten are free in each account. */
  alarmMetric: { usd: 0.1, per: 1, unit: "metrics of alarms for a month", source: PAGES.cloudwatch },
  customMetric: { usd: 0.3, per: 1, unit: "custom metrics for a month", source: PAGES.cloudwatch },
  /** Three are free in each account, with up to 50 metrics each. */
  dashboard: { usd: 3, per: 1, unit: "dashboards for a month", source: PAGES.cloudwatch },
  logs: { usd: 0.5, per: GB, unit: "bytes of logs", source: PAGES.cloudwatch },
  /** Of an own event; events of a schedule have no price of their own, so this is the most that they can cost. */
  scheduleEvent: { usd: 1, per: MILLION, unit: "events", source: PAGES.events },
  transfer: { usd: 0.09, per: GB, unit: "bytes to the internet", source: PAGES.ec2 },
} as const satisfies Readonly<Record<string, Price>>;

export type PriceName = keyof typeof PRICES;

/** Dollars for so many units. */
export const usdFor = (name: PriceName, units: number): number =>
  (PRICES[name].usd / PRICES[name].per) * units;
