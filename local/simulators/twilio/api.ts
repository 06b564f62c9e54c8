import type { Breaches } from "../shared/breaches.ts";
import type { FaultOrders } from "../shared/faults.ts";
import { carryOut, type Plan } from "../shared/plan.ts";
import type { Answer, Reply } from "../shared/reply.ts";
import { type FoundRoute, findRoute } from "../shared/route-table.ts";
import type { ReceivedRequest } from "../shared/server.ts";
import type { Account } from "./account.ts";
import { type Credentials, isAuthentic } from "./authentication.ts";
import { deliverDue } from "./delivery.ts";
import type { Endpoint, Execution, Result } from "./endpoint.ts";
import {
  errorBody,
  notFound,
  notSimulated,
  rateLimited,
  serverError,
  TwilioError,
  unauthenticated,
} from "./errors.ts";
import { API_ROUTES, HOST_ROUTES } from "./routes.ts";
import { toXml } from "./xml.ts";

const API_VERSION = "/2010-04-01";

export interface Api {
  readonly account: Account;
  readonly faults: FaultOrders;
  readonly breaches: Breaches;
  readonly credentials: Credentials;
  /** Before every execution. */
  readonly latencyMs: number;
  /** Ends all waiting. */
  readonly closed: AbortSignal;
}

/** What a path asks for, of which host, and in which format. */
interface Target {
  readonly host: string;
  /** As the host knows it. */
  readonly path: string;
  readonly isXml: boolean;
}

/** Answers one request as Twilio does: credentials, path, account, parameters, execution, in this order. */
export async function answerApiRequest(api: Api, request: ReceivedRequest): Promise<Reply> {
  const target = targetOf(request.path);
  if (!isAuthentic(request.headers.authorization, api.credentials)) {
    const headers = { "WWW-Authenticate": 'Basic realm="Twilio API"' };
    return { kind: "answer", ...errorAnswer(request, target, unauthenticated(), headers) };
  }
  const plan = planOf(api, request, target);
  const fault = api.faults.take({
    method: request.method,
    path: request.path,
    idempotencyKey: null,
    executes: plan.kind === "execution",
  });
  return carryOut(plan, fault, {
    rateLimited: () => errorAnswer(request, target, rateLimited()),
    failed: () => errorAnswer(request, target, serverError()),
    latencyMs: api.latencyMs,
    closed: api.closed,
  });
}

function planOf({ account, breaches }: Api, request: ReceivedRequest, target: Target): Plan {
  try {
    const found = routeOf(request, target);
    if (found === undefined) {
      breaches.add(request);
      throw notSimulated(request.method, target.path);
    }
    const { endpoint, ids } = endpointOf(account, target, found);
    const execution = endpoint(account, {
      ids,
      path: target.path,
      query: new URLSearchParams(request.query),
      form: new URLSearchParams(request.body),
    });
    return { kind: "execution", execute: () => execute(account, request, target, execution) };
  } catch (error) {
    if (error instanceof TwilioError) return { kind: "ready", answer: errorAnswer(request, target, error) };
    throw error;
  }
}

function routeOf({ method }: ReceivedRequest, { host, path }: Target): FoundRoute<Endpoint> | undefined {
  if (host !== "api") return findRoute(HOST_ROUTES, method, `/${host}${path}`);
  return findRoute(API_ROUTES, method, path.slice(API_VERSION.length).replace(/\.json$/, ""));
}

/** Another account's path is answered as one that does not exist. */
function endpointOf(
  account: Account,
  { host, path }: Target,
  { route, ids }: FoundRoute<Endpoint>,
): { readonly endpoint: Endpoint; readonly ids: readonly string[] } {
  if (host !== "api") return { endpoint: route, ids };
  const [accountSid, ...others] = ids;
  if (accountSid !== account.sid) throw notFound(path);
  return { endpoint: route, ids: others };
}

/** Reads `/2010-04-01/…`, with or without `/api` before it, and `/verify/…` and its like. Only the 2010 API has XML. */
function targetOf(path: string): Target {
  const [, first = ""] = path.split("/");
  if (path.startsWith(`${API_VERSION}/`)) return { host: "api", path, isXml: !path.endsWith(".json") };
  const rest = path.slice(first.length + 1);
  const isApi = first === "api" && rest.startsWith(`${API_VERSION}/`);
  return { host: first, path: rest, isXml: isApi && !path.endsWith(".json") };
}

/** What has come due by now is delivered first, so that an answer never shows less than an earlier one did. */
function execute(account: Account, request: ReceivedRequest, target: Target, execution: Execution): Answer {
  deliverDue(account);
  try {
    return resultAnswer(request, target, execution());
  } catch (error) {
    if (error instanceof TwilioError) return errorAnswer(request, target, error);
    throw error;
  }
}

function resultAnswer(request: ReceivedRequest, target: Target, { status, element, body }: Result): Answer {
  if (status === 204) return { status, headers: headersOf(request, target), body: "" };
  const text = target.isXml ? toXml(element, body) : JSON.stringify(body);
  return { status, headers: { ...headersOf(request, target), ...contentType(target) }, body: text };
}

function errorAnswer(
  request: ReceivedRequest,
  target: Target,
  error: TwilioError,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const body = errorBody(error);
  return {
    status: error.status,
    headers: { ...headersOf(request, target), ...contentType(target), ...headers },
    body: target.isXml ? toXml("RestException", body) : JSON.stringify(body),
  };
}

const contentType = ({ isXml }: Target) => ({
  "Content-Type": isXml ? "application/xml" : "application/json;charset=utf-8",
});

const headersOf = ({ requestId }: ReceivedRequest, { host }: Target): Readonly<Record<string, string>> => ({
  "Twilio-Request-Id": requestId,
  "Twilio-Concurrent-Requests": "1",
  "Twilio-Request-Duration": "0.001",
  "X-Home-Region": "us1",
  "X-API-Domain": `${host}.twilio.com`,
});
