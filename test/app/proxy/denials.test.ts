import { describe, expect, test } from "vitest";
import { type Denial, problemOf, recordDenial } from "../../../lambda/app/proxy/denials.ts";
import type { Reservation } from "../../../lambda/app/proxy/draw-chain.ts";
import type { ProxyPorts } from "../../../lambda/app/proxy/proxy-ports.ts";
import { newRow, withQuote } from "../../../lambda/app/proxy/row.ts";
import { unclaimed } from "../../../lambda/domain/call/record.ts";
import { microUsd } from "../../../lambda/domain/money.ts";
import { Problem } from "../../../lambda/domain/problem.ts";
import { vendorRegistry } from "../../../lambda/vendors/index.ts";
import { MemoryVault } from "../../support/memory-vault.ts";
import { balanceOf, drawOf, policyOf, START_MS } from "../../support/vault-facts.ts";

/** Guarantees that a denial writes what may still be written of its attempt, and no more, also when the ledger fails. */

const KEY = "key_1";
const refusal = new Problem("spend_cap_exceeded", "it does not fit");

const row = withQuote(
  newRow(
    {
      requestId: "req_1",
      token: null,
      vendorName: "stripe",
      method: "POST",
      rawPath: "v1/charges",
      query: {},
      headers: {},
      body: new Uint8Array(),
      sourceIp: null,
      startedAtMs: START_MS + 1,
      deadlineMs: START_MS + 28_000,
    },
    policyOf(KEY),
    { vendors: vendorRegistry(), ids: { random: (length) => "x".repeat(length) } },
  ),
  {
    amount: microUsd(4n),
    amountText: "4",
    currency: "usd",
    fxRate: null,
    recipients: null,
    explanation: null,
  },
  null,
);
const { attemptId } = row.attempt;
const record = unclaimed(row.recordId, row.attempt);

/** A vault with a draw of the attempt, whose first `failures` writes of a record are lost. */
function portsWith(failures: number): Pick<ProxyPorts, "vault" | "clock"> & { readonly vault: MemoryVault } {
  const vault = new MemoryVault();
  vault.state.putBalance(balanceOf(KEY));
  vault.state.draw(drawOf(KEY, 4n, { attemptId }), null);
  let left = failures;
  const save: typeof vault.calls.save = async (...args) => {
    if (left-- > 0) throw new Error("the table did not answer");
    return vault.state.saveCall(...args);
  };
  return {
    vault: Object.assign(vault, { calls: { ...vault.calls, save } }),
    clock: { now: () => START_MS + 2 },
  };
}

const reservation: Reservation = {
  drawn: [KEY],
  ambiguous: [],
  leaf: balanceOf(KEY, { leftByWindow: { 0: microUsd(6n) } }),
  refusal: null,
  refusals: [],
  drawnUntilMs: Number.MAX_VALUE,
  wouldRefuse: [],
  uncounted: [],
};

const denied = { kind: "denied", problem: refusal, row } as const;
const DENIALS = {
  own_record: { ...denied, writes: "own_record" },
  outcome: { ...denied, writes: "outcome", record, leaf: null },
  give_back: { ...denied, writes: "give_back", record, reservation },
  nothing: { ...denied, writes: "nothing" },
} as const satisfies Record<Denial["writes"], Denial>;

describe("a denial that writes", () => {
  test.each<[Denial["writes"], number, string, string | null, bigint]>([
    ["own_record", 0, "spend_cap_exceeded", "spend_cap_exceeded", 6n],
    ["own_record", 1, "ledger_unavailable", "ledger_unavailable", 6n],
    ["own_record", 2, "ledger_unavailable", null, 6n],
    ["outcome", 0, "spend_cap_exceeded", "spend_cap_exceeded", 6n],
    ["outcome", 1, "ledger_unavailable", "ledger_unavailable", 6n],
    ["outcome", 2, "ledger_unavailable", null, 6n],
    // What was drawn goes back once, with the row that says so, or it stays held.
    ["give_back", 0, "spend_cap_exceeded", "spend_cap_exceeded", 10n],
    ["give_back", 1, "ledger_unavailable", null, 6n],
    ["nothing", 0, "spend_cap_exceeded", null, 6n],
  ])(
    "%s with %i lost writes is told as %s and recorded as %s",
    async (writes, failures, told, recorded, left) => {
      const ports = portsWith(failures);

      const { problem, facts } = await recordDenial(DENIALS[writes], ports);

      const attempts = ports.vault.state.calls.get(row.recordId)?.attempts ?? {};
      expect([problem.code, problem.charged, facts?.callId]).toEqual([told, "no", row.recordId]);
      expect(attempts[attemptId]?.outcome?.reason ?? null).toBe(recorded);
      expect(ports.vault.state.balances.get(KEY)?.leftByWindow[0]).toBe(left);
    },
  );
});

/** Guarantees that no error is told as "nothing was charged" once the vendor may have been reached. */
test.each([
  ["no", "no", refusal],
  ["unknown", "unknown", refusal],
  ["unknown", "yes", new Problem("vendor_timeout", "no answer", { charged: "yes" })],
  ["unknown", "unknown", new Error("a bug")],
] as const)("where it is certain that %s, an error says %s", (certain, told, error) => {
  expect(problemOf(error, certain).charged).toBe(told);
});
