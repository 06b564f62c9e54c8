import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { ConfigError, parseConfig } from "../../lib/config.ts";
import { readConfig } from "../../lib/config-source.ts";
import { definitionWith, exampleOf } from "../vendors/configured/harness.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "keybrake-config-"));
  folders.push(folder);
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
  return folder;
}

test("without a configuration the defaults hold", () => {
  expect(parseConfig({}, "the test")).toEqual({
    stackName: "Keybrake",
    stage: "prod",
    credentials: { stripe: ["default"], twilio: ["default"], resend: ["default"] },
    rates: {},
    rateMarginPercent: 3,
    prices: { twilio: {}, resend: {} },
    vendors: [],
    vendorOrigins: {},
    auditRetentionDays: 400,
    throttle: { requestsPerSecond: 500, burst: 500, managing: { requestsPerSecond: 1_000, burst: 1_000 } },
    reservedConcurrency: {},
    lambdaQuota: 1_000,
    alarms: "needed",
    spendRateUsdPerMinute: 100,
    terminationProtection: true,
    accessLogs: "off",
  });
});

/** Guarantees that a mistake is named with its field, what it got, and what would be accepted. */
test.each<readonly [unknown, RegExp]>([
  [{ stag: "prod" }, /^ {2}stag: unknown field; expected one of stackName, stage, .*accessLogs$/m],
  [{ throttle: { rate: 3 } }, /^ {2}throttle\.rate: unknown field$/m],
  [
    { throttle: { managing: { burst: 0 } } },
    /^ {2}throttle\.managing\.burst: got 0; expected a whole number from 1 to 5000$/m,
  ],
  [{ reservedConcurrency: 5 }, /^ {2}reservedConcurrency: got 5; expected an object of whole numbers$/m],
  [
    { reservedConcurrency: { "record-audit": 5 } },
    /^ {2}reservedConcurrency\.record-audit: got "record-audit"; expected one of the functions issue-key, manage-key, manage-api-keys, list-keys, own-key, query-audit, manage-stops, resolve-by-hand, query-spend, proxy-call, dashboard$/m,
  ],
  [
    { reservedConcurrency: { "manage-key": 0 } },
    /^ {2}reservedConcurrency\.manage-key: got 0; expected a whole number from 1 to 10000$/m,
  ],
  [{ alarms: "none" }, /^ {2}alarms: got "none"; expected needed or all$/m],
  [{ lambdaQuota: 1 }, /^ {2}lambdaQuota: got 1; expected a whole number from 10 to 1000000$/m],
  [{ pageEmail: "pager" }, /^ {2}pageEmail: got "pager"; expected an e-mail address$/m],
  [
    { managingCidrs: "203.0.113.0/24" },
    /^ {2}managingCidrs: got "203\.0\.113\.0\/24"; expected a list of address ranges$/m,
  ],
  [{ managingCidrs: [] }, /^ {2}managingCidrs: expected 1 to 50 ranges$/m],
  ...[
    "203.0.113.0",
    "203.0.113.0/33",
    "203.0.113/24",
    "2001:db8::/129",
    "0.0.0.0/0/0",
    "any/8",
    "10.0.0.0/+8",
  ].map(
    (range) =>
      [
        { managingCidrs: ["203.0.113.0/24", range] },
        /^ {2}managingCidrs\.1: got .*expected an address range such as 203\.0\.113\.0\/24 or 2001:db8::\/32$/m,
      ] as const,
  ),
  [
    { webAclArn: "arn:aws:wafv2:us-east-1:111122223333:global/webacl/one/a-1" },
    /^ {2}webAclArn: .*expected the ARN of a regional web ACL of WAF/m,
  ],
  [
    { kmsKeyArn: "arn:aws:kms:eu-west-1:111122223333:alias/mine" },
    /^ {2}kmsKeyArn: .*expected the ARN of a KMS key \(not of an alias\)/m,
  ],
  [{ terminationProtection: "no" }, /^ {2}terminationProtection: got "no"; expected true or false$/m],
  [{ stage: "my stage" }, /^ {2}stage: got "my stage"; expected letters, digits, hyphens and underscores/m],
  [{ stackName: "1st" }, /^ {2}stackName: got "1st"; expected a letter, then/m],
  [{ auditRetentionDays: 0 }, /^ {2}auditRetentionDays: got 0; expected a whole number from 1 to 3650$/m],
  [{ auditRetentionDays: "400" }, /^ {2}auditRetentionDays: got "400"; expected a whole number/m],
  [
    { credentials: { strip: ["default"] } },
    /^ {2}credentials\.strip: got "strip"; expected one of the vendors stripe, twilio, resend$/m,
  ],
  [{ rates: { usd: 1 } }, /^ {2}rates\.usd: got "usd"; expected currencies other than usd/m],
  [{ rates: { eur: 0 } }, /^ {2}rates\.eur: got 0; expected US dollars for one unit/m],
  [{ rates: { eur: "1,09" } }, /^ {2}rates\.eur: got "1,09"; expected US dollars for one unit/m],
  [{ rateMarginPercent: -1 }, /^ {2}rateMarginPercent: got -1; expected a number from 0 to 50/m],
  [{ prices: { twilio: { fax: 1 } } }, /^ {2}prices\.twilio\.fax: unknown field/m],
  [{ prices: { twilio: { sms: { "+1": "a lot" } } } }, /^ {2}prices\.twilio\.sms/m],
  [{ vendors: {} }, /^ {2}vendors: expected a list of definitions of vendors$/m],
  [
    { vendors: [{ ...definitionWith({ "POST /x": 1 }), origin: "http://api.example.com" }] },
    /^ {2}vendors\.0\.origin: it is not https, and a credential is sent there; expected https:/m,
  ],
  [
    { vendors: [definitionWith({ "POST /x": { price: { usd: 1, times: { json: "n" } } } } as never)] },
    /^ {2}vendors\.0\.endpoints\.POST \/x\.price\.times\.max: it is missing; expected a whole number/m,
  ],
  [
    { vendors: [{ ...definitionWith({ "POST /x": 1 }), orign: 1 }] },
    /^ {2}vendors\.0\.orign: unknown field; expected an object with name,/m,
  ],
  [
    { vendors: [], credentials: { images: ["default"] } },
    /^ {2}credentials\.images: .*expected one of the vendors stripe, twilio, resend$/m,
  ],
  [{ prices: { resend: { recipient: 0.00000001 } } }, /^ {2}prices\.resend\.recipient/m],
  [
    {
      prices: { twilio: { sms: Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`+${at}`, 1])) } },
    },
    /^ {2}prices: rates and prices are longer than 2500 characters/m,
  ],
  [{ credentials: { stripe: [] } }, /^ {2}credentials\.stripe: expected at least one name$/m],
  [{ credentials: { stripe: ["a", "a"] } }, /^ {2}credentials\.stripe: expected each name only once$/m],
  [{ credentials: { stripe: ["test-1"] } }, /^ {2}credentials\.stripe\.0: got "test-1"; expected a name/m],
  [
    { credentials: { stripe: ["sk_live_1"] } },
    /^ {2}credentials\.stripe\.0: .*expected a name in small letters/m,
  ],
  [
    { vendorOrigins: { stripe: "http://example.com" } },
    /^ {2}vendorOrigins\.stripe: .*expected https:\/\/<host>/m,
  ],
  [
    { throttle: { requestsPerSecond: 0.5 } },
    /^ {2}throttle\.requestsPerSecond: got 0\.5; expected a whole number/m,
  ],
  [{ alarmEmail: "ops" }, /^ {2}alarmEmail: got "ops"; expected an e-mail address$/m],
  [{ customDomain: { name: "keybrake.example.com" } }, /^ {2}customDomain\.certificateArn: it is missing$/m],
  [{ permissionsBoundaryArn: "boundary" }, /^ {2}permissionsBoundaryArn: got "boundary"; expected the ARN/m],
  [{ accessLogs: true }, /^ {2}accessLogs: got true; expected off, account-has-role or set-account-role$/m],
  [{ credentials: {} }, /^ {2}credentials: expected at least one vendor: stripe, twilio, resend$/m],
  [{ throttle: 5 }, /^ {2}throttle: got 5; expected an object$/m],
  [{ credentials: 5 }, /^ {2}credentials: got 5; expected an object of lists of names$/m],
  [{ customDomain: 5 }, /^ {2}customDomain: got 5; expected an object$/m],
  [[], /expected an object/],
  ["prod", /expected an object/],
])("%j is refused with its field and what is accepted", (input, message) => {
  expect(() => parseConfig(input, "keybrake.config.ts")).toThrow(ConfigError);
  expect(() => parseConfig(input, "keybrake.config.ts")).toThrow(message);
});

test("every mistake is named at once, under the name of the source", () => {
  expect(() => parseConfig({ stage: 1, accessLogs: "on" }, "keybrake.config.ts")).toThrow(
    /^keybrake\.config\.ts cannot be used:\n {2}stage: .*\n {2}accessLogs: .*$/,
  );
});

test("a secret that was put in the place of a name is not repeated", () => {
  const secret = `sk_live_${"a".repeat(24)}`;
  for (const input of [
    { credentials: { stripe: [secret] } },
    { credentials: { [secret]: ["default"] } },
    { stage: `${secret}!` },
  ])
    expect(() => parseConfig(input, "the test")).not.toThrow(secret);
});

test("it is read from keybrake.config.ts, or from the context as an object or as JSON", async () => {
  const folder = await folderWith({ "keybrake.config.ts": 'export const config = { stage: "blue" };\n' });
  const empty = await folderWith({});
  expect((await readConfig(undefined, folder)).stage).toBe("blue");
  expect((await readConfig({ stage: "green" }, empty)).stage).toBe("green");
  expect((await readConfig('{"stage":"red"}', empty)).stage).toBe("red");
  expect((await readConfig(undefined, empty)).stage).toBe("prod");
});

test.each([
  ["throws", 'throw new Error("no such luck");', "no such luck"],
  ["is no TypeScript", "export const config = {;", "cannot be read: "],
  ["imports what is not there", 'import "./nowhere.ts";', "nowhere.ts"],
])("a file that %s is told in a few lines, with the reason", async (_, text, reason) => {
  const folder = await folderWith({ "keybrake.config.ts": text });
  const refused = readConfig(undefined, folder);
  await expect(refused).rejects.toThrow(ConfigError);
  await expect(refused).rejects.toThrow(reason);
});

test("two sources, a file without config and text that is not JSON are refused", async () => {
  const folder = await folderWith({ "keybrake.config.ts": "export const configuration = {};\n" });
  await expect(readConfig({}, folder)).rejects.toThrow("keep one of them");
  await expect(readConfig(undefined, folder)).rejects.toThrow("exports no config");
  await expect(readConfig("stage=prod", await folderWith({}))).rejects.toThrow(
    'got "stage=prod"; expected JSON',
  );
});

test("a vendor of the configuration has a credential, and takes what others take", () => {
  const vendors = [exampleOf("images")];

  expect(parseConfig({ vendors }, "the test").credentials).toEqual({
    stripe: ["default"],
    twilio: ["default"],
    resend: ["default"],
    images: ["default"],
  });
  expect(
    parseConfig(
      { vendors, credentials: { images: ["live"] }, vendorOrigins: { images: "http://127.0.0.1:1" } },
      "the test",
    ),
  ).toMatchObject({ credentials: { images: ["live"] }, vendorOrigins: { images: "http://127.0.0.1:1" } });
});
