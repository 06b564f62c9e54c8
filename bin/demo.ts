/**
 * `npm run demo`: 500 parallel charges of $1.00 with one $50 vault key, by the real stripe-node.
 *
 * Shows what passes, and the spend as three books tell it that know nothing of each other: the simulated Stripe, the
 * key's balance and the audit log. Exits with 1 when they differ or when it is not exactly 50.
 *
 * On a terminal it then offers to leave a run going, to look at in the dashboard and to stop there; with `--stay` it does without
 * asking.
 */
import { createInterface } from "node:readline/promises";
import Stripe from "stripe";
import { runLive } from "../local/live-run.ts";
import { startLocal } from "../local/run.ts";

const CALLS = 500;
const CAP_USD = 50;
const PASSED = "charged";
const SDK_HEADERS_MS = 80_000;
const LIVE_EVERY_MS = 1_000;

interface KeyAnswer {
  readonly id: string;
  readonly vault_key: string;
  readonly spent_usd: number;
  readonly reserved_usd: number;
}
interface AuditPage {
  readonly data: readonly { readonly type: string; readonly cost_usd: number | null }[];
  readonly next_cursor: string | null;
}
interface Books {
  readonly spent_cents: number;
}

const startedMs = Date.now();
const run = await startLocal();
try {
  const issued = await api<KeyAnswer>("POST", "/vault/keys", {
    vendor: "stripe",
    daily_usd_cap: CAP_USD,
    allowed_endpoints: ["POST /v1/payment_intents"],
    expires_in: "5m",
    agent_run_label: "demo/500-charges",
  });
  console.log(`\n${CALLS} parallel charges of $1.00 with one vault key that is capped at $${CAP_USD}.00 …\n`);
  const results = await chargeAll(issued.vault_key);
  for (const [result, count] of [...results].sort((a, b) => b[1] - a[1]))
    console.log(`  ${`${count}`.padStart(4)}  ${result}`);

  await run.drain();
  const balance = await api<KeyAnswer>("GET", `/vault/keys/${issued.id}`);
  const books = (await (await fetch(run.vendor("stripe").booksUrl ?? "")).json()) as Books;
  const spend = {
    books: books.spent_cents / 100,
    balance: balance.spent_usd + balance.reserved_usd,
    audit: await auditedUsd(issued.id),
  };
  console.log("\nspend");
  for (const [name, usd] of Object.entries(spend))
    console.log(`  by the ${name.padEnd(8)}${`$${usd.toFixed(2)}`.padStart(8)}`);

  const right = results.get(PASSED) === CAP_USD && Object.values(spend).every((usd) => usd === CAP_USD);
  console.log(
    `\n${right ? "all three agree: the cap held" : "THESE AMOUNTS ARE WRONG: EACH MUST EQUAL THE CAP"} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)\n`,
  );
  process.exitCode = right ? 0 : 1;
  if (await isWanted()) await leaveGoing();
} finally {
  await run.close();
}

/** Whether somebody wants to look at a run that goes on. */
async function isWanted(): Promise<boolean> {
  if (process.argv.includes("--stay")) return true;
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(
    "leave a run going, to look at in the dashboard and to stop there? [y/N] ",
  );
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** Each second an invocation that issues a key of its own and charges $1.00, until somebody stops the run or presses Ctrl-C. */
async function leaveGoing(): Promise<void> {
  const ended = new AbortController();
  process.once("SIGINT", () => ended.abort());
  process.once("SIGTERM", () => ended.abort());
  console.log(`
  look at it and stop it:  ${process.stdout.isTTY ? await run.dashboardUrl() : `${run.baseUrl}/dashboard`}
  (${process.stdout.isTTY ? "signs in once, within a minute; then" : "sign in"} with the API key ${run.apiKey})
  Ctrl-C ends it
`);
  const invoke = async (invocation: number): Promise<string | null> => {
    const json = {
      vendor: "stripe",
      daily_usd_cap: 5,
      allowed_endpoints: ["POST /v1/payment_intents"],
      expires_in: "5m",
      agent_run_label: `demo-live/inv_${invocation}`,
    };
    const issued = await send("POST", "/vault/keys", json);
    if (!issued.ok) return ((await issued.json()) as { error: { message: string } }).error.message;
    await chargeOnce(stripeOf(((await issued.json()) as KeyAnswer).vault_key));
    return null;
  };
  const stopped = await runLive({ invoke, everyMs: LIVE_EVERY_MS, signal: ended.signal });
  if (stopped === null) return;
  console.log(`\n  no further key: ${stopped}\n  the dashboard goes on until Ctrl-C\n`);
  if (!ended.signal.aborted)
    await new Promise((resolve) => ended.signal.addEventListener("abort", resolve, { once: true }));
}

/** How many calls ended in which way: one line each. */
async function chargeAll(vaultKey: string): Promise<Map<string, number>> {
  const stripe = stripeOf(vaultKey);
  const results = new Map<string, number>();
  let done = 0;
  const charge = async () => {
    const result = await chargeOnce(stripe);
    results.set(result, (results.get(result) ?? 0) + 1);
    done += 1;
    if (process.stderr.isTTY)
      process.stderr.write(`\r  ${done} of ${CALLS}${done === CALLS ? "\r\u001b[K" : ""}`);
  };
  await Promise.all(Array.from({ length: CALLS }, charge));
  return results;
}

function stripeOf(vaultKey: string): Stripe {
  const { hostname, port } = new URL(run.baseUrl);
  return new Stripe(vaultKey, {
    host: hostname,
    port,
    protocol: "http",
    timeout: SDK_HEADERS_MS,
    telemetry: false,
  });
}

/** Charges $1.00; how it ended. */
function chargeOnce(stripe: Stripe): Promise<string> {
  return stripe.paymentIntents
    .create({
      amount: 100,
      currency: "usd",
      payment_method: "pm_card_visa",
      automatic_payment_methods: { enabled: true, allow_redirects: "never" },
      confirm: true,
    })
    .then(() => PASSED, describe);
}

function describe(error: unknown): string {
  if (!(error instanceof Stripe.errors.StripeError)) return String(error);
  return `${error.constructor.name} ${error.statusCode ?? ""} ${error.code ?? ""}`;
}

/** What the audit log says the key has spent. */
async function auditedUsd(keyId: string): Promise<number> {
  let cents = 0;
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? "" : `&cursor=${cursor}`;
    const page: AuditPage = await api<AuditPage>("GET", `/vault/audit?key_id=${keyId}&limit=100${after}`);
    for (const { cost_usd } of page.data) cents += Math.round((cost_usd ?? 0) * 100);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return cents / 100;
}

function send(method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`${run.baseUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${run.apiKey}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await send(method, path, body);
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}
