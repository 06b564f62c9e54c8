import { type AnsweringFunction, MANAGING } from "./services.ts";

/**
 * The route table: which function answers which path. Read by the local gateway and by the deployed front door.
 *
 * Paths are resources of a REST API: `{name}` is one segment, `{proxy+}` the whole rest. The most specific resource that
 * has the method wins: one that is not listed for one of our paths goes on to the next wider resource that has it, at last
 * to the proxy, which knows that the path is ours and answers 404.
 */

export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE" | "ANY";
  readonly path: string;
  readonly function: AnsweringFunction;
}

const OWN_ROUTES: readonly Route[] = [
  { method: "POST", path: "/vault/keys", function: "issue-key" },
  { method: "GET", path: "/vault/keys", function: "list-keys" },
  { method: "GET", path: "/vault/keys/self", function: "own-key" },
  { method: "POST", path: "/vault/keys/self/revoke", function: "own-key" },
  { method: "GET", path: "/vault/keys/{id}", function: "manage-key" },
  { method: "PATCH", path: "/vault/keys/{id}", function: "manage-key" },
  { method: "DELETE", path: "/vault/keys/{id}", function: "manage-key" },
  { method: "POST", path: "/vault/keys/{id}/revoke", function: "manage-key" },
  { method: "POST", path: "/vault/api-keys", function: "manage-api-keys" },
  { method: "GET", path: "/vault/api-keys", function: "manage-api-keys" },
  { method: "GET", path: "/vault/api-keys/{id}", function: "manage-api-keys" },
  { method: "DELETE", path: "/vault/api-keys/{id}", function: "manage-api-keys" },
  { method: "POST", path: "/vault/stops", function: "manage-stops" },
  { method: "GET", path: "/vault/stops", function: "manage-stops" },
  { method: "GET", path: "/vault/stops/{id}", function: "manage-stops" },
  { method: "DELETE", path: "/vault/stops/{id}", function: "manage-stops" },
  { method: "POST", path: "/vault/calls/{id}/resolve", function: "resolve-by-hand" },
  { method: "GET", path: "/vault/audit", function: "query-audit" },
  { method: "GET", path: "/vault/spend", function: "query-spend" },
  { method: "GET", path: "/vault/runs", function: "query-spend" },
  { method: "GET", path: "/dashboard", function: "dashboard" },
  { method: "GET", path: "/dashboard/{file}", function: "dashboard" },
  { method: "POST", path: "/dashboard/login", function: "dashboard" },
  { method: "GET", path: "/dashboard/login", function: "dashboard" },
  { method: "DELETE", path: "/dashboard/login", function: "dashboard" },
  { method: "POST", path: "/dashboard/codes", function: "dashboard" },
  { method: "GET", path: "/vault/openapi.json", function: "health" },
  { method: "GET", path: "/healthz", function: "health" },
  { method: "GET", path: "/", function: "health" },
];

/** The routes that pass calls on to vendors: one for each, and the rest, whose vendor is that of the key. */
export const vendorRoutes = (vendors: readonly string[]): readonly Route[] =>
  [...vendors.map((vendor) => `/${vendor}/{proxy+}`), "/{proxy+}"].map((path) => ({
    method: "ANY",
    path,
    function: "proxy-call",
  }));

/** Every route of a deployment with these vendors. */
export const routesOf = (vendors: readonly string[]): readonly Route[] => [
  ...OWN_ROUTES,
  ...vendorRoutes(vendors),
];

/** The routes of API keys: what issues, changes, revokes and reads. */
export const MANAGING_ROUTES: readonly Route[] = OWN_ROUTES.filter(({ function: name }) =>
  MANAGING.includes(name),
);

/** The routes of people who operate this: those of API keys, and the dashboard. */
export const OPERATING_ROUTES: readonly Route[] = OWN_ROUTES.filter(
  ({ function: name }) => MANAGING.includes(name) || name === "dashboard",
);
