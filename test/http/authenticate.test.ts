import { expect, test } from "vitest";
import { type AdminDoor, authenticateAdmin } from "../../lambda/http/authenticate.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";

const { secrets } = vendorRegistry();
const doorOf = (secret: string | null): AdminDoor => ({
  adminKey: async () => secret,
  secrets,
  apiKeyHint: null,
});
const bearer = (token: string) => ({ authorization: [`Bearer ${token}`] });

/** Guarantees that a generated key, which cannot begin with kb_, is known by its kind when it is carried about. */
test("the admin API key is the secret as it is, or with kb_ before it", async () => {
  const door = doorOf("abcDEF0123456789");
  expect(await authenticateAdmin(bearer("abcDEF0123456789"), door)).toBe("admin");
  expect(await authenticateAdmin(bearer("kb_abcDEF0123456789"), door)).toBe("admin");
});

test.each(["kb_", "abcDEF012345678", "kb_kb_abcDEF0123456789", "KB_abcDEF0123456789"])(
  "%j is none",
  async (token) => {
    await expect(authenticateAdmin(bearer(token), doorOf("abcDEF0123456789"))).rejects.toMatchObject({
      code: "api_key_invalid",
    });
  },
);

test("nobody passes while there is no secret", async () => {
  await expect(authenticateAdmin(bearer("kb_"), doorOf(null))).rejects.toMatchObject({
    code: "api_key_invalid",
  });
});
