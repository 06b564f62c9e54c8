import { afterAll, beforeAll, expect, test } from "vitest";
import { at, listAt, textAt } from "../support/json.ts";
import { ask, issue, type OwnRun, startOwn } from "../support/keybrake.ts";

/** Guarantees that a list of very many keys is whole, page by page, while others are issued. */

const KEYS = 10_000;
const AT_ONCE = 32;
const WITHIN_MS = 600_000;
const label = "many/keys";

let run: OwnRun;
const before = new Set<string>();
beforeAll(async () => {
  run = await startOwn();
  let next = 0;
  const issuer = async () => {
    while (next++ < KEYS) before.add((await issue(run, { agent_run_label: label })).id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, issuer));
}, WITHIN_MS);
afterAll(() => run.close());

test(
  "none of 10,000 keys is missing or doubled, and the newest come first",
  async () => {
    const seen: { readonly id: string; readonly issuedAt: string }[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      await Promise.all([0, 1].map(() => issue(run, { agent_run_label: label })));
      const query = new URLSearchParams({ agent_run_label: label, limit: "100", ...(cursor && { cursor }) });
      const { status, json, text } = await ask(run, "GET", `/vault/keys?${query}`, { token: run.apiKey });
      expect(status, text).toBe(200);
      const page = listAt(json, "data");
      seen.push(...page.map((key) => ({ id: textAt(key, "id"), issuedAt: textAt(key, "issued_at") })));
      const next: unknown = at(json, "next_cursor");
      cursor = typeof next === "string" ? next : null;
    }
    const ids = seen.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(before.size).toBe(KEYS);
    expect(ids.filter((id) => before.has(id))).toHaveLength(KEYS);
    const times = seen.map(({ issuedAt }) => issuedAt);
    expect(times).toEqual(times.toSorted().toReversed());
  },
  WITHIN_MS,
);
