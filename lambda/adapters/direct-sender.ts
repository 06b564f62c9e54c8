import { randomUUID } from "node:crypto";
import { HttpResponse } from "@smithy/core/protocols";
import { type RetryResolvedConfig, retryMiddleware } from "@smithy/core/retry";
import type {
  $ClientProtocol,
  $OperationSchema,
  EndpointV2,
  HandlerExecutionContext,
  MetadataBearer,
  MiddlewareStack,
  SerdeFunctions,
} from "@smithy/types";
import { type AwsReply, postOnce } from "./aws-http.ts";
import { Signer } from "./aws-signature.ts";
import { environmentCredentials } from "./environment-credentials.ts";
import type { KeptAgents } from "./kept-agents.ts";

/** How a service is spoken to. All of them take JSON. */
export interface DirectService {
  /** As signatures name it. */
  readonly name: string;
  /** What stands before an operation in `X-Amz-Target`. */
  readonly target: string;
  readonly contentType: string;
  /** The environment variable with another address for it. */
  readonly endpointVariable: string;
  /** The operations whose input has a token that tells repeats; the SDK makes one up for whoever gives none. */
  readonly withToken: readonly string[];
}

export const DYNAMODB: DirectService = {
  name: "dynamodb",
  target: "DynamoDB_20120810",
  contentType: "application/x-amz-json-1.0",
  endpointVariable: "AWS_ENDPOINT_URL_DYNAMODB",
  withToken: ["TransactWriteItems"],
};

export const SECRETS_MANAGER: DirectService = {
  name: "secretsmanager",
  target: "secretsmanager",
  contentType: "application/x-amz-json-1.1",
  endpointVariable: "AWS_ENDPOINT_URL_SECRETS_MANAGER",
  withToken: [],
};

export const EVENT_BRIDGE: DirectService = {
  name: "events",
  target: "AWSEvents",
  contentType: "application/x-amz-json-1.1",
  endpointVariable: "AWS_ENDPOINT_URL_EVENTBRIDGE",
  withToken: [],
};

/** The only one that these services have. */
const SUCCESS = 200;

/** As the SDK has it: a clock that is off by more is why a request was refused. AWS takes five minutes. */
const CLOCK_SKEW_MS = 240_000;

export interface SenderOptions {
  readonly agents: KeptAgents;
  /** For one send, the connection included. */
  readonly timeoutMs: number;
  /** Told what a command failed with in the end. */
  readonly onFailure?: (error: unknown) => void;
}

/** What a client of the SDK has, as far as it is used here. */
export interface DirectClient<Input extends object, Output extends MetadataBearer> {
  readonly middlewareStack: MiddlewareStack<Input, Output>;
  readonly config: ClientConfig;
}

type ClientConfig = RetryResolvedConfig &
  SerdeFunctions & {
    readonly protocol: unknown;
    region(): Promise<string>;
    useFipsEndpoint(): Promise<boolean>;
    useDualstackEndpoint(): Promise<boolean>;
    endpointProvider(rules: Rules): EndpointV2;
  };

/** What decides on a service's address; no interface, since the SDK wants it open to more. */
type Rules = { readonly Region: string; readonly UseFIPS: boolean; readonly UseDualStack: boolean };

/**
 * Makes a client send its commands directly: input as JSON, signed, posted, answer as JSON.
 *
 * Our items are DynamoDB's own JSON already and hold no bytes, so nothing is gained by the SDK's walk over schemas, its rules of
 * endpoints for each request, its user agent and its log. What decides about money stays the SDK's: when a send is repeated
 * (`maxAttempts`), and how an answer that is an error is read (docs/decisions/0039-sending-directly.md).
 *
 * The middleware stands before all others, and calls none of them.
 */
export function sendDirectly<Input extends object, Output extends MetadataBearer>(
  { middlewareStack, config }: DirectClient<Input, Output>,
  service: DirectService,
  { agents, timeoutMs, onFailure }: SenderOptions,
): void {
  let connection: Promise<Connection> | undefined;
  const connect = () => {
    connection ??= connectionOf(config, service).catch((error: unknown) => {
      connection = undefined;
      throw error;
    });
    return connection;
  };
  let clockOffsetMs = 0;
  /** Until they have sent anything again, the SDK's retries have nothing to count, and a send that succeeds goes past them. */
  let hasRepeated = false;

  middlewareStack.add(
    (_next, context) => {
      const name = String(context.commandName).replace(/Command$/, "");
      const target = `${service.target}.${name}`;
      const hasToken = service.withToken.includes(name);

      const send = async (body: string) => {
        const { url, signer, accessKeyId } = await connect();
        const offsetMs = clockOffsetMs;
        const atMs = Date.now() + offsetMs;
        const signable = { host: url.host, contentType: service.contentType, target, body, atMs };
        const credentials = { ...environmentCredentials(), ...(accessKeyId !== null && { accessKeyId }) };
        const headers = signer.headers(credentials, signable);
        const reply = await postOnce(url, headers, body, { agents, timeoutMs });
        if (reply.status === SUCCESS) return { output: outputOf<Output>(reply), response: reply };
        const error = without(credentials.sessionToken, await errorOf(reply, config, context));
        const serverOffsetMs = Date.parse(reply.headers.date ?? "") - Date.now();
        if (Math.abs(serverOffsetMs - offsetMs) >= CLOCK_SKEW_MS) {
          clockOffsetMs = serverOffsetMs;
          // The SDK's retries send it again then, where they send anything again.
          error.$metadata = { ...error.$metadata, clockSkewCorrected: true };
        }
        throw error;
      };
      return async ({ input }) => {
        const body = JSON.stringify(hasToken ? withToken(input) : input);
        let first: Failed | undefined;
        if (!hasRepeated) {
          try {
            return await send(body);
          } catch (cause) {
            first = { cause };
          }
        }
        const failThenSend = async () => {
          const failed = first;
          first = undefined;
          if (failed !== undefined) throw failed.cause;
          hasRepeated = true;
          return await send(body);
        };
        const sent = retryMiddleware(config)<Output>(failThenSend, context)({ input, request: undefined });
        if (onFailure !== undefined) sent.catch(onFailure);
        return await sent;
      };
    },
    { step: "initialize", priority: "high", name: "sendDirectly", override: true },
  );
}

/** What a first send ended with, for the SDK's retries to judge. */
interface Failed {
  readonly cause: unknown;
}

/** Every send of one command has one token. */
const withToken = (input: object): object =>
  "ClientRequestToken" in input && input.ClientRequestToken !== undefined
    ? input
    : { ...input, ClientRequestToken: randomUUID() };

interface Connection {
  readonly url: URL;
  readonly signer: Signer;
  /** Of an address that names one, as a local run gives to its own services; null: that of the environment. */
  readonly accessKeyId: string | null;
}

/** Where to send, by the environment and the SDK's own rules: asked once. Throws on an address with a path, which nothing here signs. */
async function connectionOf(config: ClientConfig, service: DirectService): Promise<Connection> {
  const [Region, UseFIPS, UseDualStack] = await Promise.all([
    config.region(),
    config.useFipsEndpoint(),
    config.useDualstackEndpoint(),
  ]);
  const configured = process.env[service.endpointVariable] || process.env["AWS_ENDPOINT_URL"];
  const url = configured
    ? new URL(configured)
    : config.endpointProvider({ Region, UseFIPS, UseDualStack }).url;
  if (url.pathname !== "/" || url.search !== "")
    throw new Error(`the address of ${service.name} has more than a host and a port`);
  return { url, signer: new Signer(Region, service.name), accessKeyId: url.username || null };
}

/**
 * What an answer of success says. Throws on one that is no object of JSON or is an error by its type, whatever its status: neither
 * service answers so, and then nobody knows what became of a write.
 */
function outputOf<Output>({ status, body }: AwsReply): Output {
  const output = objectIn(body);
  if (output === null || "__type" in output) throw new Error(`an answer of status ${status} says nothing`);
  return { ...output, $metadata: { httpStatusCode: status, attempts: 1, totalRetryDelay: 0 } } as Output;
}

function objectIn(body: Buffer): object | null {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    // The parser's own error repeats some of the text, which may be a secret.
    return null;
  }
}

type Failure = Error & { $metadata?: object };

/** AWS repeats what it got where a signature is wrong: the token of the role is taken out, also of what stands in the stack. */
function without(sessionToken: string | undefined, error: Failure): Failure {
  if (sessionToken === undefined) return error;
  const said = (text: string) => text.replaceAll(sessionToken, "[redacted]");
  error.message = said(error.message);
  error.stack = said(error.stack ?? "");
  return error;
}

/** An answer that is an error is read alike for every operation. */
const ANY_OPERATION: $OperationSchema = {
  namespace: "",
  name: "AnyOperation",
  traits: 0,
  input: "unit",
  output: "unit",
};

/** What the SDK makes of an answer that is an error: its own classes, with all that they carry. */
async function errorOf(
  { status, headers, body }: AwsReply,
  config: ClientConfig,
  context: HandlerExecutionContext,
): Promise<Failure> {
  const given = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  const response = new HttpResponse({ statusCode: status, headers: Object.fromEntries(given), body });
  // The type names three generations of protocols; a client has one of the present.
  const protocol = config.protocol as $ClientProtocol<unknown, HttpResponse>;
  try {
    await protocol.deserializeResponse(ANY_OPERATION, { ...config, ...context }, response);
  } catch (thrown) {
    const isUnread = !(thrown instanceof Error) || thrown instanceof SyntaxError;
    // An answer that is no JSON: its status is all that it tells, and the parser's error would repeat some of its text.
    const error: Failure = isUnread ? new Error(`an answer of status ${status} is no JSON`) : thrown;
    // For the SDK's retries, as is the answer.
    error.$metadata ??= { httpStatusCode: status };
    return Object.defineProperty(error, "$response", { value: response, enumerable: false });
  }
  throw new Error(`an answer of status ${status} was read as if it were no error`);
}
