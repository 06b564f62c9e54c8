import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { Unavailable } from "../support/python.ts";

/** Tells the tests which Chromium to start. */
export const CHROMIUM_VARIABLE = "KEYBRAKE_TEST_CHROMIUM";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const found = (): string | undefined =>
  [process.env[CHROMIUM_VARIABLE] ?? "", ...PLACES].find((place) => place !== "" && existsSync(place));

/** The Chromium of this machine. Installs Debian's where that is allowed; throws Unavailable where there is none then. */
export function chromiumHere(): string {
  const here = found();
  if (here !== undefined) return here;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    spawnSync("apt-get", ["update", "--quiet"], { stdio: "ignore" });
    spawnSync("apt-get", ["install", "--yes", "--quiet", "--no-install-recommends", "chromium"], {
      stdio: "ignore",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  }
  const installed = found();
  if (installed === undefined)
    throw new Unavailable(`no Chromium is installed; install one, or name it in ${CHROMIUM_VARIABLE}`);
  return installed;
}
