import { afterAll, beforeAll, expect, test } from "vitest";
import { at, numberAt, textAt } from "../support/json.ts";
import {
  ask,
  auditRows,
  balanceOf,
  callRows,
  costOf,
  countBy,
  issue,
  type Key,
  type OwnRun,
  pay,
  post,
  type Reply,
  startOwn,
} from "../support/keybrake.ts";
import { type Simulator, simulatorAt } from "../support/simulator.ts";

/**
 * Guarantees that caps hold under parallel calls, by the simulated Stripe's own books, which know nothing of Keybrake.
 */

let run: OwnRun;
let stripe: Simulator;
beforeAll(async () => {
  run = await startOwn();
  stripe = simulatorAt(run.vendor("stripe").origin);
});
afterAll(() => run.close());

const MANUAL = { confirm: "true", payment_method: "pm_card_visa", capture_method: "manual" };
const statuses = (replies: readonly Reply[]) => countBy(replies.map(({ status }) => status));
const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

/** Runs a scenario and holds the three accounts of it against each other: Stripe's books, the keys', the audit log's. */
async function reconciled(scenario: () => Promise<readonly Key[]>): Promise<void> {
  const before = await stripe.spentCents();
  const keys = await scenario();

  const charged = (await stripe.spentCents()) - before;
  const balances = await Promise.all(keys.map((key) => balanceOf(run, key)));
  const rows = (await Promise.all(keys.map((key) => callRows(run, key)))).flat();
  expect(balances.map(({ reserved }) => reserved)).toEqual(keys.map(() => 0));
  expect(balances.reduce((sum, { spent }) => sum + spent, 0)).toBe(charged);
  expect(costOf(rows)).toBe(charged);
  expect(rows.filter(({ state }) => state === "open" || state === "unresolved")).toEqual([]);
}

/** An object as the merchant's own backend would have made it, past every key. */
async function createdElsewhere(fields: object): Promise<string> {
  const answered = await fetch(`${run.vendor("stripe").origin}/objects`, {
    method: "POST",
    body: JSON.stringify(fields),
  });
  return textAt(await answered.json(), "id");
}

const patch = (key: Key, json: unknown) =>
  ask(run, "PATCH", `/vault/keys/${key.id}`, { token: run.apiKey, json });

test("of 200 calls of $1 at once on a key of $50 exactly 50 reach Stripe, and each of the 200 is a row", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 50 });
    const before = (await stripe.requests()).length;

    const replies = await times(200, () => pay(run, key, 100));

    expect(statuses(replies)).toEqual(
      new Map([
        [200, 50],
        [429, 150],
      ]),
    );
    expect((await stripe.requests()).length - before).toBe(50);
    expect(await balanceOf(run, key)).toEqual({ spent: 5000, reserved: 0, remaining: 0 });
    const rows = await callRows(run, key);
    expect(countBy(rows.map(({ state }) => state))).toEqual(
      new Map([
        ["settled", 50],
        ["denied", 150],
      ]),
    );
    expect(new Set(rows.map(({ id }) => id)).size).toBe(200);
    return [key];
  });
});

test("keys that are used at once do not touch each other's caps", async () => {
  await reconciled(async () => {
    const caps = [5, 10, 7.5, 100];
    const keys = await Promise.all(caps.map((cap) => issue(run, { daily_usd_cap: cap })));

    const paid = await Promise.all(
      keys.map(async (key) => statuses(await times(30, () => pay(run, key, 100))).get(200)),
    );

    expect(paid).toEqual([5, 10, 7, 30]);
    return keys;
  });
});

test("calls of different amounts at once never pass the cap together, and one that still fits goes through", async () => {
  await reconciled(async () => {
    const key = await issue(run, { total_usd_cap: 20 });

    const replies = await times(60, (index) => pay(run, key, 1 + ((index * 37) % 199)));

    const { spent, remaining } = await balanceOf(run, key);
    expect(spent).toBeLessThanOrEqual(2000);
    expect(spent + remaining).toBe(2000);
    for (const { status, json } of replies)
      if (status === 429) expect(numberAt(json, "error", "requested_usd")).toBeLessThanOrEqual(1.99);
    if (remaining > 0) expect((await pay(run, key, remaining)).status).toBe(200);
    expect((await pay(run, key, 1)).status).toBe(429);
    return [key];
  });
});

test("a run that is repeated whole with its idempotency keys charges nothing new and needs no budget", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 20 });
    const once = () =>
      times(20, (index) => pay(run, key, 100, {}, { "Idempotency-Key": `${key.id}-${index}` }));

    const first = await once();
    const again = await once();

    expect(statuses(first)).toEqual(new Map([[200, 20]]));
    expect(again.map(({ text }) => text)).toEqual(first.map(({ text }) => text));
    expect(again.every(({ headers }) => headers["idempotent-replayed"] === "true")).toBe(true);
    expect(await balanceOf(run, key)).toEqual({ spent: 2000, reserved: 0, remaining: 0 });
    expect((await pay(run, key, 1, {}, { "Idempotency-Key": `${key.id}-new` })).status).toBe(429);

    const rows = await callRows(run, key);
    expect(rows).toHaveLength(41);
    expect(rows.filter(({ replayed }) => replayed === true)).toHaveLength(20);
    expect(
      new Set(rows.filter(({ decision }) => decision === "allowed").map((row) => row["call_id"])).size,
    ).toBe(20);
    return [key];
  });
});

test("duplicates of one call at once are charged once: each is answered by it or told to repeat, none denied", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 10 });

    const replies = await times(50, (index) =>
      pay(run, key, 100, {}, { "Idempotency-Key": `${key.id}-${index % 10}` }),
    );

    expect([...statuses(replies).keys()].filter((status) => status !== 200 && status !== 409)).toEqual([]);
    const busy = replies.filter(({ status }) => status === 409);
    for (const { json, headers } of busy) {
      expect(textAt(json, "error", "code")).toBe("idempotency_key_in_use");
      expect(headers["stripe-should-retry"]).not.toBe("false");
    }
    expect(await balanceOf(run, key)).toEqual({ spent: 1000, reserved: 0, remaining: 0 });
    return [key];
  });
});

test("the same idempotency key with another amount is refused by Stripe, and its budget is back", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 10 });
    const named = { "Idempotency-Key": `${key.id}-same` };
    await pay(run, key, 300, {}, named);

    const { status, json } = await pay(run, key, 400, {}, named);

    expect(status).toBe(400);
    expect(at(json, "error", "type")).toBe("idempotency_error");
    expect(await balanceOf(run, key)).toEqual({ spent: 300, reserved: 0, remaining: 700 });
    return [key];
  });
});

test("one idempotency key on two paths is two calls, and the second does not use the budget of the first", async () => {
  const key = await issue(run, { daily_usd_cap: 5 });
  const form = { amount: "300", currency: "usd", source: "tok_visa" };
  const headers = { "Idempotency-Key": `two-paths-${key.id}` };
  const charge = await post(run, key, "/v1/charges", form, headers);
  const intent = await post(run, key, "/v1/payment_intents", { amount: "300", currency: "usd" }, headers);

  expect(charge.status).toBe(200);
  expect(intent.status).toBe(429);
  expect(intent.headers["keybrake-call-id"]).not.toBe(charge.headers["keybrake-call-id"]);
});

test("refunds are spent money and no credit", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 10 });
    const paid = await pay(run, key, 600, { confirm: "true", payment_method: "pm_card_visa" });
    const refund = (amount: string) =>
      post(run, key, "/v1/refunds", { payment_intent: textAt(paid.json, "id"), amount });

    expect((await refund("300")).status).toBe(200);
    expect(await balanceOf(run, key)).toEqual({ spent: 900, reserved: 0, remaining: 100 });
    expect((await refund("101")).status).toBe(429);
    expect((await refund("100")).status).toBe(200);
    return [key];
  });
});

test("a refund without an amount costs all that is left, of a charge that this key made and of one made elsewhere", async () => {
  await reconciled(async () => {
    const [key, other] = await Promise.all([issue(run), issue(run)]);
    const own = await pay(run, key, 600, { confirm: "true", payment_method: "pm_card_visa" });
    const made = await post(run, other, "/v1/charges", {
      amount: "500",
      currency: "usd",
      source: "tok_visa",
    });
    await post(run, other, "/v1/refunds", { charge: textAt(made.json, "id"), amount: "200" });

    const whole = await post(run, key, "/v1/refunds", { payment_intent: textAt(own.json, "id") });
    expect(whole.status).toBe(200);
    const rest = await post(run, key, "/v1/refunds", { charge: textAt(made.json, "id") });
    expect(rest.status).toBe(200);

    expect(await balanceOf(run, key)).toEqual({ spent: 600 + 600 + 300, reserved: 0, remaining: 3500 });
    return [key, other];
  });
});

test("a refund of a charge that does not exist is refused before the call: its price is not known", async () => {
  const key = await issue(run);

  const { status, json } = await post(run, key, "/v1/refunds", { charge: "ch_nobody" });

  expect(status).toBe(400);
  expect(textAt(json, "error", "code")).toBe("amount_unknown");
  expect(textAt(json, "error", "message")).toContain("GET /v1/charges/ch_nobody at Stripe answered 404");
});

test("raising a PaymentIntent costs the difference, lowering it gives nothing back, and raising it again is free up to what was counted", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 10 });
    const id = textAt((await pay(run, key, 400)).json, "id");
    const change = (amount: string) => post(run, key, `/v1/payment_intents/${id}`, { amount });

    expect((await change("700")).status).toBe(200);
    expect((await balanceOf(run, key)).spent).toBe(700);
    expect((await change("1001")).status).toBe(429);
    expect((await change("100")).status).toBe(200);
    expect((await balanceOf(run, key)).spent).toBe(700);
    expect((await change("700")).status).toBe(200);
    expect((await balanceOf(run, key)).spent).toBe(700);
    return [key];
  });
});

test("confirmation and capture of what was counted are free; an increment costs the difference", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 10 });
    const made = textAt((await pay(run, key, 300, { capture_method: "manual" })).json, "id");
    const act = (name: string, form = {}) => post(run, key, `/v1/payment_intents/${made}/${name}`, form);

    const confirmed = await act("confirm", { payment_method: "pm_card_visa" });
    expect(at(confirmed.json, "status")).toBe("requires_capture");
    expect((await balanceOf(run, key)).spent).toBe(300);
    expect((await act("increment_authorization", { amount: "1001" })).status).toBe(429);
    expect((await act("increment_authorization", { amount: "900" })).status).toBe(200);
    expect((await balanceOf(run, key)).spent).toBe(900);
    expect(at((await act("capture")).json, "status")).toBe("succeeded");
    expect((await balanceOf(run, key)).spent).toBe(900);
    return [key];
  });
});

test("increments of one PaymentIntent at once pay for the highest total, and no more than the cap", async () => {
  const key = await issue(run, { daily_usd_cap: 10 });
  const id = textAt((await pay(run, key, 100, MANUAL)).json, "id");

  await times(8, (index) =>
    post(run, key, `/v1/payment_intents/${id}/increment_authorization`, { amount: `${200 + index * 100}` }),
  );

  const { spent, remaining } = await balanceOf(run, key);
  const intent = await ask(run, "GET", `/stripe/v1/payment_intents/${id}`, { token: key.token });
  expect(spent).toBeGreaterThanOrEqual(numberAt(intent.json, "amount"));
  expect(spent + remaining).toBe(1000);
});

test("a cancelled PaymentIntent gives its amount back once, however often it is cancelled", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 10 });
    const id = textAt((await pay(run, key, 400, MANUAL)).json, "id");
    await pay(run, key, 500);
    const cancel = (headers = {}) => post(run, key, `/v1/payment_intents/${id}/cancel`, {}, headers);
    const named = { "Idempotency-Key": `${key.id}-cancel` };

    const cancels = await times(5, () => cancel(named));
    expect(cancels.some(({ status }) => status === 200)).toBe(true);
    expect((await cancel(named)).headers["idempotent-replayed"]).toBe("true");
    expect((await cancel()).status).toBe(400);

    expect(await balanceOf(run, key)).toEqual({ spent: 500, reserved: 0, remaining: 500 });
    const confirm = await post(run, key, `/v1/payment_intents/${id}/confirm`);
    expect([400, 403]).toContain(confirm.status);
    expect(confirm.headers["keybrake-charged"]).toBe("no");
    return [key];
  });
});

test("cancels at once without idempotency keys give back once", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 10 });
    const id = textAt((await pay(run, key, 400)).json, "id");
    await pay(run, key, 600);

    await times(8, () => post(run, key, `/v1/payment_intents/${id}/cancel`));

    expect(await balanceOf(run, key)).toEqual({ spent: 600, reserved: 0, remaining: 400 });
    return [key];
  });
});

test("a declined card gives the budget back, and paying the same intent later takes it again", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 10 });

    const declined = await pay(run, key, 800, { confirm: "true", payment_method: "pm_card_chargeDeclined" });
    expect(declined.status).toBe(402);
    expect(declined.headers["keybrake-charged"]).toBe("no");
    expect(await balanceOf(run, key)).toEqual({ spent: 0, reserved: 0, remaining: 1000 });

    const id = textAt(declined.json, "error", "payment_intent", "id");
    await pay(run, key, 300);
    const confirm = () =>
      post(run, key, `/v1/payment_intents/${id}/confirm`, { payment_method: "pm_card_visa" });
    expect((await confirm()).status).toBe(429);
    await patch(key, { daily_usd_cap: 11 });
    expect((await confirm()).status).toBe(200);
    expect(await balanceOf(run, key)).toEqual({ spent: 1100, reserved: 0, remaining: 0 });
    return [key];
  });
});

test("a PaymentIntent made elsewhere costs what Stripe says it is about, and nothing more once that is counted", async () => {
  const key = await issue(run, { daily_usd_cap: 12 });
  const made = (fields: object) => createdElsewhere({ type: "payment_intent", currency: "usd", ...fields });

  const held = await made({ amount: 500, status: "requires_capture" });
  const confirmed = await made({
    amount: 400,
    status: "requires_confirmation",
    payment_method: "pm_card_visa",
  });
  expect((await post(run, key, `/v1/payment_intents/${held}/capture`)).status).toBe(200);
  expect(await balanceOf(run, key)).toEqual({ spent: 500, reserved: 0, remaining: 700 });
  expect((await post(run, key, `/v1/payment_intents/${confirmed}/confirm`)).status).toBe(200);
  expect(await balanceOf(run, key)).toEqual({ spent: 900, reserved: 0, remaining: 300 });

  const beyond = await made({ amount: 301, status: "requires_confirmation", payment_method: "pm_card_visa" });
  expect((await post(run, key, `/v1/payment_intents/${beyond}/confirm`)).status).toBe(429);
  expect((await post(run, key, `/v1/payment_intents/${beyond}/cancel`)).status).toBe(200);
  expect(await balanceOf(run, key)).toEqual({ spent: 900, reserved: 0, remaining: 300 });
});

test("a call that another run has made already, under the same idempotency key, costs this one nothing", async () => {
  await reconciled(async () => {
    const [one, other] = await Promise.all([issue(run), issue(run)]);
    const named = { "Idempotency-Key": `${one.id}-shared` };
    const made = await pay(run, one, 400, {}, named);

    const replayed = await pay(run, other, 400, {}, named);

    expect(replayed.text).toBe(made.text);
    expect(await balanceOf(run, other)).toEqual({ spent: 0, reserved: 0, remaining: 5000 });
    return [one, other];
  });
});

test("a total cap and a cap per call hold beside the daily one, and each refusal says which it was", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 5, total_usd_cap: 7, per_call_usd_cap: 3 });

    const tooBig = await pay(run, key, 301);
    expect(tooBig.status).toBe(429);
    expect(at(tooBig.json, "error", "cap")).toBe("per_call");
    expect(textAt(tooBig.json, "error", "message")).toContain("at most $3.00 for one call");
    expect(tooBig.headers["retry-after"]).toBeUndefined();

    await pay(run, key, 300);
    const daily = await pay(run, key, 201);
    expect(at(daily.json, "error", "cap")).toBe("daily");
    expect(daily.headers["retry-after"]).toBeUndefined();

    await patch(key, { daily_usd_cap: 50 });
    await pay(run, key, 300);
    await run.drain();
    const total = await pay(run, key, 101);
    expect(at(total.json, "error", "cap")).toBe("total");
    expect(total.headers["retry-after"]).toBeUndefined();
    expect(textAt(total.json, "error", "message")).toContain("total cap $7.00, spent $6.00");
    expect((await pay(run, key, 100)).status).toBe(200);
    return [key];
  });
});

test("a run that hit its cap goes on with the key it has once the cap is raised, and stops when it is lowered", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 5 });
    await pay(run, key, 500);
    expect((await pay(run, key, 100)).status).toBe(429);

    expect((await patch(key, { daily_usd_cap: 8 })).status).toBe(200);
    expect((await pay(run, key, 100)).status).toBe(200);

    expect((await patch(key, { daily_usd_cap: 2 })).status).toBe(200);
    await run.drain();
    const refused = await pay(run, key, 1);
    expect(refused.status).toBe(429);
    expect(textAt(refused.json, "error", "message")).toContain("daily cap $2.00, spent $6.00");
    expect((await balanceOf(run, key)).spent).toBe(600);

    await patch(key, { daily_usd_cap: 7 });
    expect(await balanceOf(run, key)).toEqual({ spent: 600, reserved: 0, remaining: 100 });
    expect(
      (await auditRows(run, { key_id: key.id })).filter(({ type }) => type === "key.changed"),
    ).toHaveLength(3);
    return [key];
  });
});

test("caps that change while calls are under way are never passed by more than they allowed at the time", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 10 });

    const [replies] = await Promise.all([
      times(60, () => pay(run, key, 100)),
      ...[12, 6, 15, 4, 20].map((daily_usd_cap) => patch(key, { daily_usd_cap })),
    ]);

    expect(statuses(replies).get(200) ?? 0).toBeLessThanOrEqual(20);
    return [key];
  });
});

test("direct charges are counted, and a declined one is not", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 10 });
    const charge = (amount: string, source: string) =>
      post(run, key, "/v1/charges", { amount, currency: "usd", source });

    expect((await charge("700", "tok_visa")).status).toBe(200);
    expect((await charge("200", "tok_chargeDeclined")).status).toBe(402);
    expect((await charge("301", "tok_visa")).status).toBe(429);
    expect(await balanceOf(run, key)).toEqual({ spent: 700, reserved: 0, remaining: 300 });
    return [key];
  });
});

test("what Stripe refuses before it runs gives its budget back at once", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 10 });

    const refused = await pay(run, key, 1000, { off_session: "true" });

    expect(refused.status).toBe(400);
    expect(refused.headers["keybrake-charged"]).toBe("no");
    expect(await balanceOf(run, key)).toEqual({ spent: 0, reserved: 0, remaining: 1000 });
    return [key];
  });
});

test("reads and customers cost nothing, reach Stripe and are rows all the same", async () => {
  await reconciled(async () => {
    const key = await issue(run, { daily_usd_cap: 1 });
    await pay(run, key, 100);

    const made = await post(run, key, "/v1/customers", { email: "a@example.com" });
    const read = await ask(run, "GET", `/v1/customers/${textAt(made.json, "id")}`, { token: key.token });

    expect([made.status, read.status, at(read.json, "email")]).toEqual([200, 200, "a@example.com"]);
    expect(read.headers["keybrake-charged"]).toBe("no");
    expect(countBy((await callRows(run, key)).map(({ state }) => state)).get("free")).toBe(2);
    return [key];
  });
});

test("credit that a customer's balance would give is refused, at its creation and at a change", async () => {
  const key = await issue(run);

  for (const path of ["/v1/customers", "/v1/customers/cus_1"])
    for (const form of [{ balance: "-5000" }, { "cash_balance[settings][reconciliation_mode]": "manual" }]) {
      const { status, json } = await post(run, key, path, form);
      expect([status, at(json, "error", "code")]).toEqual([403, "endpoint_not_priced"]);
    }
});

test("nothing went wrong unseen: no function threw and no row is open at the end", async () => {
  expect(run.announced).toEqual([]);
  expect(await auditRows(run, { state: "open" })).toEqual([]);
  expect(await auditRows(run, { state: "unresolved" })).toEqual([]);
});
