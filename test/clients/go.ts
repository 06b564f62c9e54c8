import { join } from "node:path";
import { go } from "../support/go.ts";

/** go-retryablehttp against every refusal; whether nothing failed. Throws Unavailable where the machine cannot have it. */
export function goClients(denials: string): boolean {
  const options = {
    cwd: join(import.meta.dirname, "go"),
    env: { KEYBRAKE_DENIALS: denials, GOFLAGS: "-mod=readonly" },
  };
  console.log("\ngo: github.com/hashicorp/go-retryablehttp v0.7.8");
  const fetched = go(["mod", "download"], options);
  const { status, stdout, stderr } =
    fetched.status === 0 ? go(["test", "-count=1", "./..."], options) : fetched;
  console.log(stdout + stderr);
  return status === 0;
}
