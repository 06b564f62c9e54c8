import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type RequestListener, type Server } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DIST } from "../../bin/build.ts";
import { loadFunctions } from "../../local/aws/functions.ts";
import { invocationContext } from "../../local/aws/invocation.ts";
import { freePort, listen } from "../../local/listen.ts";
import { listAt, numberAt, textAt } from "../support/json.ts";
import {
  ask,
  balanceOf,
  callRows,
  costOf,
  countBy,
  issue,
  type Key,
  type OwnRun,
  pay,
  post,
  startOwn,
} from "../support/keybrake.ts";
import { headerOf, type StripeClient, stripeClient } from "../support/stripe-node.ts";
import {
  decided,
  hostsDuring,
  TWILIO_PACKAGES,
  twilioClient,
  refusalOf as twilioRefusalOf,
} from "../support/twilio-node.ts";

/**
 * Guarantees that Keybrake works with upstreams that others wrote: stripe-stateful-mock, and Prism with Twilio's own
 * description of its API. So it reads more than what its own simulators write.
 */

const requireHere = createRequire(import.meta.url);
const STRIPE_SECRET = "sk_test_independent";
const REAL_SID = "AC0123456789abcdef0123456789abcdef";
const TWILIO_DESCRIPTION = join(
  requireHere.resolve("@twilio/cli-core/package.json"),
  "../src/services/twilio-api/twilio_api_v2010.json",
);

let run: OwnRun;
let stripeMock: Server;
let stripeOrigin: string;
let prism: Prism;
const realNow = Date.now;
let aheadMs = 0;

beforeAll(async () => {
  (requireHere("loglevel") as { setLevel(level: string): void }).setLevel("silent");
  const mock = requireHere("stripe-stateful-mock") as { createExpressApp(): RequestListener };
  stripeMock = createServer(mock.createExpressApp());
  stripeOrigin = `http://127.0.0.1:${await listen(stripeMock, 0)}`;
  prism = await startPrism();
  vi.spyOn(Date, "now").mockImplementation(() => realNow() + aheadMs);
  run = await startOwn({
    vendors: {
      stripe: { kind: "upstream", origin: stripeOrigin, credential: STRIPE_SECRET },
      twilio: { kind: "upstream", origin: prism.origin, credential: `${REAL_SID}:any-token` },
    },
  });
}, 60_000);
afterAll(async () => {
  await run.close();
  vi.restoreAllMocks();
  await prism.close();
  await new Promise<void>((resolve) => {
    stripeMock.close(() => resolve());
    stripeMock.closeAllConnections();
  });
});

interface Prism {
  readonly origin: string;
  /** `METHOD path` of what reached it so far. */
  requests(): readonly string[];
  close(): Promise<void>;
}

async function startPrism(): Promise<Prism> {
  const port = await freePort();
  const cli = join(requireHere.resolve("@stoplight/prism-cli/package.json"), "../dist/index.js");
  const command = ["mock", "-m", "false", "-h", "127.0.0.1", "-p", `${port}`, TWILIO_DESCRIPTION];
  const child: ChildProcess = spawn(process.execPath, [cli, ...command], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("Prism is listening")) resolve();
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.once("close", (code) => reject(new Error(`Prism ended with ${code}: ${said}`)));
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    requests: () =>
      [...said.matchAll(/\[HTTP SERVER\] (\w+) (\S+) .*Request received/g)].map(
        ([, method, path]) => `${method?.toUpperCase()} ${path}`,
      ),
    close: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

const reasons = async (key: Key): Promise<readonly unknown[]> =>
  (await callRows(run, key)).map(({ reason }) => reason);

describe("before stripe-stateful-mock", () => {
  const clientOf = ({ token }: Key): StripeClient =>
    stripeClient("stripe", "host", run.baseUrl, token, { apiVersion: "2020-08-27" });

  /** What the mock itself holds, asked past Keybrake. */
  const listOf = async (what: "charges" | "refunds"): Promise<readonly unknown[]> => {
    const headers = { Authorization: `Bearer ${STRIPE_SECRET}` };
    return listAt(await (await fetch(`${stripeOrigin}/v1/${what}?limit=100`, { headers })).json(), "data");
  };
  const sumOf = (objects: readonly unknown[]): number =>
    objects.reduce<number>((sum, object) => sum + numberAt(object, "amount"), 0);
  /** Cents that it charged and gave back since `before`, declined charges left out. */
  const movedCents = async (): Promise<number> => {
    const paid = (await listOf("charges")).filter((charge) => textAt(charge, "status") === "succeeded");
    return sumOf(paid) + sumOf(await listOf("refunds"));
  };

  test("a charge and its refunds are made there, and cost what it says", async () => {
    const key = await issue(run);
    const client = clientOf(key);
    const before = await movedCents();

    const charge = await client.charges.create({ amount: 1999, currency: "usd", source: "tok_visa" });
    const part = await client.refunds.create({ charge: charge.id, amount: 500 });
    const rest = await client.refunds.create({ charge: charge.id });

    expect(charge).toMatchObject({ object: "charge", amount: 1999, paid: true });
    expect(part).toMatchObject({ amount: 500, charge: charge.id });
    expect(rest).toMatchObject({ amount: 1499, charge: charge.id });
    expect((await movedCents()) - before).toBe(1999 + 500 + 1499);
    expect(await balanceOf(run, key)).toEqual({ spent: 3998, reserved: 0, remaining: 1002 });
    expect(await callRows(run, key)).toMatchObject([
      { state: "settled", cost_usd: 14.99, vendor_object_id: rest.id },
      { state: "settled", cost_usd: 5, vendor_object_id: part.id },
      {
        state: "settled",
        cost_usd: 19.99,
        vendor_object_id: charge.id,
        vendor_request_id: charge.lastResponse.requestId,
      },
    ]);
  });

  test("what was charged is read and listed there for nothing, refunds of it included", async () => {
    const key = await issue(run);
    const client = clientOf(key);
    const charge = await client.charges.create({ amount: 100, currency: "usd", source: "tok_visa" });

    expect((await client.charges.retrieve(charge.id)).id).toBe(charge.id);
    const [newest] = await client.charges.list({ limit: 1 }).autoPagingToArray({ limit: 1 });
    expect(newest?.["object"]).toBe("charge");
    expect((await balanceOf(run, key)).spent).toBe(100);
  });

  test("its replay under the same idempotency key is passed on as it is, and counted once", async () => {
    const key = await issue(run, { daily_usd_cap: 20 });
    const client = clientOf(key);
    const fields = { amount: 1500, currency: "usd", source: "tok_visa" };
    const options = { idempotencyKey: `again-${key.id}` };
    const before = await movedCents();

    const first = await client.charges.create(fields, options);
    const again = await client.charges.create(fields, options);

    expect(again.id).toBe(first.id);
    expect(headerOf(again, "idempotent-replayed")).toBe("true");
    // This one's replays are sent as HTML, whatever they are.
    expect(headerOf(again, "content-type")).toContain("text/html");
    expect(headerOf(again, "original-request")).toBe(first.lastResponse.requestId);
    expect(again.lastResponse.requestId).not.toBe(first.lastResponse.requestId);
    expect((await movedCents()) - before).toBe(1500);
    expect(await balanceOf(run, key)).toEqual({ spent: 1500, reserved: 0, remaining: 500 });
    expect((await callRows(run, key)).map(({ replayed, cost_usd }) => [replayed, cost_usd])).toEqual([
      [true, 0],
      [false, 15],
    ]);
  });

  test("its refusal of other parameters under the same key gives the budget back", async () => {
    const key = await issue(run, { daily_usd_cap: 20 });
    const client = clientOf(key);
    const options = { idempotencyKey: `other-${key.id}` };
    await client.charges.create({ amount: 100, currency: "usd", source: "tok_visa" }, options);

    const error: unknown = await client.charges
      .create({ amount: 200, currency: "usd", source: "tok_visa" }, options)
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({ type: "StripeIdempotencyError", statusCode: 400 });
    expect(await balanceOf(run, key)).toEqual({ spent: 100, reserved: 0, remaining: 1900 });
  });

  test.each([
    ["tok_chargeDeclined", "generic_decline"],
    ["tok_chargeDeclinedInsufficientFunds", "insufficient_funds"],
  ])("its decline of %s is a card error, and the budget is back", async (source, declineCode) => {
    const key = await issue(run, { daily_usd_cap: 20 });
    const before = await movedCents();

    const error: unknown = await clientOf(key)
      .charges.create({ amount: 1000, currency: "usd", source })
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({
      type: "StripeCardError",
      statusCode: 402,
      code: "card_declined",
      decline_code: declineCode,
    });
    expect((await movedCents()) - before).toBe(0);
    expect(await balanceOf(run, key)).toEqual({ spent: 0, reserved: 0, remaining: 2000 });
    expect(await callRows(run, key)).toMatchObject([{ vendor_status: 402, cost_usd: 0 }]);
  });

  test("its 429 charges nothing and gives the budget back; its 500 leaves it held", async () => {
    const [limited, failed] = await Promise.all([issue(run), issue(run)]);
    const charge = (key: Key, source: string) =>
      post(run, key, "/v1/charges", { amount: "300", currency: "usd", source });

    expect((await charge(limited, "tok_429")).status).toBe(429);
    expect((await charge(failed, "tok_500")).status).toBe(500);

    expect(await balanceOf(run, limited)).toEqual({ spent: 0, reserved: 0, remaining: 5000 });
    expect(await balanceOf(run, failed)).toEqual({ spent: 0, reserved: 300, remaining: 4700 });
  });

  test("a path that it does not have is its 404, and costs nothing", async () => {
    const key = await issue(run);

    const reply = await pay(run, key, 100);

    expect(reply.status).toBe(404);
    expect(await balanceOf(run, key)).toEqual({ spent: 0, reserved: 0, remaining: 5000 });
    expect(await callRows(run, key)).toMatchObject([{ state: "released", vendor_status: 404 }]);
  });

  test("of 40 charges at once exactly those that fit the cap are made, by its own list", async () => {
    const key = await issue(run, { daily_usd_cap: 25 });
    const before = await movedCents();

    const replies = await times(40, () =>
      post(run, key, "/v1/charges", { amount: "200", currency: "usd", source: "tok_visa" }),
    );

    expect(countBy(replies.map(({ status }) => status))).toEqual(
      new Map([
        [200, 12],
        [429, 28],
      ]),
    );
    expect((await movedCents()) - before).toBe(2400);
    expect(await balanceOf(run, key)).toEqual({ spent: 2400, reserved: 0, remaining: 100 });
    expect(costOf(await callRows(run, key))).toBe(2400);
  });
});

describe("before Prism with Twilio's own description", () => {
  const FROM = "+15005550006";
  /** The receivers of Twilio's own examples of a message and of a call. */
  const TO = "+14155552345";
  const CALLED = "+14158675309";
  const TWIML = "<Response><Say>Hi</Say></Response>";
  const twilioKey = (body: Readonly<Record<string, unknown>> = {}): Promise<Key> =>
    issue(run, { vendor: "twilio", daily_usd_cap: 10, ...body });
  const clientOf = ({ token }: Key) => twilioClient("twilio", "baseUrl", run.baseUrl, token);

  test.each(TWILIO_PACKAGES)(
    "a message of %s has the form that Twilio describes, and its answer is read",
    async (name) => {
      const key = await twilioKey();

      const message = await twilioClient(name, "baseUrl", run.baseUrl, key.token).messages.create({
        to: TO,
        from: FROM,
        body: "Hello",
        statusCallback: "https://example.com/hook",
        provideFeedback: true,
        validityPeriod: 60,
      });

      expect(message).toMatchObject({
        sid: "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        status: "queued",
        price: null,
      });
      expect(prism.requests().at(-1)).toBe(`POST /2010-04-01/Accounts/${REAL_SID}/Messages.json`);
      expect(await balanceOf(run, key)).toEqual({ spent: 1.45, reserved: 0, remaining: 998.55 });
      expect(await callRows(run, key)).toMatchObject([
        {
          state: "settled",
          cost_usd: 0.0145,
          amount: "1 segment",
          vendor_object_id: message.sid,
          vendor_status: 201,
        },
      ]);
    },
  );

  test("the segments that its example tells are believed, since they are fewer than were reserved", async () => {
    const key = await twilioKey();

    await clientOf(key).messages.create({ to: TO, from: FROM, body: "x".repeat(400) });

    // Three were reserved, $0.0435; the example is of a message of one.
    expect(await callRows(run, key)).toMatchObject([
      { reserved_usd: 0.0435, cost_usd: 0.0145, amount: "1 segment" },
    ]);
    expect(await balanceOf(run, key)).toEqual({ spent: 1.45, reserved: 0, remaining: 998.55 });
  });

  test("the price that its example of a call tells at once is final, since it is within what was reserved", async () => {
    const key = await twilioKey();

    const call = await clientOf(key).calls.create({ to: CALLED, from: FROM, twiml: TWIML, timeLimit: 600 });

    // The example is of a call that has ended, at $0.03. A real answer has no price before the call has ended.
    expect(call).toMatchObject({ price: "-0.03000", priceUnit: "USD", status: "completed" });
    expect(await callRows(run, key)).toMatchObject([
      {
        state: "settled",
        reserved_usd: 0.5,
        cost_usd: 0.03,
        amount: "0.03000",
        currency: "usd",
        overrun: false,
      },
    ]);
    expect(await balanceOf(run, key)).toEqual({ spent: 3, reserved: 0, remaining: 997 });
  });

  test("what is asked of it late is what it describes, and a price in its example, of another message, settles nothing", async () => {
    const key = await twilioKey();
    const { sid } = await clientOf(key).messages.create({ to: TO, from: FROM, body: "Hello" });
    const told = await clientOf(key).messages(sid).fetch();
    aheadMs += 61_000;

    const name = "settle-late-prices";
    await loadFunctions(DIST, [name])(name, {}, invocationContext(name));

    expect(prism.requests().at(-1)).toBe(`GET /2010-04-01/Accounts/${REAL_SID}/Messages/${sid}.json`);
    expect(told).toMatchObject({ price: "-0.00750", priceUnit: "USD" });
    const [, sent] = await callRows(run, key);
    expect(sent).toMatchObject({
      state: "settled",
      reserved_usd: 0.0145,
      cost_usd: 0.0145,
      amount: "1 segment",
    });
    expect(told.sid).not.toBe(sid);
    expect(await balanceOf(run, key)).toEqual({ spent: 1.45, reserved: 0, remaining: 998.55 });
  });

  test("a field that it requires and that is missing is its refusal, and the budget is back", async () => {
    const key = await twilioKey();

    const reply = await ask(run, "POST", `/twilio/2010-04-01/Accounts/${REAL_SID}/Calls.json`, {
      token: key.token,
      form: { To: TO, Twiml: TWIML, TimeLimit: "60" },
    });

    expect(reply.status, reply.text).toBe(422);
    expect(reply.text).toContain("From");
    expect(await callRows(run, key)).toMatchObject([{ state: "released", vendor_status: 422, cost_usd: 0 }]);
    expect(await balanceOf(run, key)).toEqual({ spent: 0, reserved: 0, remaining: 1000 });
  });

  test("the pages of its lists are read, and its relative links come back to Keybrake", async () => {
    const key = await twilioKey();

    const hosts = await hostsDuring(async () => {
      const page = await clientOf(key).messages.page({ pageSize: 2 });
      expect(page.instances.map(({ sid }) => sid.slice(0, 2))).toEqual(["SM", "MM"]);
      expect(page.nextPageUrl).toContain(`${run.baseUrl}/twilio/2010-04-01/Accounts/AC`);
    });

    expect(hosts.filter((host) => !host.startsWith("127.0.0.1:"))).toEqual([]);
    expect(await balanceOf(run, key)).toEqual({ spent: 0, reserved: 0, remaining: 1000 });
  });

  test("what has no price or is another account's does not reach it", async () => {
    const key = await twilioKey();
    const client = clientOf(key);
    const before = prism.requests().length;

    for (const call of [
      () => client.incomingPhoneNumbers.create({ phoneNumber: TO }),
      () => client.keys.list(),
      () => client.calls.create({ to: TO, from: FROM, twiml: TWIML }),
      () => client.messages.create({ to: TO, from: FROM, body: "x", shortenUrls: true }),
    ])
      expect([400, 403]).toContain((await twilioRefusalOf(call())).status);
    const other = { accountSid: "AC99999999999999999999999999999999" };
    const elsewhere = twilioClient("twilio", "baseUrl", run.baseUrl, key.token, other);
    expect((await twilioRefusalOf(elsewhere.messages.list())).status).toBe(403);

    expect(prism.requests().length).toBe(before);
    expect(await reasons(key)).toEqual([
      "account_not_allowed",
      "endpoint_not_priced",
      "amount_unknown",
      "endpoint_not_priced",
      "endpoint_not_priced",
    ]);
  });

  test("of 30 messages at once exactly those that fit the cap reach it", async () => {
    const key = await twilioKey({ daily_usd_cap: 0.15 });
    const client = clientOf(key);
    const before = prism.requests().length;

    const statuses = await times(30, () =>
      decided(() => client.messages.create({ to: TO, from: FROM, body: "x" })),
    );

    expect(countBy(statuses)).toEqual(
      new Map([
        [201, 10],
        [429, 20],
      ]),
    );
    await vi.waitFor(() => expect(prism.requests().length - before).toBe(10));
    expect(await balanceOf(run, key)).toEqual({ spent: 14.5, reserved: 0, remaining: 0.5 });
  });
});
