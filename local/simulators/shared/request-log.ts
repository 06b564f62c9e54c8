import type { IncomingMessage } from "node:http";

const KEPT = 50_000;

/** One request as it came, on the wire of `GET /requests`. Beside these it has the headers its vendor names. */
export interface LoggedRequest {
  readonly request_id: string;
  readonly received_ms: number;
  readonly method: string;
  /** With its query, untouched. */
  readonly path: string;
  /** Names in lower case, as often and in the order they came. */
  readonly headers: readonly string[];
  readonly idempotency_key: string | null;
  readonly content_type: string | null;
  readonly body: string;
}

/**
 * Every request that reached the vendor's API, refused ones included, oldest first; of more than 50,000 the newest. No
 * value of a header is kept but those named: the Authorization value is a secret.
 */
export interface RequestLog {
  list(): readonly LoggedRequest[];
  clear(): void;
  add(request: IncomingMessage, body: string, requestId: string, receivedMs: number): void;
}

/** `keptHeaders` says what further headers are kept: the field of the log to the header, `{stripe_account: "stripe-account"}`. */
export function openRequestLog(keptHeaders: Readonly<Record<string, string>> = {}): RequestLog {
  let requests: LoggedRequest[] = [];
  const headerNames = openHeaderNames();
  return {
    list: () => requests.slice(-KEPT),
    clear() {
      requests = [];
    },
    add({ method, url, headers, rawHeaders }, body, requestId, receivedMs) {
      if (requests.length >= 2 * KEPT) requests = requests.slice(-KEPT);
      const kept = Object.entries(keptHeaders).map(([field, name]) => [field, headerText(headers[name])]);
      requests.push({
        request_id: requestId,
        received_ms: receivedMs,
        method: method ?? "",
        path: url ?? "",
        headers: headerNames(rawHeaders),
        idempotency_key: headerText(headers["idempotency-key"]),
        ...Object.fromEntries(kept),
        content_type: headerText(headers["content-type"]),
        body,
      });
    },
  };
}

/** Names of headers in lower case. Requests of one client have the same ones, which are kept once for all of them. */
function openHeaderNames(): (rawHeaders: readonly string[]) => readonly string[] {
  let last: { readonly sent: string; readonly names: readonly string[] } | undefined;
  return (rawHeaders) => {
    const names = rawHeaders.filter((_, index) => index % 2 === 0);
    const sent = names.join(" ");
    if (last?.sent !== sent) last = { sent, names: names.map((name) => name.toLowerCase()) };
    return last.names;
  };
}

/** A header's value, those of several joined by commas; null if it was not sent or is empty. */
export function headerText(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value.join(", ") : value) || null;
}
