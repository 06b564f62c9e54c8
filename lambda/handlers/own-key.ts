import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import type { Caller } from "../app/keys/caller.ts";
import { inspectKey, revokeKey } from "../app/keys/manage-key.ts";
import { standingProblem } from "../app/proxy/denial-messages.ts";
import { findPolicy } from "../app/proxy/find-policy.ts";
import { chainOf } from "../domain/vault-key.ts";
import { ENV } from "../environment.ts";
import { jsonAnswer } from "../http/answers.ts";
import { keyBody } from "../http/key-answer.ts";
import { problems } from "../http/problems.ts";
import { baseUrlOf, headersOf, tokenOf } from "../http/request.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import { auditReader, clients, dynamoVault, hint, systemClock, tableLayout, warn } from "./wiring.ts";

const dynamo = clients();
const ports = {
  vendors,
  vault: dynamoVault(dynamo),
  spending: auditReader(dynamo),
  clock: systemClock,
  vaultKeyHint: hint(ENV.vaultKeyHint),
};
const layout = tableLayout(dynamo, true);

/** GET /vault/keys/self and POST /vault/keys/self/revoke: a vault key about itself. Revoking it again is no error. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(problems(warn, countUnknownKey, vendors.secrets))
  .handler(async (event) => {
    await layout.check();
    const policy = await findPolicy(tokenOf(headersOf(event)), ports);
    const { keyId } = policy;
    const itself: Caller = { id: keyId, apiKey: null };
    const revokes = event.httpMethod === "POST";
    const view = await (revokes ? revokeKey : inspectKey)(keyId, itself, ports);
    // A key is as good as the first key of its chain that ended.
    const ended = revokes ? null : standingProblem(chainOf(policy), view.balances, view.nowMs);
    if (ended !== null) throw ended;
    return jsonAnswer(200, keyBody(view, baseUrlOf(event)), event.requestContext.requestId);
  });
