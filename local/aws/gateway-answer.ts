import { validateHeaderName, validateHeaderValue } from "node:http";
import { type GatewayResponseType, gatewayResponseOf } from "../../lib/gateway-responses.ts";

/** What goes back to the client. */
export interface GatewayAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** The ids that the gateway puts on every answer. */
export interface RequestIds {
  readonly requestId: string;
  readonly extendedRequestId: string;
}

/** Lambda does not hand over a larger answer. */
const ANSWER_BYTES_MAX = 6_291_556;

/** Response headers of a function that the gateway owns: it moves them aside, so that its own can stand there. */
const REMAPPED = new Set(["connection", "content-length", "date", "server", "www-authenticate"]);
const DROPPED = new Set(["transfer-encoding"]);

/**
 * The answer of a function as the client gets it, or undefined where it is no answer of a proxy integration ("malformed
 * Lambda proxy response"): no integer status, a body that is no string, header values that are no scalars.
 */
export function functionAnswer(returned: unknown, ids: RequestIds): GatewayAnswer | undefined {
  if (!isObject(returned)) return undefined;
  const { statusCode, body = "", isBase64Encoded = false } = returned;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined;
  if (body !== null && typeof body !== "string") return undefined;
  if (body !== null && body.length > ANSWER_BYTES_MAX) return undefined;

  const headers = mergeHeaders(returned["headers"], returned["multiValueHeaders"]);
  if (headers === undefined) return undefined;
  return {
    status,
    headers: [...rewritten(headers), ...gatewayHeaders(ids)],
    body: Buffer.from(body ?? "", isBase64Encoded === true ? "base64" : "utf8"),
  };
}

/** One of the gateway's own answers, with the request's id in it; `what`: said of the failure in place of its usual words. */
export function gatewayResponse(type: GatewayResponseType, ids: RequestIds, what?: string): GatewayAnswer {
  const { status, headers, template } = gatewayResponseOf(type, what);
  const substituted = (text: string) => text.replaceAll("$context.requestId", ids.requestId);
  return {
    status,
    headers: [
      ...Object.entries(headers).map(([name, value]) => [name, substituted(value)] as const),
      ...gatewayHeaders(ids),
    ],
    body: Buffer.from(substituted(template)),
  };
}

/** What stands before the API and no template reaches: `{"message": …}` and an error type. */
export function frontAnswer(
  status: number,
  message: string,
  errorType: string,
  ids: RequestIds,
): GatewayAnswer {
  return {
    status,
    headers: [["Content-Type", "application/json"], ["x-amzn-ErrorType", errorType], ...gatewayHeaders(ids)],
    body: Buffer.from(JSON.stringify({ message })),
  };
}

function gatewayHeaders(ids: RequestIds): (readonly [string, string])[] {
  return [
    ["x-amzn-RequestId", ids.requestId],
    ["x-amz-apigw-id", ids.extendedRequestId],
  ];
}

type Header = readonly [name: string, value: string];

/** `headers` and `multiValueHeaders` in one list; a pair in both counts once. */
function mergeHeaders(single: unknown, multiple: unknown): readonly Header[] | undefined {
  const headers: Header[] = [];
  for (const [name, values] of Object.entries(multiple ?? {})) {
    if (!Array.isArray(values)) return undefined;
    for (const value of values) headers.push([name, String(value)]);
  }
  const isListed = ([name, value]: Header) =>
    headers.some((header) => header[0] === name && header[1] === value);
  for (const [name, value] of Object.entries(single ?? {})) {
    if (typeof value === "object") return undefined;
    const header = [name, String(value)] as const;
    if (!isListed(header)) headers.push(header);
  }
  return headers.every(isSendable) ? headers : undefined;
}

function isSendable([name, value]: Header): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

function rewritten(headers: readonly Header[]): readonly Header[] {
  const kept = headers.filter(([name]) => !DROPPED.has(name.toLowerCase()));
  const renamed = kept.map(([name, value]): Header => {
    const isTaken = REMAPPED.has(name.toLowerCase()) || name.toLowerCase() === "x-amzn-requestid";
    return isTaken ? [`x-amzn-Remapped-${name}`, value] : [name, value];
  });
  const hasType = renamed.some(([name]) => name.toLowerCase() === "content-type");
  return hasType ? renamed : [...renamed, ["Content-Type", "application/json"]];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
