import { type EmailFields, readEmail } from "./email-fields.ts";
import { store } from "./emails.ts";
import { type Endpoint, ok } from "./endpoint.ts";
import { invalid, ResendError } from "./errors.ts";

const BATCH_MAX = 100;

/**
 * `POST /emails/batch`: up to 100 at once. By `x-batch-validation: strict`, the default, one that is wrong stops all;
 * by `permissive` the others are sent, and `errors` tells which were not, by their places in the request.
 */
export const sendBatch: Endpoint = (account, { json, batchValidation, idempotencyKey }) => {
  if (!Array.isArray(json)) throw invalid("The batch must be an array of emails.");
  if (json.length === 0 || json.length > BATCH_MAX)
    throw invalid(`The batch must have between 1 and ${BATCH_MAX} emails.`);
  const permissive = isPermissive(batchValidation);
  const listed: readonly unknown[] = json;
  const read = listed.map((item) => readOrRefuse(item, account.nowMs(), permissive));

  return () => {
    const data: { readonly id: string }[] = [];
    const errors: { readonly index: number; readonly message: string }[] = [];
    for (const [index, fields] of read.entries()) {
      if (fields instanceof ResendError) errors.push({ index, message: fields.message });
      else data.push({ id: store(account, fields, idempotencyKey) });
    }
    return ok(permissive ? { data, errors } : { data });
  };
};

function readOrRefuse(json: unknown, nowMs: number, permissive: boolean): EmailFields | ResendError {
  try {
    return readEmail(json, nowMs);
  } catch (error) {
    if (permissive && error instanceof ResendError) return error;
    throw error;
  }
}

function isPermissive(batchValidation: string | null): boolean {
  if (batchValidation === null || batchValidation === "strict") return false;
  if (batchValidation === "permissive") return true;
  throw invalid("The `x-batch-validation` header must be `strict` or `permissive`.");
}
