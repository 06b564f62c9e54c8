import { addressOf, type Parameters } from "./base.ts";
import { Failure, failureOf, noAnswer } from "./failure.ts";

/** A request that takes longer has no answer: the page says so, and asks again. */
const PATIENCE_MS = 20_000;

/** A page of another site cannot send it, so the API takes nothing by the login alone without it. */
const OWN_HEADER = { "Keybrake-Dashboard": "1" };

export interface Request {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly parameters?: Parameters;
  readonly body?: object;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Asks the API with the login's cookie. Throws a `Failure` where the answer is an error, or where there is none. */
export async function ask(path: string, request: Request = {}): Promise<Response> {
  const { method = "GET", parameters, body, accept = "application/json", signal } = request;
  const limit = AbortSignal.timeout(PATIENCE_MS);
  try {
    const response = await fetch(addressOf(path, parameters), {
      method,
      headers: {
        Accept: accept,
        ...OWN_HEADER,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
    if (!response.ok) throw failureOf(response.status, await response.text());
    return response;
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (signal?.aborted === true) throw error;
    throw noAnswer(limit.aborted ? `no answer within ${PATIENCE_MS / 1000} s` : "Keybrake cannot be reached");
  }
}

/** The JSON of an answer. The types are those of the product's own answers, which the server's tests hold. */
export async function read<T>(path: string, parameters?: Parameters, signal?: AbortSignal): Promise<T> {
  return (await ask(path, { ...(parameters && { parameters }), signal })).json() as Promise<T>;
}

export async function send<T>(method: "POST" | "PATCH", path: string, body: object): Promise<T> {
  return (await ask(path, { method, body })).json() as Promise<T>;
}

export async function remove(path: string): Promise<void> {
  await ask(path, { method: "DELETE" });
}
