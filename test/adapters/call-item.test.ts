import { expect, test } from "vitest";
import { callItem, readCallItem } from "../../lambda/adapters/vault-items/call-item.ts";
import type { Attempt, AttemptState } from "../../lambda/domain/call/record.ts";
import { newAttempt, unclaimed } from "../../lambda/domain/call/record.ts";
import { microUsd } from "../../lambda/domain/money.ts";

const request = {
  keyId: "key_a",
  method: "POST",
  path: "/v1/charges",
  callLabel: null,
  idempotencyKey: null,
  amountText: null,
  currency: null,
  fxRate: null,
  sourceIp: null,
  userAgent: null,
};

const recordOf = (state: AttemptState, kind: Attempt["kind"]) => {
  const policy = { chain: [{ keyId: "key_a", issuedAtMs: 0 }] };
  const attempt = newAttempt({
    attemptId: "att_a",
    kind,
    amount: microUsd(10n),
    policy,
    issuedAtMs: 5,
    request,
  });
  return { ...unclaimed("call_a", { ...attempt, state }), payingAttemptId: "att_b", joiners: 3 };
};

/** Guarantees that items keep the words they were written with: a table of an older version opens, and so does ours there. */
test.each<[AttemptState, Attempt["kind"], string, string]>([
  ["open", "own", "open", "own"],
  ["settled", "own", "settled", "own"],
  ["released", "own", "released", "own"],
  ["paid_by_other", "own", "covered", "own"],
  ["denied", "joiner", "denied", "rider"],
  ["unresolved", "own", "unresolved", "own"],
  ["joined", "joiner", "rode", "rider"],
  ["free", "free", "free", "free"],
])("an attempt that is %s and %s is stored as %s and %s", (state, kind, storedState, storedKind) => {
  const record = recordOf(state, kind);

  const item = callItem(record);

  expect(item["a_att_a"]?.M).toMatchObject({ state: { S: storedState }, kind: { S: storedKind } });
  expect(item).toMatchObject({ cover: { S: "att_b" }, riders: { N: "3" } });
  expect(readCallItem(item)).toEqual(record);
});
