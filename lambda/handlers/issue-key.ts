import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { randomIds } from "../adapters/random-ids.ts";
import { issueKey } from "../app/keys/issue-key.ts";
import { ALL_SPENT, capStatuses } from "../domain/balance.ts";
import { Problem } from "../domain/problem.ts";
import { ENV } from "../environment.ts";
import { jsonAnswer } from "../http/answers.ts";
import { authenticateAdmin } from "../http/authenticate.ts";
import { keyBody } from "../http/key-answer.ts";
import { parseIssueBody } from "../http/key-bodies.ts";
import { problems } from "../http/problems.ts";
import { baseUrlOf, headersOf, jsonOf, singleHeader, tokenOf } from "../http/request.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import {
  adminKeyReader,
  clients,
  credentialSecrets,
  dynamoVault,
  hint,
  systemClock,
  tableLayout,
  warn,
} from "./wiring.ts";

const dynamo = clients();
const ports = { vault: dynamoVault(dynamo), clock: systemClock, ids: randomIds };
const layout = tableLayout(dynamo, true);
const adminKey = adminKeyReader();
/** The names alone: this function cannot read a credential. */
const credentials = Object.fromEntries(
  Object.entries(credentialSecrets()).map(([vendor, secrets]) => [vendor, Object.keys(secrets)]),
);

const EXAMPLE = `{"vendor": "${vendors.names[0]}", "daily_usd_cap": 50}`;

/** POST /vault/keys. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(problems(warn, countUnknownKey, vendors.secrets))
  .handler(async (event) => {
    const issuerId = await authenticateAdmin(headersOf(event), {
      adminKey,
      secrets: vendors.secrets,
      apiKeyHint: hint(ENV.apiKeyHint),
    });
    const requestKey = singleHeader(headersOf(event), "Idempotency-Key");
    if (requestKey !== null && (requestKey === "" || requestKey.length > 255 || !requestKey.isWellFormed()))
      throw new Problem("invalid_request", "Idempotency-Key: expected 1 to 255 characters");
    await layout.check();
    const request = parseIssueBody(jsonOf(event, EXAMPLE), {
      vendors,
      credentials,
      apiKey: tokenOf(headersOf(event)),
    });
    const { token, policy, balance } = await issueKey(request, issuerId, requestKey, ports);
    const nowMs = policy.issuedAtMs;
    const caps = capStatuses(balance, nowMs, ALL_SPENT);
    const { id, ...view } = keyBody({ policy, balance, caps, nowMs }, baseUrlOf(event));
    return jsonAnswer(201, { id, vault_key: token, ...view }, event.requestContext.requestId);
  });
