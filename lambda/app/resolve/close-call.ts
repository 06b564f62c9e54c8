import type { Folded } from "../../domain/call/change.ts";
import { closed, type Verdict } from "../../domain/call/close.ts";
import { correctionsBy } from "../../domain/call/corrections.ts";
import type { CallRecord } from "../../domain/call/record.ts";
import { dollars, minus, NOTHING } from "../../domain/money.ts";
import { type Policy, rootOf } from "../../domain/vault-key.ts";
import type { VendorRequest } from "../../domain/vendor.ts";
import type { ObjectEffect } from "../../ports/objects.ts";
import type { Vault } from "../../ports/vault.ts";
import { endpointOf } from "../../vendors/catalog-entry.ts";
import type { ProxyPorts } from "../proxy/proxy-ports.ts";
import { sendCorrections } from "../proxy/send-corrections.ts";

export interface ClosePorts extends Pick<ProxyPorts, "vendors" | "clock" | "ids" | "warn"> {
  readonly vault: Pick<Vault, "calls" | "balances">;
}

/** What is to be closed, how, and who says so. */
export interface Closing {
  /** The record as it was last read. */
  readonly record: CallRecord;
  readonly verdict: Verdict;
  readonly by: string;
  /** Of the key whose call it is; null where it is gone. */
  readonly policy: Policy | null;
}

export type CloseResult =
  | { readonly kind: "closed"; readonly record: CallRecord }
  /** Nothing of it is unresolved. */
  | { readonly kind: "nothing" }
  /** Another write was first: whoever asked has to look again. */
  | { readonly kind: "stale"; readonly record: CallRecord | null };

/**
 * Closes a call by one compare-and-set write, with what it counts for an object of the vendor, and sends what that decides
 * once, as W5 to W7 do. Throws where the record cannot be written: then it stays as it is.
 */
export async function closeCall(closing: Closing, ports: ClosePorts): Promise<CloseResult> {
  const { record, verdict, by } = closing;
  const { vault, clock, ids, warn } = ports;
  const writer = `close_${ids.random(20)}`;
  const folded = closed(record, verdict, by, writer, clock.now());
  if (folded === null) return { kind: "nothing" };

  const effect = effectOf(folded, closing, ports);
  const first = await vault.calls.save(folded.record, record.version, effect);
  // What has ended was given back with its end; the charge counts all the same.
  const saved =
    first.kind === "object_ended" ? await vault.calls.save(folded.record, record.version, null) : first;
  const isOurs =
    saved.kind === "saved" ||
    (saved.kind === "stale" && saved.record !== null && correctionsBy(saved.record, writer).length > 0);
  // An earlier send of ours landed though its reply was lost: what it decided is still ours to send.
  if (!isOurs) return { kind: "stale", record: saved.kind === "stale" ? saved.record : null };

  const { corrections } = folded;
  const beyond = corrections.find(({ amount }) => amount < 0n);
  if (beyond !== undefined)
    warn(`${record.callId} cost more than was reserved: ${dollars(beyond.amount)} beyond`, null);
  await sendCorrections({ record: folded.record, corrections }, vault);
  return { kind: "closed", record: folded.record };
}

/** What the charge counts for an object of the vendor: the one that was found, or the one that the path of the call names. */
function effectOf(
  { paidBy }: Folded,
  { verdict, policy }: Closing,
  { vendors, clock }: ClosePorts,
): ObjectEffect | null {
  if (verdict.kind !== "charged" || paidBy === null || policy === null) return null;
  const { attempt, price, drawn } = paidBy;
  const { method, path } = attempt.request;
  const named = price > 0n ? objectNamed(policy.vendor, method, path, vendors) : null;
  const counts = verdict.counts ?? (named === null ? null : { objectId: named, total: NOTHING });
  if (counts === null) return null;
  const { objectId, total } = counts;
  const { attemptId, windows } = attempt;
  const entry = { attemptId, amount: drawn, beyond: minus(price, drawn), total, windows };
  return { kind: "count", rootId: rootOf(policy), objectId, entry, nowMs: clock.now() };
}

/** The counted object that a path names, such as a PaymentIntent that is captured. What a body names is not kept. */
function objectNamed(
  vendorName: string,
  method: string,
  path: string,
  vendors: ProxyPorts["vendors"],
): string | null {
  const vendor = vendors.find(vendorName);
  if (vendor === null) return null;
  const asked = vendor.catalogPath(path);
  const rule = endpointOf(vendor, method, asked)?.rule;
  const request: VendorRequest = { method, path: asked, query: {}, headers: {}, body: new Uint8Array() };
  return rule?.kind === "priced" ? (rule.objectOf?.(request) ?? null) : null;
}
