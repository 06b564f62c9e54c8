import { at, listAt, numberAt } from "../support/json.ts";
import type { Keybrake } from "../support/keybrake.ts";
import type { CountedSum } from "./count.ts";

/** What a run answers, page by page. */

type Parameters = Readonly<Record<string, string>>;
export type Answered = Readonly<Record<string, unknown>>;

export async function get(to: Keybrake, path: string, parameters: Parameters, accept = "application/json") {
  const headers = { Authorization: `Bearer ${to.apiKey}`, Accept: accept };
  const answer = await fetch(`${to.baseUrl}${path}?${new URLSearchParams(parameters)}`, { headers });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`);
  return { text, next: answer.headers.get("Keybrake-Next-Cursor") };
}

/** Every entry of a list, as its pages come. `total` is that of the last page. */
export async function all(to: Keybrake, path: string, parameters: Parameters) {
  const data: Answered[] = [];
  for (let cursor = ""; ; ) {
    const json: unknown = JSON.parse(
      (await get(to, path, { ...parameters, ...(cursor && { cursor }) })).text,
    );
    data.push(...(listAt(json, "data") as readonly Answered[]));
    const next = at(json, "next_cursor");
    if (typeof next !== "string") return { data, total: at(json, "total") };
    cursor = next;
  }
}

/** The pages of an export as their texts. */
export async function exported(
  to: Keybrake,
  parameters: Parameters,
  accept: string,
): Promise<readonly string[]> {
  const pages: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const asked = { limit: "1000", ...parameters, ...(cursor && { cursor }) };
    const { text, next } = await get(to, "/vault/audit", asked, accept);
    pages.push(text);
    cursor = next;
  }
  return pages;
}

/** Decimal dollars as they were written, in micro-dollars: no amount here has more digits than a number holds. */
export const micros = (usd: unknown): bigint => BigInt(Math.round(Number(usd) * 1e6));

export const sumOf = (entry: unknown): CountedSum => ({
  spent: micros(numberAt(entry, "spent_usd")),
  allowed: numberAt(entry, "allowed_calls"),
  denied: numberAt(entry, "denied_calls"),
});
