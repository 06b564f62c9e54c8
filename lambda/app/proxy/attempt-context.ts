import type { OutcomeFacts, RequestFacts } from "../../domain/audit-fields.ts";
import { type Balance, tightestCap } from "../../domain/balance.ts";
import { othersHold } from "../../domain/call/claim.ts";
import { rowCallId } from "../../domain/call/names.ts";
import type { Attempt, CallRecord } from "../../domain/call/record.ts";
import { newAttempt, unclaimed } from "../../domain/call/record.ts";
import { canonicalPath } from "../../domain/endpoint.ts";
import { NOTHING } from "../../domain/money.ts";
import { type Charged, Problem } from "../../domain/problem.ts";
import { cut } from "../../domain/text.ts";
import type { Policy } from "../../domain/vault-key.ts";
import type { Quote, Vendor, VendorOutcome } from "../../domain/vendor.ts";
import type { Admitted } from "./admit-call.ts";
import { corrected, finish, type Reservation } from "./call-ledger.ts";
import { standingProblem } from "./denial-messages.ts";
import { type Forwarded, forward } from "./forward.ts";
import { noAnswer, WITHHELD } from "./no-answer.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { ProxyRequest } from "./proxy-request.ts";
import type { CallFacts, ProxyResult } from "./proxy-result.ts";

/** All vendor traffic of one call ends this long after it began, and before the process may be ended. */
const VENDOR_MS_MAX = 25_000;
/** Kept free for writing the outcome. */
const OUTCOME_MS = 2_500;
/** With less time than this nothing is sent any more. */
const FORWARD_MS_MIN = 500;
const TEXT_LENGTH_MAX = 500;

const cutOrNull = (text: string | null | undefined): string | null =>
  text == null ? null : cut(text, TEXT_LENGTH_MAX);

/** What all steps of one attempt share: its names, its time, its row, and the ways in which it can end. */
export class AttemptContext {
  readonly request: ProxyRequest;
  readonly policy: Policy;
  readonly ports: ProxyPorts;
  readonly attemptId: string;
  /** The record that the attempt is on. */
  recordId: string;
  /** What the call can cost at most, once that is known. */
  quote: Quote | null = null;
  /**
   * How far it has come. From the first draw on only its own outcome may end the attempt; once a byte may have left, an
   * error is an unknown outcome.
   */
  reached: "nothing" | "draw" | "vendor" = "nothing";
  vendorMs: number | null = null;

  constructor(request: ProxyRequest, policy: Policy, ports: ProxyPorts) {
    this.request = request;
    this.policy = policy;
    this.ports = ports;
    this.attemptId = `att_${ports.ids.random(20)}`;
    this.recordId = `call_${ports.ids.random(20)}`;
  }

  newAttempt(kind: Attempt["kind"]): Attempt {
    const amount = this.quote?.amount ?? NOTHING;
    return newAttempt({
      attemptId: this.attemptId,
      kind,
      amount,
      policy: this.policy,
      issuedAtMs: this.request.startedAtMs,
      request: this.#requestFacts(),
    });
  }

  readChain(): Promise<readonly (Balance | null)[]> {
    return this.ports.vault.balances.read(this.#keyIds());
  }

  standingProblem(balances: readonly (Balance | null)[]): Problem | null {
    return standingProblem(this.#keyIds(), balances, this.ports.clock.now());
  }

  /** By the wall clock, since a machine may have slept between two steps. */
  outOfTime(): Problem | null {
    if (this.#timeLeftMs() >= FORWARD_MS_MIN) return null;
    return new Problem("out_of_time", "there was no time left to call the vendor; repeat the call");
  }

  async forward(admitted: Admitted): Promise<Forwarded> {
    const { clock, warn } = this.ports;
    const startMs = clock.now();
    this.reached = "vendor";
    const forwarded = await forward(admitted, this.policy, this.#timeLeftMs(), this.ports, () => clock.now());
    this.vendorMs = clock.now() - startMs;
    const { reply } = forwarded;
    if (reply.kind === "unreachable" || reply.kind === "broken")
      warn(`the vendor's connection was ${reply.kind}`, reply.cause);
    if (forwarded.withheld !== null)
      warn(`the vendor's answer ${WITHHELD[forwarded.withheld]}, so it was withheld`, null);
    return forwarded;
  }

  /** A refusal that is on no record yet. A key that ended says so first; the row is written before the answer. */
  async refuse(problem: Problem): Promise<ProxyResult> {
    const balances = await this.readChain();
    const record = unclaimed(this.recordId, this.newAttempt("own"));
    return this.deny(record, this.standingProblem(balances) ?? problem, { leaf: balances.at(-1) ?? null });
  }

  /** W5 of a denial: whatever was drawn is given back, the row says why, and the answer is the last thing to happen. */
  async deny(record: CallRecord, problem: Problem, reservation: Partial<Reservation>): Promise<ProxyResult> {
    const { vault, clock } = this.ports;
    const { drawn = [], ambiguous = [], leaf = null, refusal = null } = reservation;
    let said = problem;
    const { corrections } = await finish(
      record,
      this.attemptId,
      { kind: "denied", drawn, ambiguous },
      {
        facts: (folded) => {
          const lacksBudget = refusal?.reason === "daily_cap" || refusal?.reason === "total_cap";
          said = lacksBudget && othersHold(folded.record, this.attemptId) ? heldByAnother() : problem;
          return this.outcomeFacts(said.code, null, null, corrected(leaf, folded.corrections));
        },
        effect: () => null,
        rerunsFailures: false,
      },
      vault,
      clock,
    );
    return this.denied(said, corrected(leaf, corrections));
  }

  denied(problem: Problem, leaf: Balance | null): ProxyResult {
    return { kind: "denied", problem, facts: this.#facts(problem.charged, leaf) };
  }

  /** The vendor's answer as it came, or ours in its place where there is none to show. */
  answered(forwarded: Forwarded, charged: Charged, leaf: Balance | null): ProxyResult {
    const { reply, answer, withheld } = forwarded;
    if (reply.kind === "answer" && answer !== null && withheld === null)
      return { kind: "forwarded", reply, decoded: answer.body, facts: this.#facts(charged, leaf) };
    return this.denied(noAnswer(forwarded, charged, rowCallId(this.recordId)), leaf);
  }

  outcomeFacts(
    reason: string | null,
    forwarded: Forwarded | null,
    reading: VendorOutcome | null,
    leaf: Balance | null,
    vendor?: Vendor,
  ): OutcomeFacts {
    const nowMs = this.ports.clock.now();
    const reply = forwarded?.reply;
    const answer = reply?.kind === "answer" || reply?.kind === "too_large" ? reply : null;
    const isShown = answer !== null && forwarded?.withheld === null;
    return {
      reason,
      remaining: leaf === null ? null : (tightestCap(leaf, nowMs)?.remaining ?? null),
      amountText: reading?.amountText ?? null,
      currency: reading?.currency ?? null,
      fxRate: reading?.fxRate ?? null,
      vendorStatus: answer?.status ?? null,
      vendorRequestId: isShown ? (vendor?.requestId(answer.headers) ?? null) : null,
      vendorObjectId: reading?.objectId ?? null,
      vendorCustomerId: reading?.customerId ?? null,
      replayed: reading?.replayed ?? false,
      vendorMs: this.vendorMs,
      overheadMs: nowMs - this.request.startedAtMs - (this.vendorMs ?? 0),
    };
  }

  path(): string {
    const canonical = canonicalPath(this.request.rawPath);
    const path = canonical.kind === "path" ? canonical.path : `/${this.request.rawPath}`;
    return cut(this.ports.vendors.secrets.redact(path), TEXT_LENGTH_MAX);
  }

  #facts(charged: Charged, leaf: Balance | null): CallFacts {
    const cap = leaf === null ? null : tightestCap(leaf, this.ports.clock.now());
    return { callId: rowCallId(this.recordId), vendorName: this.policy.vendor, charged, cap };
  }

  #requestFacts(): RequestFacts {
    const { method, headers, sourceIp } = this.request;
    const header = (name: string) => {
      const value = headers[name]?.[0];
      return value === undefined ? null : cut(this.ports.vendors.secrets.redact(value), TEXT_LENGTH_MAX);
    };
    return {
      keyId: this.policy.keyId,
      method: method.slice(0, 20),
      path: this.path(),
      callLabel: header("keybrake-label"),
      idempotencyKey: header(
        this.ports.vendors.find(this.policy.vendor)?.idempotencyHeader ?? "idempotency-key",
      ),
      amountText: cutOrNull(this.quote?.amountText),
      currency: cutOrNull(this.quote?.currency),
      fxRate: this.quote?.fxRate ?? null,
      sourceIp,
      userAgent: header("user-agent"),
    };
  }

  #timeLeftMs(): number {
    const { startedAtMs, deadlineMs } = this.request;
    return Math.min(startedAtMs + VENDOR_MS_MAX, deadlineMs - OUTCOME_MS) - this.ports.clock.now();
  }

  #keyIds = (): readonly string[] => this.policy.chain.map(({ keyId }) => keyId);
}

const heldByAnother = () =>
  new Problem(
    "idempotency_key_in_use",
    "another attempt of this call still holds budget for it; repeat it with the same Idempotency-Key in a moment",
    { otherAttempts: true },
  );
