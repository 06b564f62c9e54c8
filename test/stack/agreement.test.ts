import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { DescribeTableCommand, DynamoDBClient, type TableDescription } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DIST } from "../../bin/build.ts";
import { ENV } from "../../lambda/environment.ts";
import { VENDORS } from "../../lambda/vendors/index.ts";
import { resourceMatcher } from "../../lib/local/resource-match.ts";
import { FUNCTIONS, LATE_PRICE_VENDORS, ROUTES, VENDOR_NAMES } from "../../lib/routes.ts";
import { type OwnRun, startOwn } from "../support/keybrake.ts";
import { inside, shown, synthesised, textsOf } from "./template.ts";

/** Guarantees that what is tried on one machine is what is deployed: routes, tables, variables. */

const deployed = synthesised();
let run: OwnRun;
let variables: readonly string[];
beforeAll(async () => {
  run = await startOwn();
  variables = Object.keys(process.env).filter((name) => name.startsWith("KEYBRAKE_"));
});
afterAll(() => run.close());

/** Logical id of a function in the template, without hash -> the function's name. */
const NAMES: Readonly<Record<string, string>> = {
  AuditConsumerFunction: "record-audit",
  HealthFunction: "health",
  IssueKeyFunction: "issue-key",
  ManageKeyFunction: "manage-key",
  OwnKeyFunction: "own-key",
  ProxyCallFunction: "proxy-call",
  QueryAuditFunction: "query-audit",
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
    expect(deployedRoutes().size).toBe(14);
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
    expect([...VENDOR_NAMES].sort()).toEqual(Object.keys(VENDORS).sort());
  });

  test("the credentials for late prices are those of the vendors that tell prices late", () => {
    const late = Object.values(VENDORS).filter(({ latePrices }) => latePrices !== null);
    expect([...LATE_PRICE_VENDORS].sort()).toEqual(late.map(({ name }) => name).sort());
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
    deployed
      .of("AWS::Lambda::Function")
      .map(([id, { Properties }]) => [
        nameOf(id),
        inside(Properties, "Environment", "Variables") as Readonly<Record<string, unknown>>,
      ]),
  );

  test("the same names are set for the functions, locally and deployed", () => {
    const names = [...variablesOf.values()].flatMap((map) => Object.keys(map));
    const ours = new Set(names.filter((name) => name.startsWith("KEYBRAKE_")));
    // A local engine serves all functions at once, so it alone gets another patience; and a local run alone forgets keys.
    const localAlone = [ENV.dynamodbTimeoutMs, ENV.apiKeyHint, ENV.vaultKeyHint];
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
  test("what the functions count is what the alarms watch", () => {
    const counted = spawnSync(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { count } from ${JSON.stringify(join(DIST, "..", "lambda", "handlers", "metrics.ts"))};
         for (const name of ["UnknownKey", "Overrun", "Unresolved", "AuditFailure"]) count(name, 3);`,
      ],
      { env: { POWERTOOLS_SERVICE_NAME: "Keybrake" }, encoding: "utf8" },
    );
    const written = counted.stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    const watched = deployed
      .of("AWS::CloudWatch::Alarm")
      .map(([, { Properties: alarm = {} }]) => alarm)
      .filter((alarm) => alarm["Namespace"] === "Keybrake");

    expect(watched.map((alarm) => alarm["MetricName"]).sort()).toEqual([
      "AuditFailure",
      "Overrun",
      "UnknownKey",
      "Unresolved",
    ]);
    for (const alarm of watched) {
      expect(alarm["Dimensions"]).toEqual([{ Name: "service", Value: "Keybrake" }]);
      const name = String(alarm["MetricName"]);
      const line = written.find((entry) => inside(entry, name) === 3);
      expect(line, name).toMatchObject({
        service: "Keybrake",
        _aws: { CloudWatchMetrics: [{ Namespace: "Keybrake", Dimensions: [["service"]] }] },
      });
    }
    for (const name of deployed
      .of("AWS::Lambda::Function")
      .map(([, { Properties }]) => inside(Properties, "Environment", "Variables", "POWERTOOLS_SERVICE_NAME")))
      expect(name).toBe("Keybrake");
  });
});
