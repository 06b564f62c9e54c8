import type { APIGatewayProxyEvent } from "aws-lambda";
import { cut } from "../domain/text.ts";
import { METRICS } from "../environment.ts";
import { headersOf, tokenOf } from "../http/request.ts";
import { count } from "./metrics.ts";
import { vendors } from "./vendors.ts";
import { note } from "./wiring.ts";

/**
 * Requests whose vault key or API key does not exist leave no row: they are counted, and logged here with what an operator
 * needs to find who sends them. Never with the token.
 *
 * One line for an address in a minute, and so many addresses at most, for each process: who guesses must not be able to
 * fill the log, which is paid for by the byte. `requests` says how many the line stands for.
 */
const LINE_EVERY_MS = 60_000;
const ADDRESSES_MAX = 200;
const USER_AGENT_MAX = 200;

const { looksLike, redact } = vendors.secrets;

interface Seen {
  readonly untilMs: number;
  /** Requests since the line. */
  unlogged: number;
}
const seen = new Map<string, Seen>();

/** `log` and `nowMs` are for tests. */
export function countUnknownKey(
  event: APIGatewayProxyEvent,
  log: typeof note = note,
  nowMs: number = Date.now(),
): void {
  count(METRICS.unknownKey);
  const { sourceIp } = event.requestContext.identity;
  const last = seen.get(sourceIp);
  if (last !== undefined && nowMs < last.untilMs) {
    last.unlogged += 1;
    return;
  }
  if (last === undefined && seen.size >= ADDRESSES_MAX) {
    for (const [address, { untilMs }] of seen) if (untilMs <= nowMs) seen.delete(address);
    if (seen.size >= ADDRESSES_MAX) return;
  }
  seen.set(sourceIp, { untilMs: nowMs + LINE_EVERY_MS, unlogged: 0 });
  const headers = headersOf(event);
  const token = tokenOf(headers);
  const userAgent = headers["user-agent"]?.[0] ?? "";
  log("unknown key", {
    source_ip: sourceIp,
    user_agent: cut(
      redact(token === null ? userAgent : userAgent.replaceAll(token, "[redacted]")),
      USER_AGENT_MAX,
    ),
    resource: event.resource,
    looks_like: token === null ? "no key at all" : looksLike(token),
    requests: 1 + (last?.unlogged ?? 0),
  });
}
