import type { Account } from "./account.ts";

/** One request to an endpoint: the ids in its path, its query, its body as JSON (undefined where it is none). */
export interface ApiRequest {
  readonly ids: readonly string[];
  readonly query: URLSearchParams;
  readonly json: unknown;
  /** The header x-batch-validation. */
  readonly batchValidation: string | null;
  readonly idempotencyKey: string | null;
}

/** What an endpoint does once its request is known to be well formed; gives the status and object to answer with. */
export type Execution = () => Result;

export interface Result {
  readonly status: 200 | 201;
  readonly body: unknown;
}

/** Reads the request, where a throw means that nothing executes; the execution changes the account at once. */
export type Endpoint = (account: Account, request: ApiRequest) => Execution;

export const ok = (body: unknown): Result => ({ status: 200, body });
