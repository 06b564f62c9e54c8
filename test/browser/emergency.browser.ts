import type { Browser, Locator } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { at, listAt, numberAt, textAt } from "../support/json.ts";
import { ask, auditRows, issue, type Key, type OwnRun, pay, startOwn } from "../support/keybrake.ts";
import { openBrowser, signedIn, visit } from "./browser.ts";

/**
 * Guarantees what the dashboard is for: a stranger with a phone finds the fan-out that burns money beside runs that do not, stops it
 * in three taps or fewer, and nothing of it reaches the vendor any more, while the other runs go on.
 */

const PHONE = { width: 390, height: 844 };
/** Of each charge, in cents: by this the vendor's books tell the runs apart. */
const BURNED = 200;
const QUIET = 50;
const AGENTS = 25;
const CALLS_BEFORE = 500;
/** A label that begins like that of the run is another run. */
const QUIET_LABELS = ["night-billing-report", "mails/digest", "sync/eu"];

let run: OwnRun;
let browser: Browser;
beforeAll(async () => {
  run = await startOwn({ stage: "prod" });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await run.close();
});

/** How many payments of this amount the vendor knows, and how many cents they are. */
async function booksOf(cents: number): Promise<{ readonly count: number; readonly cents: number }> {
  const books: unknown = await (await fetch(run.vendor("stripe").booksUrl ?? "")).json();
  const ours = listAt(books, "entries").filter(
    (entry) => at(entry, "kind") === "payment_intent" && at(entry, "amount") === cents,
  );
  return {
    count: ours.length,
    cents: ours.reduce<number>((sum, entry) => sum + numberAt(entry, "amount"), 0),
  };
}

/** Agents of one run that each issue a new key for each call and pay by it, until they are given no key. */
function fanOut(label: string) {
  const keys: Key[] = [];
  const refusals: string[] = [];
  const agent = async () => {
    for (;;) {
      const json = { vendor: "stripe", daily_usd_cap: 5, agent_run_label: label };
      const reply = await ask(run, "POST", "/vault/keys", { token: run.apiKey, json });
      if (reply.status !== 201) {
        refusals.push(`${reply.status} ${at(reply.json, "error", "code")}`);
        return;
      }
      const key = { id: textAt(reply.json, "id"), token: textAt(reply.json, "vault_key") };
      keys.push(key);
      await pay(run, key, BURNED);
    }
  };
  return { keys, refusals, ended: Promise.all(Array.from({ length: AGENTS }, agent)) };
}

/** A run of one key that pays a little, one call after the other, until it is told to end. */
async function quietRun(label: string, isOver: () => boolean): Promise<readonly number[]> {
  const key = await issue(run, { agent_run_label: label, daily_usd_cap: 5000 });
  const statuses: number[] = [];
  while (!isOver()) statuses.push((await pay(run, key, QUIET)).status);
  return statuses;
}

test("where there is nothing yet, each view says what there will be", async () => {
  const { page, settled, close } = await signedIn(browser, run);
  const views = page.getByRole("navigation", { name: "Views" });
  for (const [view, words] of [
    ["Now", "No run made a call in the last hour."],
    ["Keys", "There is no vault key yet."],
    ["Audit", "The log is empty so far."],
    ["Spend", "Nothing was spent in these 30 days."],
  ] as const) {
    await views.getByRole("link", { name: view }).click();
    await page.getByText(words).waitFor();
    await settled();
  }
  await views.getByRole("link", { name: "Now" }).click();
  await page.getByRole("link", { name: "issue a key" }).click();
  await page.getByRole("heading", { name: "Issue a vault key" }).waitFor();
  await close();
});

test("a phone stops a fan-out of 500 calls that issues a key for each, in three taps at most", async () => {
  let isOver = false;
  const quiet = QUIET_LABELS.map((label) => quietRun(label, () => isOver));
  const burning = fanOut("night-billing");
  await eventually(() => expect(burning.keys.length).toBeGreaterThanOrEqual(CALLS_BEFORE), 90_000);

  const there = await visit(browser, "about:blank", { viewport: PHONE, hasTouch: true });
  const { page } = there;
  let taps = 0;
  const tap = async (button: Locator) => {
    await button.tap();
    taps++;
  };
  await page.goto(await run.dashboardUrl());
  const stop = page.getByRole("region", { name: "Worst run" }).getByRole("button");
  await stop.waitFor();
  expect(await stop.innerText()).toBe("Stop night-billing");
  const box = await stop.boundingBox();
  expect((box?.y ?? PHONE.height) + (box?.height ?? 0)).toBeLessThan(PHONE.height);
  await tap(stop);
  await tap(page.getByRole("dialog").getByRole("button", { name: "Stop now" }));
  const after = page.getByRole("dialog", { name: "Stopped" });
  await after.getByText(/^No further call passes: \d+ keys revoked by/).waitFor({ timeout: 60_000 });
  await after.getByText("0 in flight", { exact: true }).waitFor();
  const atRest = await booksOf(BURNED);
  const quietThen = await booksOf(QUIET);
  expect(taps).toBeLessThanOrEqual(3);

  // Every agent was refused its next key by the stop, and what keys they still have pay nothing.
  await burning.ended;
  expect(new Set(burning.refusals)).toEqual(new Set(["403 run_stopped"]));
  expect(burning.refusals).toHaveLength(AGENTS);
  for (const key of burning.keys.slice(-AGENTS)) expect((await pay(run, key, BURNED)).status).toBe(401);
  expect(atRest.count).toBeGreaterThanOrEqual(CALLS_BEFORE - AGENTS);
  expect(await booksOf(BURNED)).toEqual(atRest);

  // The others went on the whole time.
  await eventually(async () => expect((await booksOf(QUIET)).count).toBeGreaterThan(quietThen.count + 10));
  isOver = true;
  const statuses = (await Promise.all(quiet)).flat();
  expect(new Set(statuses)).toEqual(new Set([200]));

  // What the page counts since the stop is what the log has.
  const { json } = await ask(run, "GET", "/vault/stops?limit=1", { token: run.apiKey });
  const stoppedAt = textAt(listAt(json, "data")[0], "at");
  const rows = await auditRows(run, { agent_run_label: "night-billing", decision: "allowed" });
  expect(rows).toHaveLength(atRest.count);
  const since = rows.filter((row) => textAt(row, "at") >= stoppedAt).length;
  await after.getByText(new RegExp(`^${since} calls? let through since`)).waitFor();

  await after.getByRole("button", { name: "Close" }).tap();
  await page.getByRole("row", { name: /^night-billing .*Stopped$/ }).waitFor();
  expect(await stop.innerText()).not.toBe("Stop night-billing");
  expect(there.complaints).toEqual([]);
  await there.close();
}, 180_000);

test("a page that is open shows how a run hits its cap, without a reload", async () => {
  const key = await issue(run, { agent_run_label: "capped/1", daily_usd_cap: 10 });
  const [watching, overview] = await Promise.all([signedIn(browser, run), signedIn(browser, run)]);
  await watching.page.goto(`${run.baseUrl}/dashboard#keys?key=${key.id}`);
  await watching.page.getByText("$10.00 left of $10.00 a day").waitFor();
  const status = watching.page.locator(".key .status");
  expect(await status.innerText()).toBe("active");

  const statuses: number[] = [];
  while (statuses.at(-1) !== 429) statuses.push((await pay(run, key, 300)).status);
  expect(statuses).toEqual([200, 200, 200, 429]);
  await watching.page.getByText("$1.00 left of $10.00 a day").waitFor();
  expect((await pay(run, key, 100)).status).toBe(200);
  expect((await pay(run, key, 100)).status).toBe(429);

  await watching.page.getByText("$0.00 left of $10.00 a day").waitFor();
  expect(await status.innerText()).toBe("exhausted");
  expect(await watching.page.locator(".cap .bar-spent").getAttribute("width")).toBe("100");
  const denied = overview.page
    .getByRole("row", { name: /capped\/1/ })
    .getByRole("cell")
    .nth(4);
  await expect.poll(() => denied.innerText(), { timeout: 30_000 }).toBe("2");
  for (const { page, asked, complaints, close } of [watching, overview]) {
    expect(await page.evaluate(() => performance.getEntriesByType("navigation").length)).toBe(1);
    expect(asked.filter((url) => /\/dashboard(#|$)/.test(url))).toHaveLength(1);
    expect(complaints).toEqual([]);
    await close();
  }
});

test("a first visit, which nobody is signed in for, leaves the console without an error", async () => {
  const { page, complaints, close } = await visit(browser, `${run.baseUrl}/dashboard`);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await page.getByLabel("API key or one-time code").fill(run.apiKey);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Spending now" }).waitFor();
  await expect.poll(() => page.locator(".loading").count()).toBe(0);
  expect(complaints).toEqual([]);
  await close();
});
