import { type Endpoint, ok } from "./endpoint.ts";

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
