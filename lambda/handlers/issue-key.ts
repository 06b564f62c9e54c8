import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { randomIds } from "../adapters/random-ids.ts";
import { findIssuer } from "../app/keys/find-issuer.ts";
import { issueKey } from "../app/keys/issue-key.ts";
import { ALL_SPENT, capStatuses } from "../domain/balance.ts";
import { ENV } from "../environment.ts";
import { jsonAnswer } from "../http/answers.ts";
import { authenticate } from "../http/authenticate.ts";
import { keyBody } from "../http/key-answer.ts";
import { parseIssueBody } from "../http/key-bodies.ts";
import { invalid } from "../http/parse-body.ts";
import { problems } from "../http/problems.ts";
import { baseUrlOf, headersOf, jsonOf, singleHeader, tokenOf } from "../http/request.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import {
  clients,
  credentialSecrets,
  dynamoVault,
  frontDoor,
  hint,
  stopsVault,
  systemClock,
  tableLayout,
  warn,
} from "./wiring.ts";

const dynamo = clients();
const vault = { ...dynamoVault(dynamo), ...stopsVault(dynamo) };
const ports = {
  vendors,
  vault,
  clock: systemClock,
  ids: randomIds,
  vaultKeyHint: hint(ENV.vaultKeyHint),
  recipientsOf: (vendor: string) => vendors.find(vendor)?.recipients.allows ?? (() => false),
};
const layout = tableLayout(dynamo, true);
const door = frontDoor(dynamo, vault);
/** The names alone: this function cannot read a credential. */
const credentials = Object.fromEntries(
  Object.entries(credentialSecrets()).map(([vendor, secrets]) => [vendor, Object.keys(secrets)]),
);

const EXAMPLE = `{"vendor": "${vendors.names[0]}", "daily_usd_cap": 50}`;

/** POST /vault/keys: by an API key, or by a vault key that makes a child. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(problems(warn, countUnknownKey, vendors.secrets))
  .handler(async (event) => {
    const headers = headersOf(event);
    const token = tokenOf(headers);
    const issuer = await findIssuer(token, () => authenticate(event, "issue", door), ports);
    const requestKey = singleHeader(headers, "Idempotency-Key");
    if (requestKey !== null && (requestKey === "" || requestKey.length > 255 || !requestKey.isWellFormed()))
      throw invalid("Idempotency-Key", "expected 1 to 255 characters");
    await layout.check();
    const request = parseIssueBody(jsonOf(event, EXAMPLE), {
      vendors,
      credentials,
      token,
      parent: issuer.kind === "vault_key" ? issuer.policy : null,
    });
    const issued = await issueKey(request, issuer, requestKey, ports);
    const { policy, balance } = issued;
    const nowMs = policy.issuedAtMs;
    const caps = capStatuses(balance, nowMs, ALL_SPENT);
    const { id, ...view } = keyBody({ policy, balance, status: "active", caps, nowMs }, baseUrlOf(event));
    return jsonAnswer(201, { id, vault_key: issued.token, ...view }, event.requestContext.requestId);
  });
