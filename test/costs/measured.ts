import {
  type AttributeValue,
  DescribeTableCommand,
  DynamoDBClient,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import Stripe from "stripe";
import { standIn } from "../../local/aws/stand-in.ts";
import { attributeSize, itemSize } from "../support/item-size.ts";
import { ask, issue, type Key, type OwnRun, startOwn } from "../support/keybrake.ts";
import { type Capacity, type CapacityProxy, startCapacityProxy } from "./capacity-proxy.ts";

/** Write and read units of one use of the product, apart for the ledger and the audit log. */
export interface UseUnits {
  readonly ledgerWrites: number;
  readonly ledgerReads: number;
  readonly auditWrites: number;
  readonly auditReads: number;
}

/** Bytes that are kept of one use for as long as the audit log is: of the table, and of its indexes together. */
export interface StoredBytes {
  readonly table: number;
  readonly indexes: number;
}

export const USES = ["paid", "paidWithoutKey", "ownKey", "free", "denied", "givesBack"] as const;
/**
 * - `paid`: a payment with an idempotency key, by a vault key that many calls share.
 * - `paidWithoutKey`: the same without an idempotency key.
 * - `ownKey`: a vault key is issued, pays once and is revoked.
 * - `free`: a GET. `denied`: a payment above the cap.
 * - `givesBack`: a payment that its card declines.
 */
export type Use = (typeof USES)[number];

export interface Measured {
  readonly units: Readonly<Record<Use, UseUnits>>;
  readonly stored: Readonly<Record<Use, StoredBytes>>;
}

/** Calls of each use: the stream's batches are full, or nearly so. */
const CALLS = 198;
/** As a billing job has it. */
const LABEL = "modal-billing/cus_NffrFeUfNV2Hib";
const METADATA = { customer: "cus_NffrFeUfNV2Hib", invoice: "2026-11" };
/** What DynamoDB stores beside each item and each entry of an index ("Item sizes and formats", read 2026-11-28). */
const OVERHEAD = 100;
/** The journal is kept for a week. */
const KEPT = (pk: string) => !pk.startsWith("JOURNAL#");

/**
 * Runs each use through the whole product, with the real stripe-node, before the real engine, which tells the units. The
 * consumer gets its batches from the stream as they come.
 */
export async function measured(): Promise<Measured> {
  const proxies: CapacityProxy[] = [];
  const run = await startOwn({
    beforeDynamoDb: async (engine) => {
      const proxy = await startCapacityProxy(engine);
      proxies.push(proxy);
      return proxy.endpoint;
    },
  });
  const [proxy] = proxies;
  if (proxy === undefined) throw new Error("no functions were started");
  const client = new DynamoDBClient(standIn(run.dynamodbEndpoint));
  try {
    const key = await issue(run, { daily_usd_cap: 100_000, agent_run_label: LABEL, metadata: METADATA });
    const stripe = stripeOf(run, key);
    const pay = (
      fields: Partial<Stripe.PaymentIntentCreateParams> = {},
      options: Stripe.RequestOptions = {},
    ) =>
      stripe.paymentIntents.create(
        {
          amount: 2999,
          currency: "usd",
          customer: METADATA.customer,
          confirm: true,
          payment_method: "pm_card_visa",
          ...fields,
        },
        options,
      );
    const capped = stripeOf(
      run,
      await issue(run, { daily_usd_cap: 1, agent_run_label: LABEL, metadata: METADATA }),
    );
    const uses: Readonly<Record<Use, (n: number) => Promise<unknown>>> = {
      paid: (n) => pay({}, { idempotencyKey: `invoice-2026-11-cus_NffrFeUfNV2Hib-${n}` }),
      paidWithoutKey: () =>
        ask(run, "POST", "/stripe/v1/payment_intents", {
          token: key.token,
          form: { amount: "2999", currency: "usd" },
          headers: { "User-Agent": "Stripe/v1 NodeBindings/23.1.0" },
        }),
      ownKey: async () => {
        const own = await issue(run, { daily_usd_cap: 35, agent_run_label: LABEL, metadata: METADATA });
        await stripeOf(run, own).paymentIntents.create({ amount: 2999, currency: "usd" });
        await ask(run, "POST", "/vault/keys/self/revoke", { token: own.token });
      },
      free: () => stripe.customers.list({ limit: 3 }),
      denied: (n) =>
        refused(() =>
          capped.paymentIntents.create({ amount: 2999, currency: "usd" }, { idempotencyKey: `denied-${n}` }),
        ),
      givesBack: (n) =>
        refused(() => pay({ payment_method: "pm_card_chargeDeclined" }, { idempotencyKey: `declined-${n}` })),
    };
    // What a process reads once is no cost of a call.
    for (const use of USES) await uses[use](-1);
    await run.drain();

    const units: Partial<Record<Use, UseUnits>> = {};
    const stored: Partial<Record<Use, StoredBytes>> = {};
    let before = await storedIn(client);
    for (const use of USES) {
      proxy.take();
      for (let start = 0; start < CALLS; start += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => uses[use](start + n)));
      await run.drain();
      units[use] = unitsOf(proxy.take());
      const after = await storedIn(client);
      stored[use] = {
        table: (after.table - before.table) / CALLS,
        indexes: (after.indexes - before.indexes) / CALLS,
      };
      before = after;
    }
    return { units: units as Measured["units"], stored: stored as Measured["stored"] };
  } finally {
    client.destroy();
    await run.close();
    await proxy.close();
  }
}

const AT_ONCE = 66;

const stripeOf = (run: OwnRun, { token }: Key): Stripe => {
  const { hostname, port } = new URL(run.baseUrl);
  return new Stripe(token, { host: hostname, port, protocol: "http", maxNetworkRetries: 0 });
};

async function refused(call: () => Promise<unknown>): Promise<void> {
  const isRefused = await call().then(
    () => false,
    () => true,
  );
  if (!isRefused) throw new Error("a call that has to be refused went through");
}

function unitsOf({ tables }: Capacity): UseUnits {
  const of = (table: string) => tables.get(table) ?? { write: 0, read: 0 };
  const [ledger, audit] = [of("keybrake-vault"), of("keybrake-audit")];
  return {
    ledgerWrites: ledger.write / CALLS,
    ledgerReads: ledger.read / CALLS,
    auditWrites: audit.write / CALLS,
    auditReads: audit.read / CALLS,
  };
}

/** Bytes of the Audit table that are kept for the retention, as the tables are really made. */
async function storedIn(client: DynamoDBClient): Promise<StoredBytes> {
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName: "keybrake-audit" }));
  const indexes = (table?.GlobalSecondaryIndexes ?? []).map(({ KeySchema = [], Projection }) => {
    const keys = KeySchema.map(({ AttributeName }) => AttributeName ?? "");
    const held = Projection?.ProjectionType === "ALL" ? null : (Projection?.NonKeyAttributes ?? []);
    return { keys, held: held === null ? null : new Set(["pk", "sk", ...keys, ...held]) };
  });
  const sizes = { table: 0, indexes: 0 };
  let from: Record<string, AttributeValue> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new ScanCommand({ TableName: "keybrake-audit", ...(from && { ExclusiveStartKey: from }) }),
    );
    for (const item of Items) {
      if (!KEPT(item["pk"]?.S ?? "")) continue;
      sizes.table += itemSize(item) + OVERHEAD;
      for (const { keys, held } of indexes) {
        if (keys.some((name) => item[name] === undefined)) continue;
        sizes.indexes += OVERHEAD;
        for (const [name, value] of Object.entries(item))
          if (held === null || held.has(name)) sizes.indexes += attributeSize(name, value);
      }
    }
    from = LastEvaluatedKey;
  } while (from !== undefined);
  return sizes;
}
