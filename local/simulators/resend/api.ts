import type { Breaches } from "../shared/breaches.ts";
import type { FaultOrders } from "../shared/faults.ts";
import { parseJson } from "../shared/own-endpoints.ts";
import { carryOut, type Plan } from "../shared/plan.ts";
import type { Answer, Reply } from "../shared/reply.ts";
import { headerText } from "../shared/request-log.ts";
import { findRoute, isServed } from "../shared/route-table.ts";
import type { ReceivedRequest } from "../shared/server.ts";
import type { Account } from "./account.ts";
import type { Endpoint, Execution, Result } from "./endpoint.ts";
import {
  invalidApiKey,
  methodNotAllowed,
  missingApiKey,
  noEndpoint,
  ResendError,
  rateLimited,
  serverError,
} from "./errors.ts";
import { fingerprintOf, IDEMPOTENT_PATHS, type IdempotencyKeys } from "./idempotency.ts";
import { ROUTES } from "./routes.ts";

const KEY_LENGTH_MAX = 256;

export interface Api {
  readonly account: Account;
  readonly faults: FaultOrders;
  readonly breaches: Breaches;
  readonly idempotencyKeys: IdempotencyKeys;
  /** Any key is accepted when undefined. */
  readonly apiKey: string | undefined;
  /** Before every execution. */
  readonly latencyMs: number;
  /** Ends all waiting. */
  readonly closed: AbortSignal;
}

/** A POST that carries an idempotency key to where one is heeded. */
interface Keyed {
  readonly key: string;
  readonly fingerprint: string;
}

/** Answers one request as Resend does: key, path, idempotency key, fields, execution, in this order. */
export async function answerApiRequest(api: Api, request: ReceivedRequest): Promise<Reply> {
  const unauthorized = refuseKey(request.headers.authorization, api.apiKey);
  if (unauthorized !== null) return { kind: "answer", ...errorAnswer(request, unauthorized) };

  const plan = planOf(api, request);
  const fault = api.faults.take({
    method: request.method,
    path: request.path,
    idempotencyKey: headerText(request.headers["idempotency-key"]),
    executes: plan.kind === "execution",
  });
  return carryOut(plan, fault, {
    rateLimited: () => errorAnswer(request, rateLimited(), { "retry-after": "1" }),
    failed: () => errorAnswer(request, serverError()),
    latencyMs: api.latencyMs,
    closed: api.closed,
  });
}

/** Resend's SDKs repeat slashes where a base URL ends in one, and Resend forgives it. */
function planOf(api: Api, request: ReceivedRequest): Plan {
  const path = request.path.replace(/\/{2,}/g, "/");
  try {
    const found = findRoute(ROUTES, request.method, path);
    if (found === undefined) {
      api.breaches.add(request);
      throw isServed(ROUTES, path) ? methodNotAllowed() : noEndpoint();
    }
    const json = parseJson(request.body);
    if (request.body !== "" && json === undefined)
      throw new ResendError(400, "validation_error", "The request body is not valid JSON.");
    const keyed = keyedOf(request, path, json);
    const stored = keyed === null ? null : api.idempotencyKeys.recall(keyed.key, keyed.fingerprint);
    if (stored !== null) return { kind: "ready", answer: withNewHeaders(request, stored) };
    return executionOf(api, request, keyed, found.route, found.ids, json);
  } catch (error) {
    if (error instanceof ResendError) return { kind: "ready", answer: errorAnswer(request, error) };
    throw error;
  }
}

function executionOf(
  api: Api,
  request: ReceivedRequest,
  keyed: Keyed | null,
  endpoint: Endpoint,
  ids: readonly string[],
  json: unknown,
): Plan {
  const execution = endpoint(api.account, {
    ids,
    query: new URLSearchParams(request.query),
    json,
    batchValidation: headerText(request.headers["x-batch-validation"]),
    idempotencyKey: keyed === null ? null : keyed.key,
  });
  if (keyed === null) return { kind: "execution", execute: () => execute(request, execution) };

  const { idempotencyKeys } = api;
  return {
    kind: "execution",
    begin: () => idempotencyKeys.begin(keyed.key, keyed.fingerprint),
    abandon: () => idempotencyKeys.forget(keyed.key),
    execute: () => {
      const answer = execute(request, execution);
      idempotencyKeys.store(keyed.key, answer);
      return answer;
    },
  };
}

function keyedOf({ method, headers }: ReceivedRequest, path: string, json: unknown): Keyed | null {
  const key = headerText(headers["idempotency-key"]);
  if (key === null || method !== "POST" || !IDEMPOTENT_PATHS.includes(path)) return null;
  if (key.length <= KEY_LENGTH_MAX) return { key, fingerprint: fingerprintOf(path, json) };
  throw new ResendError(
    400,
    "invalid_idempotency_key",
    `The idempotency key must be between 1-${KEY_LENGTH_MAX} characters.`,
  );
}

function refuseKey(authorization: string | undefined, apiKey: string | undefined): ResendError | null {
  const [, key] = /^Bearer +(\S+)$/i.exec(authorization ?? "") ?? [];
  if (key === undefined) return missingApiKey();
  return apiKey === undefined || key === apiKey ? null : invalidApiKey();
}

function execute(request: ReceivedRequest, execution: Execution): Answer {
  try {
    return resultAnswer(request, execution());
  } catch (error) {
    if (error instanceof ResendError) return errorAnswer(request, error);
    throw error;
  }
}

function resultAnswer(request: ReceivedRequest, { status, body }: Result): Answer {
  return { status, headers: headersOf(request), body: JSON.stringify(body) };
}

function errorAnswer(
  request: ReceivedRequest,
  { status, code, message }: ResendError,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { ...headersOf(request), ...headers },
    body: JSON.stringify({ statusCode: status, message, name: code }),
  };
}

/** A replay looks as the first answer did, but for what is new with every request: nothing marks it. */
const withNewHeaders = (request: ReceivedRequest, answer: Answer): Answer => ({
  ...answer,
  headers: headersOf(request),
});

/** As recorded from Resend, but that the simulator counts no requests. */
const headersOf = ({ requestId }: ReceivedRequest): Readonly<Record<string, string>> => ({
  "Content-Type": "application/json; charset=utf-8",
  "ratelimit-limit": "2",
  "ratelimit-policy": "2;w=1",
  "ratelimit-remaining": "1",
  "ratelimit-reset": "1",
  "cf-ray": requestId,
});
