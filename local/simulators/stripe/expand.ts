import type { Account } from "./account.ts";
import { transactionOf } from "./balance-transactions.ts";
import { invalidRequest, LACKED } from "./errors.ts";

/**
 * Which properties of an object hold the id of another, and of what kind; null where the other is there already, as the
 * lines of an invoice are.
 */
const EXPANDABLE = {
  payment_intent: { customer: "customer", latest_charge: "charge", payment_method: "payment_method" },
  charge: {
    balance_transaction: "balance_transaction",
    customer: "customer",
    payment_intent: "payment_intent",
  },
  refund: {
    balance_transaction: "balance_transaction",
    charge: "charge",
    customer: "customer",
    payment_intent: "payment_intent",
  },
  balance_transaction: { source: "other" },
  payment_method: { customer: "customer" },
  customer: {},
  payout: {
    balance_transaction: "balance_transaction",
    failure_balance_transaction: "balance_transaction",
    original_payout: "payout",
    reversed_by: "payout",
  },
  transfer: { balance_transaction: "balance_transaction", source_transaction: "charge" },
  transfer_reversal: { balance_transaction: "balance_transaction", transfer: "transfer" },
  topup: {},
  application_fee: { balance_transaction: "balance_transaction", charge: "charge" },
  fee_refund: { balance_transaction: "balance_transaction", fee: "application_fee" },
  invoice: {
    confirmation_secret: null,
    customer: "customer",
    default_payment_method: "payment_method",
    lines: null,
    payments: null,
  },
  line_item: {},
  invoiceitem: { customer: "customer", invoice: "invoice" },
  credit_note: { customer: "customer", invoice: "invoice" },
  dispute: { charge: "charge", payment_intent: "payment_intent" },
  price: { product: "product" },
  customer_balance_transaction: { customer: "customer" },
  setup_intent: { customer: "customer", payment_method: "payment_method" },
  product: {},
  other: {},
} as const satisfies Readonly<Record<string, Readonly<Record<string, string | null>>>>;

export type ObjectType = keyof typeof EXPANDABLE;

/** Replaces ids in an answer by the objects they name. */
export type Expansion = (answer: unknown) => unknown;

/**
 * Reads `expand[]` for an endpoint that answers with one `type`, or with a list of it. Throws a 400 on a property
 * that cannot be expanded.
 */
export function readExpansion(
  account: Account,
  paths: readonly string[],
  type: ObjectType,
  isList: boolean,
): Expansion {
  const steps = paths.map((path) => stepsOf(path, type, isList));
  return (answer) => steps.reduce((expanded, path) => expandPath(account, expanded, path), answer);
}

interface Step {
  readonly property: string;
  /** Whether this property holds an id; not so where what it names is there already. */
  readonly isId: boolean;
}

function stepsOf(path: string, root: ObjectType, isList: boolean): readonly Step[] {
  const steps: Step[] = [];
  let type: ObjectType | null = root;
  for (const [depth, property] of path.split(".").entries()) {
    if (isList && depth === 0) {
      if (property !== "data") throw cannotExpand(path);
      steps.push({ property, isId: false });
      continue;
    }
    const expandable: Readonly<Record<string, ObjectType | null>> = type === null ? {} : EXPANDABLE[type];
    const named: ObjectType | null | undefined = Object.hasOwn(expandable, property)
      ? expandable[property]
      : undefined;
    if (named === undefined) throw cannotExpand(path);
    steps.push({ property, isId: named !== null });
    type = named;
  }
  return steps;
}

function expandPath(account: Account, value: unknown, [step, ...rest]: readonly Step[]): unknown {
  if (step === undefined) return value;
  if (Array.isArray(value)) return value.map((item) => expandPath(account, item, [step, ...rest]));
  if (typeof value !== "object" || value === null) return value;

  const entries = Object.entries(value).map(([name, item]): [string, unknown] => {
    if (name !== step.property) return [name, item];
    const found = typeof item === "string" && step.isId ? find(account, item) : item;
    return [name, expandPath(account, found, rest)];
  });
  return Object.fromEntries(entries);
}

/** The object of an id, of whatever kind: its prefix says which, so no two kinds share an id. */
function find(account: Account, id: string): unknown {
  if (id.startsWith("txn_")) return transactionOf(account, id) ?? id;
  const { id: _id, nowMs: _now, made: _made, events: _events, ...shelves } = account;
  const found = Object.values(shelves).find((shelf) => shelf.has(id));
  return found?.get(id)?.object ?? id;
}

function cannotExpand(path: string) {
  return invalidRequest(`This property cannot be expanded (${path}). ${LACKED}`, { param: "expand" });
}
