import { createServer } from "node:net";
import type { Context } from "aws-lambda";
import { afterEach, expect, test } from "vitest";
import { type Gateway, startGateway } from "../../../local/aws/gateway.ts";
import type { Invoke } from "../../../local/aws/invocation.ts";
import { freePort, listen } from "../../../local/listen.ts";
import { StartError } from "../../../local/start-error.ts";
import { ROUTES } from "../../support/routes.ts";
import { gate } from "../gate.ts";
import { open, send } from "../http-client.ts";

interface Invoked {
  readonly name: string;
  readonly event: unknown;
  readonly context: Context;
}

const opened: Gateway[] = [];
afterEach(async () => {
  for (const gateway of opened.splice(0)) await gateway.close();
});

const DONE = { statusCode: 200, body: "done" };

/** A gateway over a function that answers `returned`, and what it was invoked with. */
async function gatewayTo(returned: unknown, options: { stage?: string; hosts?: readonly string[] } = {}) {
  const invocations: Invoked[] = [];
  const baseUrl = await openGateway({
    ...options,
    invoke: async (name, event, context) => {
      invocations.push({ name, event, context });
      return returned;
    },
  });
  return { baseUrl, invocations };
}

async function openGateway(options: {
  invoke: Invoke;
  stage?: string;
  hosts?: readonly string[];
  integrationTimeoutMs?: number;
}): Promise<string> {
  const gateway = await startGateway({ routes: ROUTES, port: 0, ...options });
  opened.push(gateway);
  return gateway.baseUrl;
}

/** Guarantees the event of API Gateway down to the last field: what it decodes, what it leaves, what it adds. */
test("a request becomes the event of a REST API with binary media types", async () => {
  const { baseUrl, invocations } = await gatewayTo(DONE);
  const domainName = baseUrl.replace("http://", "");

  await send(baseUrl, {
    method: "POST",
    path: "/stripe/v1/customers/a%2Fb%20c?expand%5B%5D=x%20y&limit=1&expand%5B%5D=z+w&flag",
    rawHeaders: [
      "Authorization",
      "Bearer vk_1",
      "X-Thing",
      "one",
      "x-thing",
      "two",
      "User-Agent",
      "Stripe/v1",
      "X-Forwarded-For",
      "10.0.0.9",
      "Content-Length",
      "5",
      "Connection",
      "close",
    ],
    body: Buffer.from([0x61, 0x3d, 0xff, 0x00, 0x62]),
  });

  expect(invocations.map(({ name }) => name)).toEqual(["proxy-call"]);
  expect(invocations[0]?.event).toEqual({
    resource: "/stripe/{proxy+}",
    path: "/stripe/v1/customers/a%2Fb%20c",
    httpMethod: "POST",
    headers: {
      Host: domainName,
      Authorization: "Bearer vk_1",
      "X-Thing": "two",
      "User-Agent": "Stripe/v1",
      "Content-Length": "5",
      "X-Forwarded-For": "10.0.0.9, 127.0.0.1",
      "X-Forwarded-Port": domainName.split(":")[1],
      "X-Forwarded-Proto": "http",
    },
    multiValueHeaders: {
      Host: [domainName],
      Authorization: ["Bearer vk_1"],
      "X-Thing": ["one", "two"],
      "User-Agent": ["Stripe/v1"],
      "Content-Length": ["5"],
      "X-Forwarded-For": ["10.0.0.9, 127.0.0.1"],
      "X-Forwarded-Port": [domainName.split(":")[1]],
      "X-Forwarded-Proto": ["http"],
    },
    queryStringParameters: { "expand[]": "z w", flag: "", limit: "1" },
    multiValueQueryStringParameters: { "expand[]": ["x y", "z w"], flag: [""], limit: ["1"] },
    pathParameters: { proxy: "v1/customers/a%2Fb%20c" },
    stageVariables: null,
    requestContext: {
      accountId: "000000000000",
      apiId: "local",
      domainName,
      domainPrefix: "127",
      extendedRequestId: expect.stringMatching(/^[\w-]{15}=$/),
      httpMethod: "POST",
      identity: {
        accessKey: null,
        accountId: null,
        apiKey: null,
        apiKeyId: null,
        caller: null,
        clientCert: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: "127.0.0.1",
        user: null,
        userAgent: "Stripe/v1",
        userArn: null,
      },
      path: "/stripe/v1/customers/a%2Fb%20c",
      protocol: "HTTP/1.1",
      requestId: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
      requestTime: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
      requestTimeEpoch: expect.any(Number),
      resourceId: "local",
      resourcePath: "/stripe/{proxy+}",
      stage: "local",
    },
    body: "YT3/AGI=",
    isBase64Encoded: true,
  });
});

test("a request without body and query has null in their places", async () => {
  const { baseUrl, invocations } = await gatewayTo(DONE);

  await send(baseUrl, { path: "/healthz?" });

  expect(invocations[0]).toMatchObject({
    name: "health",
    event: {
      body: null,
      isBase64Encoded: false,
      pathParameters: null,
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
    },
  });
});

test("what cannot be decoded in a query reaches the function, and semicolons split as ampersands do", async () => {
  const { baseUrl, invocations } = await gatewayTo(DONE);

  await send(baseUrl, { path: "/healthz?a=%zz&b=%E0%A4&c=1;d=2&__proto__=3" });

  const expected = Object.fromEntries([
    ["__proto__", ["3"]],
    ["a", ["%zz"]],
    ["b", ["\uFFFD"]],
    ["c", ["1"]],
    ["d", ["2"]],
  ]);
  expect(invocations[0]?.event).toMatchObject({ multiValueQueryStringParameters: expected });
});

test("a function is told its name and that it has 28 seconds", async () => {
  const { baseUrl, invocations } = await gatewayTo(DONE);

  await send(baseUrl, { path: "/healthz" });

  const context = invocations[0]?.context;
  expect(context).toMatchObject({
    functionName: "health",
    awsRequestId: expect.stringMatching(/^[\da-f-]{36}$/),
  });
  expect(context?.getRemainingTimeInMillis()).toBeGreaterThan(20_000);
  expect(context?.getRemainingTimeInMillis()).toBeLessThanOrEqual(28_000);
});

test("with a stage the URL has it, the function's path has not, and nothing else is served", async () => {
  const { baseUrl, invocations } = await gatewayTo(DONE, { stage: "prod" });
  expect(baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/prod$/);

  expect(await send(baseUrl, { path: "/prod/vault/keys/key_1" })).toMatchObject({ status: 200 });
  expect(invocations[0]).toMatchObject({
    name: "manage-key",
    event: {
      path: "/vault/keys/key_1",
      pathParameters: { id: "key_1" },
      requestContext: { path: "/prod/vault/keys/key_1", stage: "prod", resourcePath: "/vault/keys/{id}" },
    },
  });

  for (const path of ["/", "/vault/keys/key_1", "/production/healthz", "/v1/charges"]) {
    const answer = await send(baseUrl, { path });
    expect(answer, path).toMatchObject({
      status: 403,
      headers: { "x-amzn-errortype": "ForbiddenException" },
    });
    expect(answer.body.toString()).toBe('{"message":"Forbidden"}');
  }
  expect(invocations).toHaveLength(1);
});

test("GET of the bare root, with a stage or without, goes to a function; what is before the stage does not", async () => {
  const bare = await gatewayTo(DONE);
  const staged = await gatewayTo(DONE, { stage: "prod" });

  for (const [baseUrl, path] of [
    [bare.baseUrl, "/"],
    [staged.baseUrl, "/prod"],
    [staged.baseUrl, "/prod/"],
  ] as const)
    expect((await send(baseUrl, { path })).status, path).toBe(200);
  expect((await send(staged.baseUrl, { path: "/" })).body.toString()).toBe('{"message":"Forbidden"}');

  const invoked = [...bare.invocations, ...staged.invocations];
  expect(invoked).toMatchObject([
    { name: "health", event: { resource: "/", path: "/", requestContext: { path: "/" } } },
    { name: "health", event: { resource: "/", path: "/", requestContext: { path: "/prod/" } } },
    { name: "health", event: { resource: "/", path: "/", requestContext: { path: "/prod/" } } },
  ]);
});

test("any other method at the bare root gets the gateway's own answer, in the shape of every vendor", async () => {
  const { baseUrl, invocations } = await gatewayTo(DONE);

  for (const [method, path] of [
    ["POST", "/"],
    ["DELETE", "/?x=1"],
  ] as const) {
    const answer = await send(baseUrl, { method, path });
    const requestId = answer.headers["request-id"];
    expect(answer.status, path).toBe(403);
    expect(answer.headers).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-store",
      "stripe-should-retry": "false",
      "x-amzn-requestid": requestId,
      "x-amz-apigw-id": expect.any(String),
    });
    const ours = {
      keybrake_code: "gateway_missing_authentication_token",
      request_id: requestId,
      charged: "no",
    };
    expect(JSON.parse(answer.body.toString())).toEqual({
      error: {
        type: "permission_error",
        code: "gateway_missing_authentication_token",
        message:
          "there is nothing at this address; add a path; nothing was sent to the vendor and nothing was charged",
        request_id: requestId,
        charged: "no",
      },
      statusCode: 403,
      name: "gateway_missing_authentication_token",
      message:
        "there is nothing at this address; add a path; nothing was sent to the vendor and nothing was charged",
      code: 20403,
      more_info: "https://www.twilio.com/docs/errors/20403",
      status: 403,
      ...ours,
      details: ours,
    });
  }
  expect(invocations).toEqual([]);
});

test("an answer keeps its bytes and repeated headers, and loses what the gateway owns", async () => {
  const { baseUrl } = await gatewayTo({
    statusCode: 402,
    headers: { "Request-Id": "req_1", "X-Both": "1" },
    multiValueHeaders: {
      "X-Both": ["1", "2"],
      "Content-Type": ["application/octet-stream"],
      Connection: ["close"],
      "Content-Length": ["999"],
      Date: ["Thu, 01 Jan 1970 00:00:00 GMT"],
      Server: ["nginx"],
      "Transfer-Encoding": ["chunked"],
      "WWW-Authenticate": ["Basic"],
    },
    body: "/wBh",
    isBase64Encoded: true,
  });

  const { status, headers, rawHeaders, body } = await send(baseUrl, { path: "/healthz" });

  expect(status).toBe(402);
  expect(body).toEqual(Buffer.from([0xff, 0x00, 0x61]));
  expect(headers).toMatchObject({
    "request-id": "req_1",
    "x-both": "1, 2",
    "content-type": "application/octet-stream",
    "content-length": "3",
    "x-amzn-remapped-connection": "close",
    "x-amzn-remapped-content-length": "999",
    "x-amzn-remapped-date": "Thu, 01 Jan 1970 00:00:00 GMT",
    "x-amzn-remapped-server": "nginx",
    "x-amzn-remapped-www-authenticate": "Basic",
  });
  expect(headers).not.toHaveProperty("server");
  expect(headers).not.toHaveProperty("transfer-encoding");
  expect(headers).not.toHaveProperty("www-authenticate");
  expect(rawHeaders.join()).not.toMatch(/access-control/i);
});

test.each([
  ["nothing", undefined],
  ["no status", { body: "x" }],
  ["a status that is not a number", { statusCode: "many" }],
  ["a body that is not a string", { statusCode: 200, body: { a: 1 } }],
  ["a header that is an object", { statusCode: 200, headers: { a: {} } }],
  ["a header with a line feed", { statusCode: 200, headers: { a: "1\r\nb: 2" } }],
  ["more than Lambda hands over", { statusCode: 200, body: "x".repeat(6_291_557) }],
])("a function that answers %s is a 502 that leaves the outcome open", async (_, returned) => {
  const { baseUrl } = await gatewayTo(returned);

  const answer = await send(baseUrl, { method: "POST", path: "/v1/charges", body: "amount=1" });

  expect(answer.status).toBe(502);
  expect(answer.headers).not.toHaveProperty("stripe-should-retry");
  expect(JSON.parse(answer.body.toString())).toMatchObject({
    error: { type: "api_error", code: "gateway_default_5xx", charged: "unknown" },
    status: 502,
  });
});

test("a function that throws is a 502, and what it threw is told to us alone", async () => {
  const thrown: unknown[] = [];
  const gateway = await startGateway({
    routes: ROUTES,
    port: 0,
    invoke: () => Promise.reject(new Error("sk_live_secret")),
    onFunctionError: (error) => thrown.push(error),
  });
  opened.push(gateway);

  const answer = await send(gateway.baseUrl, { path: "/healthz" });

  expect(answer.status).toBe(502);
  expect(answer.body.toString()).not.toContain("sk_live_secret");
  expect(thrown).toEqual([new Error("sk_live_secret")]);
});

test("a function that is late is a 504, and goes on; closing waits for it", async () => {
  const end = gate();
  const log: string[] = [];
  const baseUrl = await openGateway({
    integrationTimeoutMs: 1,
    invoke: async () => {
      await end.passed;
      log.push("ended");
      return DONE;
    },
  });

  const answer = await send(baseUrl, { method: "POST", path: "/v1/charges" });
  expect(answer.status).toBe(504);
  expect(JSON.parse(answer.body.toString())).toMatchObject({
    error: { code: "gateway_integration_timeout", charged: "unknown" },
  });

  await closeWhile(end.open, log);
  expect(log).toEqual(["ended", "closed"]);
});

/** Guarantees that a call whose client went away is settled: Lambda does not know of the client. */
test("an invocation goes on to its end when its client has gone; closing waits for it", async () => {
  const began = gate();
  const end = gate();
  const log: string[] = [];
  const baseUrl = await openGateway({
    invoke: async () => {
      began.open();
      await end.passed;
      log.push("ended");
      return DONE;
    },
  });

  const request = open(baseUrl, { method: "POST", path: "/v1/charges" });
  const gone = new Promise((resolve) => request.on("close", resolve));
  request.on("error", () => {});
  request.end();
  await began.passed;
  request.destroy();
  await gone;

  await closeWhile(end.open, log);
  expect(log).toEqual(["ended", "closed"]);
});

/** Closes the gateway and lets its last invocation end only after that, and after some turns of the event loop. */
async function closeWhile(end: () => void, log: string[]): Promise<void> {
  const closed = opened
    .pop()
    ?.close()
    .then(() => log.push("closed"));
  await freePort();
  end();
  await closed;
}

test("a client that leaves in the middle of its body invokes nothing", async () => {
  const { baseUrl, invocations } = await gatewayTo(DONE);

  const rawHeaders = ["Content-Length", "100", "Expect", "100-continue"];
  const request = open(baseUrl, { method: "POST", path: "/v1/charges", rawHeaders });
  const gone = new Promise((resolve) => request.on("close", resolve));
  request.on("error", () => {});
  const accepted = new Promise((resolve) => request.on("continue", resolve));
  request.flushHeaders();
  await accepted;
  request.write("amount=1");
  request.destroy();
  await gone;
  await opened.pop()?.close();

  expect(invocations).toEqual([]);
});

test.each([
  ["over 10 MB", 10 * 1024 * 1024 + 1],
  ["over the 6 MB that Lambda takes, once it is base64", 5 * 1024 * 1024],
])("a body %s is a 413", async (_, bytes) => {
  const { baseUrl, invocations } = await gatewayTo(DONE);

  const answer = await send(baseUrl, { method: "POST", path: "/v1/files", body: Buffer.alloc(bytes, "a") });

  expect(answer.status).toBe(413);
  expect(JSON.parse(answer.body.toString())).toMatchObject({
    error: { code: "gateway_request_too_large", charged: "no" },
  });
  expect(invocations).toEqual([]);
});

test("a body of 4 MB reaches the function", async () => {
  const { baseUrl, invocations } = await gatewayTo(DONE);

  expect(
    await send(baseUrl, { method: "POST", path: "/v1/files", body: Buffer.alloc(4 * 1024 * 1024) }),
  ).toMatchObject({
    status: 200,
  });
  expect(invocations).toHaveLength(1);
});

test.each([
  ["a little", 10_300],
  ["far", 100_000],
])("a request line and headers %s over 10,240 bytes are a 431", async (_, bytes) => {
  const { baseUrl, invocations } = await gatewayTo(DONE);

  expect(await send(baseUrl, { path: "/healthz", rawHeaders: ["X-Long", "a".repeat(bytes)] })).toMatchObject({
    status: 431,
  });
  expect(await send(baseUrl, { path: `/healthz?${"a".repeat(bytes)}` })).toMatchObject({ status: 431 });
  expect(invocations).toEqual([]);
});

test("headers of 10,000 bytes reach the function", async () => {
  const { baseUrl, invocations } = await gatewayTo(DONE);

  expect(await send(baseUrl, { path: "/healthz", rawHeaders: ["X-Long", "a".repeat(10_000)] })).toMatchObject(
    { status: 200 },
  );
  expect(invocations).toHaveLength(1);
});

test("a taken port is said to be taken", async () => {
  const other = createServer();
  const port = await listen(other, 0);

  const started = startGateway({ routes: ROUTES, port, invoke: async () => DONE });

  await expect(started).rejects.toThrow(StartError);
  await expect(started).rejects.toThrow(
    `port ${port} is taken; set PORT to another one, or to 0 for a free one`,
  );
  other.close();
});

type Called = readonly [headers: Readonly<Record<string, string>>, status: number, message: string];

const FOREIGN = [
  "http://keybrake:8788",
  "http://keybrake",
  "https://keybrake:8787",
  "http://localhost:8787",
  "http://keybrake:8787.evil.example",
  "http://keybrake:8787/",
  "https://evil.example",
  "null",
  "",
];

/** Guarantees that DNS rebinding stays shut: exact names alone, and no page but the dashboard's, which has the origin that it asks. */
test.each<Called>([
  [{ Host: "keybrake:8787" }, 200, ""],
  [{ Host: "KEYBRAKE" }, 200, ""],
  [{ Host: "localhost:1" }, 200, ""],
  [{ Host: "[::1]:8787" }, 200, ""],
  [
    { Host: "evil.keybrake" },
    403,
    "a local run answers only requests to the hosts 127.0.0.1, localhost, [::1], keybrake;",
  ],
  [
    { Host: "keybrake.evil.example" },
    403,
    "to add a name, such as host.docker.internal, start it with KEYBRAKE_HOSTS=<name>",
  ],
  [{ Host: "keybrake:8787", Origin: "http://keybrake:8787" }, 200, ""],
  [{ Host: "127.0.0.1:8787", Origin: "http://127.0.0.1:8787" }, 200, ""],
  [{ Host: "evil.example:8787", Origin: "http://evil.example:8787" }, 403, "to add a name"],
  ...FOREIGN.map(
    (Origin): Called => [
      { Host: "keybrake:8787", Origin },
      403,
      "send the request without an Origin header, to the hosts 127.0.0.1, localhost, [::1], keybrake; nothing was sent to the vendor",
    ],
  ),
])("with the host keybrake taken, %j is answered %i", async (headers, status, message) => {
  const { baseUrl, invocations } = await gatewayTo(DONE, { hosts: ["keybrake"] });

  const answer = await send(baseUrl, { path: "/healthz", rawHeaders: Object.entries(headers).flat() });

  expect(answer.status).toBe(status);
  expect(answer.body.toString()).toContain(message);
  expect(invocations).toHaveLength(status === 200 ? 1 : 0);
});

test("links lead back to the name by which it was called", async () => {
  const { baseUrl, invocations } = await gatewayTo(DONE, { hosts: ["keybrake"] });

  await send(baseUrl, { path: "/healthz", rawHeaders: ["Host", "keybrake:8787"] });

  expect(invocations[0]?.event).toMatchObject({ requestContext: { domainName: "keybrake:8787" } });
});
