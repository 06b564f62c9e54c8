import type { OutcomeFacts, RequestFacts } from "../../domain/audit-fields.ts";
import { type Balance, leftOf, tightestCap } from "../../domain/balance.ts";
import type { Sought } from "../../domain/books.ts";
import { rowCallId } from "../../domain/call/names.ts";
import { type Attempt, newAttempt } from "../../domain/call/record.ts";
import { canonicalPath } from "../../domain/endpoint.ts";
import { type MicroUsd, NOTHING } from "../../domain/money.ts";
import type { Charged, ProblemCode } from "../../domain/problem.ts";
import type { Secrets } from "../../domain/secrets.ts";
import { cut } from "../../domain/text.ts";
import { type ChainMember, chainOf, type Policy } from "../../domain/vault-key.ts";
import type { Quote } from "../../domain/vendor.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { ProxyRequest } from "./proxy-request.ts";
import type { CallFacts } from "./proxy-result.ts";
import { NOTHING_SENT, type VendorFacts } from "./vendor-facts.ts";

/** What the row of an attempt says of it so far. Each step that knows more makes a new one. */
export interface Row {
  readonly policy: Policy;
  readonly attempt: Attempt;
  /** The record that the attempt is on. */
  readonly recordId: string;
  /** The first refusal that a key would have given that only observes, or null. */
  readonly wouldDeny: ProblemCode | null;
  /** Members of the chain with a rate that have not counted the attempt. */
  readonly uncounted: readonly ChainMember[];
}

/** The longest text of a caller or a vendor on a row, in characters. */
const TEXT_LENGTH_MAX = 500;
const METHOD_LENGTH_MAX = 20;

/** The row of a request with a known key. What it may cost is not known yet. */
export function newRow(
  request: ProxyRequest,
  policy: Policy,
  { ids, vendors }: Pick<ProxyPorts, "ids" | "vendors">,
): Row {
  const attemptId = `att_${ids.random(20)}`;
  const recordId = `call_${ids.random(20)}`;
  const idempotencyHeader = vendors.find(policy.vendor)?.idempotencyHeader ?? "idempotency-key";
  const attempt = newAttempt({
    attemptId,
    kind: "own",
    amount: NOTHING,
    policy,
    issuedAtMs: request.startedAtMs,
    request: requestFacts(request, { keyId: policy.keyId, idempotencyHeader, secrets: vendors.secrets }),
  });
  const uncounted = policy.chain.filter(({ maxCallsPerMinute }) => maxCallsPerMinute !== undefined);
  return { policy, attempt, recordId, wouldDeny: null, uncounted };
}

/** The row with what the call can cost at most, and with what finds it in the vendor's books. */
export const withQuote = (
  row: Row,
  { amount, amountText, currency, fxRate }: Quote,
  sought: Sought | null,
): Row => ({
  ...row,
  attempt: {
    ...row.attempt,
    amount,
    ...(sought !== null && Object.keys(sought).length > 0 && { sought }),
    request: {
      ...row.attempt.request,
      amountText: cutOrNull(amountText),
      currency: cutOrNull(currency),
      fxRate,
    },
  },
});

/** The row on another record than before. */
export const onRecord = (row: Row, recordId: string): Row => ({ ...row, recordId });

/** What would have refused a call first is told. A rate that is used up is not told here: it refuses before all else. */
export const withWouldDeny = (row: Row, code: ProblemCode): Row =>
  row.wouldDeny === null ? { ...row, wouldDeny: code } : row;

export const keyIdsOf = ({ policy }: Row): readonly string[] => chainOf(policy);

/** What an answer tells of the call. `leaf`: the key's balance, or null where it was not read. */
export const callFacts = (
  { policy, recordId }: Row,
  {
    charged,
    leaf,
    nowMs,
    wouldDeny = null,
  }: {
    readonly charged: Charged;
    readonly leaf: Balance | null;
    readonly nowMs: number;
    readonly wouldDeny?: ProblemCode | null;
  },
): CallFacts => ({
  callId: rowCallId(recordId),
  vendorName: policy.vendor,
  charged,
  cap: leaf === null ? null : tightestCap(leaf, nowMs),
  wouldDeny,
});

/** What a row says of the outcome. Without `vendor`: nothing was sent. `wouldDeny`: only of a call that went through. */
export const outcomeFacts = (
  { attempt }: Row,
  {
    reason,
    leaf,
    nowMs,
    vendor = NOTHING_SENT,
    wouldDeny = null,
  }: {
    readonly reason: string | null;
    readonly leaf: Balance | null;
    readonly nowMs: number;
    readonly vendor?: VendorFacts;
    readonly wouldDeny?: ProblemCode | null;
  },
): OutcomeFacts => ({
  ...vendor,
  reason,
  wouldDeny,
  remaining: leaf === null ? null : leftInTightest(leaf, nowMs),
  overheadMs: nowMs - attempt.issuedAtMs - (vendor.vendorMs ?? 0),
});

/** Below zero where more is taken than the cap has: what is given back later adds to it. */
function leftInTightest(leaf: Balance, nowMs: number): MicroUsd | null {
  const cap = tightestCap(leaf, nowMs);
  return cap === null ? null : leftOf(cap);
}

function requestFacts(
  request: ProxyRequest,
  {
    keyId,
    idempotencyHeader,
    secrets,
  }: {
    readonly keyId: string;
    readonly idempotencyHeader: string;
    readonly secrets: Secrets;
  },
): RequestFacts {
  const { method, headers, sourceIp } = request;
  const header = (name: string) => {
    const value = headers[name]?.[0];
    return value === undefined ? null : cut(secrets.redact(value), TEXT_LENGTH_MAX);
  };
  return {
    keyId,
    method: method.slice(0, METHOD_LENGTH_MAX),
    path: pathOf(request, secrets),
    callLabel: header("keybrake-label"),
    idempotencyKey: header(idempotencyHeader),
    amountText: null,
    currency: null,
    fxRate: null,
    sourceIp,
    userAgent: header("user-agent"),
  };
}

function pathOf({ rawPath }: ProxyRequest, secrets: Secrets): string {
  const canonical = canonicalPath(rawPath);
  const path = canonical.kind === "path" ? canonical.path : `/${rawPath}`;
  return cut(secrets.redact(path), TEXT_LENGTH_MAX);
}

const cutOrNull = (text: string | null): string | null => (text === null ? null : cut(text, TEXT_LENGTH_MAX));
