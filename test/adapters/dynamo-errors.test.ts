import { createServer } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { expect, test } from "vitest";
import { postOnce } from "../../lambda/adapters/aws-http.ts";
import { isNotApplied, sendFailure } from "../../lambda/adapters/dynamo-errors.ts";
import { keptAgents } from "../../lambda/adapters/kept-agents.ts";

/** Guarantees what each error of a send says of its write: on it depends whether money may be moved by another send. */

const named = (name: string, more: object = {}) => Object.assign(new Error("failed"), { name }, more);
const connecting = (code: string, syscall = "connect") => named("Error", { code, syscall });
const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({
    $metadata: {},
    message: "cancelled",
    CancellationReasons: codes.map((Code) => ({ Code })),
  });

test.each([
  // UpdateItem, PutItem and TransactWriteItems
  ["ProvisionedThroughputExceededException", "passing"],
  ["RequestLimitExceeded", "passing"],
  ["ThrottlingException", "passing"],
  ["LimitExceededException", "passing"],
  ["TooManyRequestsException", "passing"],
  ["TransactionConflictException", "passing"],
  ["ReplicatedWriteConflictException", "passing"],
  ["ConditionalCheckFailedException", "refused"],
  ["ItemCollectionSizeLimitExceededException", "refused"],
  ["ResourceNotFoundException", "refused"],
  ["InvalidEndpointException", "refused"],
  ["InternalServerError", "unknown"],
  ["TransactionInProgressException", "unknown"],
  ["IdempotentParameterMismatchException", "unknown"],
  // common to all services
  ["AccessDeniedException", "refused"],
  ["ExpiredTokenException", "refused"],
  ["IncompleteSignature", "refused"],
  ["InvalidSignatureException", "refused"],
  ["MissingAuthenticationTokenException", "refused"],
  ["RequestExpired", "refused"],
  ["SerializationException", "refused"],
  ["UnrecognizedClientException", "refused"],
  ["ValidationException", "refused"],
  ["InternalFailure", "unknown"],
  ["ServiceUnavailable", "unknown"],
  // of the SDK itself
  ["CredentialsProviderError", "refused"],
  ["TimeoutError", "unknown"],
  ["AbortError", "unknown"],
  ["Error", "unknown"],
  ["SomethingNew", "unknown"],
  ["constructor", "unknown"],
])("%s is %s", (name, failure) => {
  expect(sendFailure(named(name))).toBe(failure);
  expect(isNotApplied(named(name))).toBe(failure !== "unknown");
});

test.each([
  ["refused", connecting("ECONNREFUSED"), "passing"],
  ["to a host that is not there", connecting("EHOSTUNREACH"), "passing"],
  ["to a net that is not there", connecting("ENETUNREACH"), "passing"],
  ["timed out by the system", named("TimeoutError", { code: "ETIMEDOUT", syscall: "connect" }), "passing"],
  ["of a name that is not known", connecting("ENOTFOUND", "getaddrinfo"), "passing"],
  ["of a name that is not known now", connecting("EAI_AGAIN", "getaddrinfo"), "passing"],
  ["to several addresses, all refused", new AggregateError([connecting("ECONNREFUSED")]), "passing"],
  ["reset", connecting("ECONNRESET", "read"), "unknown"],
  ["closed while it was written to", connecting("EPIPE", "write"), "unknown"],
  ["hung up", named("Error", { code: "ECONNRESET" }), "unknown"],
  ["silent", named("TimeoutError", { code: "ETIMEDOUT" }), "unknown"],
  ["failed in several ways", new AggregateError([connecting("ECONNREFUSED"), named("Error")]), "unknown"],
  ["failed in no way", new AggregateError([]), "unknown"],
])("a connection %s", (_, error, failure) => {
  expect(sendFailure(error)).toBe(failure);
});

test.each([
  [["None", "TransactionConflict"], "passing"],
  [["ThrottlingError", "None"], "passing"],
  [["ProvisionedThroughputExceeded"], "passing"],
  [["ConditionalCheckFailed", "TransactionConflict"], "refused"],
  [["None", "ValidationError"], "refused"],
  [["ItemCollectionSizeLimitExceeded"], "refused"],
  [["SomethingNew"], "refused"],
] as const)("a transaction that was cancelled for %s is %s", (codes, failure) => {
  expect(sendFailure(cancelled(...codes))).toBe(failure);
});

test("anything but an error is unknown", () => {
  expect(sendFailure("ThrottlingException")).toBe("unknown");
});

/** Both are a TimeoutError: the call that failed tells them apart. */
test.each([
  ["does not open in time", "passing"],
  ["opens, and no answer comes in time", "unknown"],
] as const)("a connection that %s is %s", async (how, failure) => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => {
    silent.listen(0, "127.0.0.1", resolve);
  });
  const agents = keptAgents(1);
  if (how === "does not open in time")
    agents.http.createConnection = () => Object.assign(new Socket(), { connecting: true });
  const url = new URL(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  const error = await postOnce(url, {}, "{}", { agents, timeoutMs: 100 }).catch((cause: unknown) => cause);
  silent.closeAllConnections();
  silent.close();

  expect(error).toMatchObject({ name: "TimeoutError" });
  expect(sendFailure(error)).toBe(failure);
});
