import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FUNCTIONS, type FunctionName } from "../../lib/services.ts";
import { invocationContext } from "../../local/aws/invocation.ts";
import { type FaultyWay, startFaultyWay } from "../support/faulty-way.ts";
import { textAt } from "../support/json.ts";
import { ask, issue, type OwnRun, pay, post, startOwn } from "../support/keybrake.ts";
import { inside, shown, synthesised } from "./template.ts";

/**
 * Guarantees that each function's role lets it do at the tables what it does there, and that no other than the dashboard's can
 * write what signs somebody in. On one machine nobody asks a role: so the requests of each function are held against its role.
 */

const template = synthesised();

interface Statement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Patterns of partition keys; null where every key is allowed. */
  readonly keys: readonly string[] | null;
}

const roleOf = (name: FunctionName) =>
  name === "record-audit"
    ? "AuditConsumer"
    : name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());

/** What a role may do at the tables. */
function statementsOf(name: FunctionName): readonly Statement[] {
  const policies = template.of("AWS::IAM::Policy").filter(([id]) => id.startsWith(`${roleOf(name)}Role`));
  const statements = policies.flatMap(
    ([, policy]) => inside(policy, "Properties", "PolicyDocument", "Statement") as readonly unknown[],
  );
  return statements.map((statement) => {
    const condition = Object.values((inside(statement, "Condition") ?? {}) as object)[0] as unknown;
    const keys = inside(condition, "dynamodb:LeadingKeys") as string | readonly string[] | undefined;
    return {
      actions: [inside(statement, "Action") as string | readonly string[]].flat(),
      resources: [inside(statement, "Resource")].flat().map((resource) => shown(resource)),
      keys: keys === undefined ? null : [keys].flat(),
    };
  });
}

/** One item, or one partition, that a function asked for. */
interface Use {
  readonly name: FunctionName;
  readonly action: string;
  readonly table: string;
  readonly index: string | null;
  readonly key: string;
}

const uses = new Map<string, Use>();
let current: FunctionName | null = null;
let run: OwnRun;
let way: FaultyWay;
let dueNow: () => Promise<unknown>;

beforeAll(async () => {
  let last: Promise<unknown> = Promise.resolve();
  run = await startOwn({
    beforeDynamoDb: async (endpoint) => {
      way = await startFaultyWay(endpoint, ({ operation, body }) => {
        for (const use of usesIn(operation, JSON.parse(body.toString()) as Json)) note(use);
        return null;
      });
      return way.endpoint;
    },
    // One after another, so that each request is known to be of the function that runs.
    aroundFunctions: (invoke) => {
      const inTurn: typeof invoke = (name, event, context) => {
        const result = last.then(async () => {
          current = name;
          try {
            return await invoke(name, event, context);
          } finally {
            current = null;
          }
        });
        last = result.catch(() => {});
        return result;
      };
      dueNow = () => inTurn("settle-late-prices", {}, invocationContext("settle-late-prices"));
      return inTurn;
    },
  });
  await everything();
}, 120_000);
afterAll(async () => {
  await run.close();
  await way.close();
});

function note(use: Omit<Use, "name">): void {
  if (current === null) return;
  const noted = { ...use, name: current };
  uses.set(JSON.stringify({ ...noted, key: use.key.replace(/#.*$/, "#") }), noted);
}

type Json = Readonly<Record<string, unknown>>;
const textOf = (value: unknown): string => `${(value as Json)["S"]}`;

/** The items of a request: what IAM calls leading keys are their partition keys. */
function usesIn(operation: string, body: Json): readonly Omit<Use, "name">[] {
  const one = (action: string, table: unknown, item: unknown) => ({
    action,
    table: `${table}`,
    index: null,
    key: textOf((item as Json)["pk"]),
  });
  const { TableName: table, Key, Item } = body;
  if (operation === "TransactWriteItems")
    return (body["TransactItems"] as readonly Json[]).flatMap((each) =>
      Object.entries(each).map(([name, write]) => {
        const { TableName, Key: key, Item: item } = write as Json;
        return one(name === "ConditionCheck" ? "ConditionCheckItem" : `${name}Item`, TableName, key ?? item);
      }),
    );
  if (operation === "BatchGetItem" || operation === "BatchWriteItem")
    return Object.entries(body["RequestItems"] as Readonly<Record<string, unknown>>).flatMap(
      ([name, asked]) => {
        const keys =
          operation === "BatchGetItem"
            ? ((asked as Json)["Keys"] as readonly unknown[])
            : (asked as readonly Json[]).map((each) => ((each["PutRequest"] ?? {}) as Json)["Item"]);
        return keys.map((key) => one(operation, name, key));
      },
    );
  if (operation === "Query") {
    const [, value = ""] = /= (:\w+)/.exec(`${body["KeyConditionExpression"]}`) ?? [];
    const key = textOf((body["ExpressionAttributeValues"] as Json)[value]);
    const index = body["IndexName"];
    return [{ action: operation, table: `${table}`, index: index === undefined ? null : `${index}`, key }];
  }
  return [one(operation, table, Key ?? Item)];
}

/** Everything that a caller can ask for once, and what runs by itself. */
async function everything(): Promise<void> {
  const { apiKey: admin } = run;
  const as = (token: string, method: string, path: string, json?: unknown, headers = {}) =>
    ask(run, method, path, { token, headers, ...(json !== undefined && { json }) });
  const made = await as(admin, "POST", "/vault/api-keys", {
    name: "jobs",
    scopes: ["issue", "read", "revoke"],
    daily_usd_cap: 100,
  });
  const jobs = textAt(made.json, "api_key");
  const body = { vendor: "stripe", daily_usd_cap: 50, total_usd_cap: 60, agent_run_label: "grants/1" };
  const issued = await as(jobs, "POST", "/vault/keys", body, { "Idempotency-Key": "once" });
  const key = { id: textAt(issued.json, "id"), token: textAt(issued.json, "vault_key") };
  await as(jobs, "POST", "/vault/keys", body, { "Idempotency-Key": "once" });
  const child = await as(key.token, "POST", "/vault/keys", { daily_usd_cap: 20, max_calls_per_minute: 10 });
  const below = { id: textAt(child.json, "id"), token: textAt(child.json, "vault_key") };
  await as(admin, "PATCH", `/vault/keys/${key.id}`, { daily_usd_cap: 40, expires_in: "7d" });

  expect((await pay(run, below, 100)).status).toBe(200);
  expect((await pay(run, below, 100, {}, { "Idempotency-Key": "paid" })).status).toBe(200);
  expect((await pay(run, below, 999_999)).status).toBe(429);
  const intent = await pay(run, key, 300, { capture_method: "manual" });
  expect((await post(run, key, `/v1/payment_intents/${textAt(intent.json, "id")}/cancel`)).status).toBe(200);
  await ask(run, "GET", "/stripe/v1/balance", { token: key.token });
  const sms = await issue(run, { vendor: "twilio", agent_run_label: "grants/2" });
  const form = { To: "+15005550006", From: "+15005550006", Body: "hello" };
  await ask(run, "POST", `/twilio/2010-04-01/Accounts/AC${"0".repeat(32)}/Messages.json`, {
    token: sms.token,
    form,
  });
  await run.drain();

  for (const path of [
    "/vault/keys?limit=5",
    "/vault/keys?agent_run_label=grants/*",
    `/vault/keys?parent_id=${key.id}`,
    `/vault/keys/${key.id}`,
    "/vault/audit?from=2026-01-01",
    `/vault/audit?key_id=${key.id}`,
    "/vault/audit?agent_run_label=grants/1",
    "/vault/audit?agent_run_label=grants/*",
    "/vault/audit?call_id=call_1",
    ...["day", "vendor", "label_group", "agent_run_label", "key_id"].map(
      (by) => `/vault/spend?group_by=${by}`,
    ),
    "/vault/runs",
    "/vault/stops",
    "/vault/api-keys",
  ])
    expect((await as(admin, "GET", path)).status, path).toBe(200);
  expect((await as(key.token, "GET", "/vault/keys/self")).status).toBe(200);
  await as(admin, "POST", "/vault/calls/call_1/resolve", { charged: true });

  const code = await as(jobs, "POST", "/dashboard/codes");
  const page = { "Sec-Fetch-Site": "same-origin", "Keybrake-Dashboard": "1" };
  const login = { json: { code: textAt(code.json, "code") }, headers: page };
  const { headers } = await ask(run, "POST", "/dashboard/login", login);
  const cookie = { ...page, Cookie: `${headers["set-cookie"]}`.split(";", 1)[0] ?? "" };
  for (const path of ["/dashboard/login", "/vault/keys", "/vault/audit", "/vault/spend", "/vault/stops"])
    expect((await ask(run, "GET", path, { headers: cookie })).status, path).toBe(200);
  await ask(run, "POST", "/dashboard/login", { json: { api_key: "not-this-one" }, headers: page });
  await ask(run, "DELETE", "/dashboard/login", { headers: cookie });

  const stop = await as(admin, "POST", "/vault/stops", { agent_run_label: "grants/*", reason: "enough" });
  await as(admin, "POST", "/vault/keys", body);
  await run.applyStops();
  expect((await as(admin, "GET", `/vault/stops/${textAt(stop.json, "id")}`)).status).toBe(200);
  await as(admin, "DELETE", `/vault/stops/${textAt(stop.json, "id")}`);
  const other = await issue(run);
  await as(other.token, "POST", "/vault/keys/self/revoke");
  await as(admin, "DELETE", `/vault/keys/${key.id}`);
  await as(admin, "DELETE", `/vault/api-keys/${textAt(made.json, "id")}`);
  await run.resolveCalls();
  await dueNow();
  await run.drain();
}

const isLike = (pattern: string, key: string): boolean =>
  pattern.endsWith("*") ? key.startsWith(pattern.slice(0, -1)) : key === pattern;

const TABLE_IDS: Readonly<Record<string, RegExp>> = {
  "keybrake-vault": /^VaultTable\w*\.Arn/,
  "keybrake-audit": /^AuditLogTable\w*\.Arn/,
};

const isAllowed = ({ name, action, table, index, key }: Use): boolean =>
  statementsOf(name).some(
    ({ actions, resources, keys }) =>
      actions.includes(`dynamodb:${action}`) &&
      resources.some(
        (resource) =>
          TABLE_IDS[table]?.test(resource) === true && (resource.split("/index/")[1] ?? null) === index,
      ) &&
      (keys === null || keys.some((pattern) => isLike(pattern, key))),
  );

describe("roles", () => {
  test("let each function do what it does", () => {
    expect([...uses.values()].filter((use) => !isAllowed(use))).toEqual([]);
  });

  test("what is written here was tried", () => {
    const written = [...uses.values()]
      .filter(({ table, action }) => table === "keybrake-vault" && /Put|Update|Delete/.test(action))
      .map(({ name, action, key }) => `${name} ${action} ${key.replace(/#.*$/, "")}`);
    expect([...new Set(written)]).toEqual(
      expect.arrayContaining([
        "issue-key PutItem KEY",
        "issue-key PutItem LISTED",
        "issue-key PutItem ISSUE",
        "manage-api-keys PutItem KEY",
        "manage-api-keys PutItem API_KEYS",
        "manage-api-keys UpdateItem KEY",
        "manage-key UpdateItem KEY",
        "manage-key PutItem LISTED",
        "own-key UpdateItem KEY",
        "proxy-call PutItem CALL",
        "proxy-call UpdateItem CALL",
        "proxy-call UpdateItem KEY",
        "proxy-call UpdateItem ROOT",
        "manage-stops UpdateItem STOPS",
        "apply-stops UpdateItem KEY",
        "dashboard PutItem LOGIN",
        "dashboard PutItem LOGIN_CODE",
        "dashboard UpdateItem LOGIN_CODE",
        "dashboard UpdateItem LOGIN_TRIES",
      ]),
    );
  });

  test("let none but the dashboard's function write a login, or a code for one", () => {
    const writers = FUNCTIONS.filter((name) =>
      ["LOGIN#a", "LOGIN_CODE#a", "LOGIN_TRIES#a"].some((key) =>
        ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"].some((action) =>
          isAllowed({ name, action, table: "keybrake-vault", index: null, key }),
        ),
      ),
    );
    expect(writers).toEqual(["dashboard"]);
  });

  test("let a function that answers calls make no key, and one that issues move no money", () => {
    const may = (name: FunctionName, action: string, key: string) =>
      isAllowed({ name, action, table: "keybrake-vault", index: null, key });
    expect(may("proxy-call", "PutItem", "KEY#key_1")).toBe(false);
    expect(may("settle-late-prices", "PutItem", "KEY#key_1")).toBe(false);
    expect(may("own-key", "UpdateItem", "CALL#call_1")).toBe(false);
    expect(may("issue-key", "PutItem", "CALL#call_1")).toBe(false);
    expect(may("manage-api-keys", "PutItem", "STOPS")).toBe(false);
  });

  test("let sums be added up without an event: a month of a vendor, a label, a group or a key is read from totals alone", () => {
    const read = [...uses.values()].filter(
      ({ name, table }) => name === "query-spend" && table === "keybrake-audit",
    );
    const kinds = read.map(
      ({ action, index, key }) => `${action} ${index ?? "table"} ${key.replace(/#.*$/, "")}`,
    );
    expect([...new Set(kinds)].sort()).toEqual([
      "Query table JOURNAL",
      "Query table NAMES",
      "Query table TOTAL",
    ]);
    const query = (index: string | null, key: string): Use => ({
      name: "query-spend",
      action: "Query",
      table: "keybrake-audit",
      index,
      key,
    });
    expect(isAllowed(query(null, "call_1"))).toBe(false);
    expect(isAllowed(query("by_vendor", "stripe#0"))).toBe(false);
  });
});
