import type { Random } from "../simulation/random.ts";
import type { Asked, Mishap, OwnAnswer } from "../support/faulty-way.ts";

/** Errors as AWS writes them, and what can go wrong between an SDK and a service of AWS. */

/** An error of DynamoDB, or of one that all services share. */
const awsError = (status: number, type: string, message: string, more: object = {}): OwnAnswer => ({
  status,
  body: JSON.stringify({ __type: type, ...more, message }),
});

const DYNAMODB = "com.amazonaws.dynamodb.v20120810#";
const INTERNAL = awsError(500, `${DYNAMODB}InternalServerError`, "Internal server error");

/** What a balancer before a service answers with, which is no JSON. */
const UNAVAILABLE: OwnAnswer = {
  status: 503,
  headers: { "content-type": "text/html" },
  body: "<html><body><b>Http/1.1 Service Unavailable</b></body> </html>",
};

const THROTTLED: readonly OwnAnswer[] = [
  awsError(
    400,
    `${DYNAMODB}ProvisionedThroughputExceededException`,
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
  ),
  awsError(
    400,
    "com.amazon.coral.availability#ThrottlingException",
    "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly.",
  ),
  awsError(
    400,
    `${DYNAMODB}RequestLimitExceeded`,
    "Throughput exceeds the current throughput limit for your account. Please contact AWS Support to request a quota increase.",
  ),
];

const CONFLICT = awsError(
  400,
  `${DYNAMODB}TransactionConflictException`,
  "Transaction is ongoing for the item",
);

/** The same for each write of a transaction: one was in another's way, the others say `None`. */
function cancelled(writes: number, random: Random): OwnAnswer {
  const code = random.pick(["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]);
  const hit = random.int(writes);
  const codes = Array.from({ length: writes }, (_, index) => (index === hit ? code : "None"));
  const reasons = codes.map((Code) =>
    Code === "None" ? { Code } : { Code, Message: "Transaction is ongoing for the item" },
  );
  const Message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes.join(", ")}]`;
  return {
    status: 400,
    body: JSON.stringify({
      __type: `${DYNAMODB}TransactionCanceledException`,
      CancellationReasons: reasons,
      Message,
    }),
  };
}

const SINGLE_WRITES: readonly string[] = ["UpdateItem", "PutItem", "DeleteItem"];
const WRITES: readonly string[] = [...SINGLE_WRITES, "TransactWriteItems", "BatchWriteItem"];

/** What a kind does to a request; null where it cannot befall that one. */
type Befall = (asked: Asked, random: Random) => Mishap | null;

/**
 * What can go wrong between the SDK and a service. Read with `carriedOut` and `answer` in mind: the pairs are all that a
 * sender can meet, and the SDK sees the same for several of them.
 */
export const MISHAPS = {
  /** Carried out, and the connection is cut before the answer. */
  reply_lost: () => ({ carriedOut: true, answer: "cut" }),
  /** The same in the middle of the answer. */
  half_reply: () => ({ carriedOut: true, answer: "half" }),
  /** Cut, and never carried out. */
  never_arrives: () => ({ carriedOut: false, answer: "cut" }),
  /** Cut, and carried out when the sender has looked already whether it was. */
  arrives_late: ({ operation }, random) =>
    WRITES.includes(operation) ? { carriedOut: { laterMs: random.between(20, 1_500) }, answer: "cut" } : null,
  /** Carried out, and answered with an error of the service's own. */
  "500_after": (_, random) => ({ carriedOut: true, answer: random.pick([INTERNAL, UNAVAILABLE]) }),
  "500_before": (_, random) => ({ carriedOut: false, answer: random.pick([INTERNAL, UNAVAILABLE]) }),
  throttled: (_, random) => ({ carriedOut: false, answer: random.pick(THROTTLED) }),
  /** Another transaction is at the item. */
  conflict: ({ operation, body }, random) => {
    if (SINGLE_WRITES.includes(operation)) return { carriedOut: false, answer: CONFLICT };
    const writes = operation === "TransactWriteItems" ? listIn(body, "TransactItems").length : 0;
    return writes === 0 ? null : { carriedOut: false, answer: cancelled(writes, random) };
  },
  /** An answer of success that says that nothing was done. */
  unprocessed: ({ operation, body }) => {
    const asked = fieldIn(body, "RequestItems");
    const answer = { BatchGetItem: "UnprocessedKeys", BatchWriteItem: "UnprocessedItems" }[operation];
    if (answer === undefined || asked === undefined) return null;
    const text = JSON.stringify({ ...(operation === "BatchGetItem" && { Responses: {} }), [answer]: asked });
    return { carriedOut: false, answer: { status: 200, body: text } };
  },
  /** The weather says how slow. */
  slow: () => ({ waitMs: 20, carriedOut: true, answer: "true" }),
} as const satisfies Readonly<Record<string, Befall>>;

export type MishapName = keyof typeof MISHAPS;

export const MISHAP_NAMES = Object.keys(MISHAPS) as readonly MishapName[];

export const mishapOf = (name: MishapName, asked: Asked, random: Random): Mishap | null =>
  MISHAPS[name](asked, random);

function fieldIn(body: Buffer, name: string): unknown {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  } catch {
    return undefined;
  }
}

function listIn(body: Buffer, name: string): readonly unknown[] {
  const value = fieldIn(body, name);
  return Array.isArray(value) ? value : [];
}
