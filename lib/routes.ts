import { type AnsweringFunction, MANAGING } from "./services.ts";

/**
 * The route table: which function answers which path. Read by the local gateway and by the deployed front door.
 *
 * Paths are resources of a REST API: `{name}` is one segment, `{proxy+}` the whole rest. The most specific resource that
 * has the method wins: one that is not listed for one of our paths goes on to the next wider resource that has it, at last
 * to the proxy, which knows that the path is ours and answers 404.
 */

/** The vendors that have a path of their own; the same names as in lambda/vendors/index.ts. */
export const VENDOR_NAMES = ["stripe", "twilio", "resend"] as const;

export type VendorName = (typeof VENDOR_NAMES)[number];

/** Those that tell a price only after the call, so that they are asked for it later. */
export const LATE_PRICE_VENDORS = ["twilio"] as const;

export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE" | "ANY";
  readonly path: string;
  readonly function: AnsweringFunction;
}

export const ROUTES: readonly Route[] = [
  { method: "POST", path: "/vault/keys", function: "issue-key" },
  { method: "GET", path: "/vault/keys/self", function: "own-key" },
  { method: "POST", path: "/vault/keys/self/revoke", function: "own-key" },
  { method: "GET", path: "/vault/keys/{id}", function: "manage-key" },
  { method: "PATCH", path: "/vault/keys/{id}", function: "manage-key" },
  { method: "DELETE", path: "/vault/keys/{id}", function: "manage-key" },
  { method: "POST", path: "/vault/keys/{id}/revoke", function: "manage-key" },
  { method: "GET", path: "/vault/audit", function: "query-audit" },
  { method: "GET", path: "/healthz", function: "health" },
  { method: "GET", path: "/", function: "health" },
  ...VENDOR_NAMES.map((vendor) => ({
    method: "ANY" as const,
    path: `/${vendor}/{proxy+}`,
    function: "proxy-call" as const,
  })),
  { method: "ANY", path: "/{proxy+}", function: "proxy-call" },
];

/** The routes that pass calls on to vendors. */
export const VENDOR_ROUTES: readonly Route[] = ROUTES.filter(({ function: name }) => name === "proxy-call");

/** The routes of the admin API key: what issues, changes, revokes and reads. */
export const MANAGING_ROUTES: readonly Route[] = ROUTES.filter(({ function: name }) =>
  MANAGING.includes(name),
);
