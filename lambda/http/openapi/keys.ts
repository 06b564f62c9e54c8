import { issuedKeySchema, keySchema } from "../key-answer-schema.ts";
import { changeBody, issueBody } from "../key-bodies.ts";
import { ANSWERS, BODIES, PARAMETERS } from "./examples.ts";
import { type Answer, linkTo, type Operation, type Parameter } from "./operation.ts";

/** Vault keys, as those who manage them see them, and as they see themselves. */

const id: Parameter = {
  name: "id",
  in: "path",
  required: true,
  description: "The id of a vault key.",
  schema: { type: "string", pattern: "^key_[A-Za-z0-9]{16}$" },
  example: PARAMETERS.keyId,
};

const theKey = (description: string): Answer => ({
  status: 200,
  description,
  name: "VaultKey",
  schema: keySchema,
  examples: ANSWERS.key,
});

const BY_ID = "$response.body#/id";

export const KEYS: readonly Operation[] = [
  {
    method: "post",
    path: "/vault/keys",
    id: "issueKey",
    tag: "Vault keys",
    summary: "Issue a vault key",
    description:
      "An API key issues a key with `daily_usd_cap` or `total_usd_cap`. A vault key issues a child of itself, which is never wider and counts against it; what the child leaves out is its parent's.",
    asks: ["API key", "vault key"],
    scope: "issue",
    parameters: [
      {
        name: "Idempotency-Key",
        in: "header",
        description: "A repeat with the same value gets 409 with the id of the key that was issued.",
        schema: { type: "string", minLength: 1, maxLength: 255 },
        example: PARAMETERS.idempotencyKey,
      },
    ],
    body: {
      name: "IssueKey",
      schema: issueBody,
      required: true,
      examples: BODIES.issueKey,
    },
    answer: {
      status: 201,
      description: "The key. `vault_key` has its secret, which is shown only this once.",
      name: "IssuedVaultKey",
      schema: issuedKeySchema,
      examples: ANSWERS.issuedKey,
      links: {
        ...linkTo("getKey", { id: BY_ID }),
        ...linkTo("changeKey", { id: BY_ID }),
        ...linkTo("revokeKey", { id: BY_ID }),
        ...linkTo("deleteKey", { id: BY_ID }),
      },
    },
    refusals: [
      "invalid_request",
      "unsupported_media_type",
      "wider_than_issuer",
      "run_stopped",
      "chain_too_long",
      "already_issued",
      "ledger_unavailable",
    ],
  },
  {
    method: "get",
    path: "/vault/keys/{id}",
    id: "getKey",
    tag: "Vault keys",
    summary: "Look at a vault key",
    asks: ["API key"],
    scope: "read",
    parameters: [id],
    answer: theKey("The key, and what is left of its caps."),
    refusals: ["not_found", "ledger_unavailable"],
  },
  {
    method: "patch",
    path: "/vault/keys/{id}",
    id: "changeKey",
    tag: "Vault keys",
    summary: "Change caps and expiry",
    description:
      "Up or down, from the next call on. `null` takes a cap off; a cap that is left out stays; a key keeps a daily or a total cap. An API key changes only what was issued with it.",
    asks: ["API key"],
    scope: "issue",
    parameters: [id],
    body: {
      name: "ChangeKey",
      schema: changeBody,
      required: true,
      examples: BODIES.changeKey,
    },
    answer: theKey("The key as it is now."),
    refusals: [
      "invalid_request",
      "unsupported_media_type",
      "not_found",
      "wider_than_issuer",
      "key_not_changeable",
      "key_changed_meanwhile",
      "ledger_unavailable",
    ],
  },
  ...(["post", "delete"] as const).map(
    (method): Operation => ({
      method,
      path: method === "post" ? "/vault/keys/{id}/revoke" : "/vault/keys/{id}",
      id: method === "post" ? "revokeKey" : "deleteKey",
      tag: "Vault keys",
      summary: method === "post" ? "Revoke a vault key" : "Revoke a vault key, in the other spelling",
      description:
        "The next call of the key, and of every key below it, is refused. Nothing is deleted. A repeat is 200 and changes nothing.",
      asks: ["API key"],
      scope: "revoke",
      parameters: [id],
      answer: theKey("The key, revoked."),
      refusals: ["not_found", "ledger_unavailable"],
    }),
  ),
  {
    method: "get",
    path: "/vault/keys/self",
    id: "getOwnKey",
    tag: "Own key",
    summary: "Look at the vault key that asks",
    asks: ["vault key"],
    scope: null,
    answer: theKey("The key that asks, and what is left of its caps."),
    refusals: ["key_expired", "key_revoked", "ledger_unavailable"],
  },
  {
    method: "post",
    path: "/vault/keys/self/revoke",
    id: "revokeOwnKey",
    tag: "Own key",
    summary: "Revoke the vault key that asks",
    description:
      "At the end of a run, for example. A repeat is 200, and so is the revocation of an expired key.",
    asks: ["vault key"],
    scope: null,
    answer: theKey("The key that asks, revoked."),
    refusals: ["ledger_unavailable"],
  },
];
