import type { LocalOptions } from "../../local/run.ts";
import { type OwnRun, startOwn } from "./keybrake.ts";
import { type OwnUpstream, startOwnUpstream } from "./own-upstream.ts";

/**
 * Starts Keybrake before an upstream of the tests' own, which stands for each vendor that `credentials` names and must see
 * that credential. Closing the run closes both.
 */
export async function startBeforeUpstream(
  credentials: Readonly<Record<string, string>> = { stripe: "sk_test_own" },
  options: LocalOptions = {},
): Promise<{ readonly run: OwnRun; readonly upstream: OwnUpstream }> {
  const upstream = await startOwnUpstream();
  const { origin } = upstream;
  const vendors = Object.fromEntries(
    Object.entries(credentials).map(([vendor, credential]) => [
      vendor,
      { kind: "upstream" as const, origin, credential },
    ]),
  );
  const run = await startOwn({ ...options, vendors });
  const close = async (graceMs?: number) => {
    await run.close(graceMs);
    await upstream.close();
  };
  return { run: { ...run, close }, upstream };
}
