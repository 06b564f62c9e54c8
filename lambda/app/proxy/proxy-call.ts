import { type Charged, Problem } from "../../domain/problem.ts";
import { admit } from "./admit-call.ts";
import { AttemptContext } from "./attempt-context.ts";
import { freeCall } from "./free-call.ts";
import { identify } from "./identify-key.ts";
import { paidCall } from "./paid-call.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { ProxyRequest } from "./proxy-request.ts";
import type { ProxyResult } from "./proxy-result.ts";

/**
 * One call of a vendor with a vault key: admit, claim, reserve, forward, record, give back.
 *
 * The order is the product: no byte leaves before its reservation is durable, and an outcome that is unknown keeps it.
 * What is true if the process dies after each step stands in docs/architecture.md. A refusal is a result, never thrown;
 * only a refusal of an unknown key leaves no row.
 */
export async function proxyCall(request: ProxyRequest, ports: ProxyPorts): Promise<ProxyResult> {
  const policy = await identify(request.token, ports).catch((error: unknown) => problemOf(error, "no"));
  if (policy instanceof Problem) return { kind: "denied", problem: policy, facts: null };

  const context = new AttemptContext(request, policy, ports);
  try {
    const admitted = await admit(request, policy, ports);
    const { price } = admitted;
    return price.kind === "free"
      ? await freeCall(context, admitted)
      : await paidCall(context, admitted, price);
  } catch (error) {
    if (context.reached === "vendor") return context.denied(problemOf(error, "unknown"), null);
    const problem = problemOf(error, "no");
    // A draw may be held: its attempt stays open, and is finished on evidence.
    if (context.reached === "draw") return context.denied(problem, null);
    return context.refuse(problem).catch((second: unknown) => context.denied(problemOf(second, "no"), null));
  }
}

const problemOf = (error: unknown, charged: Charged): Problem =>
  error instanceof Problem
    ? error
    : new Problem("ledger_unavailable", "the ledger failed on this call; repeat it", {
        charged,
        cause: error,
      });
