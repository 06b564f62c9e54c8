import type { Page } from "playwright-core";

/** What the documents show of the dashboard. */

const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 780 };

export interface Picture {
  readonly name: string;
  readonly viewport: { readonly width: number; readonly height: number };
  readonly scheme: "light" | "dark";
  /** What is done on the page, which begins with the overview. */
  readonly steps: (page: Page) => Promise<unknown>;
}

const view = (name: string) => async (page: Page) => {
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name }).click();
  await page.getByRole("row").nth(1).waitFor();
};

const worstStop = (page: Page) => page.getByRole("region", { name: "Worst run" }).getByRole("button").click();

async function openedCall(page: Page): Promise<void> {
  await view("Audit")(page);
  await page.getByLabel("Run (a last * is any ending)").fill("modal-billing/*");
  await page.getByText("spent ·").waitFor();
  await page.locator("table.audit tbody tr", { hasText: "settled" }).first().getByRole("button").click();
  await page.getByRole("heading", { name: "Events" }).waitFor();
}

/** The last one stops the run: it comes last. */
export const PICTURES: readonly Picture[] = [
  { name: "now", viewport: WIDE, scheme: "light", steps: (page) => page.getByRole("row").nth(1).waitFor() },
  {
    name: "now-phone",
    viewport: PHONE,
    scheme: "dark",
    steps: (page) => page.getByRole("row").nth(1).waitFor(),
  },
  { name: "keys", viewport: WIDE, scheme: "dark", steps: view("Keys") },
  { name: "audit", viewport: WIDE, scheme: "light", steps: openedCall },
  { name: "audit-phone", viewport: PHONE, scheme: "light", steps: view("Audit") },
  { name: "spend", viewport: WIDE, scheme: "light", steps: view("Spend") },
  {
    name: "stop-phone",
    viewport: PHONE,
    scheme: "light",
    steps: async (page) => {
      await worstStop(page);
      await page.getByText("live keys", { exact: false }).last().waitFor();
    },
  },
  {
    name: "stopped-phone",
    viewport: PHONE,
    scheme: "dark",
    steps: async (page) => {
      await worstStop(page);
      await page.getByLabel("Reason, shown in every refusal (optional)").fill("charges twice");
      await page.getByRole("button", { name: "Stop now" }).click();
      await page.getByText("No further call passes").waitFor();
    },
  },
];
