import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";

/**
 * What one failed send tells about its write. Money is moved by writes that are sent once, so an error has to be read
 * before anything is sent again; what is not known here is `unknown`.
 */
export type SendFailure =
  /** Certainly nothing was written. The same write may pass in a moment. */
  | "passing"
  /** Certainly nothing was written, and the same write would be refused again. */
  | "refused"
  /** It may have been written. */
  | "unknown";

/**
 * Names of errors after which nothing was written: those of UpdateItem, PutItem and TransactWriteItems in the API
 * reference of DynamoDB and in its SDK 3, the errors that all AWS services share, and the SDK's own from before a byte is
 * sent (read 2026-11-27).
 *
 * Left out on purpose, and so unknown: `InternalServerError`, `InternalFailure`, `ServiceUnavailable` (the write may have
 * been applied), `TransactionInProgressException` and `IdempotentParameterMismatchException` (an earlier send of the same
 * token may have been), `TimeoutError` and broken connections.
 */
const FAILURES: ReadonlyMap<string, SendFailure> = new Map([
  // Throttled, by whatever name.
  ["LimitExceededException", "passing"],
  ["ProvisionedThroughputExceededException", "passing"],
  ["RequestLimitExceeded", "passing"],
  ["ThrottledException", "passing"],
  ["Throttling", "passing"],
  ["ThrottlingException", "passing"],
  ["TooManyRequestsException", "passing"],
  // Another write of the item was under way.
  ["ReplicatedWriteConflictException", "passing"],
  ["TransactionConflictException", "passing"],
  // Read and turned away.
  ["AccessDeniedException", "refused"],
  ["ConditionalCheckFailedException", "refused"],
  ["ExpiredTokenException", "refused"],
  ["IncompleteSignature", "refused"],
  ["IncompleteSignatureException", "refused"],
  ["InvalidClientTokenId", "refused"],
  ["InvalidEndpointException", "refused"],
  ["InvalidSignatureException", "refused"],
  ["ItemCollectionSizeLimitExceededException", "refused"],
  ["MissingAuthenticationToken", "refused"],
  ["MissingAuthenticationTokenException", "refused"],
  ["NotAuthorized", "refused"],
  ["OptInRequired", "refused"],
  ["RequestExpired", "refused"],
  ["ResourceNotFoundException", "refused"],
  ["SerializationException", "refused"],
  ["SignatureDoesNotMatch", "refused"],
  ["UnknownOperationException", "refused"],
  ["UnrecognizedClientException", "refused"],
  ["ValidationError", "refused"],
  ["ValidationException", "refused"],
  // Never sent: the SDK had nothing to sign it with.
  ["CredentialsProviderError", "refused"],
  ["ProviderError", "refused"],
  ["TokenProviderError", "refused"],
]);

/** Why DynamoDB cancels a transaction, as far as the same one may pass later. */
const PASSING_CANCELLATIONS: readonly string[] = [
  "None",
  "ProvisionedThroughputExceeded",
  "ThrottlingError",
  "TransactionConflict",
];

export function sendFailure(error: unknown): SendFailure {
  if (!(error instanceof Error)) return "unknown";
  if (error instanceof TransactionCanceledException) {
    const codes = (error.CancellationReasons ?? []).map(({ Code }) => Code ?? "None");
    return codes.every((code) => PASSING_CANCELLATIONS.includes(code)) ? "passing" : "refused";
  }
  return neverConnected(error) ? "passing" : (FAILURES.get(error.name) ?? "unknown");
}

/** Whether an error tells for certain that nothing was written by the send that it is of. */
export const isNotApplied = (error: unknown): boolean => sendFailure(error) !== "unknown";

/**
 * The name could not be resolved, or no connection was opened: not a byte left. Node names the call that failed, and so does
 * aws-http.ts. What has an answer was connected, whatever the answer's own fields say.
 */
function neverConnected(error: Error): boolean {
  if ("$response" in error) return false;
  if (error instanceof AggregateError)
    return (
      error.errors.length > 0 &&
      error.errors.every((cause: unknown) => cause instanceof Error && neverConnected(cause))
    );
  const syscall = "syscall" in error ? error.syscall : undefined;
  return syscall === "connect" || syscall === "getaddrinfo";
}
