import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { DescribeTableCommand, DynamoDBClient, type TableDescription } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DIST } from "../../bin/build.ts";
import { ENV, METRICS } from "../../lambda/environment.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { UNKNOWN_KEYS_QUERY } from "../../lib/monitoring/alarms.ts";
import { FUNCTIONS } from "../../lib/services.ts";
import { resourceMatcher } from "../../local/aws/resource-match.ts";
import { type OwnRun, startOwn } from "../support/keybrake.ts";
import { ROUTES } from "../support/routes.ts";
import { exampleOf } from "../vendors/configured/harness.ts";
import { inside, shown, synthesised, textsOf } from "./template.ts";

/** Guarantees that what is tried on one machine is what is deployed: routes, tables, variables. */

const deployed = synthesised({ alarms: "all" });
/** One vendor without code, so that every variable there is gets set. */
const definitions = [exampleOf("images")];
let run: OwnRun;
let variables: readonly string[];
beforeAll(async () => {
  run = await startOwn({ definitions });
  variables = Object.keys(process.env).filter((name) => name.startsWith("KEYBRAKE_"));
});
afterAll(() => run.close());

/** Logical id of a function in the template, without hash -> the function's name. */
const NAMES: Readonly<Record<string, string>> = {
  ApplyStopsFunction: "apply-stops",
  AuditConsumerFunction: "record-audit",
  DashboardFunction: "dashboard",
  HealthFunction: "health",
  IssueKeyFunction: "issue-key",
  ListKeysFunction: "list-keys",
  ManageKeyFunction: "manage-key",
  ManageApiKeysFunction: "manage-api-keys",
  ManageStopsFunction: "manage-stops",
  OwnKeyFunction: "own-key",
  ProxyCallFunction: "proxy-call",
  QueryAuditFunction: "query-audit",
  QuerySpendFunction: "query-spend",
  ResolveByHandFunction: "resolve-by-hand",
  ResolveCallsFunction: "resolve-calls",
  SettleLatePricesFunction: "settle-late-prices",
};
const nameOf = (logicalId: string): string => NAMES[logicalId.replace(/[0-9A-F]{8}$/, "")] ?? logicalId;

describe("routes", () => {
  /** Resource path -> method -> function, as the template has them. */
  function deployedRoutes(): Map<string, string> {
    const pathOf = (id: string): string => {
      const { Properties: { ParentId, PathPart } = {} } = deployed.resources[id] ?? {};
      return PathPart === undefined ? "" : `${pathOf(shown(ParentId))}/${PathPart}`;
    };
    return new Map(
      deployed.of("AWS::ApiGateway::Method").map(([, { Properties: method = {} }]) => {
        const uri = textsOf(inside(method, "Integration", "Uri"));
        const target = uri.find((text) => /Function[0-9A-F]{8}$/.test(text)) ?? "";
        return [`${method["HttpMethod"]} ${pathOf(shown(method["ResourceId"])) || "/"}`, nameOf(target)];
      }),
    );
  }

  test("every route is deployed with its function, and nothing else is", () => {
    const expected = ROUTES.map(({ method, path, function: name }) => [`${method} ${path}`, name] as const);
    expect(deployedRoutes()).toEqual(new Map(expected));
    expect(deployedRoutes().size).toBe(ROUTES.length);
  });

  test("the local gateway takes a request where the deployed one does", () => {
    const match = resourceMatcher(ROUTES);
    const routes = deployedRoutes();
    for (const [method, path, resource] of [
      ["POST", "/vault/keys", "POST /vault/keys"],
      ["GET", "/", "GET /"],
      ["GET", "/vault/keys/self", "GET /vault/keys/self"],
      ["GET", "/vault/keys/key_1", "GET /vault/keys/{id}"],
      ["POST", "/stripe/v1/payment_intents", "ANY /stripe/{proxy+}"],
      ["POST", "/v1/payment_intents", "ANY /{proxy+}"],
      ["GET", "/vault/nonsense", "ANY /{proxy+}"],
      ["PUT", "/vault/keys", "ANY /{proxy+}"],
    ] as const)
      expect(match(method, path)?.function, path).toBe(routes.get(resource));
  });

  test("every vendor has its route", () => {
    for (const name of vendorRegistry().names)
      expect(deployedRoutes().get(`ANY /${name}/{proxy+}`), name).toBe("proxy-call");
  });

  test("the credentials for late prices are those of the vendors that tell prices late", () => {
    const [, { Properties: late = {} } = {}] =
      deployed.of("AWS::Lambda::Function").find(([id]) => nameOf(id) === "settle-late-prices") ?? [];
    const secrets = shown(inside(late, "Environment", "Variables", ENV.credentialSecrets));
    for (const { name, latePrices } of vendorRegistry().all)
      expect(secrets.includes(`"${name}"`), name).toBe(latePrices !== null);
  });
});

describe("tables", () => {
  const shape = ({ AttributeDefinitions, KeySchema, GlobalSecondaryIndexes = [] }: TableDescription) => ({
    attributes: (AttributeDefinitions ?? [])
      .map((item) => `${item.AttributeName} ${item.AttributeType}`)
      .sort(),
    keys: (KeySchema ?? []).map((key) => `${key.AttributeName} ${key.KeyType}`),
    indexes: GlobalSecondaryIndexes.map((index) => ({
      name: index.IndexName,
      keys: (index.KeySchema ?? []).map((key) => `${key.AttributeName} ${key.KeyType}`),
      projection: index.Projection?.ProjectionType,
    })).sort((one, other) => `${one.name}`.localeCompare(`${other.name}`)),
  });

  test.each([
    ["keybrake-vault", "Vault"],
    ["keybrake-audit", "Audit"],
  ])("%s is the deployed one", async (name, id) => {
    const client = new DynamoDBClient({
      endpoint: run.dynamodbEndpoint,
      region: "local",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });
    const { Table: local = {} } = await client.send(new DescribeTableCommand({ TableName: name }));
    const template = deployed.one("AWS::DynamoDB::GlobalTable", id).Properties as TableDescription;
    expect(shape(local)).toEqual(shape(template));
    expect(shape(local).attributes.length).toBeGreaterThan(1);
    expect(local.StreamSpecification?.StreamViewType).toBe(template.StreamSpecification?.StreamViewType);
    expect(local.BillingModeSummary?.BillingMode).toBe("PAY_PER_REQUEST");
  });
});

describe("variables", () => {
  const variablesOf = new Map(
    synthesised({ vendors: definitions })
      .of("AWS::Lambda::Function")
      .map(([id, { Properties }]) => [
        nameOf(id),
        inside(Properties, "Environment", "Variables") as Readonly<Record<string, unknown>>,
      ]),
  );

  test("the same names are set for the functions, locally and deployed", () => {
    const names = [...variablesOf.values()].flatMap((map) => Object.keys(map));
    const ours = new Set(names.filter((name) => name.startsWith("KEYBRAKE_")));
    // A local engine serves all functions at once, so it alone gets another patience, and no tokens, which slow it down;
    // and a local run alone forgets keys.
    const localAlone = [
      ENV.dynamodbTimeoutMs,
      ENV.requestTokens,
      ENV.apiKeyHint,
      ENV.vaultKeyHint,
      ENV.credentialHints,
    ];
    expect([...ours, ...localAlone].sort()).toEqual([...variables].sort());
    expect(Object.values(ENV).sort()).toEqual([...variables].sort());
  });

  test.each(FUNCTIONS)("%s finds in the template all that it reads when it starts", (name) => {
    const values = Object.entries(variablesOf.get(name) ?? {}).map(([variable, value]) => [
      variable,
      shown(value),
    ]);
    const loaded = spawnSync(process.execPath, ["-e", `require(${JSON.stringify(join(DIST, name))})`], {
      env: { AWS_REGION: "eu-west-1", ...Object.fromEntries(values) },
      encoding: "utf8",
    });
    expect(loaded.stderr).toBe("");
    expect(loaded.status).toBe(0);
  });
});

describe("metrics", () => {
  /** Everything of our own namespace that an alarm or the dashboard looks at. */
  const watched = new Set(
    [
      ...deployed.of("AWS::CloudWatch::Alarm").map(([, { Properties: alarm = {} }]) => alarm),
      ...deployed
        .of("AWS::CloudWatch::Alarm")
        .flatMap(
          ([, { Properties: alarm = {} }]) => (alarm["Metrics"] as readonly unknown[] | undefined) ?? [],
        )
        .map((part) => inside(part, "MetricStat", "Metric")),
    ].flatMap((metric) =>
      inside(metric, "Namespace") === METRICS.namespace ? [String(inside(metric, "MetricName"))] : [],
    ),
  );
  const dashboard = shown(deployed.one("AWS::CloudWatch::Dashboard").Properties?.["DashboardBody"]);

  const counted = spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import { count, countDenial } from ${JSON.stringify(join(DIST, "..", "lambda", "handlers", "metrics.ts"))};
       for (const name of ${JSON.stringify([METRICS.unknownKey, METRICS.overrun, METRICS.unresolved, METRICS.auditFailure, METRICS.latePricesOverdue, METRICS.latePricesOldestS])}) count(name, 3);
       countDenial("spend_cap_exceeded");
       countDenial("key_revoked");
       count(${JSON.stringify(METRICS.overrun)}, 3);`,
    ],
    { env: { POWERTOOLS_SERVICE_NAME: "Keybrake" }, encoding: "utf8" },
  );
  const written = counted.stdout
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));

  test("what the functions count is what the alarms and the dashboard watch", () => {
    expect([...watched].sort()).toEqual([
      "AuditFailure",
      "LatePricesOldestSeconds",
      "Overrun",
      "UnknownKey",
      "Unresolved",
    ]);
    for (const name of [...watched, METRICS.latePricesOverdue]) {
      const line = written.find((entry) => inside(entry, name) === 3);
      expect(line, name).toMatchObject({
        service: "Keybrake",
        _aws: { CloudWatchMetrics: [{ Namespace: "Keybrake", Dimensions: [["service"]] }] },
      });
      expect(dashboard, name).toContain(`"${name}"`);
    }
    for (const [id, { Properties: alarm = {} }] of deployed.of("AWS::CloudWatch::Alarm"))
      if (alarm["Namespace"] === METRICS.namespace)
        expect(alarm["Dimensions"], id).toEqual([{ Name: "service", Value: "Keybrake" }]);
    for (const name of deployed
      .of("AWS::Lambda::Function")
      .map(([, { Properties }]) => inside(Properties, "Environment", "Variables", "POWERTOOLS_SERVICE_NAME")))
      expect(name).toBe("Keybrake");
  });

  test("denials are counted by their reason, which the dashboard searches for", () => {
    for (const reason of ["spend_cap_exceeded", "key_revoked"])
      expect(written).toContainEqual(
        expect.objectContaining({
          service: "Keybrake",
          reason,
          Denied: 1,
          _aws: expect.objectContaining({
            CloudWatchMetrics: [
              { Namespace: "Keybrake", Dimensions: [["service", "reason"]], Metrics: [expect.anything()] },
            ],
          }),
        }),
      );
    // A reason stays with its own line.
    expect(written.at(-1)).not.toHaveProperty("reason");
    expect(dashboard).toContain(
      String.raw`SEARCH('{Keybrake,service,reason} MetricName=\"Denied\" service=\"Keybrake\"', 'Sum', 300)`,
    );
  });

  /** "Amazon API Gateway dimensions and metrics", "Types of metrics for Lambda functions", "DynamoDB metrics and dimensions": read 2026-11-27. */
  const OF_AWS: Readonly<Record<string, readonly string[]>> = {
    "AWS/ApiGateway": ["Count", "5XXError", "Latency"],
    "AWS/Lambda": [
      "Throttles",
      "Errors",
      "Invocations",
      "IteratorAge",
      "DestinationDeliveryFailures",
      "OnFailureDestinationDeliveredEventCount",
      "ClaimedAccountConcurrency",
    ],
    "AWS/DynamoDB": ["WriteThrottleEvents"],
  };

  test("every other alarm watches what AWS documents", () => {
    const parts = deployed.of("AWS::CloudWatch::Alarm").flatMap(([id, { Properties: alarm = {} }]) => {
      const metrics = alarm["Metrics"] as readonly unknown[] | undefined;
      if (metrics === undefined) return [[id, alarm] as const];
      return metrics.flatMap((part) => {
        const metric = inside(part, "MetricStat", "Metric");
        return metric === undefined ? [] : [[id, metric] as const];
      });
    });
    const found = new Map<string, Set<string>>();
    for (const [id, metric] of parts) {
      const namespace = String(inside(metric, "Namespace"));
      const name = String(inside(metric, "MetricName"));
      if (namespace === METRICS.namespace) continue;
      expect(OF_AWS[namespace], id).toContain(name);
      found.set(namespace, (found.get(namespace) ?? new Set()).add(name));
    }
    for (const [namespace, names] of Object.entries(OF_AWS))
      expect([...(found.get(namespace) ?? [])].sort(), namespace).toEqual([...names].sort());
  });

  test("the query that an alarm names asks for what the functions log", async () => {
    const fields = /by (.*)$/.exec(UNKNOWN_KEYS_QUERY)?.[1]?.split(", ") ?? [];
    const logged: [string, Readonly<Record<string, unknown>>][] = [];
    const event = {
      multiValueHeaders: {},
      resource: "/x",
      requestContext: { identity: { sourceIp: "192.0.2.9" } },
    };
    const { countUnknownKey } = await import("../../lambda/handlers/unknown-keys.ts");
    countUnknownKey(event as never, (message, seen) => logged.push([message, seen]), 0);
    expect(UNKNOWN_KEYS_QUERY).toContain(`message = "${logged[0]?.[0]}"`);
    expect(Object.keys(logged[0]?.[1] ?? {})).toEqual(expect.arrayContaining([...fields, "requests"]));
    expect(fields).toContain("source_ip");
  });
});
