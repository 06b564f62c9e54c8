import { problemOf } from "./denials.ts";
import { findPolicy } from "./find-policy.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { ProxyRequest } from "./proxy-request.ts";
import type { DeniedResult } from "./proxy-result.ts";
import { newRow, type Row } from "./row.ts";

/** A request with a key that was issued here. Whether the key may still be used is on its balance. */
export interface Identified {
  readonly kind: "identified";
  readonly request: ProxyRequest;
  readonly row: Row;
}

/** Whose call is it? Nothing of a key that is not known is written, so its denial is the whole result. */
export async function identify(
  request: ProxyRequest,
  ports: Pick<ProxyPorts, "vault" | "vaultKeyHint" | "vendors" | "ids">,
): Promise<Identified | DeniedResult> {
  try {
    const policy = await findPolicy(request.token, ports);
    return { kind: "identified", request, row: newRow(request, policy, ports) };
  } catch (error) {
    return { kind: "denied", problem: problemOf(error, "no"), facts: null };
  }
}
