import type { Account } from "./account.ts";
import { invalidRequest } from "./errors.ts";

export type ObjectType = "payment_intent" | "charge" | "refund" | "customer" | "payment_method";

/** Which properties of an object hold the id of another, and of what kind. */
const EXPANDABLE: Readonly<Record<ObjectType, Readonly<Record<string, ObjectType>>>> = {
  payment_intent: { customer: "customer", latest_charge: "charge", payment_method: "payment_method" },
  charge: { customer: "customer", payment_intent: "payment_intent" },
  refund: { charge: "charge", customer: "customer", payment_intent: "payment_intent" },
  payment_method: { customer: "customer" },
  customer: {},
};

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
  /** The kind of object the id in this property names; null for the `data` of a list. */
  readonly type: ObjectType | null;
}

function stepsOf(path: string, root: ObjectType, isList: boolean): readonly Step[] {
  const steps: Step[] = [];
  let type = root;
  for (const [depth, property] of path.split(".").entries()) {
    if (isList && depth === 0) {
      if (property !== "data") throw cannotExpand(path);
      steps.push({ property, type: null });
      continue;
    }
    const named = Object.hasOwn(EXPANDABLE[type], property) ? EXPANDABLE[type][property] : undefined;
    if (named === undefined) throw cannotExpand(path);
    steps.push({ property, type: named });
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
    const found = typeof item === "string" && step.type !== null ? find(account, step.type, item) : item;
    return [name, expandPath(account, found, rest)];
  });
  return Object.fromEntries(entries);
}

function find(account: Account, type: ObjectType, id: string): unknown {
  const kinds = {
    payment_intent: account.paymentIntents,
    charge: account.charges,
    refund: account.refunds,
    customer: account.customers,
    payment_method: account.paymentMethods,
  };
  return kinds[type].get(id)?.object ?? id;
}

function cannotExpand(path: string) {
  return invalidRequest(`This property cannot be expanded (${path}).`, { param: "expand" });
}
