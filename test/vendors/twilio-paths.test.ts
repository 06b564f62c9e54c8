import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { endpointOf } from "../../lambda/vendors/catalog-entry.ts";
import { twilio } from "../../lambda/vendors/twilio/twilio.ts";

/** Guarantees that every path of Twilio's own descriptions is priced, free or denied. */

interface Spec {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const specOf = (name: string): Spec =>
  JSON.parse(
    readFileSync(
      new URL(`../../node_modules/@twilio/cli-core/src/services/twilio-api/${name}.json`, import.meta.url),
      "utf8",
    ),
  );

const HEX = "0123456789abcdef0123456789abcdef";

/** A value as the endpoint takes it, by the name of the placeholder and by what stands before it. */
function sampleOf(path: string, name: string, before: string): string {
  if (/Number$/.test(name)) return "+15555550100";
  if (/Country/.test(name)) return "US";
  const kinds: Readonly<Record<string, string>> = {
    Accounts: "AC",
    Messages: "MM",
    Calls: "CA",
    Recordings: "RE",
    Media: "ME",
    Verifications: "VE",
    PhoneNumbers: "PN",
    ShortCodes: "SC",
    AlphaSenders: "AI",
  };
  const kind = kinds[before.split("/").at(-2) ?? ""];
  const service = path.includes("/v2/Services/") ? "VA" : "MG";
  return `${kind ?? service}${HEX}`;
}

function concrete(path: string): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string, at: number) => sampleOf(path, name, path.slice(0, at)));
}

const METHODS = ["get", "post", "put", "patch", "delete"];

const callsOf = (name: string, prefix: string) =>
  Object.entries(specOf(name).paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method] !== undefined).map((method) => ({
      called: `${method.toUpperCase()} ${prefix === "/api" ? "" : prefix}${path}`,
      endpoint: endpointOf(twilio, method.toUpperCase(), twilio.catalogPath(prefix + concrete(path))),
    })),
  );

const ALL = [
  ...callsOf("twilio_api_v2010", "/api"),
  ...callsOf("twilio_verify_v2", "/verify"),
  ...callsOf("twilio_lookups_v1", "/lookups"),
  ...callsOf("twilio_lookups_v2", "/lookups"),
  ...callsOf("twilio_pricing_v1", "/pricing"),
  ...callsOf("twilio_pricing_v2", "/pricing"),
  ...callsOf("twilio_messaging_v1", "/messaging"),
];

const calledAs = (kind: string) =>
  ALL.filter(({ endpoint }) => endpoint?.rule.kind === kind).map(({ called }) => called);

const ACCOUNT = "/2010-04-01/Accounts/{AccountSid}";

describe("what Twilio's own descriptions offer", () => {
  test("it is 336 calls, and each of them has an entry", () => {
    expect(ALL.length).toBe(336);
    expect(ALL.filter(({ endpoint }) => endpoint === null).map(({ called }) => called)).toEqual([]);
  });

  test("these are priced, and no others", () => {
    expect(calledAs("priced").sort()).toEqual(
      [
        `POST ${ACCOUNT}/Calls.json`,
        `POST ${ACCOUNT}/Messages.json`,
        "GET /lookups/v1/PhoneNumbers/{PhoneNumber}",
        "GET /lookups/v2/PhoneNumbers/{PhoneNumber}",
        "POST /verify/v2/Services/{ServiceSid}/Verifications",
      ].sort(),
    );
  });

  test("these are free, and no others", () => {
    expect(calledAs("free").sort()).toEqual(
      [
        `GET ${ACCOUNT}/Balance.json`,
        `GET ${ACCOUNT}/Calls.json`,
        `DELETE ${ACCOUNT}/Calls/{Sid}.json`,
        `GET ${ACCOUNT}/Calls/{Sid}.json`,
        `POST ${ACCOUNT}/Calls/{Sid}.json`,
        `GET ${ACCOUNT}/Calls/{CallSid}/Recordings.json`,
        `GET ${ACCOUNT}/Messages.json`,
        `DELETE ${ACCOUNT}/Messages/{Sid}.json`,
        `GET ${ACCOUNT}/Messages/{Sid}.json`,
        `POST ${ACCOUNT}/Messages/{Sid}.json`,
        `POST ${ACCOUNT}/Messages/{MessageSid}/Feedback.json`,
        `GET ${ACCOUNT}/Messages/{MessageSid}/Media.json`,
        `DELETE ${ACCOUNT}/Messages/{MessageSid}/Media/{Sid}.json`,
        `GET ${ACCOUNT}/Messages/{MessageSid}/Media/{Sid}.json`,
        `GET ${ACCOUNT}/Recordings.json`,
        `GET ${ACCOUNT}/Recordings/{Sid}.json`,
        "GET /verify/v2/Services",
        "GET /verify/v2/Services/{Sid}",
        "POST /verify/v2/Services/{ServiceSid}/VerificationCheck",
        "GET /verify/v2/Services/{ServiceSid}/Verifications/{Sid}",
        "POST /verify/v2/Services/{ServiceSid}/Verifications/{Sid}",
        "GET /pricing/v1/Messaging/Countries",
        "GET /pricing/v1/Messaging/Countries/{IsoCountry}",
        "GET /pricing/v1/PhoneNumbers/Countries",
        "GET /pricing/v1/PhoneNumbers/Countries/{IsoCountry}",
        "GET /pricing/v1/Voice/Countries",
        "GET /pricing/v1/Voice/Countries/{IsoCountry}",
        "GET /pricing/v1/Voice/Numbers/{Number}",
        "GET /pricing/v2/Trunking/Countries",
        "GET /pricing/v2/Trunking/Countries/{IsoCountry}",
        "GET /pricing/v2/Trunking/Numbers/{DestinationNumber}",
        "GET /pricing/v2/Voice/Countries",
        "GET /pricing/v2/Voice/Countries/{IsoCountry}",
        "GET /pricing/v2/Voice/Numbers/{DestinationNumber}",
        "GET /messaging/v1/Services/{ServiceSid}/AlphaSenders",
        "GET /messaging/v1/Services/{ServiceSid}/AlphaSenders/{Sid}",
        "GET /messaging/v1/Services/{ServiceSid}/PhoneNumbers",
        "GET /messaging/v1/Services/{ServiceSid}/PhoneNumbers/{Sid}",
        "GET /messaging/v1/Services/{ServiceSid}/ShortCodes",
        "GET /messaging/v1/Services/{ServiceSid}/ShortCodes/{Sid}",
      ].sort(),
    );
  });

  test.each([
    `GET /2010-04-01/Accounts.json`,
    `POST /2010-04-01/Accounts.json`,
    `GET /2010-04-01/Accounts/{Sid}.json`,
    `POST /2010-04-01/Accounts/{Sid}.json`,
    `GET ${ACCOUNT}/Keys.json`,
    `POST ${ACCOUNT}/Keys.json`,
    `GET ${ACCOUNT}/SigningKeys.json`,
    `POST ${ACCOUNT}/SigningKeys/{Sid}.json`,
    `POST ${ACCOUNT}/Tokens.json`,
    `POST ${ACCOUNT}/SIP/CredentialLists/{CredentialListSid}/Credentials.json`,
    "POST /verify/v2/Services/{ServiceSid}/AccessTokens",
  ])("%s, which hands out secrets, is denied for that reason", (called) => {
    const rule = ALL.find((each) => each.called === called)?.endpoint?.rule;
    expect(rule).toMatchObject({ kind: "denied", reason: expect.stringMatching(/credential|token/) });
  });
});
