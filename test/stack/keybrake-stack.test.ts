import { describe, expect, test } from "vitest";
import { ALL_SHARDS } from "../../lambda/adapters/shards.ts";
import { ConfigError } from "../../lib/config.ts";
import { FUNCTIONS } from "../../lib/services.ts";
import { codeBlocks, textOf } from "../docs/markdown.ts";
import { LASTING_IDS } from "./lasting-ids.ts";
import { inside, shown, synthesised, textsOf } from "./template.ts";

/** Guarantees what a security reviewer would ask of the template, written out rather than read from the code. */

const keybrake = synthesised();

/** A logical id without the hash that CDK ends it with. */
const plain = (text: string) => text.replaceAll(/[0-9A-F]{8}(?=$|[./])/g, "");

/** Function name -> what its role may do, one line for each resource, in the order of the alphabet. */
function permissions(): Record<string, string[]> {
  const lines: Record<string, string[]> = {};
  for (const [, { Properties: policy }] of keybrake.of("AWS::IAM::Policy")) {
    const { Roles, PolicyDocument } = policy as {
      Roles: unknown[];
      PolicyDocument: { Statement: { Effect: string; Action: string | string[]; Resource: unknown }[] };
    };
    const role = plain(shown(Roles[0])).replace(/Role$/, "");
    lines[role] = PolicyDocument.Statement.flatMap(({ Effect, Action, Resource }) =>
      [Action].flat().flatMap((action) =>
        [Resource].flat().map((resource) => {
          expect(Effect).toBe("Allow");
          return `${action} ${plain(shown(resource))}`;
        }),
      ),
    ).sort();
  }
  return lines;
}

const logs = (name: string) => [`logs:CreateLogStream ${name}Logs.Arn`, `logs:PutLogEvents ${name}Logs.Arn`];

const credentials = ["Resend", "Stripe", "Twilio"].map(
  (vendor) => `secretsmanager:GetSecretValue Secrets${vendor}Default.Id`,
);

describe("roles", () => {
  test("may do exactly this and nothing else", () => {
    const manage = [
      "dynamodb:BatchGetItem VaultTable.Arn",
      "dynamodb:GetItem VaultTable.Arn",
      "dynamodb:Query AuditLogTable.Arn",
      "dynamodb:UpdateItem VaultTable.Arn",
    ];
    expect(permissions()).toEqual({
      // Changes one item alone, see below.
      IssueKey: [
        "dynamodb:BatchGetItem VaultTable.Arn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:PutItem VaultTable.Arn",
        "dynamodb:UpdateItem VaultTable.Arn",
        "dynamodb:UpdateItem VaultTable.Arn",
        ...logs("IssueKey"),
        "secretsmanager:GetSecretValue SecretsAdminApiKey.Id",
      ],
      ManageKey: [
        ...manage,
        "dynamodb:PutItem VaultTable.Arn",
        ...logs("ManageKey"),
        "secretsmanager:GetSecretValue SecretsAdminApiKey.Id",
      ].sort(),
      ManageApiKeys: [
        "dynamodb:BatchGetItem VaultTable.Arn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:PutItem VaultTable.Arn",
        "dynamodb:Query AuditLogTable.Arn",
        "dynamodb:Query VaultTable.Arn",
        "dynamodb:UpdateItem VaultTable.Arn",
        ...logs("ManageApiKeys"),
        "secretsmanager:GetSecretValue SecretsAdminApiKey.Id",
      ],
      ListKeys: [
        "dynamodb:BatchGetItem VaultTable.Arn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:Query AuditLogTable.Arn",
        "dynamodb:Query VaultTable.Arn",
        ...logs("ListKeys"),
        "secretsmanager:GetSecretValue SecretsAdminApiKey.Id",
      ],
      QuerySpend: [
        "dynamodb:BatchGetItem VaultTable.Arn",
        "dynamodb:GetItem AuditLogTable.Arn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:Query AuditLogTable.Arn",
        "dynamodb:Query AuditLogTable.Arn",
        "dynamodb:Query VaultTable.Arn",
        ...logs("QuerySpend"),
        "secretsmanager:GetSecretValue SecretsAdminApiKey.Id",
      ],
      OwnKey: [...manage, ...logs("OwnKey")],
      QueryAudit: [
        "dynamodb:BatchGetItem AuditLogTable.Arn",
        "dynamodb:BatchGetItem VaultTable.Arn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:Query AuditLogTable.Arn",
        "dynamodb:Query AuditLogTable.Arn/index/by_key",
        "dynamodb:Query AuditLogTable.Arn/index/by_label",
        "dynamodb:Query AuditLogTable.Arn/index/by_label_group",
        "dynamodb:Query AuditLogTable.Arn/index/by_vendor",
        ...logs("QueryAudit"),
        "secretsmanager:GetSecretValue SecretsAdminApiKey.Id",
      ],
      ManageStops: [
        "dynamodb:BatchGetItem AuditLogTable.Arn",
        "dynamodb:BatchGetItem VaultTable.Arn",
        "dynamodb:GetItem AuditLogTable.Arn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:PutItem VaultTable.Arn",
        "dynamodb:Query AuditLogTable.Arn",
        "dynamodb:Query AuditLogTable.Arn",
        "dynamodb:Query AuditLogTable.Arn/index/by_key",
        "dynamodb:Query AuditLogTable.Arn/index/by_label",
        "dynamodb:Query AuditLogTable.Arn/index/by_label_group",
        "dynamodb:Query AuditLogTable.Arn/index/by_vendor",
        "dynamodb:Query VaultTable.Arn",
        "dynamodb:UpdateItem VaultTable.Arn",
        ...logs("ManageStops"),
        "secretsmanager:GetSecretValue SecretsAdminApiKey.Id",
      ],
      // Keys that it reads, and logins, see below.
      Dashboard: [
        "dynamodb:BatchGetItem VaultTable.Arn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:PutItem VaultTable.Arn",
        "dynamodb:UpdateItem VaultTable.Arn",
        ...logs("Dashboard"),
        "secretsmanager:GetSecretValue SecretsAdminApiKey.Id",
      ],
      // Keys, records of calls and counted objects, see below.
      ResolveByHand: [
        "dynamodb:BatchGetItem VaultTable.Arn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:PutItem VaultTable.Arn",
        "dynamodb:UpdateItem VaultTable.Arn",
        ...logs("ResolveByHand"),
        "secretsmanager:GetSecretValue SecretsAdminApiKey.Id",
      ],
      // Keys, lists of keys and stops, see below.
      ApplyStops: [
        "dynamodb:BatchGetItem VaultTable.Arn",
        "dynamodb:DescribeStream VaultTable.StreamArn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:GetRecords VaultTable.StreamArn",
        "dynamodb:GetShardIterator VaultTable.StreamArn",
        "dynamodb:ListStreams *",
        "dynamodb:PutItem VaultTable.Arn",
        "dynamodb:Query VaultTable.Arn",
        "dynamodb:UpdateItem VaultTable.Arn",
        ...logs("ApplyStops"),
      ],
      ProxyCall: [
        "dynamodb:BatchGetItem VaultTable.Arn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:PutItem VaultTable.Arn",
        "dynamodb:Query AuditLogTable.Arn",
        "dynamodb:UpdateItem VaultTable.Arn",
        ...logs("ProxyCall"),
        ...credentials,
      ],
      // Calls, balances and the due list, see below.
      ResolveCalls: [
        "dynamodb:BatchGetItem AuditLogTable.Arn",
        "dynamodb:BatchGetItem VaultTable.Arn",
        "dynamodb:DeleteItem VaultTable.Arn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:PutItem VaultTable.Arn",
        "dynamodb:PutItem VaultTable.Arn",
        "dynamodb:Query AuditLogTable.Arn",
        "dynamodb:Query AuditLogTable.Arn/index/by_vendor",
        "dynamodb:Query VaultTable.Arn",
        "dynamodb:UpdateItem VaultTable.Arn",
        ...logs("ResolveCalls"),
        ...credentials,
      ],
      SettleLatePrices: [
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:PutItem VaultTable.Arn",
        "dynamodb:Query VaultTable.Arn/index/by_late_price",
        "dynamodb:UpdateItem VaultTable.Arn",
        ...logs("SettleLatePrices"),
        "secretsmanager:GetSecretValue SecretsTwilioDefault.Id",
      ],
      AuditConsumer: [
        "dynamodb:BatchGetItem VaultTable.Arn",
        "dynamodb:BatchWriteItem AuditLogTable.Arn",
        "dynamodb:DescribeStream VaultTable.StreamArn",
        "dynamodb:GetItem AuditLogTable.Arn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:GetRecords VaultTable.StreamArn",
        "dynamodb:GetShardIterator VaultTable.StreamArn",
        "dynamodb:ListStreams *",
        "dynamodb:PutItem AuditLogTable.Arn",
        "dynamodb:PutItem VaultTable.Arn",
        "dynamodb:Query AuditLogTable.Arn",
        "dynamodb:Query VaultTable.Arn",
        "dynamodb:UpdateItem AuditLogTable.Arn",
        "events:PutEvents EventsBus.Arn",
        ...logs("AuditConsumer"),
        "s3:ListBucket AuditDeadLetters.Arn",
        "s3:PutObject AuditDeadLetters.Arn/*",
      ],
      Health: logs("Health"),
    });
  });

  /** What the role of a function may do on a table, with the conditions. */
  const onVault = (role: string) => on("VaultTable.Arn", role);
  const on = (table: string, role: string) => {
    const [, policy] = keybrake.of("AWS::IAM::Policy").find(([id]) => id.startsWith(role)) ?? [];
    const statements = inside(policy, "Properties", "PolicyDocument", "Statement") as readonly unknown[];
    return statements
      .filter((statement) => plain(shown(inside(statement, "Resource"))) === table)
      .map((statement) => [inside(statement, "Action"), inside(statement, "Condition")]);
  };
  const leading = (...keys: readonly string[]) => ({
    "ForAllValues:StringLike": {
      "dynamodb:LeadingKeys": keys,
    },
  });

  test("issue keys and change none: what is changed there is the layout, and a key whose stop came meanwhile", () => {
    expect(onVault("IssueKey")).toEqual([
      [["dynamodb:GetItem", "dynamodb:BatchGetItem"], undefined],
      ["dynamodb:PutItem", leading("KEY#*", "LISTED#*", "ISSUE#*")],
      ["dynamodb:UpdateItem", leading("LAYOUT")],
      ["dynamodb:UpdateItem", leading("KEY#*")],
    ]);
  });

  test("stop keys and see no call: they revoke, and keep what became of the stops", () => {
    const reads = [
      ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"],
      leading("KEY#*", "LISTED#*", "LOGIN#*", "STOPS", "LAYOUT"),
    ];
    expect(onVault("ApplyStops")).toEqual([
      reads,
      ["dynamodb:PutItem", leading("STOPS")],
      ["dynamodb:UpdateItem", leading("KEY#*", "STOPS", "LAYOUT")],
    ]);
    // It revokes nothing itself.
    expect(onVault("ManageStops")).toEqual([
      reads,
      ["dynamodb:PutItem", leading("STOPS")],
      ["dynamodb:UpdateItem", leading("STOPS", "LAYOUT")],
    ]);
  });

  test("close calls and issue no key: they put records of calls and of objects alone, and see no credential", () => {
    expect(onVault("ResolveByHand")).toEqual([
      [["dynamodb:GetItem", "dynamodb:BatchGetItem"], leading("KEY#*", "CALL#*", "LOGIN#*", "LAYOUT")],
      ["dynamodb:PutItem", leading("CALL#*", "ROOT#*")],
      ["dynamodb:UpdateItem", leading("KEY#*", "CALL#*", "ROOT#*", "LAYOUT")],
    ]);
  });

  test("sign people in, and write logins alone: no key is made or changed by the dashboard's function", () => {
    expect(onVault("Dashboard")).toEqual([
      [["dynamodb:GetItem", "dynamodb:BatchGetItem"], leading("KEY#*", "LOGIN#*", "LAYOUT")],
      ["dynamodb:PutItem", leading("LOGIN#*", "LOGIN_CODE#*")],
      ["dynamodb:UpdateItem", leading("LOGIN#*", "LOGIN_CODE#*", "LOGIN_TRIES#*", "LAYOUT")],
    ]);
  });

  test("finish calls: they write records, fences and what goes back, and delete what is done on the due list", () => {
    expect(onVault("ResolveCalls")).toEqual([
      [["dynamodb:GetItem", "dynamodb:BatchGetItem"], undefined],
      ["dynamodb:PutItem", leading("DUE#*")],
      ["dynamodb:PutItem", leading("CALL#*", "ROOT#*")],
      ["dynamodb:UpdateItem", leading("KEY#*", "CALL#*", "ROOT#*", "LAYOUT")],
      [["dynamodb:Query", "dynamodb:DeleteItem"], leading("DUE#*")],
    ]);
    expect(onVault("AuditConsumer")).toContainEqual([
      ["dynamodb:PutItem", "dynamodb:Query"],
      leading("DUE#*"),
    ]);
    // BatchWriteItem may delete.
    expect(on("AuditLogTable.Arn", "AuditConsumer")).toContainEqual([
      "dynamodb:BatchWriteItem",
      leading("SEEN#*"),
    ]);
  });

  test("have no managed policies, and can be assumed by Lambda alone", () => {
    const roles = keybrake.of("AWS::IAM::Role");
    expect(roles).toHaveLength(FUNCTIONS.length);
    for (const [id, { Properties: role = {} }] of roles) {
      expect(role["ManagedPolicyArns"], id).toBeUndefined();
      expect(textsOf(role["AssumeRolePolicyDocument"]), id).toContain("lambda.amazonaws.com");
      expect(role["AssumeRolePolicyDocument"], id).toMatchObject({ Statement: { length: 1 } });
    }
  });

  test("delete nothing but what is done on the due list, and only the consumer's writes the audit table", () => {
    const all = Object.entries(permissions());
    expect(
      all.flatMap(([, lines]) => lines.filter((line) => /delete|batchwrite|partiql/i.test(line))).sort(),
    ).toEqual(["dynamodb:BatchWriteItem AuditLogTable.Arn", "dynamodb:DeleteItem VaultTable.Arn"]);
    const writers = all.filter(([, lines]) =>
      lines.some((line) => /^dynamodb:(Put|Update)\S* AuditLogTable/.test(line)),
    );
    expect(writers.map(([name]) => name)).toEqual(["AuditConsumer"]);
    const readersOf = (secret: RegExp) =>
      all.filter(([, lines]) => lines.some((line) => secret.test(line))).map(([name]) => name);
    expect(readersOf(/GetSecretValue SecretsStripe/).sort()).toEqual(["ProxyCall", "ResolveCalls"]);
    expect(readersOf(/GetSecretValue SecretsTwilio/).sort()).toEqual([
      "ProxyCall",
      "ResolveCalls",
      "SettleLatePrices",
    ]);
  });
});

describe("tables", () => {
  test("are on demand, recoverable, protected, with TTL, and stay when the stack goes", () => {
    const tables = keybrake.of("AWS::DynamoDB::GlobalTable");
    expect(tables).toHaveLength(2);
    for (const [id, table] of tables) {
      expect([table.DeletionPolicy, table.UpdateReplacePolicy], id).toEqual(["Retain", "Retain"]);
      expect(table.Properties, id).toMatchObject({
        BillingMode: "PAY_PER_REQUEST",
        TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true },
        Replicas: [
          {
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          },
        ],
      });
    }
  });

  test("the Vault's has a stream of both images, and one sparse index that carries keys alone and no balance", () => {
    const vault = keybrake.one("AWS::DynamoDB::GlobalTable", "Vault");
    expect(vault.Properties).toMatchObject({
      StreamSpecification: { StreamViewType: "NEW_AND_OLD_IMAGES" },
    });
    expect(vault.Properties?.["GlobalSecondaryIndexes"]).toEqual([
      {
        IndexName: "by_late_price",
        KeySchema: [
          { AttributeName: "late_vendor", KeyType: "HASH" },
          { AttributeName: "late_due", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "KEYS_ONLY" },
      },
    ]);
  });

  test("the stream is read from its beginning, with retries that end, and dead letters in S3", () => {
    keybrake.template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
      StartingPosition: "TRIM_HORIZON",
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 1,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      MaximumRetryAttempts: 10,
      MaximumRecordAgeInSeconds: 72_000,
      ParallelizationFactor: 2,
    });
    const mapping = keybrake.one("AWS::Lambda::EventSourceMapping", "AuditStream");
    expect(plain(shown(inside(mapping.Properties, "DestinationConfig", "OnFailure", "Destination")))).toBe(
      "AuditDeadLetters.Arn",
    );
    // Lambda tries the role when the mapping is made; the mapping needs the function, and the function the whole role.
    const consumer = keybrake.one("AWS::Lambda::Function", "AuditConsumer");
    expect(consumer.DependsOn?.map(plain)).toContain("AuditConsumerRoleDefaultPolicy");
    expect(plain(shown(mapping.Properties?.["FunctionName"]))).toBe("AuditConsumerFunction");
  });

  test("a change of the stops wakes who revokes their keys; what fails there, the schedule does", () => {
    const mapping = keybrake.one("AWS::Lambda::EventSourceMapping", "StopsStream");
    expect(plain(shown(mapping.Properties?.["FunctionName"]))).toBe("ApplyStopsFunction");
    expect(mapping.Properties).toMatchObject({
      StartingPosition: "LATEST",
      MaximumRetryAttempts: 10,
      MaximumRecordAgeInSeconds: 3_600,
      FilterCriteria: {
        Filters: [{ Pattern: '{"dynamodb":{"Keys":{"pk":{"S":["STOPS"]},"sk":{"S":["ACTIVE"]}}}}' }],
      },
    });
    keybrake.template.hasResourceProperties("AWS::Events::Rule", {
      Description: "Runs apply-stops every 20 minutes",
      ScheduleExpression: "rate(20 minutes)",
      State: "ENABLED",
    });
  });

  test("dead letters lie in a private, encrypted bucket that stays", () => {
    const bucket = keybrake.one("AWS::S3::Bucket");
    expect(bucket.DeletionPolicy).toBe("Retain");
    expect(bucket.Properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      VersioningConfiguration: { Status: "Enabled" },
    });
    expect(bucket.Properties?.["LifecycleConfiguration"]).toEqual({
      Rules: [
        {
          ExpiredObjectDeleteMarker: true,
          NoncurrentVersionExpiration: { NoncurrentDays: 30 },
          Status: "Enabled",
        },
      ],
    });
  });
});

describe("functions", () => {
  const functions = keybrake.of("AWS::Lambda::Function");

  test("run on Lambda's Node 24, end before the gateway's patience, and log for a limited time", () => {
    expect(functions).toHaveLength(FUNCTIONS.length);
    for (const [id, { Properties: properties = {} }] of functions) {
      expect(properties, id).toMatchObject({
        Runtime: "nodejs24.x",
        Architectures: ["arm64"],
        Handler: "index.handler",
        MemorySize: 512,
        Timeout: plain(id) === "ResolveCallsFunction" ? 240 : 28,
      });
    }
    for (const [id, { Properties: properties = {} }] of keybrake.of("AWS::Logs::LogGroup"))
      expect(properties["RetentionInDays"], id).toBe(90);
    for (const [id, { Properties: method = {} }] of keybrake.of("AWS::ApiGateway::Method"))
      expect(method["Integration"], id).toMatchObject({ Type: "AWS_PROXY", TimeoutInMillis: 29_000 });
  });

  test("reserve no concurrency: it fails in an account that has the starting quota", () => {
    for (const [id, { Properties: properties = {} }] of functions)
      expect(Object.keys(properties), id).not.toContain("ReservedConcurrentExecutions");
    expect(keybrake.of("AWS::Lambda::Alias")).toEqual([]);
    expect(keybrake.of("AWS::Lambda::Version")).toEqual([]);
  });

  /** As long as its interval. */
  const MAX_AGE_S: Readonly<Record<string, number>> = {
    "ApplyStopsFunction.Arn": 1_200,
    "SettleLatePricesFunction.Arn": 360,
  };

  test("may be invoked by this API alone, by their schedules those that have one, and the resolver by what is due", () => {
    const permitted = keybrake.of("AWS::Lambda::Permission");
    expect(permitted.length).toBeGreaterThan(0);
    const scheduled = permitted.filter(
      ([, { Properties }]) => Properties?.["Principal"] === "events.amazonaws.com",
    );
    expect(scheduled.map(([, { Properties }]) => plain(shown(Properties?.["FunctionName"])))).toEqual([
      "AuditConsumerFunction.Arn",
      "ApplyStopsFunction.Arn",
      "SettleLatePricesFunction.Arn",
      "ResolveCallsFunction.Arn",
    ]);
    // Neither EventBridge nor Lambda repeats it: the next run does the same work.
    keybrake.template.resourceCountIs("AWS::Lambda::EventInvokeConfig", scheduled.length);
    for (const [, { Properties }] of scheduled)
      keybrake.template.hasResourceProperties("AWS::Lambda::EventInvokeConfig", {
        FunctionName: { Ref: shown(Properties?.["FunctionName"]).split(".")[0] },
        MaximumRetryAttempts: 0,
        MaximumEventAgeInSeconds: MAX_AGE_S[plain(shown(Properties?.["FunctionName"]))] ?? 300,
      });
    keybrake.template.hasResourceProperties("AWS::Events::Rule", {
      ScheduleExpression: "rate(5 minutes)",
      State: "ENABLED",
      Targets: [{ RetryPolicy: { MaximumRetryAttempts: 0 } }],
    });
    for (const [id, { Properties: properties = {} }] of permitted) {
      if (scheduled.some(([other]) => other === id)) continue;
      expect(properties["Principal"], id).toBe("apigateway.amazonaws.com");
      expect(plain(shown(properties["SourceArn"])), id).toMatch(/:execute-api:.*FrontDoorApi/);
    }
  });
});

describe("secrets", () => {
  test("a credential has no value, and the admin API key a generated one", () => {
    const secrets = Object.fromEntries(
      keybrake.of("AWS::SecretsManager::Secret").map(([id, { Properties }]) => [plain(id), Properties]),
    );
    expect(Object.keys(secrets).sort()).toEqual([
      "SecretsAdminApiKey",
      "SecretsResendDefault",
      "SecretsStripeDefault",
      "SecretsTwilioDefault",
    ]);
    expect(secrets["SecretsStripeDefault"]).toEqual({
      Description: 'Keybrake: the credential "default" of stripe',
    });
    expect(secrets["SecretsAdminApiKey"]).toMatchObject({
      GenerateSecretString: { ExcludePunctuation: true, PasswordLength: 40 },
    });
  });

  test("no output, variable or anything else of the template resolves to one", () => {
    const { template } = keybrake;
    expect(JSON.stringify(template.toJSON())).not.toMatch(/resolve:(secretsmanager|ssm)|"SecretString"/);
    const secretIds = keybrake.of("AWS::SecretsManager::Secret").map(([id]) => id);
    const uses = textsOf(keybrake.outputs).filter((text) => secretIds.includes(text));
    expect(uses).toHaveLength(5);
    for (const [name, { Value: value }] of Object.entries(keybrake.outputs))
      if (textsOf(value).some((text) => secretIds.includes(text)))
        expect(shown(value), name).toMatch(
          /aws secretsmanager (get|put)-secret-value .*--secret-id Secrets\w+\.Id/,
        );
  });
});

describe("the front door", () => {
  test("is regional, takes bodies as they are, and has no setting of the whole account", () => {
    keybrake.template.hasResourceProperties("AWS::ApiGateway::RestApi", {
      EndpointConfiguration: { Types: ["REGIONAL"] },
      BinaryMediaTypes: ["*/*"],
    });
    keybrake.template.resourceCountIs("AWS::ApiGateway::Account", 0);
    const stage = keybrake.one("AWS::ApiGateway::Stage");
    expect(stage.Properties).toMatchObject({
      StageName: "prod",
      MethodSettings: [
        { HttpMethod: "*", ResourcePath: "/*", ThrottlingBurstLimit: 1000, ThrottlingRateLimit: 1000 },
        ...["/~1stripe~1{proxy+}", "/~1twilio~1{proxy+}", "/~1resend~1{proxy+}", "/~1{proxy+}"].map(
          (ResourcePath) => ({
            HttpMethod: "ANY",
            ResourcePath,
            ThrottlingBurstLimit: 500,
            ThrottlingRateLimit: 500,
          }),
        ),
      ],
    });
    expect(stage.Properties?.["AccessLogSetting"]).toBeUndefined();
  });

  test("takes no TLS below 1.2, at its own address and at a custom domain", () => {
    const tls = {
      SecurityPolicy: "SecurityPolicy_TLS13_1_2_PQ_2025_09",
      // Wanted beside every policy of this kind: without it the deployment fails.
      EndpointAccessMode: "BASIC",
    };
    expect(keybrake.one("AWS::ApiGateway::RestApi").Properties).toMatchObject(tls);
    const domained = synthesised({
      customDomain: {
        name: "keybrake.example.com",
        certificateArn: "arn:aws:acm:eu-west-1:111122223333:certificate/1234",
      },
    });
    expect(domained.one("AWS::ApiGateway::RestApi").Properties).toMatchObject(tls);
    expect(domained.one("AWS::ApiGateway::DomainName").Properties).toMatchObject(tls);
  });

  test("is open to everybody, unless the managing routes have addresses", () => {
    expect(keybrake.one("AWS::ApiGateway::RestApi").Properties?.["Policy"]).toBeUndefined();
    const managed = synthesised({ stage: "v2", managingCidrs: ["203.0.113.0/24", "2001:db8::/32"] });
    const policy = managed.one("AWS::ApiGateway::RestApi").Properties?.["Policy"];
    expect(inside(policy, "Statement")).toEqual([
      {
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: "execute-api:Invoke",
        Resource: "execute-api:/*",
      },
      {
        Effect: "Deny",
        Principal: { AWS: "*" },
        Action: "execute-api:Invoke",
        Resource: expect.any(Array),
        Condition: { NotIpAddress: { "aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"] } },
      },
    ]);
    const denied = inside(policy, "Statement", "1", "Resource") as readonly string[];
    const covers = (request: string) =>
      denied.some((resource) => {
        const pattern = resource.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
        return new RegExp(`^${pattern}$`).test(`execute-api:/v2/${request}`);
      });
    const key = "/vault/keys/key_lfZWyPTEPuKBj0h6";
    for (const request of [
      "POST/vault/keys",
      `GET${key}`,
      `PATCH${key}`,
      `DELETE${key}`,
      `POST${key}/revoke`,
      "GET/vault/audit",
      "POST/vault/stops",
      "DELETE/vault/stops/stop_1795862444389DOb0J9",
      "GET/vault/stops/stop_1795862444389DOb0J9/",
      // Routed like those without the slash.
      "POST/vault/keys/",
      `POST${key}/revoke/`,
      "GET/vault/audit/",
      "GET/dashboard",
      "GET/dashboard/",
      "GET/dashboard/app-EMAXJBX5.js",
      "POST/dashboard/login",
      "DELETE/dashboard/login",
      "POST/dashboard/codes",
    ])
      expect(covers(request), request).toBe(true);
    for (const request of [
      "GET/vault/keys/self",
      "POST/vault/keys/self/revoke",
      "GET/healthz",
      "POST/stripe/v1/charges",
      "GET/v1/charges",
    ])
      expect(covers(request), request).toBe(false);
    expect(JSON.stringify(policy).length).toBeLessThan(
      8_192 - 50 * "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128,".length,
    );
  });

  test("has a web ACL before it where one is configured, and its own answer for what that blocks", () => {
    keybrake.template.resourceCountIs("AWS::WAFv2::WebACLAssociation", 0);
    const webAclArn =
      "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/ours/a1b2c3d4-0000-4000-8000-0123456789ab";
    const guarded = synthesised({ webAclArn });
    const association = guarded.one("AWS::WAFv2::WebACLAssociation").Properties;
    expect(association?.["WebACLArn"]).toBe(webAclArn);
    expect(shown(association?.["ResourceArn"])).toMatch(
      /:apigateway:.*::\/restapis\/FrontDoorApi\w+\/stages\/FrontDoorApiDeploymentStage/,
    );
    guarded.template.hasResourceProperties("AWS::ApiGateway::GatewayResponse", {
      ResponseType: "WAF_FILTERED",
    });
  });

  test("answers each of its own 21 failures with an error object and the failure's own status", () => {
    const answers = keybrake.of("AWS::ApiGateway::GatewayResponse");
    expect(answers).toHaveLength(21);
    for (const [id, { Properties: properties = {} }] of answers) {
      const { ResponseType, StatusCode, ResponseTemplates, ResponseParameters } = properties as {
        ResponseType: string;
        StatusCode?: string;
        ResponseTemplates: Record<string, string>;
        ResponseParameters: Record<string, string>;
      };
      const body: unknown = JSON.parse(ResponseTemplates["application/json"] ?? "");
      const status = Number(StatusCode ?? (ResponseType === "DEFAULT_4XX" ? 400 : 502));
      expect(body, id).toMatchObject({
        error: {
          code: `gateway_${ResponseType.toLowerCase()}`,
          message: expect.stringMatching(/charged|before you treat it as failed/),
          request_id: "$context.requestId",
          charged: expect.stringMatching(/^(no|unknown)$/),
        },
        status,
        statusCode: status,
        code: expect.any(Number),
      });
      expect(ResponseParameters, id).toMatchObject({
        "gatewayresponse.header.Content-Type": "'application/json'",
        "gatewayresponse.header.Request-Id": "context.requestId",
        "gatewayresponse.header.Cache-Control": "'no-store'",
      });
      const retry = ResponseParameters["gatewayresponse.header.Stripe-Should-Retry"];
      expect(retry, id).toBe(status >= 500 ? undefined : `'${ResponseType === "THROTTLED"}'`);
    }
    expect(new Set(answers.map(([, { Properties }]) => Properties?.["ResponseType"])).size).toBe(21);
  });

  test("deploys only when its answers and methods are there", () => {
    const deployment = keybrake.one("AWS::ApiGateway::Deployment");
    const needed = [
      ...keybrake.of("AWS::ApiGateway::GatewayResponse"),
      ...keybrake.of("AWS::ApiGateway::Method"),
    ];
    expect(deployment.DependsOn).toEqual(expect.arrayContaining(needed.map(([id]) => id)));
  });
});

describe("names", () => {
  test("are CloudFormation's to choose, so that two stacks stand in one account", () => {
    const named =
      /^(TableName|FunctionName|RoleName|PolicyName|BucketName|TopicName|DashboardName|AlarmName|LogGroupName)$/;
    for (const [id, { Type, Properties: properties = {} }] of Object.entries(keybrake.resources)) {
      const names = Object.keys(properties).filter(
        (name) => named.test(name) && typeof properties[name] === "string",
      );
      expect(names, id).toEqual(Type === "AWS::IAM::Policy" ? ["PolicyName"] : []);
      if (Type === "AWS::SecretsManager::Secret") expect(Object.keys(properties), id).not.toContain("Name");
    }
    for (const [name, output] of Object.entries(keybrake.outputs))
      expect(Object.keys(output), name).not.toContain("Export");
  });

  test("the ids of what holds data or an address are those of the last release: another id would replace it by an empty one", () => {
    for (const [type, ids] of Object.entries(LASTING_IDS))
      expect(
        keybrake
          .of(type)
          .map(([id]) => id)
          .toSorted(),
        type,
      ).toEqual(ids.toSorted());
    const [adopted] = codeBlocks(textOf("docs/deploying.md")).filter(({ code }) =>
      code.includes("cdk import"),
    );
    expect(adopted?.code.match(/\w+Table[0-9A-F]{8}/g)?.sort()).toEqual([
      "AuditLogTableF32DED0C",
      "VaultTable008FE3F5",
    ]);
    // Another id would be another address of the API, and another topic that nobody is subscribed to.
    expect(keybrake.of("AWS::ApiGateway::RestApi").map(([id]) => id)).toEqual(["FrontDoorApi9446D656"]);
    expect(keybrake.of("AWS::SNS::Topic").map(([id]) => id)).toContain("MonitoringAlarms66989066");
  });
});

describe("alarms", () => {
  /** Alarm -> how soon, and how many of how many five minutes. */
  type Alarms = Readonly<Record<string, readonly [string, number, number]>>;
  const NEEDED: Alarms = {
    AuditCrashes: ["Look tomorrow", 2, 3],
    AuditLate: ["Act now", 1, 1],
    DeadLetters: ["Look tomorrow", 1, 1],
    DeadLettersLost: ["Act now", 1, 1],
    Failures: ["Act now", 2, 3],
    Overrun: ["Look tomorrow", 1, 1],
    ProxyThrottled: ["Act now", 2, 3],
    UnknownKeys: ["Look tomorrow", 2, 3],
    Unresolved: ["Look tomorrow", 1, 1],
    VaultThrottled: ["Act now", 2, 3],
  };
  const OF_LATE_PRICES: Alarms = {
    LatePricesLate: ["Look tomorrow", 2, 3],
    SettleLatePricesFailed: ["Look tomorrow", 2, 3],
    VaultIndexThrottled: ["Act now", 2, 3],
  };
  const EARLY: Alarms = {
    AccountConcurrency: ["Look tomorrow", 2, 3],
    AuditFailures: ["Look tomorrow", 2, 3],
    AuditTableThrottled: ["Look tomorrow", 2, 3],
    AuditTableThrottledByKey: ["Look tomorrow", 2, 3],
    AuditTableThrottledByLabel: ["Look tomorrow", 2, 3],
    AuditTableThrottledByLabelGroup: ["Look tomorrow", 2, 3],
    AuditTableThrottledByVendor: ["Look tomorrow", 2, 3],
    AuditThrottled: ["Look tomorrow", 2, 3],
    GatewayRefuses: ["Look tomorrow", 2, 3],
    ResolveCallsFailed: ["Look tomorrow", 2, 3],
    Slow: ["Look tomorrow", 2, 3],
    StopsFailed: ["Act now", 2, 3],
  };
  const TOPIC = { "Act now": "MonitoringAlarms", "Look tomorrow": "MonitoringAlarmsForTomorrow" };
  const everything = synthesised({ alarms: "all" });
  const alarmsOf = ({ of }: typeof keybrake) =>
    of("AWS::CloudWatch::Alarm").map(
      ([id, { Properties = {} }]) => [plain(id).replace("Monitoring", ""), Properties] as const,
    );
  const alarms = alarmsOf(everything);

  test.each([
    ["by default", keybrake, { ...NEEDED, ...OF_LATE_PRICES }],
    ["where no vendor tells prices late", synthesised({ credentials: { stripe: ["default"] } }), NEEDED],
    ["where all are asked for", everything, { ...NEEDED, ...OF_LATE_PRICES, ...EARLY }],
  ])(
    "%s ring at once or tomorrow, at a topic for each, and tell when they are over",
    (_, stack, expected) => {
      const rung = alarmsOf(stack).map(([id, alarm]) => {
        const [soon = ""] = shown(alarm["AlarmDescription"]).split(":", 1);
        for (const actions of [alarm["AlarmActions"], alarm["OKActions"]])
          expect((actions as unknown[]).map(shown).map(plain), id).toEqual([
            TOPIC[soon as keyof typeof TOPIC],
          ]);
        expect(alarm["TreatMissingData"], id).toBe("notBreaching");
        return [id, [soon, alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]]];
      });
      expect(Object.fromEntries(rung)).toEqual(expected);
    },
  );

  test("say what to do in a description that CloudWatch takes, and send nobody to what is not there", () => {
    const longest = synthesised({ stackName: "K".repeat(100), alarms: "all" });
    for (const [id, { Properties: alarm = {} }] of longest.of("AWS::CloudWatch::Alarm")) {
      const text = shown(alarm["AlarmDescription"]);
      expect(text.length, id).toBeGreaterThan(60);
      expect(text.length, id).toBeLessThan(1_024);
    }
    const [, unknownKeys] = alarms.find(([id]) => id === "UnknownKeys") ?? [];
    expect(shown(unknownKeys?.["AlarmDescription"])).toContain("that begin with Keybrake");
    // Access logs are off by default.
    for (const [id, alarm] of alarms)
      if (id !== "GatewayRefuses") expect(shown(alarm["AlarmDescription"]), id).not.toMatch(/access log/i);
  });

  test("ring where 80 % of the account's executions run", () => {
    const thresholdOf = ({ one }: typeof keybrake) =>
      one("AWS::CloudWatch::Alarm", "MonitoringAccountConcurrency").Properties?.["Threshold"];
    expect(thresholdOf(everything)).toBe(800);
    expect(thresholdOf(synthesised({ alarms: "all", lambdaQuota: 10 }))).toBe(8);
  });

  test("CloudWatch may publish to both topics, for this account alone, and nobody without TLS", () => {
    const policies = keybrake.of("AWS::SNS::TopicPolicy");
    expect(policies).toHaveLength(2);
    for (const [id, { Properties: policy }] of policies) {
      const statements = inside(policy, "PolicyDocument", "Statement");
      expect(statements, id).toHaveLength(2);
      expect(statements, id).toContainEqual(
        expect.objectContaining({
          Effect: "Allow",
          Action: "sns:Publish",
          Principal: { Service: "cloudwatch.amazonaws.com" },
          Condition: { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } },
        }),
      );
      expect(statements, id).toContainEqual(
        expect.objectContaining({
          Effect: "Deny",
          Action: "sns:Publish",
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        }),
      );
    }
  });

  test.each([
    [{}, [], 2],
    [
      { alarmEmail: "ops@example.com" },
      ["MonitoringAlarms ops@example.com", "MonitoringAlarmsForTomorrow ops@example.com"],
      0,
    ],
    [{ pageEmail: "pager@example.com" }, ["MonitoringAlarms pager@example.com"], 1],
    [
      { alarmEmail: "ops@example.com", pageEmail: "pager@example.com" },
      ["MonitoringAlarms pager@example.com", "MonitoringAlarmsForTomorrow ops@example.com"],
      0,
    ],
  ])(
    "with %j they are mailed to %j, and an output says how many topics have nobody: %i",
    (config, mailed, silent) => {
      const { of, outputs } = synthesised(config);
      const subscriptions = of("AWS::SNS::Subscription").map(
        ([, { Properties }]) => `${plain(shown(Properties?.["TopicArn"]))} ${Properties?.["Endpoint"]}`,
      );
      expect(subscriptions.sort()).toEqual(mailed);
      const { Value: value, Description: description } = outputs["SubscribeToAlarmsCommand"] ?? {};
      expect(shown(value ?? "").match(/aws sns subscribe /g) ?? []).toHaveLength(silent);
      if (silent > 0) expect(description).toMatch(/^NOBODY receives /);
    },
  );

  test("stand on the dashboard with what is consumed, throttled, lost and denied", () => {
    const body = shown(keybrake.one("AWS::CloudWatch::Dashboard").Properties?.["DashboardBody"]);
    expect(body.match(/MonitoringU?\w+?[0-9A-F]{8}\.Arn/g)).toHaveLength(alarmsOf(keybrake).length);
    for (const metric of [
      "ConsumedWriteCapacityUnits",
      "ConsumedReadCapacityUnits",
      "WriteThrottleEvents",
      "OnFailureDestinationDeliveredEventCount",
      "DestinationDeliveryFailures",
      "Denied",
      "LatePricesOverdue",
      "ClaimedAccountConcurrency",
    ])
      expect(body, metric).toContain(metric);
  });
});

describe("a configuration", () => {
  test("names stage, throttle, retention and credentials", () => {
    const configured = synthesised({
      stackName: "Billing",
      stage: "v2",
      auditRetentionDays: 30,
      throttle: { requestsPerSecond: 7, burst: 9 },
      credentials: { stripe: ["live", "test"] },
    });
    configured.template.hasResourceProperties("AWS::ApiGateway::Stage", {
      StageName: "v2",
      MethodSettings: [
        { ThrottlingBurstLimit: 1000, ThrottlingRateLimit: 1000 },
        ...Array.from({ length: 4 }, () => ({ ThrottlingBurstLimit: 9, ThrottlingRateLimit: 7 })),
      ],
    });
    synthesised({ throttle: { managing: { requestsPerSecond: 5 } } }).template.hasResourceProperties(
      "AWS::ApiGateway::Stage",
      {
        MethodSettings: [
          { ThrottlingBurstLimit: 1000, ThrottlingRateLimit: 5 },
          ...Array.from({ length: 4 }, () => ({ ThrottlingBurstLimit: 500, ThrottlingRateLimit: 500 })),
        ],
      },
    );
    expect(shown(configured.outputs["BaseUrl"]?.Value)).toMatch(
      /^https:\/\/FrontDoorApi\w+\.execute-api\..*Stagev2\w+$/,
    );
    expect(Object.keys(configured.outputs)).toEqual(
      expect.arrayContaining(["SetStripeLiveCommand", "SetStripeTestCommand"]),
    );
    const variables = configured
      .of("AWS::Lambda::Function")
      .map(([, { Properties }]) => Properties?.["Environment"] as { Variables: Record<string, unknown> });
    expect(
      variables.filter(({ Variables }) => Variables["KEYBRAKE_AUDIT_RETENTION_DAYS"] === "30"),
    ).toHaveLength(1);
    const names = variables.map(({ Variables }) => shown(Variables["KEYBRAKE_CREDENTIAL_SECRETS"]));
    expect(
      names.filter((json) => /^\{"stripe":\{"live":"[\w.]+","test":"[\w.]+"\}\}$/.test(json)),
    ).toHaveLength(4);
    // No vendor with a credential here tells a price late.
    expect(names.filter((json) => json === "{}")).toHaveLength(1);
  });

  test("rates and prices reach the functions that call vendors, as they were written", () => {
    const configured = synthesised({ rates: { eur: "1.10" }, prices: { twilio: { sms: { "+1": 0.01 } } } });
    const told = configured.of("AWS::Lambda::Function").flatMap(([id, { Properties }]) => {
      const rateCard = inside(Properties, "Environment", "Variables", "KEYBRAKE_TERMS");
      return typeof rateCard === "string" ? [[plain(id), JSON.parse(rateCard)]] : [];
    });
    const rateCard = {
      rates: { eur: "1.10" },
      rateMarginPercent: 3,
      prices: { twilio: { sms: { "+1": 0.01 } }, resend: {} },
    };
    expect(Object.fromEntries(told)).toEqual({
      ProxyCallFunction: rateCard,
      ResolveCallsFunction: rateCard,
      SettleLatePricesFunction: rateCard,
    });
  });

  test("executions are kept for the functions that are named, and for no other", () => {
    const reserving = synthesised({
      reservedConcurrency: { "manage-key": 5, "query-audit": 3, "proxy-call": 900 },
    });
    const kept = reserving.of("AWS::Lambda::Function").flatMap(([id, { Properties }]) => {
      const reserved = Properties?.["ReservedConcurrentExecutions"];
      return reserved === undefined ? [] : [[plain(id), reserved]];
    });
    expect(Object.fromEntries(kept)).toEqual({
      ManageKeyFunction: 5,
      QueryAuditFunction: 3,
      ProxyCallFunction: 900,
    });
    // What was stopped is put back to what is configured.
    expect(shown(reserving.outputs["ResumeAllCallsCommand"]?.Value)).toMatch(
      /^aws lambda put-function-concurrency .* --reserved-concurrent-executions 900$/,
    );
    expect(shown(keybrake.outputs["ResumeAllCallsCommand"]?.Value)).toMatch(
      /^aws lambda delete-function-concurrency --region \S+ --function-name ProxyCallFunction\w+$/,
    );
    expect(shown(keybrake.outputs["StopAllCallsCommand"]?.Value)).toMatch(
      /^aws lambda put-function-concurrency --region \S+ --function-name ProxyCallFunction\w+ --reserved-concurrent-executions 0$/,
    );
  });

  test("outputs are those of the configured vendors", () => {
    const named = (outputs: typeof keybrake.outputs, pattern: RegExp) =>
      Object.keys(outputs)
        .filter((name) => pattern.test(name))
        .sort();
    expect(named(keybrake.outputs, /BaseUrl$/)).toEqual([
      "BaseUrl",
      "ResendBaseUrl",
      "StripeBaseUrl",
      "TwilioBaseUrl",
    ]);
    const { outputs } = synthesised({ credentials: { twilio: ["live"] } });
    expect(named(outputs, /BaseUrl$/)).toEqual(["BaseUrl", "TwilioBaseUrl"]);
    expect(shown(outputs["TwilioBaseUrl"]?.Value)).toMatch(/\/FrontDoorApiDeploymentStage\w+\/twilio$/);
    expect(named(outputs, /^Set/)).toEqual(["SetTwilioLiveCommand"]);
    const query = shown(outputs["AuditQueryCommand"]?.Value);
    for (const shard of ALL_SHARDS) expect(query).toContain(`'twilio#${shard}'`);
    expect(JSON.stringify(outputs)).not.toMatch(/stripe|resend/i);
  });

  test("nobody deletes the stack by mistake, unless that is configured", () => {
    expect(keybrake.stack.terminationProtection).toBe(true);
    expect(synthesised({ terminationProtection: false }).stack.terminationProtection).toBe(false);
  });

  test.each([
    [
      {
        credentials: {
          stripe: Array.from(
            { length: 40 },
            (_, at) => `live-${"abcdefghij"[at % 10]}${"klmn"[Math.floor(at / 10)]}`,
          ),
        },
      },
      "KEYBRAKE_CREDENTIAL_SECRETS",
    ],
    [
      {
        credentials: { stripe: Array.from({ length: 12 }, (_, at) => `live-${"abcdefghijkl"[at]}`) },
        prices: {
          twilio: { sms: Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`+${at}`, 1])) },
        },
      },
      "KEYBRAKE_TERMS",
    ],
  ])(
    "an environment that Lambda would not take is refused before it is deployed: case %#",
    (config, variable) => {
      expect(() => synthesised(config)).toThrow(ConfigError);
      expect(() => synthesised(config)).toThrow(
        new RegExp(
          `environment of the function \\S+ may become \\d+ bytes long; expected at most 4096\\. .*${variable} \\d+`,
        ),
      );
    },
  );

  test("an environment that just fits is deployed", () => {
    const credentials = { stripe: Array.from({ length: 12 }, (_, at) => `live-${"abcdefghijkl"[at]}`) };
    expect(synthesised({ credentials }).of("AWS::SecretsManager::Secret")).toHaveLength(13);
  });

  describe("with a key of the customer's", () => {
    const kmsKeyArn = "arn:aws:kms:eu-west-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef";
    const encrypted = synthesised({ kmsKeyArn });

    test("tables, secrets, dead letters and alarms are encrypted with it, and keep their places", () => {
      for (const [id, { Properties: table = {} }] of encrypted.of("AWS::DynamoDB::GlobalTable")) {
        expect(table["SSESpecification"], id).toEqual({ SSEEnabled: true, SSEType: "KMS" });
        expect(inside(table["Replicas"], "0", "SSESpecification", "KMSMasterKeyId"), id).toBe(kmsKeyArn);
      }
      for (const [id, { Properties: secret = {} }] of encrypted.of("AWS::SecretsManager::Secret"))
        expect(secret["KmsKeyId"], id).toBe(kmsKeyArn);
      expect(
        inside(
          encrypted.one("AWS::S3::Bucket").Properties,
          "BucketEncryption",
          "ServerSideEncryptionConfiguration",
          "0",
          "ServerSideEncryptionByDefault",
        ),
      ).toEqual({ SSEAlgorithm: "aws:kms", KMSMasterKeyID: kmsKeyArn });
      for (const [id, { Properties: topic = {} }] of encrypted.of("AWS::SNS::Topic"))
        expect(shown(topic["KmsMasterKeyId"]), id).toContain("01234567-89ab-cdef-0123-456789abcdef");
      const lasting = ["AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"];
      for (const type of lasting)
        expect(encrypted.of(type).map(([id]) => id)).toEqual(keybrake.of(type).map(([id]) => id));
    });

    test("each function may use it for what it reads and writes, and through that service alone", () => {
      const used: Record<string, string[]> = {};
      for (const [id, { Properties: policy }] of encrypted.of("AWS::IAM::Policy")) {
        const statements = inside(policy, "PolicyDocument", "Statement") as readonly unknown[];
        used[plain(id).replace(/RoleDefaultPolicy$/, "")] = statements.flatMap((statement) => {
          const actions = [inside(statement, "Action")].flat().map(String);
          if (!actions.some((action) => action.startsWith("kms:"))) return [];
          expect(inside(statement, "Resource"), id).toBe(kmsKeyArn);
          const services = [inside(statement, "Condition", "StringEquals", "kms:ViaService")].flat();
          return services.map((service) => `${shown(service).split(".")[0]} ${actions.length}`);
        });
      }
      expect(used).toEqual({
        ApplyStops: ["dynamodb 6"],
        AuditConsumer: ["dynamodb 6", "s3 2"],
        IssueKey: ["dynamodb 6", "secretsmanager 1"],
        ManageApiKeys: ["dynamodb 6", "secretsmanager 1"],
        ListKeys: ["dynamodb 6", "secretsmanager 1"],
        ManageKey: ["dynamodb 6", "secretsmanager 1"],
        ManageStops: ["dynamodb 6", "secretsmanager 1"],
        OwnKey: ["dynamodb 6"],
        QueryAudit: ["dynamodb 6", "secretsmanager 1"],
        QuerySpend: ["dynamodb 6", "secretsmanager 1"],
        ProxyCall: ["dynamodb 6", "secretsmanager 1"],
        ResolveCalls: ["dynamodb 6", "secretsmanager 1"],
        SettleLatePrices: ["dynamodb 6", "secretsmanager 1"],
        Dashboard: ["dynamodb 6", "secretsmanager 1"],
        ResolveByHand: ["dynamodb 6", "secretsmanager 1"],
        Health: [],
      });
      expect(JSON.stringify(keybrake.template.toJSON())).not.toContain("kms:");
    });
  });

  test("a permissions boundary is on every role", () => {
    const arn = "arn:aws:iam::111122223333:policy/boundary";
    const bounded = synthesised({ permissionsBoundaryArn: arn, accessLogs: "set-account-role" });
    const roles = bounded.of("AWS::IAM::Role");
    expect(roles).toHaveLength(FUNCTIONS.length + 1);
    for (const [id, { Properties: role }] of roles) expect(role?.["PermissionsBoundary"], id).toBe(arn);
  });

  test("access logs come with or without the role of the account", () => {
    const own = synthesised({ accessLogs: "set-account-role" });
    const given = synthesised({ accessLogs: "account-has-role" });
    own.template.resourceCountIs("AWS::ApiGateway::Account", 1);
    given.template.resourceCountIs("AWS::ApiGateway::Account", 0);
    for (const { one } of [own, given]) {
      const format = inside(one("AWS::ApiGateway::Stage").Properties, "AccessLogSetting", "Format");
      expect(format).toMatch(/status/);
      expect(format).not.toMatch(/authorization|header|apiKey/i);
    }
  });

  test("a custom domain maps the stage away and gets its record", () => {
    const customDomain = {
      name: "keybrake.example.com",
      certificateArn: "arn:aws:acm:eu-west-1:111122223333:certificate/1234",
    };
    const bare = synthesised({ customDomain });
    expect(shown(bare.outputs["BaseUrl"]?.Value)).toMatch(/^https:\/\/FrontDoorApiDomain\w+$/);
    expect(bare.outputs["CustomDomainTarget"]).toBeDefined();
    expect(bare.one("AWS::ApiGateway::RestApi").Properties?.["DisableExecuteApiEndpoint"]).toBe(true);
    expect(
      keybrake.one("AWS::ApiGateway::RestApi").Properties?.["DisableExecuteApiEndpoint"],
    ).toBeUndefined();
    bare.template.hasResourceProperties("AWS::ApiGateway::DomainName", {
      DomainName: "keybrake.example.com",
      EndpointConfiguration: { Types: ["REGIONAL"] },
    });
    const mapping = bare.one("AWS::ApiGateway::BasePathMapping");
    expect(mapping.Properties?.["BasePath"]).toBeUndefined();
    bare.template.resourceCountIs("AWS::Route53::RecordSet", 0);
    const zoned = synthesised({
      customDomain: { ...customDomain, hostedZone: { id: "Z0123456789ABC", name: "example.com" } },
    });
    expect(zoned.outputs["CustomDomainTarget"]).toBeUndefined();
    zoned.template.hasResourceProperties("AWS::Route53::RecordSet", {
      Name: "keybrake.example.com.",
      HostedZoneId: "Z0123456789ABC",
      Type: "A",
    });
  });
});
