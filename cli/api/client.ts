import { EXIT, exitCodeOf } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { LOCAL_URL, URL_VARIABLE } from "./address.ts";
import { type Fields, isFields, objectIn } from "./fields.ts";
import { nextStepOf } from "./next-step.ts";

/** Longer than the gateway waits for a function (29 s), so that its own answer arrives. */
const TIMEOUT_MS = 35_000;

export interface Asked {
  /** Absent values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: Fields;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body where it is a JSON object. */
  readonly fields: Fields | null;
}

/** Keybrake's own API with one secret. Node's fetch sends; nothing is repeated. */
export interface Api {
  readonly baseUrl: string;
  /** The answer, a success or not. Throws a Failure where there is no answer. */
  send(method: string, path: string, asked?: Asked): Promise<Answer>;
  /** The JSON object of a success. Throws a Failure for anything else. */
  ask(method: string, path: string, asked?: Asked): Promise<Fields>;
}

/** `secret` goes into the Authorization header only. `null`: the request carries no secret. */
export function apiOf(baseUrl: string, secret: string | null): Api {
  const send = async (method: string, path: string, asked: Asked = {}): Promise<Answer> => {
    const { body, headers = {}, timeoutMs = TIMEOUT_MS } = asked;
    const url = `${baseUrl}${path}${queryOf(asked.query ?? {})}`;
    const request: RequestInit = {
      method,
      headers: {
        Accept: "application/json",
        ...(secret !== null && { Authorization: `Bearer ${secret}` }),
        ...(body !== undefined && { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      // A redirect would carry the secret to another address.
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    };
    try {
      const response = await fetch(url, request);
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, fields: objectIn(text) };
    } catch (error) {
      throw unreachable(baseUrl, method, error);
    }
  };
  return {
    baseUrl,
    send,
    async ask(method, path, asked) {
      const answer = await send(method, path, asked);
      if (answer.status < 200 || answer.status > 299 || answer.fields === null)
        throw failureOf(answer, { baseUrl, method, path });
      return answer.fields;
    },
  };
}

function queryOf(query: NonNullable<Asked["query"]>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) parameters.set(name, `${value}`);
  return parameters.size === 0 ? "" : `?${parameters}`;
}

function unreachable(baseUrl: string, method: string, error: unknown): Failure {
  const isLate = error instanceof Error && error.name === "TimeoutError";
  const problem = isLate ? "gave no answer in time" : `cannot be reached (${causeOf(error)})`;
  const maybeDone = method === "GET" ? "" : "; it is unknown whether the request was carried out";
  return new Failure(`${baseUrl} ${problem}${maybeDone}`, {
    exitCode: EXIT.worthRepeating,
    next:
      baseUrl === LOCAL_URL
        ? `start Keybrake with \`npm start\`, or set ${URL_VARIABLE} to the base URL of another one`
        : `check ${URL_VARIABLE}, or run \`keybrake doctor\``,
    error: { code: isLate ? "no_answer" : "not_reached" },
  });
}

/** The innermost reason: fetch says only "fetch failed". */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return causeOf(error.cause);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}

/** What an answer that is no success means for the caller. */
export function failureOf(answer: Answer, asked: { baseUrl: string; method: string; path: string }): Failure {
  const { status, fields } = answer;
  const error = fields?.["error"];
  if (!isFields(error) || typeof error["message"] !== "string")
    return new Failure(
      `${asked.baseUrl} is not the address of a Keybrake: ${asked.method} ${asked.path} got ${status}`,
      {
        // Something before Keybrake may be down for a moment; anything else is another server.
        exitCode: status >= 502 ? EXIT.worthRepeating : EXIT.wrongUse,
        next: `set ${URL_VARIABLE} to the base URL, with its stage (such as /prod) where it has one; \`keybrake doctor\` looks at it`,
        error: { code: "not_keybrake", status },
      },
    );
  const code = typeof error["code"] === "string" ? error["code"] : null;
  return new Failure(error["message"], {
    exitCode: exitCodeOf(status, code),
    next: nextStepOf({ status, code, error, path: asked.path }),
    error,
  });
}
