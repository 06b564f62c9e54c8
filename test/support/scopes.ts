import type { Scope } from "../../lambda/domain/api-key.ts";

/** What an API key has to have for each route that asks for one. */
export const NEEDED_SCOPES: Readonly<Record<string, Scope>> = {
  "POST /vault/keys": "issue",
  "PATCH /vault/keys/{id}": "issue",
  "GET /vault/keys/{id}": "read",
  "GET /vault/audit": "read",
  "GET /vault/keys": "read",
  "GET /vault/spend": "read",
  "GET /vault/runs": "read",
  "GET /vault/stops": "read",
  "GET /vault/stops/{id}": "read",
  "POST /vault/stops": "revoke",
  "DELETE /vault/stops/{id}": "revoke",
  "POST /vault/keys/{id}/revoke": "revoke",
  "DELETE /vault/keys/{id}": "revoke",
  "POST /vault/calls/{id}/resolve": "admin",
  "GET /vault/api-keys": "admin",
  "POST /vault/api-keys": "admin",
  "GET /vault/api-keys/{id}": "admin",
  "DELETE /vault/api-keys/{id}": "admin",
};
