import { type Balance, type CapStatus, tightestCap } from "../../domain/balance.ts";
import {
  type Attempt,
  type CallRecord,
  type OutcomeFacts,
  othersHold,
  type RequestFacts,
  rowCallId,
} from "../../domain/call.ts";
import { type Charged, Problem } from "../../domain/denial.ts";
import { canonicalPath } from "../../domain/endpoint.ts";
import { NOTHING } from "../../domain/money.ts";
import { redact } from "../../domain/secrets.ts";
import type { Terms } from "../../domain/terms.ts";
import { cut } from "../../domain/text.ts";
import type { Policy } from "../../domain/vault-key.ts";
import type { Address, Quote, Reading, Vendor } from "../../domain/vendor.ts";
import type { HeldBudget } from "../../ports/audit.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Credentials } from "../../ports/credentials.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Vault } from "../../ports/vault.ts";
import type { VendorHttp, VendorReply } from "../../ports/vendor-http.ts";
import type { VendorRegistry } from "../../vendors/registry.ts";
import type { Admitted, ProxyRequest } from "./admit-call.ts";
import { corrected, finish, newAttempt, type Reservation, unclaimed } from "./call-ledger.ts";
import { standingProblem } from "./cap-problems.ts";
import { type Forwarded, forward } from "./forward.ts";
import type { IdentifyPorts } from "./identify-key.ts";
import { noAnswer, WITHHELD } from "./no-answer.ts";

export interface ProxyPorts extends IdentifyPorts {
  readonly vendors: VendorRegistry;
  readonly vault: Vault;
  readonly credentials: Credentials;
  readonly http: VendorHttp;
  readonly held: HeldBudget;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Where a call goes: to the vendor's own host, or to the origin configured in the place of all of them. */
  readonly destinationOf: (vendor: Vendor, address: Address) => Destination;
  readonly terms: Terms;
  /** For what the caller is not told of: an operator should know. */
  readonly warn: (message: string, cause: unknown) => void;
}

/** An origin without a path, and the path there. */
export interface Destination {
  readonly origin: string;
  readonly path: string;
}

/** What every answer tells of the call and its key. */
export interface CallFacts {
  readonly callId: string;
  readonly vendorName: string;
  readonly charged: Charged;
  /** The tightest cap after this call; null where the balance was not read. */
  readonly cap: CapStatus | null;
}

export type ProxyResult =
  | {
      readonly kind: "forwarded";
      readonly reply: VendorReply & { readonly kind: "answer" };
      /** The body without its codings. */
      readonly decoded: Uint8Array;
      readonly facts: CallFacts;
    }
  | { readonly kind: "denied"; readonly problem: Problem; readonly facts: CallFacts | null };

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
    return newAttempt(
      this.attemptId,
      kind,
      amount,
      this.policy,
      this.request.startedAtMs,
      this.#requestFacts(),
    );
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
    reading: Reading | null,
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
    return cut(redact(path), TEXT_LENGTH_MAX);
  }

  #facts(charged: Charged, leaf: Balance | null): CallFacts {
    const cap = leaf === null ? null : tightestCap(leaf, this.ports.clock.now());
    return { callId: rowCallId(this.recordId), vendorName: this.policy.vendor, charged, cap };
  }

  #requestFacts(): RequestFacts {
    const { method, headers, sourceIp } = this.request;
    const header = (name: string) => {
      const value = headers[name]?.[0];
      return value === undefined ? null : cut(redact(value), TEXT_LENGTH_MAX);
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
