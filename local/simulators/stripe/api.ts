import { setTimeout as sleep } from "node:timers/promises";
import type { Breaches } from "../shared/breaches.ts";
import type { Reply } from "../shared/reply.ts";
import type { FoundRoute } from "../shared/route-table.ts";
import { type Accounts, accountNamed, type Tenant } from "./accounts.ts";
import { refuseKey } from "./authentication.ts";
import type { Execution } from "./endpoint.ts";
import {
  errorBody,
  invalidRequest,
  rateLimited,
  StripeError,
  serverError,
  unrecognizedUrl,
} from "./errors.ts";
import { noteEvents } from "./events.ts";
import { readExpansion } from "./expand.ts";
import type { Faults } from "./faults.ts";
import { canonicalForm, type FormHash, parseForm } from "./form.ts";
import type { Recall, StoredAnswer } from "./idempotency.ts";
import { parseMultipart } from "./multipart.ts";
import { texts } from "./params.ts";
import { findRoute, type Route } from "./routes.ts";

export interface Api {
  readonly accounts: Accounts;
  readonly faults: Faults;
  readonly breaches: Breaches;
  /** Any key is accepted when undefined. */
  readonly secretKey: string | undefined;
  /** Before every execution. */
  readonly latencyMs: number;
  /** Ends all waiting. */
  readonly closed: AbortSignal;
}

/** An HTTP request to the API, read to its end. */
export interface WireRequest {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
  /** The body as it came, where it is no text. */
  readonly bytes: Buffer;
  readonly authorization: string | undefined;
  readonly contentType: string | null;
  readonly idempotencyKey: string | null;
  readonly stripeVersion: string | null;
  readonly stripeAccount: string | null;
  readonly stripeContext: string | null;
}

type Headers = Readonly<Record<string, string>>;

/** The newest version that stripe-node 23.1.0 knows; answers carry it when a request names none. */
const DEFAULT_VERSION = "2026-10-28.endive";

/**
 * Answers one request as Stripe does: authentication, path, idempotency key, parameters, execution, in this order.
 *
 * All that leads up to the first wait is done at once, so of two requests with one key the later finds the key
 * running. An answer is stored once the execution began (2xx, 402, 4xx thrown by it, 500); what is refused before it
 * (400, 401, 404 of a path, 409, 429) is not. See faults.ts for what can go wrong on purpose.
 */
export async function answerApiRequest(api: Api, request: WireRequest): Promise<Reply> {
  const unauthorized = refuseKey(request.authorization, api.secretKey);
  if (unauthorized !== null) {
    return refusal(request, unauthorized, { "WWW-Authenticate": 'Basic realm="Stripe"' });
  }
  try {
    return await answerAuthenticated(api, request);
  } catch (error) {
    if (error instanceof StripeError) return refusal(request, error);
    if (api.closed.aborted) return { kind: "silence" };
    throw error;
  }
}

async function answerAuthenticated(api: Api, request: WireRequest): Promise<Reply> {
  const found = findRoute(request.method, request.path);
  if (found === undefined) {
    api.breaches.add(request);
    throw unrecognizedUrl(request.method, request.path);
  }
  const tenant = api.accounts.of(accountNamed(request.stripeAccount, request.stripeContext));
  const params = paramsOf(request);
  const key = request.method === "POST" ? request.idempotencyKey : null;
  const fingerprint = { path: request.path, params: key === null ? "" : canonicalForm(params) };
  const plan = planOf(
    tenant,
    found,
    request,
    params,
    key === null ? { kind: "new" } : tenant.idempotencyKeys.recall(key, fingerprint),
  );
  const executes = plan.kind === "execute";
  const fault = api.faults.take({ ...request, idempotencyKey: key, params, executes });

  if (fault?.kind === "429") return refusal(request, rateLimited());
  if (fault?.kind === "hang") return { kind: "silence" };
  if (fault?.kind === "break_before") return { kind: "break" };

  if (executes && key !== null) tenant.idempotencyKeys.begin(key, fingerprint);
  const delayMs = (executes ? api.latencyMs : 0) + (fault?.kind === "slow" ? fault.ms : 0);
  if (delayMs > 0) await sleep(delayMs, undefined, { signal: api.closed });

  if (plan.kind === "refuse") return faulted(fault?.kind, refusal(request, plan.error));
  if (plan.kind === "replay") return faulted(fault?.kind, replay(request, plan.answer));

  const executed = fault?.kind === "500_before" ? failure(request) : execute(request, plan.execution);
  noteEvents(tenant.account, { ...request, ...executed, idempotencyKey: key });
  const answer = fault?.kind === "500_after" ? failure(request) : executed;
  if (key !== null) tenant.idempotencyKeys.store(key, answer);
  return faulted(fault?.kind, reply(request, answer, firstHeaders(request)));
}

type Plan =
  | { readonly kind: "execute"; readonly execution: Execution }
  | { readonly kind: "replay"; readonly answer: StoredAnswer }
  | { readonly kind: "refuse"; readonly error: StripeError };

/** What a request will come to, if nothing goes wrong. Nothing has happened yet. */
function planOf(
  { account }: Tenant,
  { route, ids }: FoundRoute<Route>,
  request: WireRequest,
  params: FormHash,
  recall: Recall,
): Plan {
  if (recall.kind === "replay") return recall;
  if (recall.kind === "refused") return { kind: "refuse", error: recall.error };

  try {
    const idempotencyKey = request.method === "POST" ? request.idempotencyKey : null;
    const expand = readExpansion(account, texts(params, "expand"), route.type, route.isList);
    const execution = route.endpoint(account, { id: ids[0] ?? "", ids, params, idempotencyKey });
    return { kind: "execute", execution: () => expand(execution()) };
  } catch (error) {
    if (error instanceof StripeError) return { kind: "refuse", error };
    throw error;
  }
}

/**
 * The parameters of a request: its query, and in a POST also its body, which wins. A body is a form, which may be a
 * multipart one where a file is sent.
 */
function paramsOf(request: WireRequest): FormHash {
  const inQuery = parseForm(request.query);
  if (request.method !== "POST" || request.body === "") return inQuery;
  const inBody = bodyOf(request, inQuery);
  if (request.idempotencyKey !== null && request.idempotencyKey.length > 255)
    throw invalidRequest("Idempotency keys must be 255 characters or less.");
  return inBody;
}

function bodyOf({ path, body, bytes, contentType }: WireRequest, inQuery: FormHash): FormHash {
  const type = contentType?.toLowerCase() ?? "application/x-www-form-urlencoded";
  if (path === "/v1/files" && type.startsWith("multipart/form-data"))
    return parseMultipart(bytes, contentType ?? "");
  if (type.startsWith("application/x-www-form-urlencoded") && !/^\s*[{[]/.test(body))
    return parseForm(body, inQuery);
  throw invalidRequest(
    "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any " +
      "questions, we can help at https://support.stripe.com/.",
  );
}

function execute(request: WireRequest, execution: Execution): StoredAnswer {
  try {
    return { status: 200, body: textOf(execution()), requestId: request.requestId };
  } catch (error) {
    if (error instanceof StripeError) return errorAnswer(request, error);
    throw error;
  }
}

const failure = (request: WireRequest): StoredAnswer => errorAnswer(request, serverError());

function errorAnswer({ requestId }: WireRequest, error: StripeError): StoredAnswer {
  return { status: error.status, body: textOf(errorBody(error, requestId)), requestId };
}

const textOf = (body: unknown): string => `${JSON.stringify(body, null, 2)}\n`;

/** What a fault leaves of a reply that was ready. */
function faulted(kind: string | undefined, ready: Reply): Reply {
  if (kind === "hang_after") return { kind: "silence" };
  if (kind === "break_after") return { kind: "break" };
  return ready;
}

function replay(request: WireRequest, answer: StoredAnswer): Reply {
  return reply(request, answer, {
    "Idempotent-Replayed": "true",
    "Original-Request": answer.requestId,
    "Stripe-Should-Retry": "false",
  });
}

/** Headers of the answer of an execution. Those of a POST say that it is stored. */
function firstHeaders({ method, requestId }: WireRequest): Headers {
  return method === "POST" ? { "Original-Request": requestId, "Stripe-Should-Retry": "false" } : {};
}

function refusal(request: WireRequest, error: StripeError, headers: Headers = {}): Reply {
  return reply(request, errorAnswer(request, error), headers);
}

function reply(request: WireRequest, { status, body }: StoredAnswer, headers: Headers): Reply {
  const key = request.method === "POST" ? request.idempotencyKey : null;
  return {
    kind: "answer",
    status,
    headers: {
      "Content-Type": "application/json",
      "Request-Id": request.requestId,
      "Stripe-Version": request.stripeVersion ?? DEFAULT_VERSION,
      ...(key === null ? {} : { "Idempotency-Key": key }),
      ...headers,
    },
    body,
  };
}
