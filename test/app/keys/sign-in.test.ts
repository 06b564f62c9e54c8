import { describe, expect, test } from "vitest";
import { ADMIN } from "../../../lambda/app/keys/caller.ts";
import { findCaller, findLogin } from "../../../lambda/app/keys/find-caller.ts";
import { type ApiKeyRequest, createApiKey, revokeApiKey } from "../../../lambda/app/keys/manage-api-keys.ts";
import { makeCode, type Shown, signIn } from "../../../lambda/app/keys/sign-in.ts";
import { UNCAPPED } from "../../../lambda/domain/balance.ts";
import { FAILED_LOGINS_MAX, TRIES_WINDOW_MS } from "../../../lambda/domain/login.ts";
import { sha256 } from "../../../lambda/domain/token.ts";
import { START_MS } from "../../support/vault-facts.ts";
import { deployment } from "./deployment.ts";

/** Guarantees when a login of the dashboard begins and when it ends, by a clock of the test. */

const CAPS = { daily: UNCAPPED, total: UNCAPPED, perCall: UNCAPPED };
const ASKED: ApiKeyRequest = {
  name: "a test",
  scopes: ["read"],
  vendors: null,
  credentials: null,
  ceilings: { caps: CAPS, endpoints: null, expiresInS: null },
  caps: CAPS,
};
const HOUR_MS = 3_600_000;
const HERE = { address: "192.0.2.1", former: null };
const withKey = (apiKey: string): Shown => ({ kind: "api_key", apiKey });
const withCode = (code: string): Shown => ({ kind: "code", code });

/** A deployment with an API key, the admin's or another one, and somebody who signed in with it. */
async function signedIn(who: "admin" | "holder") {
  const made = deployment();
  const { ports, door, loginPorts } = made;
  const created = await createApiKey(ASKED, ADMIN, ports);
  const token = who === "admin" ? "an-admin-key" : created.token;
  const started = await signIn(withKey(token), HERE, loginPorts);
  const find = () => findLogin(started.secret, null, door);
  return { ...made, token, apiKeyId: created.apiKey.apiKeyId, started, find };
}

describe.each(["admin", "holder"] as const)("a login of the %s", (who) => {
  test("stands for whoever showed the key", async () => {
    const { token, find, door, started } = await signedIn(who);
    expect((await find()).caller).toEqual(await findCaller(token, null, door));
    expect(started.login).toMatchObject({ startedAtMs: START_MS, endsAtMs: START_MS + 12 * HOUR_MS });
  });

  test.each([
    [12 * HOUR_MS - 1, true],
    [12 * HOUR_MS, false],
    [24 * HOUR_MS, false],
  ])("after %i ms is on: %s", async (ms, isOn) => {
    const { now, find } = await signedIn(who);
    now.ms += ms;
    if (isOn) await expect(find()).resolves.toBeDefined();
    else await expect(find()).rejects.toMatchObject({ code: "login_ended" });
  });

  test("ends when somebody signs out, for everybody who has its secret", async () => {
    const { find, loginPorts, started } = await signedIn(who);
    await loginPorts.logins.end(sha256(started.secret), START_MS);
    await expect(find()).rejects.toMatchObject({ code: "login_ended" });
  });

  test("is another one each time, and the browser's former one ends", async () => {
    const { token, started, find, loginPorts, door } = await signedIn(who);
    const next = await signIn(withKey(token), { ...HERE, former: started.secret }, loginPorts);
    expect(next.secret).not.toBe(started.secret);
    await expect(find()).rejects.toMatchObject({ code: "login_ended" });
    await expect(findLogin(next.secret, null, door)).resolves.toBeDefined();
  });

  test("that somebody planted is none, and is not taken up", async () => {
    const { token, loginPorts, door } = await signedIn(who);
    const planted = "A".repeat(43);
    await signIn(withKey(token), { ...HERE, former: planted }, loginPorts);
    await expect(findLogin(planted, null, door)).rejects.toMatchObject({ code: "login_ended" });
  });
});

test("a login ends with the API key behind it, and says so", async () => {
  const { ports, apiKeyId, find } = await signedIn("holder");
  await revokeApiKey(apiKeyId, ADMIN.id, ports);
  await expect(find()).rejects.toMatchObject({ code: "key_revoked", details: { key_id: apiKeyId } });
});

test.each(["another-admin-key", null])("a login of the admin ends when the key becomes %j", async (next) => {
  const { now, find } = await signedIn("admin");
  now.adminKey = next;
  await expect(find()).rejects.toMatchObject({ code: "login_ended" });
});

test("a login of another API key outlives a rotation of the admin's", async () => {
  const { now, find } = await signedIn("holder");
  now.adminKey = "another-admin-key";
  await expect(find()).resolves.toBeDefined();
});

test("a login has the scopes of its key, and no more", async () => {
  const { started, door } = await signedIn("holder");
  await expect(findLogin(started.secret, "read", door)).resolves.toBeDefined();
  for (const scope of ["issue", "revoke", "admin"] as const)
    await expect(findLogin(started.secret, scope, door)).rejects.toMatchObject({ code: "scope_missing" });
});

describe("a code", () => {
  const made = async (who: "admin" | "holder") => {
    const setting = await signedIn(who);
    const caller = await findCaller(setting.token, null, setting.door);
    const { code } = await makeCode(caller, setting.loginPorts);
    return { ...setting, caller, code };
  };

  test.each(["admin", "holder"] as const)("of the %s serves once", async (who) => {
    const { code, caller, loginPorts } = await made(who);
    expect((await signIn(withCode(code), HERE, loginPorts)).caller).toEqual(caller);
    await expect(signIn(withCode(code), HERE, loginPorts)).rejects.toMatchObject({ code: "code_invalid" });
  });

  test.each([
    [59_999, true],
    [60_000, false],
    [60_001, false],
  ])("after %i ms serves: %s", async (ms, serves) => {
    const { code, now, loginPorts } = await made("admin");
    now.ms += ms;
    const signing = signIn(withCode(code), HERE, loginPorts);
    if (serves) await expect(signing).resolves.toBeDefined();
    else await expect(signing).rejects.toMatchObject({ code: "code_invalid" });
  });

  test("ends with the key that made it", async () => {
    const { code, ports, apiKeyId, loginPorts } = await made("holder");
    await revokeApiKey(apiKeyId, ADMIN.id, ports);
    await expect(signIn(withCode(code), HERE, loginPorts)).rejects.toMatchObject({ code: "key_revoked" });
  });

  test("of the admin ends with a rotation", async () => {
    const { code, now, loginPorts } = await made("admin");
    now.adminKey = "another-admin-key";
    await expect(signIn(withCode(code), HERE, loginPorts)).rejects.toMatchObject({ code: "login_ended" });
  });

  test("is no login, and the secret of a login is no code", async () => {
    const { code, started, door, loginPorts } = await made("admin");
    await expect(findLogin(code, null, door)).rejects.toMatchObject({ code: "login_ended" });
    await expect(signIn(withCode(started.secret), HERE, loginPorts)).rejects.toMatchObject({
      code: "code_invalid",
    });
  });
});

describe("attempts that fail", () => {
  const WRONG = [withKey("guessed-key"), withKey("x"), withKey("kbak-nearly")];
  const failTimes = async (times: number, from: string, setting: ReturnType<typeof deployment>) => {
    const codes: string[] = [];
    for (let at = 0; at < times; at++) {
      const shown = WRONG[at % WRONG.length] ?? withKey("x");
      await signIn(shown, { address: from, former: null }, setting.loginPorts).catch(({ code }) =>
        codes.push(code),
      );
    }
    return codes;
  };

  test("are bounded by address, and then the right key is refused too, until the window is over", async () => {
    const setting = deployment();
    const right = withKey("an-admin-key");
    expect(await failTimes(FAILED_LOGINS_MAX, "192.0.2.1", setting)).not.toContain("too_many_logins");
    expect(await failTimes(2, "192.0.2.1", setting)).toEqual(["too_many_logins", "too_many_logins"]);
    const refused = signIn(right, HERE, setting.loginPorts);
    await expect(refused).rejects.toMatchObject({ code: "too_many_logins", retryAfterS: expect.any(Number) });
    await expect(signIn(right, { ...HERE, address: "192.0.2.2" }, setting.loginPorts)).resolves.toBeDefined();
    setting.now.ms += TRIES_WINDOW_MS;
    await expect(signIn(right, HERE, setting.loginPorts)).resolves.toBeDefined();
  });

  test("count for the whole /64 of an IPv6 address", async () => {
    const setting = deployment();
    for (let at = 0; at < FAILED_LOGINS_MAX; at++)
      await failTimes(1, `2001:db8::${at.toString(16)}`, setting);
    expect(await failTimes(1, "2001:DB8:0:0:ffff:ffff:ffff:ffff", setting)).toEqual(["too_many_logins"]);
    expect(await failTimes(1, "2001:db8:0:1::1", setting)).toEqual(["api_key_invalid"]);
  });

  test("are no wrong guess where the key could not be read, and codes and API keys cannot be guessed", async () => {
    const setting = deployment();
    const { token } = await createApiKey(ASKED, ADMIN, deployment().ports);
    const door = { ...setting.door, adminKey: () => Promise.reject(new Error("no answer")) };
    for (let at = 0; at < 2 * FAILED_LOGINS_MAX; at++) {
      const failing = signIn(withKey("an-admin-key"), HERE, { ...setting.loginPorts, door });
      await expect(failing).rejects.toThrow("no answer");
      for (const [shown, code] of [
        [withCode("A".repeat(32)), "code_invalid"],
        [withKey(token), "api_key_invalid"],
      ] as const)
        await expect(signIn(shown, HERE, setting.loginPorts)).rejects.toMatchObject({ code });
    }
    await expect(signIn(withKey("an-admin-key"), HERE, setting.loginPorts)).resolves.toBeDefined();
  });

  test("are not those that succeed, however many", async () => {
    const { loginPorts } = deployment();
    for (let at = 0; at < 3 * FAILED_LOGINS_MAX; at++)
      await expect(signIn(withKey("an-admin-key"), HERE, loginPorts)).resolves.toBeDefined();
  });
});
