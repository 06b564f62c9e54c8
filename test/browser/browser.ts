import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import type { OwnRun } from "../support/keybrake.ts";
import { CHROMIUM_VARIABLE } from "./chromium.ts";

/** A headless Chromium, as an operator's. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env[CHROMIUM_VARIABLE] ?? "/usr/bin/chromium",
    // A container has no user namespaces for the sandbox, and root may not use it.
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });

/** A page of its own, with what it asked and complained of. */
export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Addresses of all that it asked for. */
  readonly asked: readonly string[];
  /** Waits until nothing is being loaded: each sentence of the page that says so ends in an ellipsis. */
  settled(): Promise<void>;
  /** What the browser wrote in its console as an error, and what its scripts threw. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

export interface VisitOptions extends BrowserContextOptions {
  /** Done to the page before it opens the address. */
  readonly prepare?: (page: Page) => Promise<unknown>;
}

/** Opens an address in a browser without any cookie. */
export async function visit(
  browser: Browser,
  address: string,
  { prepare, ...options }: VisitOptions = {},
): Promise<Visit> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await prepare?.(page);
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(address);
  const settled = async () => {
    await page.waitForFunction(() =>
      [...document.querySelectorAll("p")].every(({ textContent }) => !textContent.endsWith("…")),
    );
  };
  return { context, page, asked, complaints, settled, close: () => context.close() };
}

/** The dashboard, signed in by a one-time code with the admin API key. */
export async function signedIn(
  browser: Browser,
  run: Pick<OwnRun, "dashboardUrl">,
  options: VisitOptions = {},
): Promise<Visit> {
  const there = await visit(browser, await run.dashboardUrl(), options);
  await there.page.getByRole("navigation", { name: "Views" }).waitFor();
  return there;
}
