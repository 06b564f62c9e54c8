import { afterAll, beforeAll, expect, test } from "vitest";
import { cli, jsonOf, variablesOf } from "../support/cli.ts";
import { listAt } from "../support/json.ts";
import { auditRows, type OwnRun, startOwn } from "../support/keybrake.ts";
import { type OwnUpstream, type Script, startOwnUpstream } from "../support/own-upstream.ts";

/** Guarantees that the doctor finds what keeps a Keybrake from working, and leaves no key behind. */

const STRIPE = "sk_test_0123456789";

let run: OwnRun;
let stripe: OwnUpstream;
let other: OwnUpstream;
beforeAll(async () => {
  [stripe, other] = await Promise.all([startOwnUpstream(), startOwnUpstream()]);
  run = await startOwn({
    stage: "prod",
    vendors: { stripe: { kind: "upstream", origin: stripe.origin, credential: STRIPE } },
  });
});
afterAll(() => Promise.all([run.close(), stripe.close(), other.close()]));

const answers =
  (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Script =>
  (response) => {
    response.writeHead(status, headers).end(body);
  };

const checksOf = (json: unknown) =>
  Object.fromEntries(
    listAt(json, "checks").map((check) => {
      const { what, state, found } = check as Readonly<Record<string, string>>;
      return [what, [state, found]];
    }),
  );

test("all is well, and every key that it issued is revoked", async () => {
  stripe.next(answers(200, '{"object":"balance"}'));
  const said = await cli(["doctor", "--json"], variablesOf(run));

  expect(said.code).toBe(0);
  expect(checksOf(jsonOf(said))).toEqual({
    "base URL": ["good", `${run.baseUrl}, stage prod`],
    clock: ["good", "this machine and Keybrake agree"],
    "API key": ["good", expect.stringMatching(/^KEYBRAKE_API_KEY is accepted/)],
    "credential of stripe": ["good", "accepted by stripe"],
    "credential of twilio": ["good", "accepted by twilio"],
    "credential of resend": ["good", "accepted by resend"],
  });
  const rows = await auditRows(run, { agent_run_label: "keybrake-doctor" });
  const typesOf = (type: string) => rows.filter((row) => row["type"] === type);
  expect(
    [typesOf("key.issued"), typesOf("key.revoked"), typesOf("call")].map(({ length }) => length),
  ).toEqual([3, 3, 3]);
});

test("a credential that the vendor refuses is a fault", async () => {
  stripe.next(answers(401, '{"error":{"message":"Invalid API Key provided"}}'));
  const { code, stdout } = await cli(["doctor"], variablesOf(run));

  expect(code).toBe(1);
  expect(stdout).toMatch(/^FAULT {2}credential of stripe {2}refused by stripe with 401\n +next: /m);
  expect(stdout).toMatch(/^ok {5}credential of resend {2}/m);
});

test("--no-calls issues no key", async () => {
  stripe.forget();
  const { code, stdout } = await cli(["doctor", "--no-calls"], variablesOf(run));

  expect([code, stripe.requests]).toEqual([0, []]);
  expect(stdout).not.toContain("credential");
});

test.each([
  ["without its stage", () => run.baseUrl.replace(/\/prod$/, "")],
  ["with a vendor behind it", () => `${run.baseUrl}/stripe`],
])("an address %s is told with the right one", async (_, address) => {
  const { code, stdout } = await cli(["doctor"], { ...variablesOf(run), KEYBRAKE_URL: address() });

  expect(code).toBe(2);
  expect(stdout).toContain(`next: export KEYBRAKE_URL=${run.baseUrl}\n`);
});

test("another server, no server and a wrong API key are told apart", async () => {
  other.next(answers(200, "<html></html>"), answers(404, ""));
  const another = await cli(["doctor"], { ...variablesOf(run), KEYBRAKE_URL: other.origin });
  const none = await cli(["doctor"], { ...variablesOf(run), KEYBRAKE_URL: "http://127.0.0.1:9" });
  const wrong = await cli(["doctor"], { ...variablesOf(run), KEYBRAKE_API_KEY: "another-key" });

  expect([another.code, none.code, wrong.code]).toEqual([2, 6, 4]);
  expect(another.stdout).toContain("is not the address of a Keybrake");
  expect(none.stdout).toContain("cannot be reached");
  expect(wrong.stdout).toMatch(/^FAULT {2}API key /m);
});

test.each([
  [-3700, "this machine is 1h ahead"],
  [3700, "this machine is 1h behind"],
])("a clock that is wrong by %s s is told", async (seconds, found) => {
  const date = new Date(Date.now() + seconds * 1000 + 900).toUTCString();
  other.next(
    answers(200, '{"keybrake":"is here"}', { Date: date }),
    answers(200, '{"data":[],"next_cursor":null}'),
  );
  const said = await cli(["doctor", "--json"], {
    KEYBRAKE_URL: other.origin,
    KEYBRAKE_API_KEY: "an-api-key",
  });

  expect(said.code).toBe(1);
  expect(checksOf(jsonOf(said))).toMatchObject({ clock: ["bad", found] });
});
