import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LocalOptions } from "../../local/run.ts";
import { startBeforeUpstream } from "./before-upstream.ts";
import { at, textAt } from "./json.ts";
import { balanceOf, callRows, issue, type Key, type OwnRun } from "./keybrake.ts";
import type { OwnUpstream } from "./own-upstream.ts";
import { type RawAnswer, type RawRequest, requestBytes, sendBytes } from "./raw-tcp.ts";

/** Requests that try to spend without being counted, against an upstream that keeps what reaches it byte for byte. */

export interface Attempt extends RawRequest {
  readonly name: string;
  /** What its key is issued with. */
  readonly key?: Readonly<Record<string, unknown>>;
}

/** Reaches nobody. */
export interface Refused extends Attempt {
  readonly status: number;
  readonly code: string;
}

/** Reaches the vendor, and costs what it would cost there. */
export interface Counted extends Attempt {
  readonly microUsd: number;
  /** Path and query at the vendor. */
  readonly reaches: string;
}

export interface Smuggling {
  readonly vendor: string;
  /** Of vendors that are no built-in ones. */
  readonly definitions?: NonNullable<LocalOptions["definitions"]>;
  /** What a request is unless it says otherwise. */
  readonly usual: RawRequest;
  /** The credential that the upstream must see, and no caller. */
  readonly credential: string;
  readonly rateCard?: NonNullable<LocalOptions["rateCard"]>;
}

export interface Smuggler {
  readonly usual: RawRequest;
  readonly run: OwnRun;
  readonly upstream: OwnUpstream;
  issue(body?: Readonly<Record<string, unknown>>): Promise<Key>;
  /** Whose key it is, which decides about the shape of a denial. */
  vendorOf(body?: Readonly<Record<string, unknown>>): string;
  send(key: Key, request: RawRequest): Promise<RawAnswer>;
}

const CAP = { daily_usd_cap: 1000 };

/** Starts Keybrake before an upstream of one vendor, for the tests of a file. */
export function smugglerOf({ vendor, usual, credential, rateCard, definitions }: Smuggling): Smuggler {
  let run: OwnRun | undefined;
  let upstream: OwnUpstream | undefined;
  beforeAll(async () => {
    ({ run, upstream } = await startBeforeUpstream(
      { [vendor]: credential },
      { ...(rateCard && { rateCard }), ...(definitions && { definitions }) },
    ));
  });
  afterAll(() => run?.close());
  const started = <T>(what: T | undefined): T => {
    if (what === undefined) throw new Error("nothing is started yet");
    return what;
  };
  return {
    usual,
    vendorOf: (body = {}) => String(body["vendor"] ?? vendor),
    get run() {
      return started(run);
    },
    get upstream() {
      return started(upstream);
    },
    issue: (body = {}) => issue(started(run), { vendor, ...CAP, ...body }),
    send: (key, request) =>
      sendBytes(started(run).baseUrl, requestBytes(key.token, { ...usual, ...request })),
  };
}

/** Keys of a table: one for all requests that ask for none of their own, so that its rows are read once. */
function keysOf(smuggler: Smuggler) {
  const keys = new Map<string, Promise<Key>>();
  const keyOf = (body: Attempt["key"]): Promise<Key> => {
    const name = JSON.stringify(body ?? {});
    const key = keys.get(name) ?? smuggler.issue(body);
    keys.set(name, key);
    return key;
  };
  return {
    keyOf,
    rowsOf: async (body: Attempt["key"]) => [...(await callRows(smuggler.run, await keyOf(body)))].reverse(),
    bodiesOf: (table: readonly Attempt[]) => [
      ...new Map(table.map(({ key }) => [JSON.stringify(key ?? {}), key])).values(),
    ],
  };
}

const micros = (usd: unknown): number => Math.round(Number(usd) * 1e6);

/** Tables of requests by what they are about: each that reaches nobody, then each that costs what it would cost there. */
export function smuggles(
  smuggler: Smuggler,
  tables: {
    readonly refused: Readonly<Record<string, readonly Refused[]>>;
    readonly counted: Readonly<Record<string, readonly Counted[]>>;
  },
): void {
  for (const [title, table] of Object.entries(tables.refused)) refusesEach(title, smuggler, table);
  for (const [title, table] of Object.entries(tables.counted)) countsEach(title, smuggler, table);
}

/** A table of requests that each are an answer in the vendor's shape, a denied row, and nothing at the vendor. */
export function refusesEach(title: string, smuggler: Smuggler, table: readonly Refused[]): void {
  describe(`${title}: refused in the vendor's shape, a denied row, and nothing reaches the vendor`, () => {
    const { keyOf, rowsOf, bodiesOf } = keysOf(smuggler);

    test.each(table)("$name", async ({ name, status, code, key: body, ...request }) => {
      const { upstream } = smuggler;
      const key = await keyOf(body);
      upstream.forget();

      const refused = await smuggler.send(key, request);

      expect(upstream.requests.map(({ method, target }) => [method, target])).toEqual([]);
      expect(refused.status, refused.body).toBe(status);
      if (request.method !== "HEAD") expectDenial(refused, smuggler.vendorOf(body), status, code);
    });

    test("and each of them is one row, in order, with its reason; the balance is untouched", async () => {
      for (const body of bodiesOf(table)) {
        const tried = table.filter(({ key }) => JSON.stringify(key) === JSON.stringify(body));
        expect(
          (await rowsOf(body)).map(({ decision, state, reason, cost_usd }) => [
            decision,
            state,
            reason,
            cost_usd,
          ]),
        ).toEqual(tried.map(({ code }) => ["denied", "denied", code, 0]));
        expect(await balanceOf(smuggler.run, await keyOf(body))).toMatchObject({ spent: 0, reserved: 0 });
      }
    });
  });
}

/** A table of requests that reach the vendor as they were sent, and of which each costs what is said. */
export function countsEach(title: string, smuggler: Smuggler, table: readonly Counted[]): void {
  describe(`${title}: what reaches the vendor is what was counted`, () => {
    const { keyOf, rowsOf, bodiesOf } = keysOf(smuggler);

    test.each(table)("$name", async ({ name, microUsd, reaches, key: body, ...request }) => {
      const { upstream } = smuggler;
      const key = await keyOf(body);
      upstream.forget();

      const allowed = await smuggler.send(key, request);

      expect(allowed.status, allowed.body).toBe(200);
      expect(upstream.requests.map(({ target }) => target)).toEqual([reaches]);
      const sent = { ...smuggler.usual, ...request };
      if (sent.length !== null) expect(upstream.requests[0]?.body).toEqual(Buffer.from(sent.body ?? ""));
    });

    test("and each of them is one row, in order, with its cost; the balance is their sum", async () => {
      for (const body of bodiesOf(table)) {
        const tried = table.filter(({ key }) => JSON.stringify(key) === JSON.stringify(body));
        expect((await rowsOf(body)).map(({ decision, cost_usd }) => [decision, micros(cost_usd)])).toEqual(
          tried.map(({ microUsd }) => ["allowed", microUsd]),
        );
        const { spent, reserved } = await balanceOf(smuggler.run, await keyOf(body));
        expect(micros((spent + reserved) / 100)).toBe(tried.reduce((sum, { microUsd }) => sum + microUsd, 0));
      }
    });
  });
}

/** What each vendor's SDKs make their natural exception of; where path and key differ, or at the root, the body has it too. */
function expectDenial(refused: RawAnswer, vendor: string, status: number, code: string): void {
  const requestId = refused.headers["request-id"];
  expect(refused.headers).toMatchObject({
    "content-type": "application/json",
    "keybrake-charged": "no",
    "request-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  const json: unknown = JSON.parse(refused.body);
  const ours = { charged: "no", request_id: requestId };
  if (vendor === "stripe") {
    expect(refused.headers["stripe-should-retry"]).toBe("false");
    expect(at(json, "error")).toMatchObject({ code, ...ours });
  } else if (vendor === "twilio") {
    expect(json).toMatchObject({ status, code: expect.any(Number), keybrake_code: code, ...ours });
    expect(refused.headers["twilio-request-id"]).toBe(requestId);
  } else if (vendor === "resend")
    expect(json).toMatchObject({
      statusCode: status,
      name: expect.any(String),
      keybrake_code: code,
      ...ours,
    });
  else expect(at(json, "error")).toMatchObject({ code, ...ours });
  const message =
    vendor === "twilio" || vendor === "resend" ? textAt(json, "message") : textAt(json, "error", "message");
  expect(message).toMatch(/; nothing was charged$/);
}

export const refused = (name: string, status: number, code: string, request: Partial<Attempt>): Refused => ({
  ...request,
  name,
  status,
  code,
});
export const ambiguous = (name: string, request: Partial<Attempt>): Refused =>
  refused(name, 400, "ambiguous_request", request);
export const ambiguousPath = (target: string, request: Partial<Attempt> = {}): Refused =>
  refused(target, 400, "ambiguous_path", { ...request, target });
export const notPriced = (name: string, request: Partial<Attempt>): Refused =>
  refused(name, 403, "endpoint_not_priced", request);
export const amountUnknown = (name: string, request: Partial<Attempt>): Refused =>
  refused(name, 400, "amount_unknown", request);

/** A key is its vendor's alone, with the path of its vendor and at the root, and its denial is in that vendor's shape. */
export const keysOfOthers = (
  { vendor, target }: { readonly vendor: string; readonly target: string },
  others: readonly string[],
): readonly Refused[] =>
  others.flatMap((other) => [
    refused(`a key of ${other} on this vendor's path`, 403, "endpoint_not_allowed", {
      key: { vendor: other },
    }),
    refused(`a key of ${other} at the root`, 403, "endpoint_not_priced", {
      key: { vendor: other },
      target: target.replace(`/${vendor}`, ""),
    }),
    refused(`a key of this vendor on the path of ${other}`, 403, "endpoint_not_allowed", {
      target: target.replace(`/${vendor}`, `/${other}`),
    }),
  ]);

/** Headers that no request may have, whatever its vendor. */
export const OVERRIDES: readonly Refused[] = [
  "X-HTTP-Method-Override: DELETE",
  "X-HTTP-Method: PUT",
  "X-Method-Override: GET",
  "x-http-method-override:",
].map((line) => ambiguous(line, { headers: [line] }));

/** No such method is in the catalog of any vendor at the path that takes its POST. */
export const METHODS: readonly Refused[] = [
  "HEAD",
  "OPTIONS",
  "PUT",
  "PATCH",
  "DELETE",
  "TRACE",
  "PROPFIND",
  "LINK",
].map((method) => notPriced(method, { method, body: "", type: null }));
