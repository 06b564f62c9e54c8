import type { Account } from "./account.ts";
import type { Params } from "./params.ts";

/** One request to an endpoint: `ids` are those in its path, `id` is the first of them, or "". */
export interface ApiRequest {
  readonly id: string;
  readonly ids: readonly string[];
  readonly params: Params;
  readonly idempotencyKey: string | null;
}

/** What an endpoint does once its request is known to be well formed; gives the object to answer with. */
export type Execution = () => unknown;

/**
 * An endpoint, in Stripe's two steps: it reads the parameters, where a throw is a 400 that the idempotency layer does
 * not store; then the execution it returns changes the account at once, in one go, and what it throws is stored.
 */
export type Endpoint = (account: Account, request: ApiRequest) => Execution;
