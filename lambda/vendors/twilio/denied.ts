import type { Endpoint } from "../../domain/vendor.ts";

/** What no vault key can call, and why. The first entry that fits is the one that answers. */

const ACCOUNT = "/2010-04-01/Accounts/{account}";

/** Below an account: the list, each of it, and what is below each. */
const OF_ACCOUNT: readonly (readonly [reason: string, names: string])[] = [
  [
    "it hands out credentials of the account",
    "Keys SigningKeys Tokens ConnectApps AuthorizedConnectApps SIP",
  ],
  [
    "it buys or changes telephone numbers, which cost by the month",
    "IncomingPhoneNumbers AvailablePhoneNumbers",
  ],
  ["it may call a number to verify it, and changes who may call", "OutgoingCallerIds"],
  ["it changes what happens to the account's short codes", "SMS"],
  [
    "it adds people or instructions to calls that are under way, at a price that is not known",
    "Conferences Queues",
  ],
  ["it adds instructions, recordings or services to a call, at a price that is not known", "Calls"],
  [
    "it changes where the account's calls and messages get instructions, or tells addresses with passwords",
    "Applications",
  ],
  ["it tells or changes what concerns the whole account", "Usage Addresses Notifications"],
  [
    "what others sell through Twilio has prices of their own, and recordings are kept as they are",
    "Recordings Transcriptions",
  ],
  ["it changes a message in a way that may cost", "Messages"],
];

/** Whole hosts, by the names of subdomains. */
const OF_HOST: readonly (readonly [reason: string, hosts: string])[] = [
  ["it hands out credentials of the account", "accounts iam preview-iam oauth"],
  [
    "it sends, calls or runs programs by itself, at a price that is not known",
    "studio conversations chat ip-messaging proxy flex-api frontline-api autopilot assistants notify taskrouter serverless sync video media fax preview comms microvisor",
  ],
  [
    "it buys or changes numbers, SIM cards, trunks or registrations, which cost",
    "numbers wireless supersim trunking routes trusthub marketplace voice",
  ],
  [
    "it reads or changes what concerns the whole account, or has a price of its own",
    "insights intelligence bulkexports events monitor content knowledge flex frontline memory",
  ],
  ["it hands out access tokens, or changes how the account verifies", "verify"],
  ["it looks up many numbers at once, or changes what lookups answer", "lookups"],
  ["no such price list is known", "pricing"],
  [
    "it changes how the account sends, registers it with carriers for a fee, or tells addresses with passwords",
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
    "its answer would not be JSON, so what it cost could not be read; end the path in .json",
  ),
);

export const DENIED: readonly Endpoint[] = [
  ...UNREADABLE,
  deny("/2010-04-01/Accounts.json", "it hands out the auth tokens of the account, or makes another account"),
  deny("/2010-04-01/Accounts/{any}", "it hands out the auth token of the account, or closes it"),
  ...each(OF_ACCOUNT, (name) => [`${ACCOUNT}/${name}.json`, `${ACCOUNT}/${name}/**`]),
  deny("/2010-04-01/**", null),
  ...each(OF_HOST, (host) => [`/${host}/**`]),
];
