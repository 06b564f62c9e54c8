import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DIST } from "../../bin/build.ts";
import { loadFunctions } from "../../local/aws/functions.ts";
import { invocationContext } from "../../local/aws/invocation.ts";
import { at, listAt, textAt } from "../support/json.ts";
import {
  ask,
  auditRows,
  balanceOf,
  callRows,
  costOf,
  countBy,
  issue,
  type Key,
  type OwnRun,
  startOwn,
} from "../support/keybrake.ts";
import { type Simulator, simulatorAt } from "../support/simulator.ts";
import {
  decided,
  hostsDuring,
  PLACEHOLDER_SID,
  REAL_SID,
  refusalOf,
  sentDuring,
  TWILIO_PACKAGES,
  type TwilioBooks,
  type TwilioClient,
  type TwilioPackage,
  twilioBooksAt,
  twilioClient,
  VERIFY_SERVICE,
  versionOf,
  WAYS,
  type Way,
} from "../support/twilio-node.ts";

/** Guarantees that programs with twilio-node work, against a simulated Twilio that keeps its own books. */

/** What the simulated Twilio asks, so that an estimate and its books can be compared to the micro-dollar. */
const RATE_CARD = {
  prices: {
    twilio: {
      sms: { "+1": "0.0113", "+44": "0.08" },
      mms: { "+1": "0.022" },
      call_minute: { "+1": "0.014" },
      verification: { "+1": "0.05" },
      lookup_field: { line_type_intelligence: "0.008", caller_name: "0.008" },
    },
  },
};

const FROM = "+15005550006";
const TWIML = "<Response><Say>Hello</Say></Response>";

let run: OwnRun;
let simulator: Simulator;
let books: TwilioBooks;

async function startRun(): Promise<void> {
  run = await startOwn({ rateCard: RATE_CARD });
  simulator = simulatorAt(run.vendor("twilio").origin);
  books = twilioBooksAt(run.vendor("twilio").origin);
}

const key = (body: Readonly<Record<string, unknown>> = {}): Promise<Key> =>
  issue(run, { vendor: "twilio", ...body });

let numbers = 0;
/** A number that no other test writes to, so that its charges are this test's. */
const newNumber = (prefix = "+1415"): string => `${prefix}${5_550_000 + ++numbers}`;

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

const microUsdOf = (charges: readonly { readonly microUsd: number }[]): number =>
  charges.reduce((sum, { microUsd }) => sum + microUsd, 0);

const reasons = async (of: Key): Promise<readonly unknown[]> =>
  (await callRows(run, of)).map(({ reason }) => reason);

const CASES = TWILIO_PACKAGES.flatMap((name) =>
  WAYS.map((way): { name: TwilioPackage; way: Way } => ({ name, way })),
);

test("the versions are the oldest and the newest that are supported, and one between them", () => {
  expect(TWILIO_PACKAGES.map(versionOf)).toEqual(["4.23.0", "5.13.1", "6.2.0"]);
});

/** A call that Twilio carried out and never answered. */
interface Hung {
  readonly key: Key;
  readonly to: string;
  readonly refusal: ReturnType<typeof refusalOf>;
  readonly requests: Promise<number>;
}

describe("against a Twilio that answers", () => {
  const hung: Hung[] = [];
  beforeAll(async () => {
    await startRun();
    // They go on beside the other tests, since they take as long as a vendor is waited for.
    for (const name of TWILIO_PACKAGES) hung.push(await hang(name));
  });
  afterAll(() => run.close());

  async function hang(name: TwilioPackage): Promise<Hung> {
    const to = newNumber();
    const capped = await key({ daily_usd_cap: 1 });
    const client = twilioClient(name, "baseUrl", run.baseUrl, capped.token);
    await simulator.fault({ kind: "hang_after", method: "POST", path: "/Messages.json" });
    const sent = refusalOf(client.messages.create({ to, from: FROM, body: "that hangs" }));
    await vi.waitFor(async () => expect(await books.chargesTo(to)).toHaveLength(1), 5_000);
    return { key: capped, to, refusal: sent, requests: requestsFor(to) };
  }

  describe.each(CASES)("$name by its $way", ({ name, way }) => {
    const clientOf = (token: string, accountSid = PLACEHOLDER_SID): TwilioClient =>
      twilioClient(name, way, run.baseUrl, token, { accountSid });

    test("sends a text message whose object is Twilio's own, counted at what its books say", async () => {
      const to = newNumber();
      const capped = await key({ daily_usd_cap: 1 });

      const message = await clientOf(capped.token).messages.create({
        to,
        from: FROM,
        body: "100 % & more = +1; 'quoted' \"twice\"",
        provideFeedback: true,
      });

      expect(message).toMatchObject({
        sid: expect.stringMatching(/^SM[0-9a-f]{32}$/),
        accountSid: REAL_SID,
        to,
        from: FROM,
        body: "100 % & more = +1; 'quoted' \"twice\"",
        status: "queued",
        numSegments: "1",
        price: null,
      });
      expect(await books.chargesTo(to)).toMatchObject([
        { id: message.sid, kind: "message", count: 1, microUsd: 11_300 },
      ]);
      expect(await balanceOf(run, capped)).toEqual({ spent: 1.13, reserved: 0, remaining: 98.87 });
      expect(await callRows(run, capped)).toMatchObject([
        {
          vendor: "twilio",
          state: "settled",
          cost_usd: 0.0113,
          amount: "1 segment",
          vendor_object_id: message.sid,
          vendor_request_id: expect.stringMatching(/^RQ[0-9a-f]{32}$/),
          user_agent: expect.stringMatching(/^twilio-node\//),
          path: `${way === "baseUrl" ? "" : "/api"}/2010-04-01/Accounts/${PLACEHOLDER_SID}/Messages.json`,
        },
      ]);
    });

    test("sends media, which are reserved at the dearer of a message with media and a text with links", async () => {
      const to = newNumber();
      const capped = await key();

      const message = await clientOf(capped.token).messages.create({
        to,
        from: FROM,
        body: "look",
        mediaUrl: ["https://example.com/a.png", "https://example.com/b.png"],
      });

      expect(message).toMatchObject({ sid: expect.stringMatching(/^MM/), numMedia: "2" });
      expect(await books.chargesTo(to)).toMatchObject([{ kind: "message", count: 1, microUsd: 22_000 }]);
      // A segment, and one more for the link to each of the two.
      expect((await balanceOf(run, capped)).spent).toBe(3.39);
      const [{ body } = { body: "" }] = (await simulator.requests()).slice(-1) as { body: string }[];
      expect(new URLSearchParams(body).getAll("MediaUrl")).toEqual([
        "https://example.com/a.png",
        "https://example.com/b.png",
      ]);
    });

    test("makes a call with a time limit, which reserves every minute of it, and reads, lists and ends it for nothing", async () => {
      const to = newNumber();
      const capped = await key({ daily_usd_cap: 1 });
      const client = clientOf(capped.token);

      const call = await client.calls.create({ to, from: FROM, twiml: TWIML, timeLimit: 121 });
      const fetched = await client.calls(call.sid).fetch();
      const listed = await client.calls.list({ to });
      const ended = await client.calls(call.sid).update({ status: "canceled" });

      expect(call.sid).toMatch(/^CA[0-9a-f]{32}$/);
      expect(fetched.sid).toBe(call.sid);
      expect(listed.map(({ sid }) => sid)).toEqual([call.sid]);
      expect(ended).toMatchObject({ sid: call.sid, status: "canceled" });
      expect(await balanceOf(run, capped)).toEqual({ spent: 4.2, reserved: 0, remaining: 95.8 });
      const rows = await callRows(run, capped);
      expect(rows.map(({ method, cost_usd, amount }) => [method, cost_usd, amount])).toEqual([
        ["POST", 0, null],
        ["GET", 0, null],
        ["GET", 0, null],
        ["POST", 0.042, "3 minutes"],
      ]);
    });

    test("begins a verification, which counts, and checks its code, which does not", async () => {
      const to = newNumber();
      const capped = await key({ daily_usd_cap: 1 });
      const service = clientOf(capped.token).verify.v2.services(VERIFY_SERVICE);

      const begun = await service.verifications.create({ to, channel: "sms" });
      const wrong = await service.verificationChecks.create({ to, code: "000000" });
      const checked = await service.verificationChecks.create({ to, code: "123456" });

      expect(begun).toMatchObject({ sid: expect.stringMatching(/^VE/), status: "pending", to });
      expect(wrong).toMatchObject({ status: "pending", valid: false });
      expect(checked).toMatchObject({ status: "approved", valid: true });
      expect(await books.chargesTo(to)).toMatchObject([{ kind: "verification", count: 1, microUsd: 50_000 }]);
      expect(await balanceOf(run, capped)).toEqual({ spent: 5, reserved: 0, remaining: 95 });
    });

    test("looks a number up for nothing, and counts every field that it asks for", async () => {
      const number = newNumber();
      const capped = await key({ daily_usd_cap: 1 });
      const phone = clientOf(capped.token).lookups.v2.phoneNumbers(number);

      const plain = await phone.fetch();
      expect(plain).toMatchObject({ phoneNumber: number, valid: true });
      expect(await books.chargesTo(number)).toEqual([]);
      expect((await balanceOf(run, capped)).spent).toBe(0);

      const told = await phone.fetch({ fields: "line_type_intelligence,caller_name" });
      expect(told).toMatchObject({ lineTypeIntelligence: { type: "mobile" } });
      expect(await books.chargesTo(number)).toMatchObject([{ kind: "lookup", count: 2, microUsd: 16_000 }]);
      expect(await balanceOf(run, capped)).toEqual({ spent: 1.6, reserved: 0, remaining: 98.4 });
    });

    test("pages through messages, whose links are relative, and every request goes to Keybrake", async () => {
      const to = newNumber();
      const capped = await key();
      const client = clientOf(capped.token);
      for (const body of ["one", "two", "three", "four", "five"])
        await client.messages.create({ to, from: FROM, body });

      let found: readonly unknown[] = [];
      const hosts = await hostsDuring(async () => {
        found = (await client.messages.list({ to, pageSize: 2 })).map((message) => message["body"]);
      });

      expect(found).toEqual(["five", "four", "three", "two", "one"]);
      expect(hosts.filter((host) => host === new URL(run.baseUrl).host)).toHaveLength(3);
      expect(hosts.filter((host) => !host.startsWith("127.0.0.1:"))).toEqual([]);
    });

    test("pages through Verify's services, whose links are absolute, and every one leads back to Keybrake", async () => {
      const capped = await key();
      const sids = Array.from({ length: 5 }, () => `VA${randomUUID().replaceAll("-", "")}`);
      for (const sid of sids) await books.useService(sid);
      const { services } = clientOf(capped.token).verify.v2;

      const first = await services.page({ pageSize: 2 });
      let found: readonly unknown[] = [];
      const hosts = await hostsDuring(async () => {
        const all = await services.list({ pageSize: 2 });
        found = all.map(({ sid }) => sid).slice(0, 5);
      });

      expect(first.nextPageUrl).toMatch(`${run.baseUrl}/twilio/verify/v2/Services?`);
      expect((await first.nextPage())?.instances.map(({ sid }) => sid)).toEqual([sids[2], sids[1]]);
      expect(found).toEqual(sids.toReversed());
      expect(hosts.filter((host) => !host.startsWith("127.0.0.1:"))).toEqual([]);
    });

    test("takes the placeholder and the credential's own account for the same, and refuses another one", async () => {
      const capped = await key({ daily_usd_cap: 1 });
      const create = (accountSid: string) =>
        clientOf(capped.token, accountSid).messages.create({ to: newNumber(), from: FROM, body: "x" });

      expect(await create(PLACEHOLDER_SID)).toMatchObject({ accountSid: REAL_SID });
      expect(await create(REAL_SID)).toMatchObject({ accountSid: REAL_SID });
      const before = await books.spentMicroUsd();
      const refusal = await refusalOf(create("AC99999999999999999999999999999999"));

      expect(refusal).toMatchObject({ class: "RestException", status: 403, code: 20403 });
      expect(refusal.message).toContain("names another account than the one of this vault key");
      expect(refusal.details).toMatchObject({ keybrake_code: "account_not_allowed", charged: "no" });
      expect(await books.spentMicroUsd()).toBe(before);
      expect(await balanceOf(run, capped)).toEqual({ spent: 2.26, reserved: 0, remaining: 97.74 });
      expect(await reasons(capped)).toEqual(["account_not_allowed", null, null]);
    });

    test("raises a RestException on an exceeded cap, which says everything, after one request", async () => {
      const capped = await key({ daily_usd_cap: 0.02 });
      const client = clientOf(capped.token);
      await client.messages.create({ to: newNumber(), from: FROM, body: "fits" });
      await run.drain();
      const to = newNumber();

      let refusal: Awaited<ReturnType<typeof refusalOf>> | undefined;
      const sent = await sentDuring(run, async () => {
        refusal = await refusalOf(client.messages.create({ to, from: FROM, body: "does not" }));
      });

      expect(sent).toBe(1);
      expect(refusal).toMatchObject({
        class: "RestException",
        status: 429,
        code: 20429,
        moreInfo: "https://www.twilio.com/docs/errors/20429",
        details: { keybrake_code: "spend_cap_exceeded", charged: "no" },
      });
      for (const part of [
        capped.id,
        "daily cap $0.02",
        "spent $0.0113",
        "remaining $0.0087",
        "this call needs $0.0113",
        "not retryable until the cap is raised",
        "nothing was charged",
      ])
        expect(refusal?.message).toContain(part);
      expect(await books.chargesTo(to)).toEqual([]);
      expect(await reasons(capped)).toEqual(["spend_cap_exceeded", null]);
    });

    test("raises a RestException on a key that is unknown or revoked, after one request, and shows none of it", async () => {
      const revoked = await key();
      await ask(run, "POST", `/vault/keys/${revoked.id}/revoke`, { token: run.apiKey });
      const before = (await simulator.requests()).length;

      for (const [token, part] of [
        [`${revoked.token.slice(0, -1)}_`, "a vault key that is mistyped or cut short"],
        ["0f1e2d3c4b5a69788796a5b4c3d2e1f0", "this is not a vault key"],
        [revoked.token, `vault key ${revoked.id} was revoked at 20`],
      ] as const) {
        let refusal: Awaited<ReturnType<typeof refusalOf>> | undefined;
        const sent = await sentDuring(run, async () => {
          refusal = await refusalOf(
            clientOf(token).messages.create({ to: newNumber(), from: FROM, body: "x" }),
          );
        });
        expect(sent).toBe(1);
        expect(refusal).toMatchObject({ class: "RestException", status: 401 });
        expect(refusal?.message).toContain(part);
        if (token === revoked.token)
          expect(refusal).toMatchObject({ code: 20003, details: { keybrake_code: "key_revoked" } });
        expect(JSON.stringify(refusal)).not.toContain(token);
      }
      expect((await simulator.requests()).length).toBe(before);
      expect(await reasons(revoked)).toEqual(["key_revoked"]);
    });

    test("raises a RestException on an endpoint that is not allowed or has no price, after one request", async () => {
      const narrow = await key({ allowed_endpoints: ["POST /2010-04-01/Accounts/*/Messages.json"] });
      const wide = await key();
      const before = (await simulator.requests()).length;

      const denials: [Key, (client: TwilioClient) => Promise<unknown>, string, string][] = [
        [
          narrow,
          ({ calls }) => calls.create({ to: newNumber(), from: FROM, twiml: TWIML, timeLimit: 60 }),
          "endpoint_not_allowed",
          `does not allow POST /2010-04-01/Accounts/${PLACEHOLDER_SID}/Calls.json; it allows POST /2010-04-01/Accounts/*/Messages.json`,
        ],
        [
          narrow,
          ({ messages }) => messages.list({ pageSize: 2 }),
          "endpoint_not_allowed",
          "does not allow GET",
        ],
        [
          wide,
          ({ incomingPhoneNumbers }) => incomingPhoneNumbers.create({ phoneNumber: newNumber() }),
          "endpoint_not_priced",
          "it buys or changes phone numbers",
        ],
        [
          wide,
          ({ calls }) =>
            calls.create({ to: newNumber(), from: FROM, url: "https://example.com", timeLimit: 60 }),
          "endpoint_not_priced",
          "prices.twilio.call_instructions",
        ],
        [
          wide,
          ({ messages }) => messages.create({ to: "33663", from: FROM, body: "x" }),
          "endpoint_not_priced",
          'To: got "33663"',
        ],
      ];
      for (const [of, call, code, part] of denials) {
        let refusal: Awaited<ReturnType<typeof refusalOf>> | undefined;
        const sent = await sentDuring(run, async () => {
          refusal = await refusalOf(call(clientOf(of.token)));
        });
        expect(sent).toBe(1);
        expect(refusal).toMatchObject({ class: "RestException", status: 403, code: 20403 });
        expect(refusal?.details).toMatchObject({ keybrake_code: code, charged: "no" });
        expect(refusal?.message).toContain(part);
      }
      expect((await simulator.requests()).length).toBe(before);
      expect((await reasons(narrow)).length + (await reasons(wide)).length).toBe(5);
    });

    test("raises a RestException on a request whose price cannot be told, after one request", async () => {
      const wide = await key();
      const client = clientOf(wide.token);
      const before = (await simulator.requests()).length;

      let refusal: Awaited<ReturnType<typeof refusalOf>> | undefined;
      const sent = await sentDuring(run, async () => {
        refusal = await refusalOf(client.calls.create({ to: newNumber(), from: FROM, twiml: TWIML }));
      });

      expect(sent).toBe(1);
      expect(refusal).toMatchObject({ class: "RestException", status: 400, code: 20001 });
      expect(refusal?.details).toMatchObject({ keybrake_code: "amount_unknown" });
      expect(refusal?.message).toContain(
        "TimeLimit: missing; expected the longest time that the call may last in seconds",
      );
      expect((await simulator.requests()).length).toBe(before);
    });

    test("raises Twilio's own RestException where Twilio refuses, and the budget is back", async () => {
      const capped = await key({ daily_usd_cap: 1 });

      const refusal = await refusalOf(
        clientOf(capped.token).messages.create({ to: newNumber(), body: "without a sender" }),
      );

      expect(refusal).toMatchObject({ class: "RestException", status: 400, code: 21603 });
      expect(await balanceOf(run, capped)).toEqual({ spent: 0, reserved: 0, remaining: 100 });
      expect(await callRows(run, capped)).toMatchObject([
        { state: "released", vendor_status: 400, cost_usd: 0 },
      ]);
    });
  });

  test("only with autoRetry does a client repeat a denial, and none of the repeats reaches Twilio", async () => {
    const capped = await key({ daily_usd_cap: 0.01 });
    const to = newNumber();
    const client = twilioClient("twilio", "baseUrl", run.baseUrl, capped.token, { autoRetry: true });

    await refusalOf(client.messages.create({ to, from: FROM, body: "x" }));

    expect(await reasons(capped)).toEqual(Array(4).fill("spend_cap_exceeded"));
    expect(await books.chargesTo(to)).toEqual([]);
  });

  test("a text of emoji just over a segment costs two, and one that just fits costs one", async () => {
    const [fits, over] = [newNumber(), newNumber()];
    const capped = await key({ daily_usd_cap: 1 });
    const client = twilioClient("twilio", "baseUrl", run.baseUrl, capped.token);

    await client.messages.create({ to: fits, from: FROM, body: "👍".repeat(35) });
    await client.messages.create({ to: over, from: FROM, body: "👍".repeat(36) });

    expect(await books.chargesTo(fits)).toMatchObject([{ count: 1, microUsd: 11_300 }]);
    expect(await books.chargesTo(over)).toMatchObject([{ count: 2, microUsd: 22_600 }]);
    const rows = await callRows(run, capped);
    expect(rows.map(({ amount, cost_usd }) => [amount, cost_usd])).toEqual([
      ["2 segments", 0.0226],
      ["1 segment", 0.0113],
    ]);
  });

  test.each(TWILIO_PACKAGES)(
    "of 60 messages at once by %s on a cap of ten dollars exactly those that fit reach Twilio",
    async (name) => {
      const to = newNumber("+44790");
      const capped = await key({ daily_usd_cap: 10 });
      const client = twilioClient(name, "baseUrl", run.baseUrl, capped.token);
      // Four segments of 153 characters, $0.32: 31 of them are $9.92.
      const body = "x".repeat(460);

      const outcomes = await Promise.all(
        times(60, () => decided(() => client.messages.create({ to, from: FROM, body }))),
      );

      expect(countBy(outcomes)).toEqual(
        new Map([
          [201, 31],
          [429, 29],
        ]),
      );
      const charges = await books.chargesTo(to);
      expect(charges).toHaveLength(31);
      expect(microUsdOf(charges)).toBe(9_920_000);
      expect(await balanceOf(run, capped)).toEqual({ spent: 992, reserved: 0, remaining: 8 });
      const rows = await callRows(run, capped);
      const undecided = "ledger_unavailable";
      expect(countBy(rows.map(({ reason }) => reason).filter((reason) => reason !== undecided))).toEqual(
        new Map([
          [null, 31],
          ["spend_cap_exceeded", 29],
        ]),
      );
      expect(costOf(rows)).toBe(992);
    },
  );

  test("messages, calls, verifications and lookups at once never pass the cap together", async () => {
    const [message, call, person, number] = [newNumber(), newNumber(), newNumber(), newNumber()];
    const capped = await key({ total_usd_cap: 0.5 });
    const client = twilioClient("twilio", "ProxyClient", run.baseUrl, capped.token);
    const service = client.verify.v2.services(VERIFY_SERVICE);

    const statuses = await Promise.all([
      ...times(15, () => decided(() => client.messages.create({ to: message, from: FROM, body: "x" }))),
      ...times(15, () =>
        decided(() => client.calls.create({ to: call, from: FROM, twiml: TWIML, timeLimit: 60 })),
      ),
      ...times(4, () => decided(() => service.verifications.create({ to: person, channel: "sms" }))),
      ...times(15, () =>
        decided(() => client.lookups.v2.phoneNumbers(number).fetch({ fields: "caller_name" })),
      ),
    ]);

    expect(new Set(statuses)).toEqual(new Set([201, 429]));
    const charged = (await Promise.all([message, call, person, number].map(books.chargesTo))).flat();
    const { spent, reserved, remaining } = await balanceOf(run, capped);
    expect(microUsdOf(charged)).toBeLessThanOrEqual(500_000);
    expect(reserved).toBe(0);
    expect(spent * 10_000).toBeCloseTo(microUsdOf(charged), 3);
    expect(remaining).toBeLessThan(5);
  });

  test.each([
    ["break_after", 1],
    ["break_before", 0],
  ])(
    "a connection that ends without an answer (%s) holds the reservation, and is not tried again",
    async (kind, made) => {
      const to = newNumber();
      const capped = await key({ daily_usd_cap: 0.02 });
      const client = twilioClient("twilio", "baseUrl", run.baseUrl, capped.token);
      await simulator.fault({ kind, method: "POST", path: "/Messages.json" });

      const refusal = await refusalOf(client.messages.create({ to, from: FROM, body: "x" }));

      expect(refusal).toMatchObject({ status: 502, code: 20500, details: { charged: "unknown" } });
      expect(await books.chargesTo(to)).toHaveLength(made);
      expect(await requestsFor(to)).toBe(1);
      expect(await balanceOf(run, capped)).toEqual({ spent: 0, reserved: 1.13, remaining: 0.87 });
      expect(await callRows(run, capped)).toMatchObject([
        { state: "unresolved", reason: "vendor_connection_broken" },
      ]);
      expect(await refusalOf(client.messages.create({ to, from: FROM, body: "x" }))).toMatchObject({
        status: 429,
      });
    },
  );

  test.each([
    ["500_after", 500, "unresolved", 1.13],
    ["429", 429, "released", 0],
  ] as const)(
    "%s of Twilio reaches the program as it is, and the budget is held only where money may have moved",
    async (kind, status, state, held) => {
      const to = newNumber();
      const capped = await key({ daily_usd_cap: 1 });
      const client = twilioClient("twilio", "baseUrl", run.baseUrl, capped.token);
      await simulator.fault({ kind, method: "POST", path: "/Messages.json" });

      const refusal = await refusalOf(client.messages.create({ to, from: FROM, body: "x" }));

      expect(refusal).toMatchObject({ class: "RestException", status });
      expect(await requestsFor(to)).toBe(1);
      expect((await balanceOf(run, capped)).reserved).toBe(held);
      expect(await callRows(run, capped)).toMatchObject([{ state, vendor_status: status }]);
    },
  );

  test("a Twilio that never answers is a RestException in time; the reservation is held and nothing is sent twice", async () => {
    expect(hung).toHaveLength(3);
    for (const { key: of, to, refusal } of hung) {
      expect(await refusal).toMatchObject({
        class: "RestException",
        status: 504,
        code: 20500,
        details: { keybrake_code: "vendor_timeout", charged: "unknown" },
      });
      expect(await balanceOf(run, of)).toEqual({ spent: 0, reserved: 1.13, remaining: 98.87 });
      expect(await callRows(run, of)).toMatchObject([{ state: "unresolved", reason: "vendor_timeout" }]);
      expect(await requestsFor(to)).toBe(1);
    }
  }, 40_000);

  test("what went wrong was said where it was meant to, and nowhere else", () => {
    expect(run.announced).toEqual([]);
  });
});

/** How many requests with this number in their body reached Twilio. */
const requestsFor = async (to: string): Promise<number> =>
  (await simulator.requests()).filter((request) => textAt(request, "body").includes(encodeURIComponent(to)))
    .length;

describe("after time has passed", () => {
  const realNow = Date.now;
  let aheadMs = 0;
  beforeAll(async () => {
    vi.spyOn(Date, "now").mockImplementation(() => realNow() + aheadMs);
    await startRun();
  });
  afterAll(async () => {
    await run.close();
    vi.restoreAllMocks();
  });

  const pass = (ms: number) => {
    aheadMs += ms;
  };

  /** One run of the scheduled function, at once. */
  const settle = (): Promise<unknown> => {
    const name = "settle-late-prices";
    return loadFunctions(DIST, [name])(name, {}, invocationContext(name));
  };

  const rowOf = async (of: Key) => (await callRows(run, of))[0];

  test.each(TWILIO_PACKAGES)(
    "raises a RestException with status 401 by %s on a key that has expired",
    async (name) => {
      const short = await key({ expires_in: "30s" });
      const client = twilioClient(name, "baseUrl", run.baseUrl, short.token);
      await client.messages.create({ to: newNumber(), from: FROM, body: "x" });
      pass(31_000);

      let refusal: Awaited<ReturnType<typeof refusalOf>> | undefined;
      const sent = await sentDuring(run, async () => {
        refusal = await refusalOf(client.messages.create({ to: newNumber(), from: FROM, body: "x" }));
      });

      expect(sent).toBe(1);
      expect(refusal).toMatchObject({
        class: "RestException",
        status: 401,
        code: 20003,
        message: expect.stringContaining(`vault key ${short.id} expired at 20`),
        details: { keybrake_code: "key_expired" },
      });
      expect(await reasons(short)).toEqual(["key_expired", null]);
    },
  );

  test("a message with media gets its final price, and what was estimated too much is back", async () => {
    const to = newNumber();
    const capped = await key({ daily_usd_cap: 1 });
    const client = twilioClient("twilio", "baseUrl", run.baseUrl, capped.token);
    const mediaUrl = ["https://example.com/a.png"];
    const { sid } = await client.messages.create({ to, from: FROM, body: "look", mediaUrl });
    expect(await balanceOf(run, capped)).toEqual({ spent: 2.26, reserved: 0, remaining: 97.74 });
    await books.deliver({ sid });
    pass(61_000);

    await settle();

    expect(await books.chargesTo(to)).toMatchObject([{ id: sid, microUsd: 22_000, final: true }]);
    expect(await balanceOf(run, capped)).toEqual({ spent: 2.2, reserved: 0, remaining: 97.8 });
    expect(await rowOf(capped)).toMatchObject({
      state: "settled",
      cost_usd: 0.022,
      amount: "0.02200",
      currency: "usd",
      overrun: false,
      vendor_object_id: sid,
    });
    expect(await callRows(run, capped)).toHaveLength(1);
  });

  test("a call that ended early costs the minutes that it had", async () => {
    const to = newNumber();
    const capped = await key({ daily_usd_cap: 1 });
    const client = twilioClient("twilio-4", "baseUrl", run.baseUrl, capped.token);
    const { sid } = await client.calls.create({ to, from: FROM, twiml: TWIML, timeLimit: 600 });
    expect((await balanceOf(run, capped)).spent).toBe(14);
    await books.deliver({ sid, duration: 95 });
    pass(61_000);

    await settle();

    expect(await books.chargesTo(to)).toMatchObject([{ count: 2, microUsd: 28_000, final: true }]);
    expect(await balanceOf(run, capped)).toEqual({ spent: 2.8, reserved: 0, remaining: 97.2 });
    expect(await rowOf(capped)).toMatchObject({ state: "settled", cost_usd: 0.028, overrun: false });
  });

  test("a price above the estimate is counted beyond the cap and marked, and the key is stopped", async () => {
    const to = newNumber();
    const capped = await key({ daily_usd_cap: 0.0113 });
    const client = twilioClient("twilio-5", "baseUrl", run.baseUrl, capped.token);
    const { sid } = await client.messages.create({ to, from: FROM, body: "x" });
    await books.deliver({ sid, price: "-0.05130" });
    pass(61_000);

    await settle();

    expect(await books.chargesTo(to)).toMatchObject([{ microUsd: 51_300, final: true }]);
    expect(await balanceOf(run, capped)).toEqual({ spent: 5.13, reserved: 0, remaining: -4 });
    expect(await rowOf(capped)).toMatchObject({ state: "settled", cost_usd: 0.0513, overrun: true });
    expect(await refusalOf(client.messages.create({ to, from: FROM, body: "x" }))).toMatchObject({
      status: 429,
    });
  });

  test("a price that is not known yet leaves the estimate, is asked for again later, and then settles", async () => {
    const to = newNumber();
    const capped = await key({ daily_usd_cap: 1 });
    const client = twilioClient("twilio", "baseUrl", run.baseUrl, capped.token);
    const { sid } = await client.messages.create({ to, from: FROM, body: "x" });
    await books.deliver({ sid, price: null });
    const asked = async () =>
      (await simulator.requests()).filter((request) =>
        textAt(request, "path").endsWith(`/Messages/${sid}.json`),
      ).length;

    await settle();
    expect(await asked()).toBe(0);
    expect((await balanceOf(run, capped)).spent).toBe(1.13);

    pass(61_000);
    await simulator.fault({ kind: "500_after", method: "GET", path: sid });
    await settle();
    await settle();
    expect(await asked()).toBe(1);
    expect(await rowOf(capped)).toMatchObject({ state: "settled", cost_usd: 0.0113 });

    pass(122_000);
    await settle();
    expect(await asked()).toBe(2);
    expect(await rowOf(capped)).toMatchObject({ state: "settled", cost_usd: 0.0113, amount: "0.01130" });
    expect(await balanceOf(run, capped)).toEqual({ spent: 1.13, reserved: 0, remaining: 98.87 });
  });

  test("in the end the books, the balances and the audit log say the same of everything that was settled", async () => {
    const keys = await Promise.all([1, 2, 3].map(() => key({ daily_usd_cap: 5 })));
    const before = await books.spentMicroUsd();
    await Promise.all(
      keys.map(async ({ token }, index) => {
        const client = twilioClient(TWILIO_PACKAGES[index] ?? "twilio", "ProxyClient", run.baseUrl, token);
        await Promise.all(
          times(6, (step) =>
            step % 2 === 0
              ? client.messages.create({ to: newNumber(), from: FROM, body: "x".repeat(100 * step + 1) })
              : client.calls.create({ to: newNumber(), from: FROM, twiml: TWIML, timeLimit: 120 * step }),
          ),
        );
      }),
    );
    await books.deliver();
    pass(61_000);

    await Promise.all([settle(), settle()]);

    const charged = (await books.spentMicroUsd()) - before;
    const balances = await Promise.all(keys.map((of) => balanceOf(run, of)));
    const rows = (await Promise.all(keys.map((of) => callRows(run, of)))).flat();
    // Three keys: texts of 1, 201 and 401 characters have 1, 2 and 3 segments, and each of three calls lasts a minute.
    expect(charged).toBe(3 * (6 * 11_300 + 3 * 14_000));
    expect(balances).toEqual(Array(3).fill({ spent: 10.98, reserved: 0, remaining: 489.02 }));
    expect(rows).toHaveLength(18);
    expect(rows.map(({ state }) => state)).toEqual(Array(18).fill("settled"));
    expect(Math.round(rows.reduce((sum, { cost_usd }) => sum + Number(cost_usd) * 1e6, 0))).toBe(charged);
  });

  test("the final price is one more event of the call's row, whoever asks for it and however often", async () => {
    const capped = await key();
    const client = twilioClient("twilio", "baseUrl", run.baseUrl, capped.token);
    const { sid } = await client.messages.create({ to: newNumber(), from: FROM, body: "x" });
    await books.deliver({ sid, price: "-0.00750" });
    pass(61_000);
    await Promise.all([settle(), settle()]);
    await settle();

    const rows = await auditRows(run, { key_id: capped.id, events: "true" });
    const [row] = rows.filter(({ type }) => type === "call");
    expect(listAt(row, "events").map((event) => [at(event, "event"), at(event, "cost_usd")])).toEqual([
      ["settled", 0.0113],
      ["late_price", 0.0075],
    ]);
    expect(await balanceOf(run, capped)).toEqual({ spent: 0.75, reserved: 0, remaining: 4999.25 });
  });
});

describe("without a credential that could be one", () => {
  beforeAll(async () => {
    run = await startOwn({
      vendors: {
        twilio: { kind: "upstream", origin: "http://127.0.0.1:9", credential: "no credential of Twilio" },
      },
    });
  });
  afterAll(() => run.close());

  test.each(CASES)(
    "raises a RestException with status 503 in $name by its $way, after one request",
    async ({ name, way }) => {
      const capped = await key();
      const client = twilioClient(name, way, run.baseUrl, capped.token);

      let refusal: Awaited<ReturnType<typeof refusalOf>> | undefined;
      const sent = await sentDuring(run, async () => {
        refusal = await refusalOf(client.messages.create({ to: newNumber(), from: FROM, body: "x" }));
      });

      expect(sent).toBe(1);
      expect(refusal).toMatchObject({
        class: "RestException",
        status: 503,
        code: 20500,
        details: { keybrake_code: "credential_missing", charged: "no" },
      });
      expect(refusal?.message).toContain("expected AC…:auth token, or AC…:SK…:secret with an API key");
      expect(JSON.stringify(refusal)).not.toContain("no credential of Twilio");
      expect(await reasons(capped)).toEqual(["credential_missing"]);
    },
  );
});
