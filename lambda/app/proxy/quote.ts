import type { Sought } from "../../domain/books.ts";
import { limitProblem } from "../../domain/limit-problem.ts";
import { Problem } from "../../domain/problem.ts";
import { rootOf } from "../../domain/vault-key.ts";
import type { Known, PricedRule, Quote } from "../../domain/vendor.ts";
import type { Admitted } from "./admit.ts";
import { addressOf, type VendorCall, type VendorPorts } from "./call-vendor.ts";
import { standsNow } from "./check-in.ts";
import { type Denial, denialOnOwnRecord, problemOf } from "./denials.ts";
import { lookUp } from "./look-up.ts";
import { checked } from "./observe.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { ProxyRequest } from "./proxy-request.ts";
import { type Row, withQuote } from "./row.ts";

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
      const seen = checked(row, ({ limits }) => rule.check(vendorRequest, limits));
      return { kind: "free", request, row: seen.row, call: await callOf(admitted, ports) };
    }
    const priced = await priceOf(rule, admitted, ports);
    const call = await callOf(admitted, ports);
    const { price } = priced;
    return {
      kind: "paid",
      request,
      row: withQuote(priced.row, price.quote, soughtOf(admitted, price.quote)),
      call,
      price,
    };
  } catch (error) {
    return denialOnOwnRecord(row, problemOf(error, "no"));
  }
}

/** What finds the call in the vendor's books, should its outcome stay unknown. */
const soughtOf = ({ vendor, vendorRequest }: Admitted, quote: Quote): Sought | null =>
  vendor.soughtOf(vendorRequest, quote);

/** The upper bound by the vendor's own rule, within what the key may do in a call. */
async function priceOf(
  rule: PricedRule,
  admitted: Admitted,
  ports: QuotePorts,
): Promise<{ readonly price: Price; readonly row: Row }> {
  const { request, row, vendor, vendorRequest } = admitted;
  const { policy } = row;
  const { limits } = policy;
  const objectId = rule.objectOf?.(vendorRequest) ?? null;
  const object =
    objectId === null ? null : await ports.vault.objects.read({ rootId: rootOf(policy), objectId });
  const needsRecipient = limits.recipients !== null || limits.maxRecipients !== null;
  const path = rule.lookup?.(vendorRequest, needsRecipient) ?? null;
  if (path !== null) throwIfProblem(await standsNow(row, ports));
  const found =
    path === null
      ? null
      : await lookUp(
          { vendor, policy, path, headers: request.headers, secret: (await callOf(admitted, ports)).secret },
          request,
          ports,
        );
  const quoted = checked(row, (allowed) => {
    const known: Known = { object, found, rateCard: ports.rateCard, limits: allowed.limits };
    const result = rule.quote(vendorRequest, known);
    return result instanceof Problem ? result : { rule, quote: result, known };
  });
  const within = checked(quoted.row, (allowed) =>
    limitProblem(quoted.value.quote, allowed.limits, vendor, allowed.keyId),
  );
  return { price: quoted.value, row: within.row };
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
