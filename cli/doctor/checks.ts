import { URL_VARIABLE } from "../api/address.ts";
import { type Answer, type Api, apiOf, failureOf } from "../api/client.ts";
import { type Fields, isFields } from "../api/fields.ts";
import { API_KEY_VARIABLE, type Cli, type Common } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { clientOf } from "../job/client-of.ts";
import { listOf, span, textOf } from "../output/words.ts";

/** What one look found. `exitCode`: of the command, where it is the first fault. */
export interface Checked {
  readonly what: string;
  readonly state: "good" | "bad" | "unknown";
  readonly found: string;
  readonly next?: string | undefined;
  readonly exitCode: number;
}

type Begun = (what: string) => void;

/** Every look in turn; what cannot be looked at after a fault is left out. */
export async function* checkAll(
  cli: Cli,
  flags: Common & { readonly noCalls?: boolean },
  begun: Begun,
): AsyncGenerator<Checked> {
  begun("the base URL");
  const found = await foundAt(cli, flags);
  yield found.checked;
  if (found.places === null) return;
  if (found.clock !== null) yield found.clock;
  begun("the API key");
  const key = await apiKeyAt(cli, flags);
  yield key;
  if (key.state !== "good" || flags.noCalls === true) return;
  for (const vendor of vendorsIn(found.places)) {
    begun(`the credential of ${vendor}`);
    yield await credentialOf(cli.api(flags), vendor);
  }
}

const good = (what: string, found: string): Checked => ({ what, state: "good", found, exitCode: EXIT.done });
const unknown = (what: string, found: string, next?: string): Checked => ({
  what,
  state: "unknown",
  found,
  next,
  exitCode: EXIT.done,
});
const bad = (what: string, found: string, next: string | undefined, exitCode: number): Checked => ({
  what,
  state: "bad",
  found,
  next,
  exitCode,
});
const failed = (what: string, { message, next, exitCode }: Failure): Checked =>
  bad(what, message, next, exitCode);

const BASE_URL = "base URL";
const API_KEY = "API key";
const CLOCK = "clock";

interface Found {
  readonly checked: Checked;
  /** What `GET /` lists, or null where this is no Keybrake. */
  readonly places: Fields | null;
  readonly clock: Checked | null;
}

async function foundAt(cli: Cli, flags: Common): Promise<Found> {
  try {
    const api = cli.openApi(flags);
    const startedMs = cli.nowMs();
    const answer = await api.send("GET", "/");
    const clock = clockBy(answer, startedMs, cli.nowMs());
    const places = answer.status === 200 && answer.fields?.["keybrake"] !== undefined ? answer.fields : null;
    if (places !== null)
      return { checked: good(BASE_URL, `${api.baseUrl}${stageOf(api.baseUrl)}`), places, clock };
    return { checked: await notThere(api, answer), places: null, clock: null };
  } catch (error) {
    if (error instanceof Failure) return { checked: failed(BASE_URL, error), places: null, clock: null };
    throw error;
  }
}

const stageOf = (baseUrl: string): string => {
  const { pathname } = new URL(baseUrl);
  return pathname === "/" ? ", no stage" : `, stage ${pathname.slice(1)}`;
};

/** Parts of an address that are easily one too many or one too few. */
async function notThere(api: Api, answer: Answer): Promise<Checked> {
  const { origin, pathname } = new URL(api.baseUrl);
  const parent = `${origin}${pathname.replace(/\/[^/]*$/, "")}`;
  const others = [...(pathname === "/" ? [] : [parent]), `${api.baseUrl}/prod`];
  for (const other of others) {
    const there = await apiOf(other, null)
      .send("GET", "/")
      .catch(() => null);
    if (there?.status === 200 && there.fields?.["keybrake"] !== undefined)
      return bad(
        BASE_URL,
        `${api.baseUrl} is not the base URL, and ${other} is`,
        `export ${URL_VARIABLE}=${other}`,
        EXIT.wrongUse,
      );
  }
  return failed(BASE_URL, failureOf(answer, { baseUrl: api.baseUrl, method: "GET", path: "/" }));
}

/** Tolerated: nothing that Keybrake does with its own clock is finer for people. */
const SKEW_MAX_MS = 60_000;

/** The answer's Date has whole seconds, and was written at some moment while the request ran. */
function clockBy({ headers }: Answer, startedMs: number, endedMs: number): Checked {
  const theirs = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(theirs)) return unknown(CLOCK, "the answer has no date");
  const behindMs = theirs - endedMs;
  const aheadMs = startedMs - (theirs + 999);
  const skewMs = Math.max(0, behindMs, aheadMs);
  if (skewMs <= SKEW_MAX_MS) return good(CLOCK, "this machine and Keybrake agree");
  return bad(
    CLOCK,
    `this machine is ${span(skewMs / 1000)} ${behindMs > 0 ? "behind" : "ahead"}`,
    "set the clock: times of `audit` and `tail` and the expiry of keys are Keybrake's",
    EXIT.fault,
  );
}

async function apiKeyAt(cli: Cli, flags: Common): Promise<Checked> {
  try {
    const answer = await cli.api(flags).ask("GET", "/vault/audit", { query: { limit: 1 } });
    const rows = listOf(answer, "data");
    return good(
      API_KEY,
      `${API_KEY_VARIABLE} is accepted${rows.length === 0 ? "; the audit log is empty" : ""}`,
    );
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // A key of other scopes is accepted all the same.
    return error.exitCode === EXIT.denied
      ? good(API_KEY, `accepted, but: ${error.message}`)
      : failed(API_KEY, error);
  }
}

const vendorsIn = (places: Fields): readonly string[] =>
  Object.keys(places).flatMap((name) => /^(.+)_base_url$/.exec(name)?.[1] ?? []);

/** Long enough for one read, and over by itself if this program dies. */
const PROBE_KEY = { total_usd_cap: 0.000001, expires_in: "60s", agent_run_label: "keybrake-doctor" };

async function credentialOf(api: Api, vendor: string): Promise<Checked> {
  const what = `credential of ${vendor}`;
  const { variables } = await clientOf(vendor);
  if (variables.freeRead === null) return unknown(what, "not looked at: no free read is known");
  try {
    const body = { ...PROBE_KEY, vendor, allowed_endpoints: [`GET ${variables.freeRead}`] };
    const key = await api.ask("POST", "/vault/keys", { body });
    const own = apiOf(api.baseUrl, textOf(key, "vault_key"));
    try {
      return readingOf(what, vendor, await own.send("GET", `/${vendor}${variables.freeRead}`));
    } finally {
      await own.send("POST", "/vault/keys/self/revoke").catch(() => null);
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.exitCode === EXIT.denied
      ? unknown(what, `not looked at: ${error.message}`)
      : failed(what, error);
  }
}

/** Keybrake's own refusals have a header; anything else is the vendor's answer. */
function readingOf(what: string, vendor: string, answer: Answer): Checked {
  const code = answer.headers.get("keybrake-code");
  if (code !== null) return bad(what, messageIn(answer.fields) ?? code, undefined, EXIT.fault);
  if (answer.status < 400) return good(what, `accepted by ${vendor}`);
  if (answer.status === 401 || answer.status === 403)
    return bad(
      what,
      `refused by ${vendor} with ${answer.status}`,
      "set the secret again (docs/deploying.md#credentials)",
      EXIT.fault,
    );
  return unknown(what, `${vendor} answered ${answer.status}`, "run the command again in a moment");
}

function messageIn(fields: Fields | null): string | null {
  const message = isFields(fields?.["error"]) ? fields["error"]["message"] : fields?.["message"];
  return typeof message === "string" ? message : null;
}
