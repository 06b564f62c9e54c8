import { unescape as percentDecode } from "node:querystring";
import type { APIGatewayProxyEvent } from "aws-lambda";

/** One HTTP request as it came in, and where it fell. */
export interface GatewayRequest {
  readonly method: string;
  /** Path as received, without stage and query. */
  readonly path: string;
  /** Query as received, without the question mark. */
  readonly query: string;
  /** Names and values in turn, as node:http hands them over. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly resource: string;
  readonly pathParameters: Readonly<Record<string, string>> | null;
  readonly sourceIp: string;
  readonly protocol: string;
  /** Host and port the gateway listens on. */
  readonly domainName: string;
  readonly port: number;
  /** Name of the stage in the URL; undefined behaves as a custom domain does. */
  readonly stage: string | undefined;
  readonly requestId: string;
  readonly extendedRequestId: string;
  readonly receivedMs: number;
}

/** Name of the stage where the URL has none. */
const UNNAMED_STAGE = "local";

/**
 * The event that a REGIONAL REST API with `binaryMediaTypes: ["*\/*"]` makes of a request, payload version 1.0.
 *
 * Every body is base64. The path is as received; the query exists decoded only, and the order between its names is
 * lost: here they come in the order of the alphabet, so that nothing can rely on what AWS does not promise.
 */
export function gatewayEvent(request: GatewayRequest): APIGatewayProxyEvent {
  const headers = multiValueHeaders(request);
  const query = multiValueQuery(request.query);
  return {
    resource: request.resource,
    path: request.path,
    httpMethod: request.method,
    headers: lastValues(headers),
    multiValueHeaders: headers,
    queryStringParameters: query === null ? null : lastValues(query),
    multiValueQueryStringParameters: query,
    pathParameters: request.pathParameters,
    stageVariables: null,
    requestContext: requestContext(request, headers),
    body: request.body.length === 0 ? null : request.body.toString("base64"),
    isBase64Encoded: request.body.length > 0,
  };
}

/**
 * Headers that belong to a connection do not reach a function: the docs of REST APIs list them as dropped ("important
 * notes"). The forwarding headers are the gateway's own; what the caller claims in X-Forwarded-For stands before it.
 */
const DROPPED = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const REPLACED = new Set(["x-forwarded-proto", "x-forwarded-port"]);

function multiValueHeaders(request: GatewayRequest): Record<string, string[]> {
  const spellings = new Map<string, string>();
  const headers = new Map<string, string[]>();
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const [name = "", value = ""] = request.rawHeaders.slice(index, index + 2);
    const lowerCase = name.toLowerCase();
    if (DROPPED.has(lowerCase) || REPLACED.has(lowerCase)) continue;

    const spelling = spellings.get(lowerCase) ?? name;
    spellings.set(lowerCase, spelling);
    headers.set(spelling, [...(headers.get(spelling) ?? []), value]);
  }

  const forwardedFor = spellings.get("x-forwarded-for") ?? "X-Forwarded-For";
  headers.set(forwardedFor, [[...(headers.get(forwardedFor) ?? []), request.sourceIp].join(", ")]);
  headers.set("X-Forwarded-Port", [String(request.port)]);
  headers.set("X-Forwarded-Proto", ["http"]);
  return Object.fromEntries(headers);
}

/** Split at `&` and at `;`, as API Gateway does; undecodable percent signs stay as they are. */
function multiValueQuery(query: string): Record<string, string[]> | null {
  const values = new Map<string, string[]>();
  for (const pair of query.split(/[&;]/)) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : decode(pair.slice(equals + 1));
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  if (values.size === 0) return null;
  return Object.fromEntries([...values].sort(([one], [other]) => (one < other ? -1 : 1)));
}

const decode = (text: string) => percentDecode(text.replaceAll("+", " "));

function lastValues(values: Readonly<Record<string, string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, list.at(-1) ?? ""]));
}

function requestContext(
  request: GatewayRequest,
  headers: Readonly<Record<string, string[]>>,
): APIGatewayProxyEvent["requestContext"] {
  const userAgent = Object.entries(headers)
    .find(([name]) => name.toLowerCase() === "user-agent")?.[1]
    .at(-1);
  return {
    accountId: "000000000000",
    apiId: "local",
    authorizer: undefined,
    domainName: request.domainName,
    domainPrefix: request.domainName.split(".")[0],
    extendedRequestId: request.extendedRequestId,
    httpMethod: request.method,
    identity: {
      accessKey: null,
      accountId: null,
      apiKey: null,
      apiKeyId: null,
      caller: null,
      clientCert: null,
      cognitoAuthenticationProvider: null,
      cognitoAuthenticationType: null,
      cognitoIdentityId: null,
      cognitoIdentityPoolId: null,
      principalOrgId: null,
      sourceIp: request.sourceIp,
      user: null,
      userAgent: userAgent ?? null,
      userArn: null,
    },
    path: request.stage === undefined ? request.path : `/${request.stage}${request.path}`,
    protocol: request.protocol,
    requestId: request.requestId,
    requestTime: commonLogTime(new Date(request.receivedMs)),
    requestTimeEpoch: request.receivedMs,
    resourceId: "local",
    resourcePath: request.resource,
    stage: request.stage ?? UNNAMED_STAGE,
  };
}

/** `22/Nov/2026:05:00:00 +0000`, from `Sun, 22 Nov 2026 05:00:00 GMT`. */
function commonLogTime(time: Date): string {
  const [, day, month, year, clock] = time.toUTCString().split(" ");
  return `${day}/${month}/${year}:${clock} +0000`;
}
