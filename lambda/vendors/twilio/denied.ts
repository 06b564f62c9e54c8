import type { Endpoint } from "../../domain/vendor.ts";

/** What no vault key can call, and why. The first entry that matches counts. */

const ACCOUNT = "/2010-04-01/Accounts/{account}";

/** Below an account: the list, each entry, and everything below it. */
const OF_ACCOUNT: readonly (readonly [reason: string, names: string])[] = [
  ["it returns credentials of the account", "Keys SigningKeys Tokens ConnectApps AuthorizedConnectApps SIP"],
  [
    "it buys or changes phone numbers, which are billed monthly",
    "IncomingPhoneNumbers AvailablePhoneNumbers",
  ],
  ["it may call a number to verify it, and changes which caller IDs may be used", "OutgoingCallerIds"],
  ["it changes what happens to the account's short codes", "SMS"],
  ["it adds people or instructions to calls in progress, at an unknown price", "Conferences Queues"],
  ["it adds instructions, recordings or services to a call, at an unknown price", "Calls"],
  [
    "it changes where the account's calls and messages get instructions, or shows URLs with passwords",
    "Applications",
  ],
  ["it shows or changes data of the whole account", "Usage Addresses Notifications"],
  [
    "add-ons of other companies have their own prices, and recordings cannot be changed with a vault key",
    "Recordings Transcriptions",
  ],
  ["it changes a message in a way that could incur charges", "Messages"],
];

/** Whole hosts, by the names of subdomains. */
const OF_HOST: readonly (readonly [reason: string, hosts: string])[] = [
  ["it returns credentials of the account", "accounts iam preview-iam oauth"],
  [
    "it sends, calls or runs programs on its own, at an unknown price",
    "studio conversations chat ip-messaging proxy flex-api frontline-api autopilot assistants notify taskrouter serverless sync video media fax preview comms microvisor",
  ],
  [
    "it buys or changes numbers, SIM cards, trunks or registrations, which are billed",
    "numbers wireless supersim trunking routes trusthub marketplace voice",
  ],
  [
    "it reads or changes data of the whole account, or has its own price",
    "insights intelligence bulkexports events monitor content knowledge flex frontline memory",
  ],
  ["it returns access tokens, or changes how the account verifies", "verify"],
  ["it looks up many numbers at once, or changes the results of lookups", "lookups"],
  ["Keybrake does not know this price list", "pricing"],
  [
    "it changes how the account sends, registers it with carriers for a fee, or shows URLs with passwords",
    "messaging",
  ],
];

const deny = (path: string, reason: string | null): Endpoint => ({
  method: "ANY",
  path,
  rule: { kind: "denied", reason },
});

const each = (groups: typeof OF_ACCOUNT, pathsOf: (name: string) => readonly string[]): readonly Endpoint[] =>
  groups.flatMap(([reason, names]) =>
    names.split(" ").flatMap((name) => pathsOf(name).map((path) => deny(path, reason))),
  );

/** The oldest API answers in XML or CSV where a path does not end in `.json`. */
const UNREADABLE: readonly Endpoint[] = Array.from({ length: 10 }, (_, depth) =>
  deny(
    `/2010-04-01/${"{any}/".repeat(depth)}{unreadable}`,
    "its answer would not be JSON, so Keybrake could not read its cost; end the path in .json",
  ),
);

export const DENIED: readonly Endpoint[] = [
  ...UNREADABLE,
  deny("/2010-04-01/Accounts.json", "it returns the auth tokens of the account, or creates another account"),
  deny("/2010-04-01/Accounts/{any}", "it returns the auth token of the account, or closes the account"),
  ...each(OF_ACCOUNT, (name) => [`${ACCOUNT}/${name}.json`, `${ACCOUNT}/${name}/**`]),
  deny("/2010-04-01/**", null),
  ...each(OF_HOST, (host) => [`/${host}/**`]),
];
