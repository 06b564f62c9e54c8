import { describe, expect, test } from "vitest";
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
      "dynamodb:Query AuditTable.Arn",
      "dynamodb:UpdateItem VaultTable.Arn",
    ];
    expect(permissions()).toEqual({
      IssueKey: [
        "dynamodb:PutItem VaultTable.Arn",
        ...logs("IssueKey"),
        "secretsmanager:GetSecretValue SecretsAdminApiKey.Id",
      ],
      ManageKey: [...manage, ...logs("ManageKey"), "secretsmanager:GetSecretValue SecretsAdminApiKey.Id"],
      OwnKey: [...manage, ...logs("OwnKey")],
      QueryAudit: [
        "dynamodb:Query AuditTable.Arn",
        "dynamodb:Query AuditTable.Arn/index/by_key",
        "dynamodb:Query AuditTable.Arn/index/by_label",
        "dynamodb:Query AuditTable.Arn/index/by_label_group",
        "dynamodb:Query AuditTable.Arn/index/by_vendor_day",
        ...logs("QueryAudit"),
        "secretsmanager:GetSecretValue SecretsAdminApiKey.Id",
      ],
      ProxyCall: [
        "dynamodb:BatchGetItem VaultTable.Arn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:PutItem VaultTable.Arn",
        "dynamodb:Query AuditTable.Arn",
        "dynamodb:UpdateItem VaultTable.Arn",
        ...logs("ProxyCall"),
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
        "dynamodb:DescribeStream VaultTable.StreamArn",
        "dynamodb:GetItem VaultTable.Arn",
        "dynamodb:GetRecords VaultTable.StreamArn",
        "dynamodb:GetShardIterator VaultTable.StreamArn",
        "dynamodb:ListStreams *",
        "dynamodb:PutItem AuditTable.Arn",
        "dynamodb:UpdateItem AuditTable.Arn",
        ...logs("AuditConsumer"),
        "s3:ListBucket AuditDeadLetters.Arn",
        "s3:PutObject AuditDeadLetters.Arn/*",
      ],
      Health: logs("Health"),
    });
  });

  test("have no managed policies, and can be assumed by Lambda alone", () => {
    const roles = keybrake.of("AWS::IAM::Role");
    expect(roles).toHaveLength(8);
    for (const [id, { Properties: role = {} }] of roles) {
      expect(role["ManagedPolicyArns"], id).toBeUndefined();
      expect(textsOf(role["AssumeRolePolicyDocument"]), id).toContain("lambda.amazonaws.com");
      expect(role["AssumeRolePolicyDocument"], id).toMatchObject({ Statement: { length: 1 } });
    }
  });

  test("delete nothing, and only the consumer's writes the audit table", () => {
    const all = Object.entries(permissions());
    expect(
      all.flatMap(([, lines]) => lines.filter((line) => /delete|batchwrite|partiql/i.test(line))),
    ).toEqual([]);
    const writers = all.filter(([, lines]) =>
      lines.some((line) => /^dynamodb:(Put|Update)\S* AuditTable/.test(line)),
    );
    expect(writers.map(([name]) => name)).toEqual(["AuditConsumer"]);
    const readersOf = (secret: RegExp) =>
      all.filter(([, lines]) => lines.some((line) => secret.test(line))).map(([name]) => name);
    expect(readersOf(/GetSecretValue SecretsStripe/)).toEqual(["ProxyCall"]);
    expect(readersOf(/GetSecretValue SecretsTwilio/).sort()).toEqual(["ProxyCall", "SettleLatePrices"]);
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
    const mapping = keybrake.one("AWS::Lambda::EventSourceMapping");
    expect(plain(shown(inside(mapping.Properties, "DestinationConfig", "OnFailure", "Destination")))).toBe(
      "AuditDeadLetters.Arn",
    );
    // Lambda tries the role when the mapping is made; the mapping needs the function, and the function the whole role.
    const consumer = keybrake.one("AWS::Lambda::Function", "AuditConsumer");
    expect(consumer.DependsOn?.map(plain)).toContain("AuditConsumerRoleDefaultPolicy");
    expect(plain(shown(mapping.Properties?.["FunctionName"]))).toBe("AuditConsumerFunction");
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
    expect(functions).toHaveLength(8);
    for (const [id, { Properties: properties = {} }] of functions) {
      expect(properties, id).toMatchObject({
        Runtime: "nodejs24.x",
        Architectures: ["arm64"],
        Handler: "index.handler",
        MemorySize: 512,
        Timeout: 28,
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

  test("may be invoked by this API alone, and by its schedule the one that has one", () => {
    const permitted = keybrake.of("AWS::Lambda::Permission");
    expect(permitted.length).toBeGreaterThan(0);
    const scheduled = permitted.filter(
      ([, { Properties }]) => Properties?.["Principal"] === "events.amazonaws.com",
    );
    expect(scheduled.map(([, { Properties }]) => plain(shown(Properties?.["FunctionName"])))).toEqual([
      "SettleLatePricesFunction.Arn",
    ]);
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
      ],
    });
    expect(stage.Properties?.["AccessLogSetting"]).toBeUndefined();
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
          message: expect.stringMatching(/charged|before you call it failed/),
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

  test("the ids of what holds data are a contract: another id would replace it by an empty one", () => {
    const ids = ["AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"].flatMap(
      (type) => keybrake.of(type).map(([id]) => id),
    );
    expect(ids.sort()).toEqual([
      "AuditDeadLettersAE82006B",
      "AuditTable18A3095C",
      "SecretsAdminApiKeyFF13AD79",
      "SecretsResendDefaultC1F99178",
      "SecretsStripeDefault0B59E4D1",
      "SecretsTwilioDefault715E3A71",
      "VaultTable008FE3F5",
    ]);
  });
});

describe("alarms", () => {
  test("all go to one topic, and say what to do", () => {
    const alarms = keybrake.of("AWS::CloudWatch::Alarm");
    expect(alarms.map(([id]) => plain(id).replace("Monitoring", "")).sort()).toEqual([
      "AuditCrashes",
      "AuditFailures",
      "AuditLate",
      "AuditThrottled",
      "DeadLetters",
      "DeadLettersLost",
      "Failures",
      "Overrun",
      "ProxyThrottled",
      "SettleLatePricesFailed",
      "UnknownKeys",
      "Unresolved",
      "VaultThrottledPutItem",
      "VaultThrottledUpdateItem",
    ]);
    for (const [id, { Properties: alarm = {} }] of alarms) {
      expect((alarm["AlarmActions"] as unknown[]).map(shown).map(plain), id).toEqual(["MonitoringAlarms"]);
      expect(alarm["TreatMissingData"], id).toBe("notBreaching");
      expect(String(alarm["AlarmDescription"]).length, id).toBeGreaterThan(40);
    }
  });

  test("CloudWatch may publish to it, for this account alone, and nobody without TLS", () => {
    const statements = inside(
      keybrake.one("AWS::SNS::TopicPolicy").Properties,
      "PolicyDocument",
      "Statement",
    );
    expect(statements).toHaveLength(2);
    expect(statements).toContainEqual(
      expect.objectContaining({
        Effect: "Allow",
        Action: "sns:Publish",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Condition: { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } },
      }),
    );
    expect(statements).toContainEqual(
      expect.objectContaining({
        Effect: "Deny",
        Action: "sns:Publish",
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      }),
    );
  });

  test("nobody is mailed unless an address is configured", () => {
    keybrake.template.resourceCountIs("AWS::SNS::Subscription", 0);
    synthesised({ alarmEmail: "ops@example.com" }).template.hasResourceProperties("AWS::SNS::Subscription", {
      Protocol: "email",
      Endpoint: "ops@example.com",
    });
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
      MethodSettings: [{ ThrottlingBurstLimit: 9, ThrottlingRateLimit: 7 }],
    });
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
    ).toHaveLength(2);
    // No vendor with a credential here tells a price late.
    expect(names.filter((json) => json === "{}")).toHaveLength(1);
  });

  test("rates and prices reach the functions that call vendors, as they were written", () => {
    const configured = synthesised({ rates: { eur: "1.10" }, prices: { twilio: { sms: { "+1": 0.01 } } } });
    const told = configured.of("AWS::Lambda::Function").flatMap(([id, { Properties }]) => {
      const terms = inside(Properties, "Environment", "Variables", "KEYBRAKE_TERMS");
      return typeof terms === "string" ? [[plain(id), JSON.parse(terms)]] : [];
    });
    const terms = {
      rates: { eur: "1.10" },
      rateMarginPercent: 3,
      prices: { twilio: { sms: { "+1": 0.01 } }, resend: {} },
    };
    expect(Object.fromEntries(told)).toEqual({ ProxyCallFunction: terms, SettleLatePricesFunction: terms });
  });

  test("a permissions boundary is on every role", () => {
    const arn = "arn:aws:iam::111122223333:policy/boundary";
    const bounded = synthesised({ permissionsBoundaryArn: arn, accessLogs: "set-account-role" });
    const roles = bounded.of("AWS::IAM::Role");
    expect(roles).toHaveLength(9);
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
      SecurityPolicy: "TLS_1_2",
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
