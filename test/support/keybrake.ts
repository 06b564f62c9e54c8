import { DIST } from "../../bin/build.ts";
import { type LocalOptions, type LocalRun, startLocal } from "../../local/run.ts";
import { type Answered, send } from "../local/http-client.ts";
import { refuseBreaches } from "./breaches.ts";
import { deploymentUnderTest, useDeployment } from "./deployed.ts";
import { at, listAt, numberAt, textAt } from "./json.ts";

/** A Keybrake that answers, in this process or in another. */
export interface Keybrake {
  /** With the stage, without a slash at the end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Waits until the audit log has caught up; only of a run in this process. */
  drain?(): Promise<void>;
}

/** What went wrong in a run that should not have: kept, so that a test can ask for it. */
export interface OwnRun extends LocalRun {
  readonly announced: readonly string[];
}

/**
 * Keybrake in this process, of the bundles that the tests share; one at a time in a file. Where a deployment is under test
 * it is that one instead. Closing it throws where anything reached a simulated vendor that it does not serve.
 */
export async function startOwn(options: LocalOptions = {}): Promise<OwnRun> {
  const deployment = deploymentUnderTest();
  const announced: string[] = [];
  const announce = (message: string) => {
    announced.push(message);
  };
  const run =
    deployment === null
      ? await startLocal({ functionsDirectory: DIST, announce, ...options })
      : await useDeployment(deployment, options);
  const books = Object.values(run.vendors).flatMap(({ booksUrl }) => booksUrl ?? []);
  return {
    ...run,
    announced,
    close: async (graceMs) => {
      try {
        await refuseBreaches(books);
      } finally {
        await run.close(graceMs);
      }
    },
  };
}

export interface Asked {
  /** Sent as Bearer. */
  readonly token?: string;
  readonly json?: unknown;
  /** Sent as it is, and called JSON. */
  readonly text?: string;
  /** Sent as a form, in the order given. */
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply extends Answered {
  readonly text: string;
  /** The body where it is JSON. */
  readonly json: unknown;
}

/** One request over a connection of its own; `path` is behind the base URL and sent as it stands. */
export async function ask(to: Keybrake, method: string, path: string, asked: Asked = {}): Promise<Reply> {
  const {
    token,
    json,
    form,
    headers = {},
    text = json === undefined ? undefined : JSON.stringify(json),
  } = asked;
  const rawHeaders = Object.entries(headers).flat();
  if (token !== undefined) rawHeaders.push("Authorization", `Bearer ${token}`);
  const body = text ?? (form && new URLSearchParams(form).toString());
  if (body !== undefined) {
    rawHeaders.push("Content-Length", `${Buffer.byteLength(body)}`);
    const type = text === undefined ? "application/x-www-form-urlencoded" : "application/json";
    if (!("Content-Type" in headers)) rawHeaders.push("Content-Type", type);
  }
  const prefix = new URL(to.baseUrl).pathname.replace(/\/$/, "");
  const answered = await inTurn(() =>
    send(to.baseUrl, { method, path: prefix + path, rawHeaders, ...(body !== undefined && { body }) }),
  );
  return replyOf(answered);
}

/** A stand-in for Lambda has a process for each call under way, so only so many are under way there. */
const AT_ONCE_DEPLOYED = 24;
const waiting: (() => void)[] = [];
let underWay = 0;

async function inTurn<T>(send: () => Promise<T>): Promise<T> {
  if (deploymentUnderTest() === null) return send();
  if (underWay >= AT_ONCE_DEPLOYED) await new Promise<void>((resolve) => waiting.push(resolve));
  else underWay++;
  try {
    return await send();
  } finally {
    const next = waiting.shift();
    if (next === undefined) underWay--;
    else next();
  }
}

function replyOf(answered: Answered): Reply {
  const text = answered.body.toString();
  try {
    return { ...answered, text, json: JSON.parse(text) };
  } catch {
    return { ...answered, text, json: undefined };
  }
}

/** A vault key: its id, and its secret. */
export interface Key {
  readonly id: string;
  readonly token: string;
}

/** Issues a key for Stripe. Without a cap in `body` it has one of $50 a day. */
export async function issue(to: Keybrake, body: Readonly<Record<string, unknown>> = {}): Promise<Key> {
  const capped = "daily_usd_cap" in body || "total_usd_cap" in body;
  const json = { vendor: "stripe", ...(capped ? {} : { daily_usd_cap: 50 }), ...body };
  const reply = await ask(to, "POST", "/vault/keys", { token: to.apiKey, json });
  if (reply.status !== 201) throw new Error(`no key was issued: ${reply.status} ${reply.text}`);
  return { id: textAt(reply.json, "id"), token: textAt(reply.json, "vault_key") };
}

/** Asks to pay `cents` by a new PaymentIntent. */
export const pay = (
  to: Keybrake,
  key: Key,
  cents: number,
  fields: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> =>
  post(to, key, "/v1/payment_intents", { amount: `${cents}`, currency: "usd", ...fields }, headers);

/** A POST to Stripe through the key. */
export const post = (
  to: Keybrake,
  key: Key,
  path: string,
  form: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> => ask(to, "POST", `/stripe${path}`, { token: key.token, form, headers });

/** A row of the audit log on the wire. */
export type Row = Readonly<Record<string, unknown>>;

/** Every row that the parameters name, newest first, page by page; of a run in this process none is missing. */
export async function auditRows(
  to: Keybrake,
  parameters: Readonly<Record<string, string>> = {},
): Promise<readonly Row[]> {
  await to.drain?.();
  const rows: Row[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query = new URLSearchParams({ limit: "100", ...parameters, ...(cursor && { cursor }) });
    const { status, json, text } = await ask(to, "GET", `/vault/audit?${query}`, { token: to.apiKey });
    if (status !== 200) throw new Error(`no audit rows: ${status} ${text}`);
    rows.push(...(listAt(json, "data") as readonly Row[]));
    const next: unknown = at(json, "next_cursor");
    cursor = typeof next === "string" ? next : null;
  }
  return rows;
}

/** The rows of a key's calls, newest first. */
export async function callRows(to: Keybrake, key: Key): Promise<readonly Row[]> {
  const rows = await auditRows(to, { key_id: key.id });
  return rows.filter(({ type }) => type === "call");
}

/** What a key has spent, holds and has left (below zero: exceeded), in cents, by its own account; of a run in this process as of now. */
export async function balanceOf(
  to: Keybrake,
  key: Key,
): Promise<{ readonly spent: number; readonly reserved: number; readonly remaining: number }> {
  await to.drain?.();
  const { json } = await ask(to, "GET", `/vault/keys/${key.id}`, { token: to.apiKey });
  const cents = (name: string) => Math.round(numberAt(json, name) * 1e6) / 1e4;
  const remaining = cents("remaining_usd") - cents("exceeded_by_usd");
  return { spent: cents("spent_usd"), reserved: cents("reserved_usd"), remaining };
}

/** What the rows say was spent, in cents. */
export const costOf = (rows: readonly Row[]): number =>
  Math.round(
    rows.reduce((sum, row) => sum + (typeof row["cost_usd"] === "number" ? row["cost_usd"] : 0), 0) * 100,
  );

export const countBy = <T>(values: readonly T[]): Map<T, number> => {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
};
