/**
 * `npm run screenshots`: the pictures of docs/dashboard.md, of a local run with made-up traffic, to docs/pictures.
 *
 * Times and amounts are the same each time; ids are not. Needs a Chromium: the one of the machine, or Debian's where it may install it.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { build } from "../../../bin/build.ts";
import type { OwnRun } from "../../support/keybrake.ts";
import { skippedWhereUnavailable } from "../../support/python.ts";
import { openBrowser, signedIn } from "../browser.ts";
import { CHROMIUM_VARIABLE, chromiumHere } from "../chromium.ts";
import { PICTURES, type Picture } from "./pictures.ts";
import { checkTraffic, NOW, runWithTraffic } from "./traffic.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "..", "docs", "pictures");
const QUALITY = 80;

/** The page as WebP, which is a third of a PNG. */
async function saved(page: Page, { name, viewport }: Picture): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", {
    format: "webp",
    quality: QUALITY,
  });
  const picture = Buffer.from(data, "base64");
  writeFileSync(join(FOLDER, `${name}.webp`), picture);
  console.log(`${name}.webp  ${viewport.width} px wide  ${Math.ceil(picture.length / 1024)} KB`);
}

/** Sets the browser's clock, and the time up to which the log is: that one is of the engine's clock, which is not set here. */
async function stopTime(page: Page): Promise<void> {
  await page.clock.setFixedTime(NOW);
  await page.route("**/vault/runs?*", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({
      response: answer,
      json: { ...((await answer.json()) as object), recorded_to: NOW },
    });
  });
}

async function take(browser: Browser, run: OwnRun, picture: Picture): Promise<void> {
  const { viewport, scheme, steps } = picture;
  const there = await signedIn(browser, run, {
    viewport,
    colorScheme: scheme,
    timezoneId: "Europe/Berlin",
    reducedMotion: "reduce",
    prepare: stopTime,
  });
  await there.settled();
  await steps(there.page);
  await there.settled();
  await saved(there.page, picture);
  await there.close();
}

await skippedWhereUnavailable(async () => {
  process.env[CHROMIUM_VARIABLE] = chromiumHere();
  await build();
  mkdirSync(FOLDER, { recursive: true });
  for (const file of readdirSync(FOLDER)) rmSync(join(FOLDER, file));
  const run = await runWithTraffic();
  const browser = await openBrowser();
  try {
    await checkTraffic(run);
    for (const picture of PICTURES) await take(browser, run, picture);
  } finally {
    await browser.close();
    await run.close();
  }
});
