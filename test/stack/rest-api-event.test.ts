import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DIST } from "../../bin/build.ts";
import { loadFunctions } from "../../local/aws/functions.ts";
import { startGateway } from "../../local/aws/gateway.ts";
import { type Invoke, invocationContext } from "../../local/aws/invocation.ts";
import { send } from "../local/http-client.ts";
import { startBeforeUpstream } from "../support/before-upstream.ts";
import { at } from "../support/json.ts";
import { callRows, issue, type OwnRun } from "../support/keybrake.ts";
import type { OwnUpstream } from "../support/own-upstream.ts";
import { ROUTES } from "../support/routes.ts";

/**
 * Guarantees that the bundles answer events of a real REST API. rest-api-events.json is what a REGIONAL REST API with
 * binary media types hands to a function: the form of "Input format of a Lambda function for proxy integration"
 * (documentation of API Gateway, read 2026-11-23), with invented ids, for these two requests under the stage `prod`.
 */
const [charge, list]: readonly [APIGatewayProxyEvent, APIGatewayProxyEvent] = JSON.parse(
  readFileSync(join(import.meta.dirname, "rest-api-events.json"), "utf8"),
);
const REQUESTS = [
  { event: charge, path: "/stripe/v1/payment_intents", body: "amount=2999&currency=usd" },
  {
    event: list,
    path: "/stripe/v1/payment_intents?expand%5B%5D=data.customer&created%5Bgte%5D=1795000000&expand%5B%5D=data.latest_charge",
    body: "",
  },
] as const;

let upstream: OwnUpstream;
let run: OwnRun;
let invoke: Invoke;
beforeAll(async () => {
  ({ run, upstream } = await startBeforeUpstream({ stripe: "sk_test_upstream" }));
  invoke = loadFunctions(DIST);
});
afterAll(() => run.close());

/** Headers that the gateway writes or leaves out. */
const GATEWAYS = /^(host|content-length|x-amzn-trace-id|x-forwarded-.*)$/i;

test.each(REQUESTS)(
  "the local gateway makes the recorded event of $event.httpMethod $path",
  async ({ event, path, body }) => {
    const events: APIGatewayProxyEvent[] = [];
    const gateway = await startGateway({
      routes: ROUTES,
      port: 0,
      stage: "prod",
      invoke: async (_, made) => {
        events.push(made as APIGatewayProxyEvent);
        return { statusCode: 200, body: "" };
      },
    });
    const sent = Object.entries(event.headers).filter(([name]) => !GATEWAYS.test(name));
    await send(gateway.baseUrl, {
      method: event.httpMethod,
      path: `/prod${path}`,
      rawHeaders: [...sent.flat().map(String), ...(body === "" ? [] : ["Content-Length", `${body.length}`])],
      body,
    });
    await gateway.close();

    const [made] = events;
    if (made === undefined) throw new Error("nothing was invoked");
    const callers = ({
      headers: _headers,
      multiValueHeaders,
      requestContext: _context,
      ...rest
    }: APIGatewayProxyEvent) => ({
      ...rest,
      headers: Object.fromEntries(Object.entries(multiValueHeaders).filter(([name]) => !GATEWAYS.test(name))),
    });
    expect(callers(made)).toEqual(callers(event));

    const kinds = (value: object) =>
      Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [name, inner === null ? "null" : typeof inner]),
      );
    // A local run has no deployments, and nothing of ours reads one.
    const { deploymentId: _, ...context } = { deploymentId: "", ...event.requestContext };
    expect(kinds(made.requestContext)).toMatchObject(kinds(context));
    expect(kinds(made.requestContext.identity)).toMatchObject(kinds(event.requestContext.identity));
    for (const name of ["resourcePath", "httpMethod", "path", "protocol", "stage"] as const)
      expect(made.requestContext[name], name).toBe(event.requestContext[name]);
    const forwarded = Object.keys(made.headers).filter((name) => /^x-forwarded/i.test(name));
    expect(forwarded.sort()).toEqual(["X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"]);
  },
);

test("the proxy takes the recorded events as they are, and passes on the caller's part of them alone", async () => {
  const key = await issue(run, { agent_run_label: "recorded/1" });
  const proxied = (event: APIGatewayProxyEvent) => {
    const text = JSON.stringify(event).replaceAll("VAULT_KEY", key.token);
    return invoke("proxy-call", JSON.parse(text), invocationContext("proxy-call"));
  };
  const answer = await proxied(charge);
  expect(await proxied(list)).toMatchObject({ statusCode: 200 });

  expect(answer).toMatchObject({ statusCode: 200, isBase64Encoded: false });
  expect(at(answer, "multiValueHeaders")).toMatchObject({ "Keybrake-Charged": ["yes"] });
  const [sent, asked] = upstream.requests;
  expect([sent?.method, sent?.target]).toEqual(["POST", "/v1/payment_intents"]);
  expect([asked?.method, new URLSearchParams(asked?.target.split("?")[1]).toString()]).toEqual([
    "GET",
    "created%5Bgte%5D=1795000000&expand%5B%5D=data.customer&expand%5B%5D=data.latest_charge",
  ]);
  expect(sent?.body.toString()).toBe("amount=2999&currency=usd");
  const names = (sent?.rawHeaders ?? [])
    .filter((_, index) => index % 2 === 0)
    .map((name) => name.toLowerCase());
  expect(names.sort()).toEqual([
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "stripe-version",
    "user-agent",
  ]);
  expect(JSON.stringify(sent?.rawHeaders)).not.toContain(key.token);
  expect(await callRows(run, key)).toMatchObject([
    { source_ip: "203.0.113.7", method: "GET", state: "free" },
    {
      source_ip: "203.0.113.7",
      call_label: "charge_customers/17",
      idempotency_key: "order-1",
      cost_usd: 29.99,
    },
  ]);
});

test("a key says the address that the caller used: with the stage, or without it behind a custom domain", async () => {
  const asked = (requestContext: object, headers: object) => ({
    ...charge,
    resource: "/vault/keys",
    path: "/vault/keys",
    pathParameters: null,
    headers: {},
    multiValueHeaders: {
      Authorization: [`Bearer ${run.apiKey}`],
      "Content-Type": ["application/json"],
      "X-Forwarded-Proto": ["https"],
      ...headers,
    },
    body: Buffer.from('{"vendor":"stripe","daily_usd_cap":5}').toString("base64"),
    requestContext: { ...charge.requestContext, ...requestContext },
  });
  const baseUrlOf = async (event: object): Promise<unknown> => {
    const answer = await invoke("issue-key", event, invocationContext("issue-key"));
    expect(answer).toMatchObject({ statusCode: 201 });
    const body = at(answer, "body");
    const bytes = Buffer.from(String(body), at(answer, "isBase64Encoded") === true ? "base64" : "utf8");
    return at(JSON.parse(bytes.toString()), "base_url");
  };
  expect(await baseUrlOf(asked({ path: "/prod/vault/keys" }, {}))).toBe(
    "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/stripe",
  );
  const domainName = "keybrake.example.com";
  expect(await baseUrlOf(asked({ path: "/vault/keys", domainName }, {}))).toBe(
    "https://keybrake.example.com/stripe",
  );
});
