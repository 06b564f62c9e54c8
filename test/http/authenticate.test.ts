import type { APIGatewayProxyEvent } from "aws-lambda";
import { describe, expect, test } from "vitest";
import { signIn } from "../../lambda/app/keys/sign-in.ts";
import { authenticate } from "../../lambda/http/authenticate.ts";
import { loginCookie, noLoginCookie } from "../../lambda/http/own-page.ts";
import { deployment } from "../app/keys/deployment.ts";

const SECRET = "abcDEF0123456789";
const doorOf = (secret: string | null) => {
  const { now, door } = deployment();
  now.adminKey = secret;
  return door;
};

const HOST = "keybrake.example.com";
const asked = (
  headers: Readonly<Record<string, string | readonly string[]>>,
  httpMethod = "GET",
): APIGatewayProxyEvent =>
  ({
    httpMethod,
    path: "/vault/keys",
    multiValueHeaders: Object.fromEntries(
      Object.entries({ "X-Forwarded-Proto": "https", ...headers }).map(([name, values]) => [
        name,
        [values].flat(),
      ]),
    ),
    requestContext: { domainName: HOST, path: "/prod/vault/keys" },
  }) as unknown as APIGatewayProxyEvent;
const bearer = (token: string) => asked({ Authorization: `Bearer ${token}` });

/** Guarantees that a generated key, which cannot begin with kb_, is known by its kind when it is carried about. */
test.each([SECRET, `kb_${SECRET}`])(
  "the admin API key is the secret as it is, or with kb_ before it: %s",
  async (token) => {
    expect(await authenticate(bearer(token), "read", doorOf(SECRET))).toEqual({ id: "admin", apiKey: null });
  },
);

test.each(["kb_", "abcDEF012345678", `kb_kb_${SECRET}`, `KB_${SECRET}`])("%j is none", async (token) => {
  await expect(authenticate(bearer(token), "read", doorOf(SECRET))).rejects.toMatchObject({
    code: "api_key_invalid",
  });
});

test("nobody passes while there is no secret", async () => {
  await expect(authenticate(bearer("kb_"), "read", doorOf(null))).rejects.toMatchObject({
    code: "api_key_invalid",
  });
});

/** Guarantees that a login serves the dashboard's own page alone. */
describe("a login", () => {
  const ORIGIN = `https://${HOST}`;
  const MARK = { "Keybrake-Dashboard": "1" };
  const SAME = { "Sec-Fetch-Site": "same-origin" };
  const site = (value: string | readonly string[]) => ({ "Sec-Fetch-Site": value });
  const from = (value: string | readonly string[]) => ({ Origin: value });

  async function answerTo(headers: Readonly<Record<string, string | readonly string[]>>, method: string) {
    const { door, loginPorts } = deployment();
    const shown = { kind: "api_key", apiKey: "an-admin-key" } as const;
    const { secret } = await signIn(shown, { address: "192.0.2.1", former: null }, loginPorts);
    const Cookie = `a=b; __Host-keybrake_login_prod=${secret}; c=d`;
    return authenticate(asked({ Cookie, ...headers }, method), "read", door).then(
      ({ id }) => id,
      ({ code }) => code as string,
    );
  }

  const PASSES: Readonly<Record<string, boolean>> = { GET: true, POST: true, PATCH: true, DELETE: true };
  const REFUSED: Readonly<Record<string, boolean>> = { GET: false, POST: false, PATCH: false, DELETE: false };
  const READS = { ...REFUSED, GET: true };
  test.each([
    ["a script of the page", { ...SAME, ...MARK }, PASSES],
    ["a script of the page that names its origin", { ...SAME, ...MARK, ...from(ORIGIN) }, PASSES],
    ["a link of the page, a form of the page", SAME, READS],
    ["a browser without Sec-Fetch-Site, from the page", { ...MARK, ...from(ORIGIN) }, PASSES],
    ["a browser without Sec-Fetch-Site and Origin, from the page", MARK, PASSES],
    ["nothing of a browser", {}, REFUSED],
    ["another site", { ...site("cross-site"), ...from("https://evil.example") }, REFUSED],
    ["another site that got the mark through", { ...site("cross-site"), ...MARK }, REFUSED],
    ["a sibling of the domain", { ...site("same-site"), ...MARK }, REFUSED],
    ["an address that somebody opened", site("none"), REFUSED],
    ["an address that somebody opened, marked", { ...site("none"), ...MARK }, REFUSED],
    ["two answers to who sends", { ...site(["same-origin", "cross-site"]), ...MARK }, REFUSED],
    ["an empty answer to who sends", { ...site(""), ...MARK }, REFUSED],
    ["another origin, old browser", { ...MARK, ...from("https://evil.example") }, REFUSED],
    ["another port", { ...MARK, ...from(`${ORIGIN}:8443`) }, REFUSED],
    ["the same host without TLS", { ...MARK, ...from(`http://${HOST}`) }, REFUSED],
    ["an origin that is none", { ...MARK, ...from("null") }, REFUSED],
    ["an origin that begins alike", { ...MARK, ...from(`${ORIGIN}.evil.example`) }, REFUSED],
    ["two origins", { ...MARK, ...from([ORIGIN, "https://evil.example"]) }, REFUSED],
    ["another mark", { ...SAME, "Keybrake-Dashboard": "0" }, READS],
  ])("of %s", async (_, headers, passes) => {
    for (const [method, does] of Object.entries(passes))
      expect([method, await answerTo(headers, method)]).toEqual([method, does ? "admin" : "cross_site"]);
  });

  const cookie = (value: string) => asked({ ...SAME, ...MARK, Cookie: value });
  test.each([
    ["unknown", `__Host-keybrake_login_prod=${"A".repeat(43)}`, "login_ended"],
    ["empty", "__Host-keybrake_login_prod=", "login_ended"],
    ["too long", `__Host-keybrake_login_prod=${"A".repeat(44)}`, "login_ended"],
    ["with a path in it", "__Host-keybrake_login_prod=../../LOGIN", "login_ended"],
    ["the admin API key", "__Host-keybrake_login_prod=an-admin-key", "login_ended"],
    [
      "two of them",
      `__Host-keybrake_login_prod=${"A".repeat(43)}; __Host-keybrake_login_prod=x`,
      "api_key_invalid",
    ],
    ["of another name", `keybrake_login_prod=${"A".repeat(43)}`, "api_key_invalid"],
    ["of another stage", `__Host-keybrake_login_test=${"A".repeat(43)}`, "api_key_invalid"],
    ["of no stage", `__Host-keybrake_login=${"A".repeat(43)}`, "api_key_invalid"],
    ["of another spelling", `__host-keybrake_login_prod=${"A".repeat(43)}`, "api_key_invalid"],
    ["none", "", "api_key_invalid"],
  ])("in a cookie that is %s is none", async (_, value, code) => {
    await expect(authenticate(cookie(value), "read", doorOf("an-admin-key"))).rejects.toMatchObject({ code });
  });

  test("beside a key in the header is passed over, whichever of them is good", async () => {
    const Authorization = "Bearer not-a-key";
    expect(await answerTo({ ...SAME, ...MARK, Authorization }, "GET")).toBe("api_key_invalid");
    expect(await answerTo({ ...site("cross-site"), Authorization: "Bearer an-admin-key" }, "POST")).toBe(
      "admin",
    );
  });

  test("has a cookie that no script reads, no other site sends, no other host sets, and that ends", () => {
    const attributes = "Path=/; Secure; HttpOnly; SameSite=Strict";
    expect(loginCookie(asked({}), "abc", 43_200)).toBe(
      `__Host-keybrake_login_prod=abc; Max-Age=43200; ${attributes}`,
    );
    expect(noLoginCookie(asked({}))).toBe(`__Host-keybrake_login_prod=; Max-Age=0; ${attributes}`);
  });
});
