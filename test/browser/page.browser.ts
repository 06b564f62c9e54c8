import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, listAt, textAt } from "../support/json.ts";
import { ask, issue, type Key, type OwnRun, pay, startOwn } from "../support/keybrake.ts";
import { openBrowser, signedIn, type Visit, visit } from "./browser.ts";

/** Guarantees that an operator finds the run that spends, stops it, and sees what became of it; on a phone, and by the keyboard alone. */

const PHONE = { width: 390, height: 844 };
const WIDE = { width: 1280, height: 900 };
let run: OwnRun;
let browser: Browser;
let worst: Key;
let there: Visit;
let page: Page;
beforeAll(async () => {
  run = await startOwn({ stage: "prod" });
  browser = await openBrowser();
  worst = await issue(run, { daily_usd_cap: 50, agent_run_label: "burning/1" });
  const quiet = await issue(run, { daily_usd_cap: 50, agent_run_label: "quiet/1" });
  for (const cents of [1900, 1900]) await pay(run, worst, cents);
  await pay(run, quiet, 100);
  await run.drain();
  there = await signedIn(browser, run);
  page = there.page;
  await page.setViewportSize(PHONE);
});
afterAll(async () => {
  await browser.close();
  await run.close();
});

const region = (name: string) => page.getByRole("region", { name });
const show = async (view: string) => {
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: view }).click();
  await expect.poll(() => page.locator(".loading").count()).toBe(0);
};
/** Nobody has to scroll sideways. */
const fits = async () =>
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
const stops = async () => listAt((await ask(run, "GET", "/vault/stops", { token: run.apiKey })).json, "data");

describe("the overview", () => {
  test("names the worst run and has its Stop on a phone's first screen", async () => {
    const stop = region("Worst run").getByRole("button", { name: "Stop burning/1" });
    await stop.waitFor();
    const box = await stop.boundingBox();
    expect((box?.y ?? PHONE.height) + (box?.height ?? 0)).toBeLessThan(PHONE.height);
    expect(box?.height).toBeGreaterThanOrEqual(44);
  });

  test("stops it with two presses and a reason, and says what became of its calls", async () => {
    await region("Worst run").getByRole("button").click();
    const question = page.getByRole("dialog", { name: "Stop burning/1?" });
    await question.getByText("1 live key").waitFor();
    // The focus is at the title: a held key confirms nothing.
    await page.keyboard.press("Enter");
    expect(await stops()).toEqual([]);
    await question.getByLabel("Reason, shown in every refusal (optional)").fill("charges twice");
    await question.getByRole("button", { name: "Stop now" }).click();

    const after = page.getByRole("dialog", { name: "Stopped" });
    await after.getByText("1 key revoked", { exact: false }).waitFor();
    expect(await after.innerText()).toMatch(/0 calls let through since/);
    const denied = await pay(run, worst, 100);
    expect(denied.status).toBe(401);
    expect((await stops())[0]).toMatchObject({ agent_run_label: "burning/1", reason: "charges twice" });
    await page.keyboard.press("Escape");
    await after.waitFor({ state: "detached" });
  });

  test("offers the next run then, and the stop with its reason to be undone", async () => {
    await region("Worst run").getByRole("button", { name: "Stop quiet/1" }).waitFor();
    await region("Worst run").getByText("100 % of all").waitFor();
    const inForce = region("Stops in force");
    expect(await inForce.innerText()).toContain("charges twice");
    await inForce.getByRole("button", { name: "Undo the stop of burning/1" }).click();
    expect(at((await stops())[0], "lifted_at")).toBeNull();
    await inForce.getByRole("button", { name: "Let it run again" }).click();
    await inForce.waitFor({ state: "detached" });
    expect(at((await stops())[0], "lifted_at")).not.toBeNull();
  });

  test("keeps the last picture with its age where a refresh fails, and goes on by itself", async () => {
    await there.context.setOffline(true);
    try {
      await page.getByText(/These numbers are \d+ s old/).waitFor({ timeout: 20_000 });
      expect(await region("Worst run").innerText()).toContain("burning/1");
    } finally {
      await there.context.setOffline(false);
    }
    await page.getByRole("alert").waitFor({ state: "detached", timeout: 20_000 });
  });
});

describe("keys", () => {
  test("are issued with a secret that works and is shown once", async () => {
    await show("Keys");
    await page.getByRole("link", { name: "Issue a key" }).click();
    await page.getByLabel("Label of the run").waitFor();
    await fits();
    await page.getByLabel("Label of the run").fill("page/1");
    await page.getByLabel("Daily cap in USD").fill("5");
    await page.getByRole("button", { name: "Issue the key" }).click();
    const secret = await page.locator(".secret code").innerText();
    const own = await ask(run, "GET", "/vault/keys/self", { token: secret });
    expect(own.json).toMatchObject({ agent_run_label: "page/1", daily_usd_cap: 5 });
    for (const language of ["Python", "Node", "curl"]) {
      await page.getByRole("button", { name: language, exact: true }).click();
      expect(await page.locator("pre").innerText()).toContain(secret);
    }
    await fits();
    await page.getByRole("button", { name: "I have copied it" }).click();
    await page.getByRole("link", { name: "page/1" }).waitFor();
    expect(await page.content()).not.toContain(secret);
  });

  test("are found by the beginning of their label, changed and revoked", async () => {
    await page.getByLabel("Label begins with").fill("page/");
    await page.getByRole("link", { name: "burning/1" }).waitFor({ state: "detached" });
    await page.getByRole("link", { name: "page/1" }).click();
    await page.getByRole("button", { name: "Change caps or expiry" }).click();
    await fits();
    await page.getByLabel("Daily cap in USD (empty: none)").fill("7.5");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("of $7.50 a day").waitFor();
    await page.getByRole("button", { name: "Revoke this key" }).click();
    await page.getByRole("button", { name: "Revoke now" }).click();
    await page.locator(".key .status", { hasText: "revoked" }).waitFor();
  });
});

describe("the audit log", () => {
  test("is filtered by its address, which shows somebody else the same", async () => {
    await show("Audit");
    await page.getByLabel("Run (a last * is any ending)").fill("burning/1");
    await page.getByText("$38.00").first().waitFor();
    const link = page.url();
    expect(new URL(link).hash).toBe("#audit?agent_run_label=burning%2F1");
    const other = await signedIn(browser, run);
    await other.page.goto(link);
    await other.page.locator("table.audit tbody tr").first().waitFor();
    const labels = await other.page.locator("table.audit tbody th").allInnerTexts();
    expect(new Set(labels)).toEqual(new Set(["burning/1"]));
    await other.close();
  });

  test("opens a row to its events and to the vendor's own pages, of live and of test mode", async () => {
    const settled = page.locator("table.audit tbody tr", { hasText: "settled" }).first();
    await settled.getByRole("button").click();
    await page.getByRole("heading", { name: "Events" }).waitFor();
    const links = await page
      .locator("a.beside")
      .evaluateAll((all) => all.map((each) => each.getAttribute("href")));
    expect(links.filter((href) => href?.includes("/test/"))).toHaveLength(2);
    expect(links).toHaveLength(4);
  });

  test("is saved whole, as a download where the browser cannot write to the disk", async () => {
    await page.evaluate(() =>
      Object.defineProperty(window, "showSaveFilePicker", { value: undefined, configurable: true }),
    );
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as NDJSON" }).click(),
    ]);
    const lines = readFileSync(await download.path(), "utf8")
      .trim()
      .split("\n");
    const rows = lines.map((line) => JSON.parse(line) as unknown);
    const shown = await page.locator("table.audit tbody th").count();
    expect(rows).toHaveLength(shown);
    for (const row of rows) expect(at(row, "agent_run_label")).toBe("burning/1");
  });

  test("is written into the file that the reader chooses, where the browser can", async () => {
    // A headless browser shows no picker: the file is one of the page's own.
    await page.evaluate(() => {
      const choose = async ({ suggestedName }: { readonly suggestedName: string }) =>
        (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
      Object.defineProperty(window, "showSaveFilePicker", { value: choose, configurable: true });
    });
    await page.getByRole("button", { name: "Save as CSV" }).click();
    await page
      .getByRole("status")
      .filter({ hasText: /^Saved \d+ rows$/ })
      .waitFor();
    const text = await page.evaluate(async () => {
      const file = await (await navigator.storage.getDirectory()).getFileHandle("keybrake-audit.csv");
      return (await file.getFile()).text();
    });
    const [names = "", ...rows] = text.trimEnd().split("\r\n");
    expect(names).toMatch(/^id,at,type,/);
    expect(rows).toHaveLength(await page.locator("table.audit tbody th").count());
  });
});

describe("what the scopes do not allow", () => {
  test.each([
    ["read", ["Now", "Keys", "Audit", "Spend"]],
    ["revoke", ["Now"]],
    ["issue", ["Keys"]],
  ])("is not shown to who may only %s", async (scope, views) => {
    const json = { name: scope, scopes: [scope] };
    const made = await ask(run, "POST", "/vault/api-keys", { token: run.apiKey, json });
    const limited = await visit(browser, `${run.baseUrl}/dashboard`);
    await limited.page.getByLabel("API key or one-time code").fill(textAt(made.json, "api_key"));
    await limited.page.getByRole("button", { name: "Sign in" }).click();
    const shown = limited.page.getByRole("navigation", { name: "Views" }).getByRole("link");
    await shown.first().waitFor();
    await expect.poll(() => limited.page.locator(".loading").count()).toBe(0);
    expect(await shown.allInnerTexts()).toEqual(views);
    expect((await limited.page.getByRole("button", { name: /^Stop/ }).count()) > 0).toBe(scope === "revoke");
    await limited.close();
  });
});

/** What Chromium gives to a screen reader, without what it leaves out. */
interface Told {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly role: string;
  readonly name: string;
}

async function accessibilityTree(): Promise<readonly Told[]> {
  const session = await there.context.newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  return nodes
    .filter(({ ignored }) => !ignored)
    .map(({ nodeId, parentId, role, name }) => ({
      id: nodeId,
      parentId,
      role: String(role?.value),
      name: String(name?.value ?? ""),
    }));
}

function isInside(node: Told, outerId: string | undefined, tree: readonly Told[]): boolean {
  const parent = tree.find(({ id }) => id === node.parentId);
  return parent !== undefined && (parent.id === outerId || isInside(parent, outerId, tree));
}

describe("accessibility", () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

  test.each(
    (["light", "dark"] as const).flatMap((scheme) =>
      ["Now", "Keys", "Audit", "Spend"].map((view) => [view, scheme] as const),
    ),
  )("has no findings: %s, %s", async (view, scheme) => {
    await page.emulateMedia({ colorScheme: scheme });
    await show(view);
    for (const size of [WIDE, PHONE]) {
      await page.setViewportSize(size);
      const found = await page.evaluate(`${axe}; axe.run().then(({ violations }) =>
        violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" ")))`);
      expect(found, `${size.width} px`).toEqual([]);
      await fits();
    }
  });

  test.each([
    ["Now", ["Run", "A minute", "5 minutes", "Can still spend", "Stop"]],
    ["Keys", ["Key", "Vendor", "Caps", "Ends", "Status"]],
    ["Audit", ["Time", "Run", "Call or change", "State", "Cost"]],
  ])("the cards of a phone are rows of a table to a screen reader: %s", async (view, columns) => {
    await page.setViewportSize(PHONE);
    await show(view);
    const cards = page.locator("main table").first();
    expect(await cards.evaluate((table) => getComputedStyle(table).display)).toBe("block");
    const tree = await accessibilityTree();
    const table = tree.find(({ role }) => role === "table");
    const rows = tree.filter((node) => node.role === "row" && isInside(node, table?.id, tree));
    const partsOf = (id: string | undefined) => tree.filter(({ parentId }) => parentId === id);
    const [head, ...body] = rows.map(({ id }) => partsOf(id));
    expect(head?.map(({ role, name }) => `${role} ${name}`)).toEqual(
      columns.map((name) => `columnheader ${name}`),
    );
    expect(body.length).toBeGreaterThan(0);
    for (const row of body) {
      expect(row).toHaveLength(columns.length);
      expect(row.filter(({ role }) => role === "rowheader")).toHaveLength(1);
      expect(row.filter(({ role }) => role === "cell")).toHaveLength(columns.length - 1);
    }
  });

  test("the whole time nothing was asked of another host, and no script complained", () => {
    const origins = new Set(
      there.asked.filter((url) => /^https?:/.test(url)).map((url) => new URL(url).origin),
    );
    expect([...origins]).toEqual([new URL(run.baseUrl).origin]);
    expect(there.complaints.filter((each) => !/ERR_INTERNET_DISCONNECTED/.test(each))).toEqual([]);
  });
});
