import type { Account } from "./account.ts";

/** One request to an endpoint: the ids in its path but for the account's, its path as Twilio knows it, its parameters. */
export interface ApiRequest {
  readonly ids: readonly string[];
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names may come several times: `MediaUrl=a&MediaUrl=b`. */
  readonly form: URLSearchParams;
}

/** What is answered: a status and an object, which in XML has the name `element`. */
export interface Result {
  readonly status: 200 | 201 | 204;
  readonly element: string;
  readonly body: object;
}

/** What an endpoint does once its request is known to be well formed. */
export type Execution = () => Result;

/** Reads the request, where a throw means that nothing executes; the execution changes the account at once. */
export type Endpoint = (account: Account, request: ApiRequest) => Execution;

/** A parameter; null if it is absent or empty. */
export const textOf = (params: URLSearchParams, name: string): string | null => params.get(name) || null;
