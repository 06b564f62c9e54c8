import {
  type AttributeValue,
  DescribeTableCommand,
  DynamoDBClient,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import Stripe from "stripe";
import { DIST } from "../../bin/build.ts";
import type { FunctionName } from "../../lib/services.ts";
import { loadFunctions } from "../../local/aws/functions.ts";
import { invocationContext } from "../../local/aws/invocation.ts";
import { standIn } from "../../local/aws/stand-in.ts";
import { attributeSize, itemSize } from "../support/item-size.ts";
import { ask, issue, type Key, type OwnRun, startOwn } from "../support/keybrake.ts";
import { twilioBooksAt, twilioClient } from "../support/twilio-node.ts";
import { type Capacity, type CapacityProxy, startCapacityProxy } from "./capacity-proxy.ts";

/** Write and read units of one use of the product, apart for the ledger and the audit log, with the sweeps after it. */
export interface UseUnits {
  readonly ledgerWrites: number;
  readonly ledgerReads: number;
  readonly auditWrites: number;
  readonly auditReads: number;
}

/** Bytes that are kept of one use. */
export interface StoredBytes {
  /** Of the audit log's table, for as long as that is kept. */
  readonly table: number;
  /** Of its indexes together. */
  readonly indexes: number;
  /** Of the ledger, each item times the days until its TTL. */
  readonly ledgerByteDays: number;
}

export const USES = [
  "paid",
  "paidWithoutKey",
  "ownKey",
  "free",
  "denied",
  "givesBack",
  "lookup",
  "alone",
  "latePrice",
] as const;
/**
 * - `paid`: a payment with an idempotency key, by a vault key that many calls share.
 * - `paidWithoutKey`: the same without an idempotency key.
 * - `ownKey`: a vault key is issued, pays once and is revoked.
 * - `free`: a GET. `denied`: a payment above the cap.
 * - `givesBack`: a payment that its card declines.
 * - `lookup`: a PaymentIntent is confirmed, which asks Stripe first.
 * - `alone`: as `paid`, but the audit log is written before the next call comes, so no two share a batch.
 * - `latePrice`: a message of Twilio, and its final price.
 */
export type Use = (typeof USES)[number];

export interface Measured {
  readonly units: Readonly<Record<Use, UseUnits>>;
  readonly stored: Readonly<Record<Use, StoredBytes>>;
  /** Of one run of a schedule where nothing is to be done. */
  readonly idle: Readonly<Record<"record-audit" | "settle-late-prices" | "apply-stops", UseUnits>>;
}

/** Calls of each use: the stream's batches are full, or nearly so. */
const CALLS = 198;
const CALLS_ALONE = 12;
const callsOf = (use: Use): number => (use === "alone" ? CALLS_ALONE : CALLS);
/** As a billing job has it. */
const LABEL = "modal-billing/cus_NffrFeUfNV2Hib";
const METADATA = { customer: "cus_NffrFeUfNV2Hib", invoice: "2026-11" };
/** What DynamoDB stores beside each item and each entry of an index ("Item sizes and formats", read 2026-11-28). */
const OVERHEAD = 100;
/** The journal and the evidence are kept for a week. */
const KEPT = (pk: string) => !pk.startsWith("JOURNAL#") && !pk.startsWith("SEEN#");

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
  const clock = aheadOfTime();
  try {
    const uses = await usesOf(run, () => clock.pass(LATE_PRICE_DUE_MS));
    // What a process reads once is no cost of a call.
    for (const use of USES) await perform(run, { ...uses[use], calls: 1, first: -1 });
    await run.tellOpen();

    const idleRuns = async (times: number) => {
      for (let n = 0; n < times; n++) {
        clock.pass(SCHEDULE_MS);
        await run.tellOpen();
      }
    };
    await idleRuns(SWEEPS);
    proxy.take();
    await idleRuns(1);
    const sweep = unitsOf(proxy.take(), 1);
    await runAlone("settle-late-prices");
    const late = unitsOf(proxy.take(), 1);
    await run.applyStops();
    const stops = unitsOf(proxy.take(), 1);

    const units: Partial<Record<Use, UseUnits>> = {};
    const stored: Partial<Record<Use, StoredBytes>> = {};
    for (const use of USES) {
      const calls = callsOf(use);
      const { prepare, ...rest } = uses[use];
      const prepared = (await prepare?.(calls)) ?? [];
      await run.drain();
      if (prepare !== undefined) await idleRuns(SWEEPS);
      const before = await storedIn(client);
      proxy.take();
      await perform(run, { ...rest, prepared, calls, first: 0 });
      const done = unitsOf(proxy.take(), calls);
      const after = await storedIn(client);
      stored[use] = {
        table: (after.table - before.table) / calls,
        indexes: (after.indexes - before.indexes) / calls,
        ledgerByteDays: (after.ledgerByteDays - before.ledgerByteDays) / calls,
      };
      await idleRuns(SWEEPS);
      const swept = unitsOf(proxy.take(), calls);
      const idle = (SWEEPS * sweep.auditReads) / calls;
      units[use] = { ...done, auditReads: done.auditReads + swept.auditReads - idle };
    }
    return {
      units: units as Measured["units"],
      stored: stored as Measured["stored"],
      idle: {
        "record-audit": sweep,
        "settle-late-prices": late,
        "apply-stops": stops,
      },
    };
  } finally {
    clock.restore();
    client.destroy();
    await run.close();
    await proxy.close();
  }
}

/** Twilio is asked for a price a minute after the message. */
const LATE_PRICE_DUE_MS = 61_000;
/** How often the schedules run. */
const SCHEDULE_MS = 300_000;
/** A note of the journal is read by each sweep of the 21 minutes after it (dynamo-attempt-journal.ts, sweep-journal.ts). */
const SWEEPS = 6;

/** Lets time pass for the functions, which run in this process. */
function aheadOfTime() {
  const now = Date.now;
  let aheadMs = 0;
  Date.now = () => now() + aheadMs;
  return {
    pass: (ms: number) => {
      aheadMs += ms;
    },
    restore: () => {
      Date.now = now;
    },
  };
}

const runAlone = (name: FunctionName): Promise<unknown> =>
  loadFunctions(DIST, [name])(name, {}, invocationContext(name));

/** How one use goes. */
interface UseOfRun {
  /** Makes what the calls need, a text for each, which is not counted. */
  readonly prepare?: (calls: number) => Promise<readonly string[]>;
  readonly call: (n: number, prepared: string) => Promise<unknown>;
  /** What comes once after the calls. */
  readonly after?: () => Promise<unknown>;
  /** Whether each call waits until the one before it is in the audit log. */
  readonly alone?: boolean;
}

async function usesOf(run: OwnRun, untilDue: () => void): Promise<Readonly<Record<Use, UseOfRun>>> {
  const policy = {
    daily_usd_cap: 100_000,
    expires_in: "2d",
    agent_run_label: LABEL,
    metadata: METADATA,
  };
  const key = await issue(run, policy);
  const stripe = stripeOf(run, key);
  const pay = (fields: Partial<Stripe.PaymentIntentCreateParams> = {}, options: Stripe.RequestOptions = {}) =>
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
  const capped = stripeOf(run, await issue(run, { ...policy, daily_usd_cap: 1 }));
  const texting = await issue(run, { ...policy, vendor: "twilio" });
  const twilio = twilioClient("twilio", "baseUrl", run.baseUrl, texting.token);
  return {
    paid: { call: (n) => pay({}, { idempotencyKey: `invoice-2026-11-cus_NffrFeUfNV2Hib-${n}` }) },
    paidWithoutKey: {
      call: () =>
        ask(run, "POST", "/stripe/v1/payment_intents", {
          token: key.token,
          form: { amount: "2999", currency: "usd" },
          headers: { "User-Agent": "Stripe/v1 NodeBindings/23.1.0" },
        }),
    },
    ownKey: {
      call: async () => {
        const own = await issue(run, { ...policy, daily_usd_cap: 35, expires_in: "1h" });
        await stripeOf(run, own).paymentIntents.create({ amount: 2999, currency: "usd" });
        await ask(run, "POST", "/vault/keys/self/revoke", { token: own.token });
      },
    },
    free: { call: () => stripe.customers.list({ limit: 3 }) },
    denied: {
      call: (n) =>
        refused(() =>
          capped.paymentIntents.create({ amount: 2999, currency: "usd" }, { idempotencyKey: `denied-${n}` }),
        ),
    },
    givesBack: {
      call: (n) =>
        refused(() => pay({ payment_method: "pm_card_chargeDeclined" }, { idempotencyKey: `declined-${n}` })),
    },
    lookup: {
      prepare: (calls) =>
        Promise.all(Array.from({ length: calls }, async () => (await pay({ confirm: false })).id)),
      call: (_, id) => stripe.paymentIntents.confirm(id, {}, { idempotencyKey: `confirm-${id}` }),
    },
    alone: { call: (n) => pay({}, { idempotencyKey: `alone-2026-11-cus_NffrFeUfNV2Hib-${n}` }), alone: true },
    latePrice: {
      call: (n) =>
        twilio.messages.create({
          to: `+1415${5_550_000 + n}`,
          from: "+15005550006",
          body: "Your invoice of $29.99 is paid.",
        }),
      after: async () => {
        await run.drain();
        await twilioBooksAt(run.vendor("twilio").origin).deliver();
        untilDue();
        await runAlone("settle-late-prices");
      },
    },
  };
}

interface Performance extends UseOfRun {
  readonly prepared?: readonly string[];
  readonly calls: number;
  readonly first: number;
}

async function perform(run: OwnRun, use: Performance): Promise<void> {
  const { calls, first, call, after, alone = false } = use;
  const prepared = use.prepared ?? (await use.prepare?.(calls)) ?? [];
  const atOnce = alone ? 1 : AT_ONCE;
  for (let start = 0; start < calls; start += atOnce) {
    const width = Math.min(atOnce, calls - start);
    await Promise.all(
      Array.from({ length: width }, (_, n) => call(first + start + n, prepared[start + n] ?? "")),
    );
    if (alone) await run.drain();
  }
  await after?.();
  await run.drain();
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

function unitsOf({ tables }: Capacity, calls: number): UseUnits {
  const of = (table: string) => tables.get(table) ?? { write: 0, read: 0 };
  const [ledger, audit] = [of("keybrake-vault"), of("keybrake-audit")];
  return {
    ledgerWrites: ledger.write / calls,
    ledgerReads: ledger.read / calls,
    auditWrites: audit.write / calls,
    auditReads: audit.read / calls,
  };
}

/** Bytes of both tables, as they are really made. The journal of the audit log is kept for a week, and left out. */
async function storedIn(client: DynamoDBClient): Promise<StoredBytes> {
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName: "keybrake-audit" }));
  const indexes = (table?.GlobalSecondaryIndexes ?? []).map(({ KeySchema = [], Projection }) => {
    const keys = KeySchema.map(({ AttributeName }) => AttributeName ?? "");
    const held = Projection?.ProjectionType === "ALL" ? null : (Projection?.NonKeyAttributes ?? []);
    return { keys, held: held === null ? null : new Set(["pk", "sk", ...keys, ...held]) };
  });
  const sizes = { table: 0, indexes: 0, ledgerByteDays: 0 };
  for await (const item of itemsOf(client, "keybrake-audit")) {
    if (!KEPT(item["pk"]?.S ?? "")) continue;
    sizes.table += itemSize(item) + OVERHEAD;
    for (const { keys, held } of indexes) {
      if (keys.some((name) => item[name] === undefined)) continue;
      sizes.indexes += OVERHEAD;
      for (const [name, value] of Object.entries(item))
        if (held === null || held.has(name)) sizes.indexes += attributeSize(name, value);
    }
  }
  for await (const item of itemsOf(client, "keybrake-vault")) {
    const days = Math.max(0, Number(item["ttl"]?.N ?? 0) - Date.now() / 1000) / 86_400;
    sizes.ledgerByteDays += (itemSize(item) + OVERHEAD) * days;
  }
  return sizes;
}

async function* itemsOf(
  client: DynamoDBClient,
  TableName: string,
): AsyncGenerator<Record<string, AttributeValue>> {
  let from: Record<string, AttributeValue> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new ScanCommand({ TableName, ...(from && { ExclusiveStartKey: from }) }),
    );
    yield* Items;
    from = LastEvaluatedKey;
  } while (from !== undefined);
}
