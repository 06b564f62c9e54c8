import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** go-retryablehttp against every refusal, where the machine has Go; whether nothing failed. Says `skipped: …` where it cannot run. */
export function goClients(denials: string): boolean {
  const folder = join(import.meta.dirname, "go");
  console.log("\ngo: github.com/hashicorp/go-retryablehttp v0.7.8");
  const go = (...rest: string[]) =>
    spawnSync("go", rest, {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, KEYBRAKE_DENIALS: denials, GOFLAGS: "-mod=readonly" },
    });
  const { error, status, stderr } = go("mod", "download");
  if (error !== undefined || status !== 0) {
    const why =
      error === undefined
        ? `its modules cannot be had: ${stderr.trim()}`
        : `it does not start: ${error.message}`;
    console.log(`skipped: go: ${why}`);
    return true;
  }
  const tested = go("test", "-count=1", "./...");
  console.log(tested.stdout + tested.stderr);
  return tested.status === 0;
}
