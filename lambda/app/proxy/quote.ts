import { limitProblem } from "../../domain/limit-problem.ts";
import { Problem } from "../../domain/problem.ts";
import { rootOf } from "../../domain/vault-key.ts";
import type { Known, PricedRule, Quote } from "../../domain/vendor.ts";
import type { Admitted } from "./admit.ts";
import { addressOf, type VendorCall, type VendorPorts } from "./call-vendor.ts";
import { standingProblem } from "./denial-messages.ts";
import { type Denial, denialOnOwnRecord, problemOf } from "./denials.ts";
import { lookUp } from "./look-up.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { ProxyRequest } from "./proxy-request.ts";
import { keyIdsOf, type Row, withQuote } from "./row.ts";

/** A call that costs nothing. */
export interface FreeCall {
  readonly request: ProxyRequest;
  readonly row: Row;
  readonly call: VendorCall;
}

/** A call that moves or commits money, with the most that it can cost. */
export interface PaidCall extends FreeCall {
  readonly price: Price;
}

export interface Price {
  readonly rule: PricedRule;
  readonly quote: Quote;
  readonly known: Known;
}

export type Quoted = ({ readonly kind: "free" } & FreeCall) | ({ readonly kind: "paid" } & PaidCall);

type QuotePorts = VendorPorts & Pick<ProxyPorts, "vault" | "rateCard">;

/**
 * What can the call cost at most? What the request does not say is asked: of what is counted for its object, and of the
 * vendor by a question that costs nothing. Nothing has happened yet, whatever comes out.
 */
export async function quote(admitted: Admitted, ports: QuotePorts): Promise<Quoted | Denial> {
  const { request, row, vendorRequest, rule } = admitted;
  try {
    if (rule.kind === "free") {
      throwIfProblem(rule.check(vendorRequest, row.policy.limits));
      return { kind: "free", request, row, call: await callOf(admitted, ports) };
    }
    const price = await priceOf(rule, admitted, ports);
    const call = await callOf(admitted, ports);
    return { kind: "paid", request, row: withQuote(row, price.quote), call, price };
  } catch (error) {
    return denialOnOwnRecord(row, problemOf(error, "no"));
  }
}

/** The upper bound by the vendor's own rule, within what the key may do in a call. */
async function priceOf(rule: PricedRule, admitted: Admitted, ports: QuotePorts): Promise<Price> {
  const { request, row, vendor, vendorRequest } = admitted;
  const { policy } = row;
  const { limits } = policy;
  const objectId = rule.objectOf?.(vendorRequest) ?? null;
  const object =
    objectId === null ? null : await ports.vault.objects.read({ rootId: rootOf(policy), objectId });
  const needsRecipient = limits.recipients !== null || limits.maxRecipients !== null;
  const path = rule.lookup?.(vendorRequest, needsRecipient) ?? null;
  if (path !== null) await checkStanding(row, ports);
  const found =
    path === null
      ? null
      : await lookUp(
          { vendor, policy, path, headers: request.headers, secret: (await callOf(admitted, ports)).secret },
          request,
          ports,
        );
  const known: Known = { object, found, rateCard: ports.rateCard, limits };
  const quoted = rule.quote(vendorRequest, known);
  if (quoted instanceof Problem) throw quoted;
  throwIfProblem(limitProblem(quoted, limits, vendor, policy.keyId));
  return { rule, quote: quoted, known };
}

/** A key that has ended asks nothing any more. Whether it still stands when the call is made is checked there. */
async function checkStanding(row: Row, { vault, clock }: QuotePorts): Promise<void> {
  const keyIds = keyIdsOf(row);
  throwIfProblem(standingProblem(keyIds, await vault.balances.read(keyIds), clock.now()));
}

/** The call as it is sent: where it goes, and the credential that it goes with, as it is after any question before. */
async function callOf(
  { vendor, vendorRequest, row }: Admitted,
  { credentials }: QuotePorts,
): Promise<VendorCall> {
  const { vendor: name, credential } = row.policy;
  const secret = await credentials.read({ vendor: name, credential, fresh: false });
  if (secret === null || vendor.authorize(secret) === null) {
    const wrong =
      secret === null
        ? `no credential "${credential}" is set for ${name}`
        : `the credential "${credential}" of ${name} has the wrong form; expected ${vendor.credentialAccepted}`;
    throw new Problem(
      "credential_missing",
      `${wrong}; an operator can ${credentials.howToSet({ vendor: name, credential })}`,
    );
  }
  const address = addressOf(vendor, vendorRequest, secret);
  if (address instanceof Problem) throw address;
  return { vendor, request: vendorRequest, address, secret };
}

function throwIfProblem(problem: Problem | null): void {
  if (problem !== null) throw problem;
}
