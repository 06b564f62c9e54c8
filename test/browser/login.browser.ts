import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listen } from "../../local/listen.ts";
import { listAt, textAt } from "../support/json.ts";
import { ask, issue, type OwnRun, startOwn } from "../support/keybrake.ts";
import { openBrowser, signedIn, visit } from "./browser.ts";

/**
 * Guarantees that a real browser keeps the login of the dashboard to itself: from scripts, from other pages, from other hosts; and
 * that it ends.
 */

const COOKIE = "__Host-keybrake_login";
let run: OwnRun;
let browser: Browser;
/** Pages of somebody else, on this machine and so the same site to a browser, and as another site. */
let others: Server;
let otherPort: number;
beforeAll(async () => {
  run = await startOwn({ stage: "prod" });
  browser = await openBrowser();
  others = createServer((_, answer) => {
    answer.setHeader("Content-Type", "text/html");
    answer.end("<!doctype html><title>another page</title>");
  });
  await listen(others, 0);
  otherPort = (others.address() as AddressInfo).port;
});
afterAll(async () => {
  await browser.close();
  others.close();
  await run.close();
});

const views = (page: Page) => page.getByRole("navigation", { name: "Views" });
const keyField = (page: Page) => page.getByLabel("API key or one-time code");
const loginOf = async (page: Page) =>
  (await page.context().cookies()).find(({ name }) => name.startsWith(COOKIE));
const stops = async () =>
  listAt((await ask(run, "GET", "/vault/stops", { token: run.apiKey })).json, "data").length;

describe("signing in", () => {
  test("with the code of an address leaves the code nowhere, and asks no other host", async () => {
    const there = await signedIn(browser, run);
    expect(there.page.url()).not.toContain("code");
    expect(await there.page.evaluate(() => history.length)).toBeLessThanOrEqual(2);
    const hosts = new Set(
      there.asked.filter((url) => !url.startsWith("data:")).map((url) => new URL(url).origin),
    );
    expect([...hosts]).toEqual([new URL(run.baseUrl).origin]);
    for (const url of there.asked.filter((each) => !each.startsWith("data:")))
      expect(new URL(url).pathname).toMatch(/^\/prod\/(dashboard|vault)(\/|$)/);
    await there.close();
  });

  test("with an API key works too, and a wrong one is told", async () => {
    const there = await visit(browser, `${run.baseUrl}/dashboard`);
    await keyField(there.page).fill("not-a-key");
    await there.page.getByRole("button", { name: "Sign in" }).click();
    await there.page.getByRole("alert").getByText("This API key is not known here.").waitFor();
    expect(await loginOf(there.page)).toBeUndefined();
    await keyField(there.page).fill(run.apiKey);
    await there.page.getByRole("button", { name: "Sign in" }).click();
    await views(there.page).waitFor();
    await there.close();
  });

  test("gives a cookie for this host alone that no script sees and no storage repeats", async () => {
    const there = await signedIn(browser, run);
    const cookie = await loginOf(there.page);
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: "Strict", path: "/" });
    const lastsS = (cookie?.expires ?? 0) - Date.now() / 1000;
    expect(lastsS).toBeGreaterThan(43_000);
    expect(lastsS).toBeLessThanOrEqual(43_200);
    const seen = await there.page.evaluate(() =>
      JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, location.href]),
    );
    expect(seen).not.toContain(cookie?.value);
    expect(seen).not.toContain(run.apiKey);
    await there.close();
  });
});

describe("a login ends", () => {
  test("when somebody signs out, and in no tab it comes back", async () => {
    const there = await signedIn(browser, run);
    await there.page.getByRole("button", { name: "Sign out" }).click();
    await keyField(there.page).waitFor();
    expect(await loginOf(there.page)).toBeUndefined();
    await there.page.reload();
    await keyField(there.page).waitFor();
    await there.close();
  });

  test("when its API key is revoked: the page says so by itself", async () => {
    const json = { name: "a test", scopes: ["read"] };
    const made = await ask(run, "POST", "/vault/api-keys", { token: run.apiKey, json });
    const there = await visit(browser, `${run.baseUrl}/dashboard`);
    await keyField(there.page).fill(textAt(made.json, "api_key"));
    await there.page.getByRole("button", { name: "Sign in" }).click();
    await views(there.page).waitFor();
    await ask(run, "DELETE", `/vault/api-keys/${textAt(made.json, "id")}`, { token: run.apiKey });
    await keyField(there.page).waitFor({ timeout: 20_000 });
    await there.close();
  });
});

describe("the policy", () => {
  test("keeps out scripts, frames and requests that the page does not have itself", async () => {
    const there = await signedIn(browser, run);
    const broken = await there.page.evaluate(async (elsewhere) => {
      const directives: string[] = [];
      const seen = (count: number) =>
        new Promise<void>((resolve) => {
          document.addEventListener("securitypolicyviolation", (event) => {
            directives.push(event.effectiveDirective);
            if (directives.length >= count) resolve();
          });
        });
      const all = seen(5);
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
      const far = document.createElement("script");
      far.src = `${elsewhere}/x.js`;
      document.body.append(far);
      const style = document.createElement("style");
      style.textContent = "body { display: none }";
      document.body.append(style);
      const frame = document.createElement("iframe");
      frame.src = elsewhere;
      document.body.append(frame);
      await fetch(elsewhere).catch(() => {});
      await all;
      return { directives: directives.toSorted(), ran: "ran" in window };
    }, `http://127.0.0.1:${otherPort}`);
    expect(broken).toEqual({
      directives: ["connect-src", "frame-src", "script-src-elem", "script-src-elem", "style-src-elem"],
      ran: false,
    });
    await there.close();
  });

  test("lets nobody frame the page", async () => {
    const there = await signedIn(browser, run);
    const other = await there.context.newPage();
    await other.goto(`http://127.0.0.1:${otherPort}`);
    const framed = other.waitForEvent("requestfailed", {
      predicate: (request) => request.url().includes("/dashboard"),
    });
    await other.evaluate((address) => {
      const frame = document.createElement("iframe");
      frame.src = address;
      document.body.append(frame);
    }, `${run.baseUrl}/dashboard`);
    await framed;
    await there.close();
  });
});

describe.each([
  ["the same site", "127.0.0.1"],
  ["another site", "localhost"],
])("a page of somebody else on %s", (_, host) => {
  /** What its scripts, links and forms get of the API while its user is signed in. */
  async function attack(act: (page: Page) => Promise<unknown>): Promise<readonly number[]> {
    const there = await signedIn(browser, run);
    const page = await there.context.newPage();
    await page.goto(`http://${host}:${otherPort}`);
    const statuses: number[] = [];
    there.context.on("response", (response) => {
      if (response.url().startsWith(run.baseUrl) && response.request().frame().page() === page)
        statuses.push(response.status());
    });
    await act(page);
    await there.close();
    return statuses;
  }
  const base = () => run.baseUrl;

  test("reads nothing by a script", async () => {
    let read: unknown;
    const statuses = await attack(async (page) => {
      read = await page.evaluate(
        (url) =>
          fetch(`${url}/vault/keys`, { credentials: "include" }).then(
            (answer) => answer.text(),
            () => "refused",
          ),
        base(),
      );
    });
    expect(read).toBe("refused");
    expect(statuses.every((status) => status === 403)).toBe(true);
  });

  test("gets nothing loaded as a script, a picture or in the background", async () => {
    const statuses = await attack((page) =>
      page.evaluate(async (url) => {
        const script = document.createElement("script");
        script.src = `${url}/vault/audit`;
        const loaded = new Promise((resolve) => {
          script.onload = script.onerror = resolve;
        });
        document.body.append(script);
        await loaded;
        await fetch(`${url}/vault/keys`, { credentials: "include", mode: "no-cors" });
      }, base()),
    );
    // Without the cookie 401, with it 403.
    expect(statuses.length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status !== 401 && status !== 403)).toEqual([]);
  });

  test("stops, issues and signs in nobody by a form", async () => {
    const before = await stops();
    for (const path of ["/vault/stops", "/vault/keys", "/dashboard/login", "/dashboard/codes"]) {
      const statuses = await attack(async (page) => {
        const answered = page.waitForResponse((response) => response.url().startsWith(base()));
        await page.evaluate((action) => {
          const form = document.createElement("form");
          form.method = "post";
          form.enctype = "text/plain";
          form.action = action;
          const field = document.createElement("input");
          field.name = '{"all":true,"reason":"';
          field.value = '"}';
          form.append(field);
          document.body.append(form);
          form.submit();
        }, `${base()}${path}`);
        await answered;
      });
      expect([path, [...new Set(statuses)]]).toEqual([path, [403]]);
    }
    expect(await stops()).toBe(before);
  });
});

test("a vendor's answer is not shown, with a vault key in the address either", async () => {
  const { token } = await issue(run);
  const there = await signedIn(browser, run);
  const page = await there.context.newPage();
  const { protocol, host, pathname } = new URL(run.baseUrl);
  const answer = await page.goto(`${protocol}//${token}:@${host}${pathname}/stripe/v1/customers`);
  expect(answer?.status()).toBe(403);
  expect(await page.content()).toContain("cross_site");
  await there.close();
});
