/** A request that got no answer, or an error in place of one. `message` is for the reader. */
export class Failure extends Error {
  override readonly name = "Failure";
  /** 0: there was no answer. */
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;

  constructor(message: string, status: number, code: string, requestId: string | null) {
    super(message);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }

  /** The login is over, or was never there. */
  get isLogin(): boolean {
    return this.status === 401;
  }
}

/** The error of an answer. `text`: its body, which may come from something between us and Keybrake. */
export function failureOf(status: number, text: string): Failure {
  const { message, code, request_id } = errorIn(text);
  return new Failure(
    message ?? `got status ${status} without a message of Keybrake`,
    status,
    code ?? "no_code",
    request_id ?? null,
  );
}

export const noAnswer = (reason: string) => new Failure(reason, 0, "no_answer", null);

interface ErrorBody {
  readonly message?: string;
  readonly code?: string;
  readonly request_id?: string;
}

function errorIn(text: string): ErrorBody {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && "error" in body) return (body.error ?? {}) as ErrorBody;
  } catch {
    // Not JSON: an answer of something else.
  }
  return {};
}
