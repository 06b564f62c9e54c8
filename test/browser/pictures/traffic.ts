import { at } from "../../support/json.ts";
import { ask, issue, type Key, type OwnRun, pay, type Reply, startOwn } from "../../support/keybrake.ts";
import { setClock } from "./clock.ts";

/** The runs that the pictures show: three weeks of quiet days, and a night on which a fan-out charges too often. */

const DAY_MS = 86_400_000;
const DAYS = 21;
/** When the pictures are taken. */
export const NOW = "2026-11-26T03:12:40Z";
const ACCOUNT = `AC${"0".repeat(32)}`;

const label = (agent_run_label: string, body: object = {}) => ({
  agent_run_label,
  expires_in: "8h",
  ...body,
});

const charge = async (run: OwnRun, key: Key, cents: number, fields = {}) => {
  const reply = await pay(run, key, cents, { payment_method: "pm_card_visa", ...fields });
  if (reply.status >= 500 || reply.status === 401)
    throw new Error(`no charge: ${reply.status} ${reply.text}`);
};

const text = (run: OwnRun, { token }: Key): Promise<Reply> =>
  ask(run, "POST", `/twilio/2010-04-01/Accounts/${ACCOUNT}/Messages.json`, {
    form: { To: "+15558675310", From: "+15017122661", Body: "Your invoice is ready" },
    headers: { Authorization: `Basic ${Buffer.from(`${ACCOUNT}:${token}`).toString("base64")}` },
  });

const mail = (run: OwnRun, { token }: Key): Promise<Reply> =>
  ask(run, "POST", "/resend/emails", {
    token,
    json: { from: "you@example.com", to: "ann@example.org", subject: "Hello", text: "Hello" },
  });

/** A day's few charges: the same on each day of the week. */
async function quietDay(run: OwnRun, time: string): Promise<void> {
  setClock(time);
  const weekday = new Date(time).getUTCDay();
  const jobs = weekday === 0 || weekday === 6 ? 1 : 2 + (weekday % 2);
  const billing = await issue(run, label("modal-billing/cus_A", { daily_usd_cap: 500 }));
  const support = await issue(run, label("support-bot/agent_1", { vendor: "twilio", daily_usd_cap: 50 }));
  for (let job = 0; job < jobs; job++) {
    await charge(run, billing, 1400 + 550 * job + 100 * weekday);
    await text(run, support);
  }
  await run.drain();
}

/** The night: who spends, who is at a cap, and what nobody knows of. */
async function night(run: OwnRun): Promise<void> {
  const at = (s: number) => setClock(NOW, s * 1000);
  at(-2400);
  const digest = await issue(run, label("mails/digest", { vendor: "resend", daily_usd_cap: 5 }));
  const nightly = await issue(run, label("metaflow-nightly/refunds", { daily_usd_cap: 120 }));
  const support = await issue(run, label("support-bot/agent_3", { vendor: "twilio", daily_usd_cap: 0.1 }));
  await mail(run, digest);
  at(-1500);
  for (const cents of [2500, 2500, 4900]) await charge(run, nightly, cents);
  await mail(run, digest);
  at(-400);
  for (let sent = 0; sent < 14; sent++) await text(run, support);
  at(-260);
  await charge(run, nightly, 450, { "metadata[keybrake_fault]": "break_after" }).catch(() => {});
  for (let customer = 0; customer < 36; customer++) {
    at(-118 + 3 * customer);
    const name = `modal-billing/cus_${String.fromCharCode(65 + (customer % 24))}${customer}`;
    const key = await issue(run, label(name, { daily_usd_cap: 50 }));
    for (let charged = 0; charged < 2; charged++) await charge(run, key, 1900);
    if (customer % 12 === 0) await text(run, support);
    if (customer === 20) await mail(run, digest);
  }
  at(-24);
  const sync = await issue(run, label("sync/eu", { total_usd_cap: 40, daily_usd_cap: 25 }));
  await charge(run, sync, 800);
  at(-20);
  const over = await issue(run, label("reports/weekly", { daily_usd_cap: 12 }));
  for (const cents of [700, 500, 300]) await charge(run, over, cents);
  at(-16);
  const wrong = await issue(run, label("reports/again", { daily_usd_cap: 12 }));
  await ask(run, "POST", `/vault/keys/${wrong.id}/revoke`, { token: run.apiKey, json: {} });
  at(-8);
  const watched = await issue(run, label("new-job/try", { daily_usd_cap: 10, mode: "observe" }));
  await charge(run, watched, 300);
  at(0);
  await run.drain();
}

/** A local run with all that behind it; its clock stands at `NOW`. */
export async function runWithTraffic(): Promise<OwnRun> {
  const nowMs = Date.parse(NOW);
  setClock(NOW, -DAYS * DAY_MS);
  const run = await startOwn();
  for (let day = DAYS; day > 0; day--)
    await quietDay(run, new Date(nowMs - day * DAY_MS + 7 * 3_600_000).toISOString());
  await night(run);
  return run;
}

/** Throws where the traffic is not what the pictures should show. */
export async function checkTraffic(run: OwnRun): Promise<void> {
  const { json } = await ask(run, "GET", "/vault/runs?limit=1", { token: run.apiKey });
  const worst = at(json, "data", "0", "label_group");
  if (worst !== "modal-billing") throw new Error(`the worst run is ${JSON.stringify(worst)}`);
}
