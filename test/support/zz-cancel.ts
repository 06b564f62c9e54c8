import { startOwn, issue, pay, post, auditRows, ask } from "/work/main/test/support/keybrake.ts";
import { textAt } from "/work/main/test/support/json.ts";
const run = await startOwn();
const MANUAL = { confirm: "true", payment_method: "pm_card_visa", capture_method: "manual" };
const odd: unknown[] = [];
await Promise.all(Array.from({length: 3}, async (_, w) => {
for (let i = 0; i < 25; i++) {
  const key = await issue(run, { daily_usd_cap: 10 });
  const id = textAt((await pay(run, key, 400, MANUAL)).json, "id");
  const named = { "Idempotency-Key": `${key.id}-cancel` };
  const replies = await Promise.all([1,2,3,4,5].map(() => post(run, key, `/v1/payment_intents/${id}/cancel`, {}, named)));
  const last = await post(run, key, `/v1/payment_intents/${id}/cancel`, {}, named);
  if (last.headers["idempotent-replayed"] !== "true") odd.push([replies.map(r => [r.status, r.headers["idempotent-replayed"], r.status===200?"":r.text.slice(0,200)]), last.status, last.text.slice(0,300)]);
}}));
await run.drain();
console.log(JSON.stringify(odd, null, 1), run.announced);
for (const row of await auditRows(run, { state: "open", events: "true" })) console.log(JSON.stringify(row));
await run.close();
