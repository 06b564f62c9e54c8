import { isIP } from "node:net";
import * as v from "valibot";
import { rateCardFields } from "../lambda/rate-card-input.ts";
import { definitionProblem, definitionsSchema } from "../lambda/vendors/configured/definition.ts";
import { text, whole } from "../lambda/vendors/configured/schema-fields.ts";
import { BUILT_IN_NAMES, vendorRegistry } from "../lambda/vendors/index.ts";
import type { VendorRegistry } from "../lambda/vendors/registry.ts";
import { KEYED } from "./services.ts";

/**
 * What an operator may choose about a deployment, with the defaults. Everything may be left out; what is not listed is
 * refused, so that a misspelt name cannot leave a default in force unseen.
 *
 * It comes from `keybrake.config.ts` beside cdk.json, or from the context value `keybrake` (bin/keybrake.ts).
 */

const AUDIT_RETENTION_DAYS_MAX = 3_650;

const credentialName = text(
  /^(?=.{1,32}$)[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/,
  "a name in small letters such as default, test or live-eu",
);

/** A test server may be plain HTTP, on this machine alone: a credential must not cross a network unencrypted. */
const origin = text(
  /^https:\/\/[a-z0-9.-]+(:\d+)?$|^http:\/\/(127\.0\.0\.1|localhost)(:\d+)?$/,
  "https://<host>, or http://127.0.0.1:<port> for a test",
);

const certificateArn = text(
  /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[a-zA-Z0-9-]+$/,
  "the ARN of a certificate of ACM, in the region of the stack",
);

const email = v.pipe(v.string("expected an e-mail address"), v.email("expected an e-mail address"));

/** The types of events (docs/events.md). */
const EVENT_TYPES = [
  "cap.threshold",
  "spend.rate",
  "key.revoked",
  "run.stopped",
  "call.unresolved",
  "call.overrun",
] as const;

/** Not `key.revoked` unless asked for: a run that revokes its own keys when it ends would send one for each. */
const eventTypes = v.optional(
  v.pipe(
    v.array(
      v.picklist(EVENT_TYPES, `expected one of ${EVENT_TYPES.join(", ")}`),
      "expected a list of types of events",
    ),
    v.check((types) => types.length > 0, "expected at least one type"),
    v.check((types) => new Set(types).size === types.length, "expected each type only once"),
  ),
  EVENT_TYPES.filter((type) => type !== "key.revoked"),
);

/** `requestsPerSecond` in the long run, `burst` at one moment; the defaults are given. */
const throttleOf = (requestsPerSecond: number, burst: number) => ({
  requestsPerSecond: v.optional(whole(1, 10_000), requestsPerSecond),
  burst: v.optional(whole(1, 5_000), burst),
});

const RESERVED_MAX = 10_000;

/** So many fit into a resource policy of 8,192 bytes beside our own text. */
const CIDRS_MAX = 50;
const cidr = v.pipe(
  v.string("expected an address range such as 203.0.113.0/24"),
  v.check((range) => {
    const [address = "", bits = "", ...rest] = range.split("/");
    const family = isIP(address);
    return (
      family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
    );
  }, "expected an address range such as 203.0.113.0/24 or 2001:db8::/32"),
);

const DEFINITION_RULES = { builtIn: BUILT_IN_NAMES, loopback: false };

/** The built-in vendors and those that the configuration defines; without these where a definition is wrong. */
function vendorsIn(input: object): VendorRegistry {
  const given: unknown = "vendors" in input ? input.vendors : [];
  const parsed = v.safeParse(definitionsSchema(DEFINITION_RULES), given);
  return vendorRegistry(parsed.success ? parsed.output : []);
}

const configSchemaOf = ({ all, names }: VendorRegistry) => {
  const vendorName = v.picklist(names, `expected one of the vendors ${names.join(", ")}`);
  return v.strictObject({
    /** Name of the CloudFormation stack: with two names, two of them stand in one account. */
    stackName: v.optional(
      text(
        /^[A-Za-z][A-Za-z0-9-]{0,99}$/,
        "a letter, then letters, digits and hyphens, at most 100 characters",
      ),
      "Keybrake",
    ),
    /** First segment of every path, unless a custom domain maps it away. */
    stage: v.optional(
      text(/^[A-Za-z0-9_-]{1,128}$/, "letters, digits, hyphens and underscores, at most 128 characters"),
      "prod",
    ),
    /** Vendor -> names of its credentials. Each becomes a secret without a value, to be set by its command. */
    credentials: v.optional(
      v.pipe(
        v.record(
          vendorName,
          v.pipe(
            v.array(credentialName, "expected a list of names"),
            v.check((names) => names.length > 0, "expected at least one name"),
            v.check((names) => new Set(names).size === names.length, "expected each name only once"),
          ),
          "expected an object of lists of names",
        ),
        v.check((all) => Object.keys(all).length > 0, `expected at least one vendor: ${names.join(", ")}`),
      ),
      Object.fromEntries(all.map(({ name, defaultCredential }) => [name, [defaultCredential]])),
    ),
    /** Vendors without code: any HTTP API, by its address, credential and prices (docs/configured-vendors.md). */
    vendors: v.optional(definitionsSchema(DEFINITION_RULES), []),
    /** Vendor -> origin that replaces its own: a test server. */
    vendorOrigins: v.optional(v.record(vendorName, origin, "expected an object of origins"), {}),
    ...rateCardFields(all),
    /** Days that audit events are kept. */
    auditRetentionDays: v.optional(whole(1, AUDIT_RETENTION_DAYS_MAX), 400),
    /**
     * What each route of the vendors lets through, over every key; beyond it is 429 and nothing ran. Lower than for the
     * managing routes: a run must not take the way in from whoever stops it (docs/decisions/0035-stopping-a-run.md).
     */
    throttle: v.optional(
      v.strictObject(
        {
          ...throttleOf(500, 500),
          /** What each of the other routes lets through. */
          managing: v.optional(v.strictObject(throttleOf(1_000, 1_000), "expected an object"), {}),
        },
        "expected an object",
      ),
      {},
    ),
    /**
     * Function -> concurrent executions that are kept for it, and that it cannot exceed. None unless configured: a new
     * account has ten in all, and AWS takes no reservation that leaves too few to the rest.
     */
    reservedConcurrency: v.optional(
      v.record(
        v.picklist(KEYED, `expected one of the functions ${KEYED.join(", ")}`),
        whole(1, RESERVED_MAX),
        "expected an object of whole numbers",
      ),
      {},
    ),
    /** The account's quota of concurrent executions of Lambda in this region: an alarm rings at 80 % of it. */
    lambdaQuota: v.optional(whole(10, 1_000_000), 1_000),
    /** `all` adds alarms that tell sooner, or why, what others tell too (docs/decisions/0034-alarms.md). */
    alarms: v.optional(v.picklist(["needed", "all"], "expected needed or all"), "needed"),
    /** Who is mailed when an alarm rings; AWS asks that address to confirm. */
    alarmEmail: v.optional(email),
    /** Who is mailed in the place of `alarmEmail` when an alarm cannot wait until tomorrow. */
    pageEmail: v.optional(email),
    /** Dollars a minute above which a run (a label group) is told of by the event `spend.rate`; null: none is. */
    spendRateUsdPerMinute: v.optional(v.nullable(whole(1, 1_000_000)), 100),
    /** Who is sent the events of the deployment's event bus, by HTTPS (docs/events.md). */
    eventWebhook: v.optional(
      v.strictObject(
        {
          url: text(
            /^https:\/\/[a-z0-9.-]+(:\d+)?(\/[\w./~%-]*)?$/i,
            "https://<host>/<path> without a query: what is secret belongs into the header",
          ),
          /** The header that holds the secret. */
          header: v.optional(text(/^[A-Za-z0-9-]{1,100}$/, "the name of a header"), "Authorization"),
          /** Its whole value is this secret of Secrets Manager, which stands in no template and no output. */
          secretArn: text(
            /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+$/,
            "the ARN of a secret of Secrets Manager, in the region of the stack",
          ),
          /** Id of a channel of Slack: the webhook gets what Slack's chat.postMessage takes, and not the event itself. */
          slackChannel: v.optional(text(/^[A-Z0-9]{1,30}$/, "the id of a channel, such as C0123456789")),
          types: eventTypes,
        },
        "expected an object",
      ),
    ),
    /** Who is mailed the events; AWS asks that address to confirm. */
    eventEmail: v.optional(v.strictObject({ address: email, types: eventTypes }, "expected an object")),
    /**
     * Addresses that may issue, change and revoke keys and read the audit log; everybody unless configured. Not asked of a
     * vault key that asks about itself, nor of calls to vendors.
     */
    managingCidrs: v.optional(
      v.pipe(
        v.array(cidr, "expected a list of address ranges"),
        v.check(
          (ranges) => ranges.length > 0 && ranges.length <= CIDRS_MAX,
          `expected 1 to ${CIDRS_MAX} ranges`,
        ),
      ),
    ),
    /** ARN of a web ACL of WAF, regional, that stands before the API. */
    webAclArn: v.optional(
      text(
        /^arn:aws[a-z-]*:wafv2:[a-z0-9-]+:\d{12}:regional\/webacl\/[A-Za-z0-9_-]+\/[a-f0-9-]+$/,
        "the ARN of a regional web ACL of WAF, in the region of the stack",
      ),
    ),
    /** ARN of a symmetric KMS key of yours for tables, secrets, dead letters and alarms; keys of AWS unless configured. */
    kmsKeyArn: v.optional(
      text(
        /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[a-zA-Z0-9-]+$/,
        "the ARN of a KMS key (not of an alias), in the region of the stack",
      ),
    ),
    /** Whether CloudFormation refuses to delete the stack until that is taken off by a command. */
    terminationProtection: v.optional(v.boolean("expected true or false"), true),
    /** A host name of yours in front, which maps the stage away. */
    customDomain: v.optional(
      v.strictObject(
        {
          name: text(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, "a host name such as keybrake.example.com"),
          certificateArn,
          /** The Route 53 zone that gets the record; without one the output CustomDomainTarget says what to enter elsewhere. */
          hostedZone: v.optional(
            v.strictObject({
              id: text(/^Z[A-Z0-9]+$/, "the id of a hosted zone, such as Z0123456789ABC"),
              name: text(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, "the name of the hosted zone, such as example.com"),
            }),
          ),
        },
        "expected an object",
      ),
    ),
    /** ARN of the managed policy that every role of the stack gets as its boundary. */
    permissionsBoundaryArn: v.optional(
      text(/^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/.+$/, "the ARN of a managed policy"),
    ),
    /**
     * Access logs of API Gateway need a role that is one setting for a whole account and region: it may be there already
     * (`account-has-role`), or this stack may set it (`set-account-role`), for every other API too.
     */
    accessLogs: v.optional(
      v.picklist(
        ["off", "account-has-role", "set-account-role"],
        "expected off, account-has-role or set-account-role",
      ),
      "off",
    ),
  });
};

type ConfigSchema = ReturnType<typeof configSchemaOf>;
export type Config = v.InferOutput<ConfigSchema>;
export type ConfigInput = v.InferInput<ConfigSchema>;

/** The configuration cannot be used; the message names every wrong field and what would be accepted. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** What is told to a function stands in its environment, which holds 4 KB in all (documentation of Lambda, read 2026-11-23). */
const RATE_CARD_BYTES_MAX = 2_500;

/** Checks a configuration and fills in the defaults. `source` says in an error where it was read. */
export function parseConfig(input: unknown, source: string): Config {
  if (typeof input !== "object" || input === null || Array.isArray(input))
    throw new ConfigError(`${source} cannot be used: expected an object such as {"stage": "prod"}`);
  const schema = configSchemaOf(vendorsIn(input));
  const parsed = v.safeParse(schema, input, { abortPipeEarly: true });
  if (parsed.success) {
    const { rates, prices } = parsed.output;
    if (JSON.stringify({ rates, prices }).length <= RATE_CARD_BYTES_MAX) return parsed.output;
    throw new ConfigError(
      `${source} cannot be used:\n  prices: rates and prices are longer than ${RATE_CARD_BYTES_MAX} characters as JSON; name fewer destinations: the longest prefix decides, so one entry can cover many`,
    );
  }
  const faults = parsed.issues.map((issue) => {
    const names = (issue.path ?? []).map(({ key }) => String(key));
    const path = names.map((name) => glimpse(name, NAME_SHOWN_MAX)).join(".");
    return `  ${path}: ${names[0] === "vendors" ? definitionProblem(issue) : faultOf(issue, schema)}`;
  });
  throw new ConfigError(`${source} cannot be used:\n${faults.join("\n")}`);
}

function faultOf(issue: v.InferIssue<ConfigSchema>, { entries }: ConfigSchema): string {
  if (issue.type === "strict_object" && issue.expected === "never") {
    const isTop = issue.path?.length === 1;
    return `unknown field${isTop ? `; expected one of ${Object.keys(entries).join(", ")}` : ""}`;
  }
  if (issue.type === "strict_object" && issue.received === "undefined") return "it is missing";
  const { input } = issue;
  if (typeof input === "object" && input !== null) return issue.message;
  const got = typeof input === "string" ? JSON.stringify(glimpse(input)) : issue.received;
  return `got ${input === undefined ? "nothing" : got}; ${issue.message}`;
}

const SHOWN_MAX = 16;
/** As long as the longest of our own names. */
const NAME_SHOWN_MAX = 22;

/** Enough to find it again, too little for a secret that was put in the wrong place. */
export const glimpse = (text: string, max = SHOWN_MAX): string =>
  text.length > max ? `${text.slice(0, max)}…` : text;

/** Every credential that is configured, in the order of the vendors. */
export const credentialsOf = (
  { credentials }: Config,
  vendors: readonly string[],
): readonly { readonly vendor: string; readonly name: string }[] =>
  vendors.flatMap((vendor) => (credentials[vendor] ?? []).map((name) => ({ vendor, name })));
