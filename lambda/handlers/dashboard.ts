import { join } from "node:path";
import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { builtPage, type Page } from "../adapters/built-page.ts";
import { randomIds } from "../adapters/random-ids.ts";
import type { Caller } from "../app/keys/caller.ts";
import { makeCode, signIn } from "../app/keys/sign-in.ts";
import { CODE_LASTS_MS, LOGIN_LASTS_MS } from "../domain/login.ts";
import { Problem } from "../domain/problem.ts";
import { isoTime } from "../domain/time.ts";
import { sha256 } from "../domain/token.ts";
import { jsonAnswer } from "../http/answers.ts";
import { authenticated } from "../http/authenticate.ts";
import { loginAnswer } from "../http/login-answer.ts";
import { parseLoginBody } from "../http/login-bodies.ts";
import { isPageSignedOut, loginCookie, loginIn, noLoginCookie, refuseOtherPages } from "../http/own-page.ts";
import { DOCUMENT, guarded, pageAnswer, toDocument } from "../http/page-answer.ts";
import { problems } from "../http/problems.ts";
import { baseUrlOf, headersOf, jsonOf } from "../http/request.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import { callersVault, clients, frontDoor, loginsOf, systemClock, tableLayout, warn } from "./wiring.ts";

const dynamo = clients();
const logins = loginsOf(dynamo);
const door = frontDoor(dynamo, callersVault(dynamo));
const ports = { door, logins, ids: randomIds };
const layout = tableLayout(dynamo, true);

const EXAMPLE = '{"api_key": "kb_…"}';

type Answers = (event: APIGatewayProxyEvent) => APIGatewayProxyResult | Promise<APIGatewayProxyResult>;

/** By method and resource. The page needs no key: it has nothing but what everybody may read in the sources. */
const ANSWERS: Readonly<Record<string, Answers>> = {
  "GET /dashboard": (event) => {
    const { requestId } = event.requestContext;
    return event.path.endsWith("/") ? toDocument(requestId) : fileAnswer(DOCUMENT, event);
  },
  "GET /dashboard/{file}": (event) => {
    const name = event.pathParameters?.["file"] ?? "";
    return name === DOCUMENT ? toDocument(event.requestContext.requestId) : fileAnswer(name, event);
  },

  "POST /dashboard/login": async (event) => {
    refuseOtherPages(event);
    const shown = parseLoginBody(jsonOf(event, EXAMPLE));
    await layout.check();
    const { sourceIp: address } = event.requestContext.identity;
    const started = await signIn(shown, { address, former: loginIn(event) }, ports);
    const cookie = loginCookie(event, started.secret, LOGIN_LASTS_MS / 1000);
    return withCookie(cookie, whoAnswer(started.caller, started.login.endsAtMs, event));
  },

  "GET /dashboard/login": async (event) => {
    if (isPageSignedOut(event)) return nobodyAnswer(event);
    const { caller, endsAtMs } = await authenticated(event, null, door);
    await layout.check();
    return whoAnswer(caller, endsAtMs, event);
  },

  "DELETE /dashboard/login": async (event) => {
    refuseOtherPages(event);
    await layout.check();
    const secret = loginIn(event);
    if (secret !== null) await logins.end(sha256(secret), systemClock.now());
    return withCookie(noLoginCookie(event), nobodyAnswer(event));
  },

  // By an API key itself: a login that could make codes would outlast its twelve hours.
  "POST /dashboard/codes": async (event) => {
    const { caller, endsAtMs: endOfLoginMs } = await authenticated(event, null, door);
    if (endOfLoginMs !== null)
      throw new Problem("cross_site", "a login makes no codes; send an API key as Authorization: Bearer");
    await layout.check();
    const { code, endsAtMs } = await makeCode(caller, ports);
    const body = {
      code,
      // Behind the `#`, so that no log and no other page sees it.
      url: `${baseUrlOf(event)}/dashboard#code=${code}`,
      expires_at: isoTime(endsAtMs),
      expires_in_s: CODE_LASTS_MS / 1000,
    };
    return jsonAnswer(201, body, event.requestContext.requestId);
  },
};

const answering = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(problems(warn, countUnknownKey, vendors.secrets))
  .handler(async (event) => {
    const answer = ANSWERS[`${event.httpMethod} ${event.resource}`];
    if (answer === undefined) throw noSuchFile();
    return answer(event);
  });

/** The dashboard: its page, and who is signed in. */
export const handler = async (
  event: APIGatewayProxyEvent,
  context: Context,
): Promise<APIGatewayProxyResult> => guarded(await answering(event, context));

/** What bin/page.ts makes; the build puts it beside the bundle. */
let page: Page | undefined;

function fileAnswer(name: string, event: APIGatewayProxyEvent): APIGatewayProxyResult {
  page ??= builtPage(join(__dirname, "page"));
  const file = page.get(name);
  if (file === undefined) throw noSuchFile();
  return pageAnswer(file, headersOf(event), event.requestContext.requestId);
}

const noSuchFile = () => new Problem("not_found", "the dashboard has no such file; reload its page");

const whoAnswer = (caller: Caller, endsAtMs: number | null, event: APIGatewayProxyEvent) =>
  jsonAnswer(
    200,
    loginAnswer(caller, endsAtMs, {
      nowMs: systemClock.now(),
      baseUrl: baseUrlOf(event),
      vendors: vendors.all,
    }),
    event.requestContext.requestId,
  );

const nobodyAnswer = (event: APIGatewayProxyEvent) =>
  jsonAnswer(200, { signed_in: false }, event.requestContext.requestId);

const withCookie = (cookie: string, answer: APIGatewayProxyResult): APIGatewayProxyResult => ({
  ...answer,
  headers: { ...answer.headers, "Set-Cookie": cookie },
});
