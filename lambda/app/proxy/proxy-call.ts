import { admit } from "./admit.ts";
import { claim, type Joined } from "./claim.ts";
import { type Denial, recordDenial } from "./denials.ts";
import { identify } from "./identify.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { ProxyRequest } from "./proxy-request.ts";
import type { ProxyResult } from "./proxy-result.ts";
import { type PaidCall, quote } from "./quote.ts";
import { recordFreeCall } from "./record-free-call.ts";
import { type Reserved, reserve } from "./reserve.ts";
import { send } from "./send.ts";
import { settle } from "./settle.ts";

/**
 * One call of a vendor with a vault key.
 *
 * The order is the product: no byte leaves before its reservation is durable, and an outcome that is unknown keeps it.
 * What is true if the process dies after each step stands in docs/architecture.md. Each step says by its denial what an error
 * in it means. A refusal is a result, never thrown; only a refusal of an unknown key leaves no row.
 */
export async function proxyCall(request: ProxyRequest, ports: ProxyPorts): Promise<ProxyResult> {
  const identified = await identify(request, ports);
  if (identified.kind === "denied") return identified;

  const admitted = admit(identified, ports);
  if (admitted.kind === "denied") return recordDenial(admitted, ports);

  const quoted = await quote(admitted, ports);
  if (quoted.kind === "denied") return recordDenial(quoted, ports);

  const ready =
    quoted.kind === "free" ? await recordFreeCall(quoted, ports) : await holdBudget(quoted, ports);
  if (ready.kind === "denied") return recordDenial(ready, ports);

  const sent = await send(ready, ports);
  if (sent.kind === "denied") return recordDenial(sent, ports);

  return settle(sent, ports);
}

/** An attempt that joins a call uses what is held for it, and reserves nothing. */
async function holdBudget(paid: PaidCall, ports: ProxyPorts): Promise<Reserved | Joined | Denial> {
  const claimed = await claim(paid, ports);
  return claimed.kind === "claimed" ? reserve(claimed, ports) : claimed;
}
