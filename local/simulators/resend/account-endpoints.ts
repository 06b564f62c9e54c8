import { randomUUID } from "node:crypto";
import { fieldsOf } from "../shared/fields.ts";
import { randomHex } from "../shared/hex.ts";
import { type Endpoint, ok } from "./endpoint.ts";
import { missingField } from "./errors.ts";

/** `GET /domains`: one, verified. */
export const listDomains: Endpoint = (account) => () =>
  ok({
    object: "list",
    has_more: false,
    data: [
      {
        id: "d91cd9bd-1176-453e-8fc1-35364d380206",
        name: "example.com",
        status: "verified",
        created_at: new Date(account.nowMs()).toISOString(),
        region: "us-east-1",
      },
    ],
  });

/** `POST /api-keys`: answers with a new key in clear, which is why no agent may call it. It opens nothing here. */
export const createApiKey: Endpoint = (_account, { json }) => {
  if (typeof fieldsOf(json)?.get("name") !== "string") throw missingField("name");
  return () => ({ status: 201, body: { id: randomUUID(), token: `re_${randomHex(8)}_${randomHex(24)}` } });
};
