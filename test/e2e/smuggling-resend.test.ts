import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { balanceOf, callRows } from "../support/keybrake.ts";
import { answer } from "../support/own-upstream.ts";
import {
  type Attempt,
  ambiguous,
  ambiguousPath,
  amountUnknown,
  type Counted,
  keysOfOthers,
  METHODS,
  notPriced,
  OVERRIDES,
  type Refused,
  refused,
  smugglerOf,
  smuggles,
} from "../support/smuggle.ts";

/**
 * Guarantees that Resend never sends more e-mails than were counted. Requests go byte for byte over a bare connection.
 */

const EMAILS = "/resend/emails";
const BATCH = "/resend/emails/batch";
const ID = "4ef9a417-02e9-4d39-ad75-9611e0fcc33c";
/** What one recipient costs here. */
const EACH = 1_000;

const email = (fields: object): object => ({ from: "a@example.org", subject: "x", text: "x", ...fields });
const USUAL = {
  target: EMAILS,
  type: "application/json",
  body: JSON.stringify(email({ to: "ann@example.com" })),
};
const smuggler = smugglerOf({
  vendor: "resend",
  credential: "re_0wnCredential0fTheTests",
  usual: USUAL,
  rateCard: { prices: { resend: { recipient: "0.001" } } },
});

const sending = (name: string, fields: object): Attempt => ({ name, body: JSON.stringify(email(fields)) });
const written = (name: string, body: string): Attempt => ({ name, body });
const batch = (name: string, emails: readonly unknown[]): Attempt => ({
  name,
  target: BATCH,
  body: JSON.stringify(emails),
});
/** A recipient that is hidden in what else would be one. */
const HIDING: readonly string[] = [
  "ann@example.com,bob@example.com",
  "ann@example.com, bob@example.com",
  "ann@example.com;bob@example.com",
  "ann@example.com bob@example.com",
  "ann@example.com\nbob@example.com",
  "ann@example.com\r\nBcc: bob@example.com",
  "ann@example.com\u0000bob@example.com",
  "ann@example.com\tbob@example.com",
  "ann@example.com\u2028bob@example.com",
  "ann@example.com\u00a0bob@example.com",
  "ann@example.com\uff0cbob@example.com",
  "ann@example.com,",
  " ann@example.com",
  "ann@example.com ",
  "team: ann@example.com, bob@example.com;",
  "team:ann@example.com;",
  "<ann@example.com><bob@example.com>",
  "<ann@example.com>,<bob@example.com>",
  "Ann <ann@example.com>, Bob <bob@example.com>",
  "Ann <ann@example.com> Bob <bob@example.com>",
  "Ann, Bob <ann@example.com>",
  '"Ann" <ann@example.com>, "Bob" <bob@example.com>',
  '"Ann <bob@example.com>, " <ann@example.com>',
  '"Ann\\" <bob@example.com>, \\"" <ann@example.com>',
  "bob@example.com <ann@example.com>",
  "Ann <ann@example.com> (bob@example.com)",
  "ann(bob@example.com)@example.com",
  "ann@example.com (, bob@example.com)",
  "Ann <ann@example.com,bob@example.com>",
  "Ann <ann@example.com\nbob@example.com>",
  "Ann\r\nBcc: bob@example.com <ann@example.com>",
  "Ann\u2028Bcc: bob <ann@example.com>",
  '"ann@example.com,bob"@example.com',
  '"ann bob"@example.com',
  "ann%bob@example.com",
  "@relay.example:ann@example.com",
  "bob!ann@example.com",
  "ann@[127.0.0.1]",
  "ann@localhost",
  "ann@example..com",
  "ann@example.com.",
  "ann@exämple.com",
  "änn@example.com",
  "ann＠example.com",
  "ann@example.com@example.org",
  "mailto:ann@example.com",
  "mailto:ann@example.com?bcc=bob@example.com",
  "=?utf-8?q?ann=40example=2Ecom=2Cbob?=@example.com",
  "=?utf-8?q?=61nn=40example=2Enet=3E=00?=foo@example.com",
  "=?utf-8?q?Bob_=3Cbob=40example=2Ecom=3E=2C?= <ann@example.com>",
  "Ann <=?utf-8?b?Ym9iQGV4YW1wbGUuY29tLA==?=@example.com>",
  "\ufeffann@example.com",
  "ann\u200b@example.com",
  "everyone",
  "<>",
  "",
  "{{contacts}}",
];

const RECIPIENTS: readonly Refused[] = [
  ...HIDING.map((to) => ambiguous(`to is ${JSON.stringify(to)}`, sending("", { to }))),
  ...HIDING.slice(0, 12).map((to) =>
    ambiguous(`to has ${JSON.stringify(to)}`, sending("", { to: ["ann@example.com", to] })),
  ),
  ...(["cc", "bcc"] as const).flatMap((field) =>
    HIDING.slice(0, 8).map((hidden) =>
      ambiguous(
        `${field} is ${JSON.stringify(hidden)}`,
        sending("", { to: "ann@example.com", [field]: hidden }),
      ),
    ),
  ),
  ...[
    ["an object", { email: "ann@example.com" }],
    ["a list of objects", [{ email: "ann@example.com" }]],
    ["a list in a list", [["ann@example.com", "bob@example.com"]]],
    ["a number", 1],
    ["true", true],
    ["a list with null", ["ann@example.com", null]],
  ].map(([name, to]) => ambiguous(`to is ${name}`, sending("", { to }))),
  ...[
    ["cc is an object", { cc: { 0: "bob@example.com" } }],
    ["bcc is a number", { bcc: 1 }],
    ["bcc is false", { bcc: false }],
  ].map(([name, fields]) =>
    ambiguous(name as string, sending("", { to: "ann@example.com", ...(fields as object) })),
  ),
  amountUnknown("no to", sending("", {})),
  amountUnknown("to is null", sending("", { to: null })),
  amountUnknown("to is an empty list", sending("", { to: [] })),
  amountUnknown("no to, but bcc", sending("", { bcc: ["ann@example.com"] })),
  amountUnknown(
    "to has 51 addresses",
    sending("", { to: Array.from({ length: 51 }, (_, at) => `a${at}@example.com`) }),
  ),
  ...[
    "To",
    "TO",
    "Bcc",
    "BCC",
    "Cc",
    "to ",
    " to",
    "to[]",
    "recipients",
    "recipient",
    "toAddresses",
    "to_addresses",
    "envelope",
    "audience_id",
    "audienceId",
    "segment_id",
    "broadcast_id",
    "contact_id",
    "reply-to",
    "replyTo",
    "scheduledAt",
    "personalizations",
    "react",
    "constructor",
    "toString",
    "t\u043e",
    "bcc\u0000",
  ].map((field) =>
    notPriced(
      `a field ${JSON.stringify(field)}`,
      sending("", { to: "ann@example.com", [field]: ["bob@example.com"] }),
    ),
  ),
  ...["Bcc", "bcc", "BCC", "To", "Cc", "Resent-To", "resent-bcc", "Apparently-To"].map((name) =>
    ambiguous(
      `headers with ${name}`,
      sending("", { to: "ann@example.com", headers: { [name]: "bob@example.com" } }),
    ),
  ),
  ...["Bcc ", " Bcc", "Bcc:", "X\r\nBcc", "X-A\nBcc", "Bc\u0441", "X Bcc", "", "X:Y"].map((name) =>
    ambiguous(
      `headers with the name ${JSON.stringify(name)}`,
      sending("", { to: "ann@example.com", headers: { [name]: "bob@example.com" } }),
    ),
  ),
  ...[
    "x\r\nBcc: bob@example.com",
    "x\nBcc: bob@example.com",
    "x\rBcc: bob@example.com",
    "x\u0000",
    "x\u2028Bcc: b",
    "x\u0085Bcc: b",
  ].map((value) =>
    ambiguous(
      `headers with the value ${JSON.stringify(value)}`,
      sending("", { to: "ann@example.com", headers: { "X-A": value } }),
    ),
  ),
  ambiguous("headers with a list", sending("", { to: "ann@example.com", headers: { "X-A": ["a", "b"] } })),
  ambiguous(
    "headers as a list",
    sending("", { to: "ann@example.com", headers: [{ name: "Bcc", value: "bob@example.com" }] }),
  ),
  ambiguous("headers as a text", sending("", { to: "ann@example.com", headers: "Bcc: bob@example.com" })),
  ambiguous(
    "a subject with a header",
    sending("", { to: "ann@example.com", subject: "x\r\nBcc: bob@example.com" }),
  ),
  ambiguous(
    "a sender with a header",
    sending("", { to: "ann@example.com", from: "a@example.org\nBcc: bob@example.com" }),
  ),
  ambiguous(
    "an answer's address with a header",
    sending("", { to: "ann@example.com", reply_to: ["a@example.org\r\nBcc: b@c.de"] }),
  ),
  ambiguous(
    "a tag with a header",
    sending("", { to: "ann@example.com", tags: [{ name: "a", value: "x\nBcc: b@c.de" }] }),
  ),
  ambiguous(
    "a file's name with a header",
    sending("", { to: "ann@example.com", attachments: [{ filename: "a\r\nBcc: b@c.de", content: "eA==" }] }),
  ),
];

const NAMED = '"from":"a@example.org","subject":"x","text":"x"';
const BODIES: readonly Refused[] = [
  ambiguous(
    "to twice",
    written("", `{"to":"ann@example.com",${NAMED},"to":["bob@example.com","cem@example.com"]}`),
  ),
  ambiguous(
    "to twice, one of them escaped",
    written("", `{"to":"ann@example.com",${NAMED},"\\u0074o":["bob@example.com"]}`),
  ),
  ambiguous(
    "bcc twice",
    written("", `{"to":"ann@example.com",${NAMED},"bcc":["bob@example.com"],"bcc":null}`),
  ),
  ambiguous(
    "a header twice",
    written("", `{"to":"ann@example.com",${NAMED},"headers":{"X-A":"x","X-A":"y"}}`),
  ),
  ambiguous(
    "__proto__",
    written("", `{${NAMED},"__proto__":{"to":"ann@example.com"},"to":"ann@example.com"}`),
  ),
  ambiguous(
    "__proto__ twice",
    written("", `{${NAMED},"__proto__":{"bcc":["b@c.de"]},"__proto__":{},"to":"ann@example.com"}`),
  ),
  ambiguous(
    "__proto__ escaped, inside",
    written("", `{${NAMED},"to":"ann@example.com","headers":{"\\u005f_proto__":{"Bcc":"b@c.de"}}}`),
  ),
  ambiguous(
    "a value behind the value",
    written("", `{"to":"ann@example.com",${NAMED}}{"to":"bob@example.com"}`),
  ),
  ambiguous(
    "a line of another value",
    written("", `{"to":"ann@example.com",${NAMED}}\n{"to":"bob@example.com",${NAMED}}`),
  ),
  ambiguous("a NUL after the value", written("", `{"to":"ann@example.com",${NAMED}}\u0000`)),
  ambiguous("a comment", written("", `{"to":"ann@example.com",/*"bcc":"b@c.de",*/${NAMED}}`)),
  ambiguous("a comma at the end", written("", `{"to":"ann@example.com",${NAMED},}`)),
  ambiguous("quotes of another kind", written("", `{'to':'ann@example.com'}`)),
  ambiguous("names without quotes", written("", "{to:[1]}")),
  ambiguous("a byte order mark", written("", `\uFEFF{"to":"ann@example.com",${NAMED}}`)),
  ambiguous("UTF-16", { body: Buffer.from(USUAL.body, "utf16le") }),
  ambiguous("UTF-16 with its mark", { body: Buffer.from(`\uFEFF${USUAL.body}`, "utf16le") }),
  ambiguous("bytes that are no UTF-8", {
    body: Buffer.concat([Buffer.from('{"to":"'), Buffer.from([0xff]), Buffer.from('"}')]),
  }),
  ambiguous("an overlong quote", {
    body: Buffer.concat([Buffer.from('{"to":"a'), Buffer.from([0xc0, 0xa2]), Buffer.from('"}')]),
  }),
  ambiguous("a body of nothing", { body: "" }),
  ambiguous("a body of spaces", { body: "   " }),
  ambiguous("a text", written("", '"ann@example.com"')),
  ambiguous("null", written("", "null")),
  ambiguous("a list at the path of one e-mail", written("", `[${USUAL.body},${USUAL.body}]`)),
  ambiguous(
    "too many levels",
    written("", `{"to":"ann@example.com",${NAMED},"tags":${"[".repeat(30)}${"]".repeat(30)}}`),
  ),
  ambiguous("a form", {
    type: "application/x-www-form-urlencoded",
    body: "to=ann@example.com&bcc=bob@example.com",
  }),
  ambiguous("a form that is called JSON", { body: "to=ann@example.com&bcc=bob@example.com" }),
  ambiguous("JSON that is called a form", { type: "application/x-www-form-urlencoded" }),
  ambiguous("JSON that is called text", { type: "text/plain" }),
  ambiguous("JSON of another kind", { type: "application/vnd.api+json" }),
  ambiguous("no type", { type: null }),
  ambiguous("two types", { headers: ["Content-Type: application/x-www-form-urlencoded"] }),
  ambiguous("a list of types", { type: "application/json, text/plain" }),
  ambiguous("another charset", { type: "application/json; charset=utf-7" }),
  ambiguous("a multipart body", {
    type: "multipart/form-data; boundary=x",
    body: '--x\r\nContent-Disposition: form-data; name="to"\r\n\r\nann@example.com\r\n--x--\r\n',
  }),
  ambiguous("a compressed body", { headers: ["Content-Encoding: gzip"], body: gzipSync(USUAL.body) }),
  ambiguous("a body that is called compressed", { headers: ["Content-Encoding: identity"] }),
  ambiguous("a query beside the body", { target: `${EMAILS}?bcc=bob@example.com` }),
  ambiguous("a query of one name", { target: `${BATCH}?x`, body: `[${USUAL.body}]` }),
  ambiguous("a body on a GET", { method: "GET" }),
  ambiguous("a body on a GET of another path", { method: "GET", target: `/resend/emails/${ID}`, body: "[]" }),
  ambiguous("a query that is not known", {
    method: "GET",
    target: `${EMAILS}?_method=POST`,
    body: "",
    type: null,
  }),
  ambiguous("a parameter twice", {
    method: "GET",
    target: `${EMAILS}?limit=1&limit=2`,
    body: "",
    type: null,
  }),
];

const one = email({ to: "ann@example.com" });
const BATCHES: readonly Refused[] = [
  ambiguous("an object", { target: BATCH }),
  ambiguous("an object of e-mails", { target: BATCH, body: JSON.stringify({ 0: one, 1: one }) }),
  ambiguous("an object with a list", { target: BATCH, body: JSON.stringify({ emails: [one] }) }),
  ambiguous("a list in a list", batch("", [[one, one]])),
  ambiguous("null among e-mails", batch("", [one, null])),
  ambiguous("a text among e-mails", batch("", [one, "bob@example.com"])),
  ambiguous(
    "a hidden recipient in the last",
    batch("", [one, email({ to: "ann@example.com,bob@example.com" })]),
  ),
  ambiguous(
    "a header with a recipient in the last",
    batch("", [one, email({ to: "ann@example.com", headers: { bcc: "b@c.de" } })]),
  ),
  ambiguous("to twice in the last", {
    target: BATCH,
    body: `[${USUAL.body},{"to":"a@b.co",${NAMED},"to":"c@d.co"}]`,
  }),
  notPriced("BCC in the last", batch("", [one, email({ to: "ann@example.com", BCC: ["bob@example.com"] })])),
  amountUnknown("nothing", batch("", [])),
  amountUnknown(
    "101 e-mails",
    batch(
      "",
      Array.from({ length: 101 }, () => one),
    ),
  ),
  amountUnknown("an e-mail without to", batch("", [one, email({})])),
  amountUnknown("an e-mail to nobody", batch("", [one, email({ to: [] })])),
  amountUnknown("an empty object among e-mails", batch("", [one, {}])),
];

const HEADERS: readonly Refused[] = [
  ...OVERRIDES,
  ...["lenient", "", "Strict", "PERMISSIVE", "strict, permissive", "permissive;q=1"].map((mode) =>
    ambiguous(`x-batch-validation: ${mode}`, {
      target: BATCH,
      body: `[${USUAL.body}]`,
      headers: [`x-batch-validation: ${mode}`],
    }),
  ),
  ambiguous("two of x-batch-validation", {
    target: BATCH,
    body: `[${USUAL.body}]`,
    headers: ["x-batch-validation: strict", "X-Batch-Validation: permissive"],
  }),
  ambiguous("two idempotency keys", { headers: ["Idempotency-Key: a", "Idempotency-Key: b"] }),
  ambiguous("two equal idempotency keys", { headers: ["Idempotency-Key: a", "idempotency-key: a"] }),
  ambiguous("an empty idempotency key", { headers: ["Idempotency-Key:"] }),
  ambiguous("an idempotency key of spaces", { headers: ["Idempotency-Key:   "] }),
  ambiguous("an idempotency key of 257 characters", { headers: [`Idempotency-Key: ${"k".repeat(257)}`] }),
];

const PATHS: readonly Refused[] = [
  ...[
    "/resend/Emails",
    "/resend/EMAILS/batch",
    "/resend/emails/Batch",
    "/resend/emails/batch/send",
    "/resend/emails/batch.json",
    "/resend/email",
    "/resend/v1/emails",
    "/resend/resend/emails",
    "/RESEND/emails",
    "/resend/api.resend.com/emails",
    `/resend/emails/${ID}/send`,
    `/resend/emails/${ID}/resend`,
    `/resend/emails/${ID}/forward`,
    `/resend/emails/${ID}/share`,
    `/resend/emails/${ID}`,
    "/resend/broadcasts",
    `/resend/broadcasts/${ID}/send`,
    "/resend/automations",
    `/resend/automations/${ID}/runs`,
    "/resend/events",
    "/resend/events/send",
    "/resend/audiences",
    `/resend/audiences/${ID}/contacts`,
    "/resend/contacts",
    "/resend/contacts/imports",
    "/resend/segments",
    "/resend/topics",
    "/resend/templates",
    `/resend/templates/${ID}/publish`,
    "/resend/domains",
    `/resend/domains/${ID}/verify`,
    "/resend/api-keys",
    "/resend/webhooks",
    "/resend/oauth/grants",
    "/resend/inboxes",
    "/resend/logs",
    "/resend/suppressions",
    "/resend/usage",
    "/resend/emails,",
    "/resend/emails:send",
    "/resend/emails&to=x",
    "/v1/payment_intents",
    "/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json",
  ].map((target) => notPriced(target, { target })),
  ...[
    "/resend//emails",
    "//resend/emails",
    "/resend/emails//batch",
    "/resend/emails//",
    "/resend/emails/./batch",
    "/resend/emails/../broadcasts",
    `/resend/emails/${ID}/../../broadcasts/${ID}/send`,
    "/resend/domains/../emails",
    "/resend/emails%2Fbatch",
    "/resend/%65mails",
    "/resend/emails%20",
    "/resend/emails%00",
    "/resend/emails%3Fx",
    "/resend/emails;x",
    "/resend/emails\\batch",
    "/resend/emails#x",
    `/resend/emails/${ID}%2Fcancel`,
  ].map((target) => ambiguousPath(target)),
];

const RESCHEDULE = { method: "PATCH", target: `/resend/emails/${ID}` };
const FREE_WRITES: readonly Refused[] = [
  notPriced("a new recipient beside the time", {
    ...RESCHEDULE,
    body: '{"scheduled_at":"in 1 hour","to":"bob@example.com"}',
  }),
  notPriced("bcc beside the time", {
    ...RESCHEDULE,
    body: '{"scheduled_at":"in 1 hour","bcc":["bob@example.com"]}',
  }),
  ambiguous("another e-mail than that of the path", {
    ...RESCHEDULE,
    body: '{"scheduled_at":"in 1 hour","id":"x1"}',
  }),
  ambiguous("no time", { ...RESCHEDULE, body: "{}" }),
  ambiguous("a time that is an object", { ...RESCHEDULE, body: '{"scheduled_at":{"to":"bob@example.com"}}' }),
  ambiguous("a time twice", { ...RESCHEDULE, body: '{"scheduled_at":"a","scheduled_at":"b"}' }),
  ambiguous("a list", { ...RESCHEDULE, body: "[]" }),
  ambiguous("a cancellation with a body", {
    target: `/resend/emails/${ID}/cancel`,
    body: '{"to":"bob@example.com"}',
  }),
  ambiguous("a cancellation with a query", {
    target: `/resend/emails/${ID}/cancel?x=1`,
    body: "",
    type: null,
  }),
];

const LIMITED = { allowed_recipients: ["example.com", "Cem@example.org"] };
const limited = (name: string, attempt: Attempt): Refused =>
  refused(name, 403, "recipient_not_allowed", { ...attempt, key: LIMITED });
const tooMany = (name: string, attempt: Attempt): Refused =>
  refused(name, 403, "too_many_recipients", { ...attempt, key: { max_recipients: 2 } });
const LIMITS: readonly Refused[] = [
  limited("another domain", sending("", { to: "ann@example.net" })),
  limited("a domain below", sending("", { to: "ann@mail.example.com" })),
  limited("a domain that ends like it", sending("", { to: "ann@notexample.com" })),
  limited("a domain that begins like it", sending("", { to: "ann@example.com.evil.net" })),
  limited(
    "another domain whose name is the allowed one",
    sending("", { to: "ann@example.com <ann@example.net>".replace("ann@example.com", "example.com") }),
  ),
  limited("a part before the at that is the allowed domain", sending("", { to: "example.com@example.net" })),
  limited("the allowed address with a plus", sending("", { to: "Cem+x@example.org" })),
  limited("the allowed address with a dot", sending("", { to: "C.em@example.org" })),
  limited(
    "the allowed address in another case, which could be another mailbox",
    sending("", { to: "cem@example.org" }),
  ),
  limited("another one in cc", sending("", { to: "ann@example.com", cc: "ann@example.net" })),
  limited(
    "another one in bcc",
    sending("", { to: "ann@example.com", bcc: ["bob@example.com", "ann@example.net"] }),
  ),
  limited("another one behind a name", sending("", { to: ["Ann <ann@example.net>"] })),
  limited(
    "another one in the last e-mail of a batch",
    batch("", [one, one, email({ to: "ann@example.net" })]),
  ),
  tooMany("three in to", sending("", { to: ["a@b.co", "c@b.co", "d@b.co"] })),
  tooMany("one in each field", sending("", { to: "a@b.co", cc: "c@b.co", bcc: "d@b.co" })),
  tooMany("one three times", sending("", { to: ["a@b.co", "a@b.co", "A@b.co"] })),
  tooMany("one in each e-mail of a batch", batch("", [one, one, one])),
  refused("a batch of a key that may send single ones", 403, "endpoint_not_allowed", {
    ...batch("", [one]),
    key: { allowed_endpoints: ["POST /emails"] },
  }),
];

const sent = (attempt: Attempt, recipients: number, reaches = "/emails"): Counted => ({
  ...attempt,
  microUsd: recipients * EACH,
  reaches,
});
const fifty = Array.from({ length: 50 }, (_, at) => `a${at}@example.com`);
const COUNTED: readonly Counted[] = [
  sent(sending("one recipient", { to: "ann@example.com" }), 1),
  sent(sending("one in each field", { to: "a@b.co", cc: "c@b.co", bcc: ["d@b.co", "e@b.co"] }), 4),
  sent(
    sending("one recipient five times", {
      to: ["a@b.co", "a@b.co"],
      cc: "a@b.co",
      bcc: ["a@b.co", "A@B.CO"],
    }),
    5,
  ),
  sent(sending("fifty in each field", { to: fifty, cc: fifty, bcc: fifty }), 150),
  sent(
    sending("names with signs in quotes", {
      to: ['"Ann, Bob; Cem" <ann@example.com>', "Dörte <d@example.com>"],
    }),
    2,
  ),
  sent(sending("no cc and an empty bcc", { to: "a@b.co", cc: null, bcc: [] }), 1),
  sent(
    sending("an address of an answer, which is no recipient", {
      to: "a@b.co",
      reply_to: ["b@b.co", "c@b.co"],
    }),
    1,
  ),
  sent(
    sending("a template", {
      to: ["a@b.co", "b@b.co"],
      template: { id: "welcome", variables: { bcc: "x@y.zz" } },
    }),
    2,
  ),
  sent(sending("for later", { to: "a@b.co", scheduled_at: "in 1 hour" }), 1),
  sent(
    sending("recipients in the text", { to: "a@b.co", text: "Bcc: b@b.co\r\n\r\n.\r\nRCPT TO:<c@b.co>\r\n" }),
    1,
  ),
  sent(written("a field whose name is escaped", `{"\\u0074o":["a@b.co","b@b.co"],${NAMED}}`), 2),
  sent(
    written(
      "a text with colons and brackets",
      `{"to":"a@b.co",${NAMED.replace('"text":"x"', '"text":"{\\"to\\":[]} \\\\"')}}`,
    ),
    1,
  ),
  sent({ ...sending("a type with a charset", { to: "a@b.co" }), type: "application/json; charset=UTF-8" }, 1),
  sent({ name: "at the root", target: "/emails" }, 1),
  sent({ name: "a slash at the end, which the gateway takes off", target: "/resend/emails/" }, 1),
  sent(
    {
      name: "chunks",
      length: null,
      headers: ["Transfer-Encoding: chunked"],
      body: `${USUAL.body.length.toString(16)}\r\n${USUAL.body}\r\n0\r\n\r\n`,
    },
    1,
  ),
];

const BATCHES_COUNTED: readonly Counted[] = [
  sent(batch("one e-mail", [one]), 1, "/emails/batch"),
  sent(
    batch(
      "a hundred",
      Array.from({ length: 100 }, () => one),
    ),
    100,
    "/emails/batch",
  ),
  sent(batch("hidden copies", [email({ to: "a@b.co", bcc: fifty }), one]), 52, "/emails/batch"),
  sent({ ...batch("at the root", [one, one]), target: "/emails/batch" }, 2, "/emails/batch"),
  sent({ ...batch("a slash at the end", [one, one]), target: "/resend/emails/batch/" }, 2, "/emails/batch"),
  sent(
    { ...batch("permissive", [one, one]), headers: ["x-batch-validation: permissive"] },
    2,
    "/emails/batch",
  ),
];

const PASSED_BY: readonly Counted[] = [
  "X-Forwarded-Host: evil.example",
  "X-Original-URL: /broadcasts",
  "X-Rewrite-URL: /broadcasts",
  "X-Resend-Team: another",
  "Cookie: token=x",
  "Stripe-Account: acct_1",
].map((line) => sent({ name: `the header ${line}`, headers: [line] }, 1));

smuggles(smuggler, {
  refused: {
    "a recipient": RECIPIENTS,
    "a body": BODIES,
    "a batch": BATCHES,
    "a header": HEADERS,
    "a method": METHODS,
    "a path": PATHS,
    "a change of an e-mail": FREE_WRITES,
    "a limit inside a call": LIMITS,
    "a key": keysOfOthers({ vendor: "resend", target: USUAL.target }, ["stripe", "twilio"]),
  },
  counted: {
    "an e-mail": COUNTED,
    "a batch": BATCHES_COUNTED,
    "a header that stays here": PASSED_BY,
  },
});

const OK = answer(200, { id: ID });
const again = (keys: readonly [string, string], targets: readonly [string, string]) =>
  keys.map((line, index) => ({ headers: [`Idempotency-Key: ${line}`], target: targets[index] ?? EMAILS }));

test.each([
  ["one idempotency key on the two paths", again(["k1", "k1"], [EMAILS, BATCH])],
  ["one idempotency key in two cases", again(["k2", "K2"], [EMAILS, EMAILS])],
  [
    "idempotency keys that differ by a letter that looks the same",
    again(["k3", "k\u00b3"], [EMAILS, EMAILS]),
  ],
  ["idempotency keys that differ by a space inside", again(["k 4", "k  4"], [EMAILS, EMAILS])],
  ["no idempotency key", [{ target: EMAILS }, { target: EMAILS }]],
])("%s: both are counted", async (_, requests) => {
  const { upstream, run } = smuggler;
  const key = await smuggler.issue();
  upstream.forget();
  upstream.next(OK, answer(200, { data: [{ id: "b1" }] }));

  for (const { target, ...request } of requests) {
    const body = target === BATCH ? `[${USUAL.body}]` : USUAL.body;
    expect((await smuggler.send(key, { target, body, ...request })).status).toBe(200);
  }

  expect(upstream.requests).toHaveLength(2);
  expect((await balanceOf(run, key)).spent * 10_000).toBeCloseTo(2 * EACH);
});

test.each([
  ["refused", answer(422, { statusCode: 422, name: "validation_error", message: "x" })],
  ["limited", answer(429, { statusCode: 429, name: "rate_limit_exceeded", message: "x" })],
])(
  "a call that Resend has %s first is counted once it is sent under the same idempotency key",
  async (_, first) => {
    const { upstream, run } = smuggler;
    const key = await smuggler.issue();
    upstream.forget();
    upstream.next(first, answer(200, { data: [{ id: "b1" }], errors: [{ index: 1, message: "x" }] }));
    const request = { target: BATCH, body: JSON.stringify([one, one]), headers: ["Idempotency-Key: mode"] };

    await smuggler.send(key, request);
    expect((await balanceOf(run, key)).spent).toBe(0);
    await smuggler.send(key, { ...request, headers: [...request.headers, "x-batch-validation: permissive"] });

    expect(upstream.requests).toHaveLength(2);
    expect((await balanceOf(run, key)).spent * 10_000).toBeCloseTo(EACH);
  },
);

test("one idempotency key under two vault keys is counted on each", async () => {
  const { upstream, run } = smuggler;
  const keys = [await smuggler.issue(), await smuggler.issue()] as const;
  upstream.forget();
  upstream.next(OK, OK);

  for (const key of keys) await smuggler.send(key, { headers: ["Idempotency-Key: shared"] });

  expect(upstream.requests).toHaveLength(2);
  for (const key of keys) {
    expect((await balanceOf(run, key)).spent * 10_000).toBeCloseTo(EACH);
    expect(await callRows(run, key)).toHaveLength(1);
  }
});

test("a batch costs less than all of it only where Resend tells of each e-mail what became of it", async () => {
  const { upstream, run } = smuggler;
  const key = await smuggler.issue();
  const request = { target: BATCH, body: JSON.stringify([one, email({ to: fifty })]) };
  const permissive = { ...request, headers: ["x-batch-validation: permissive"] };
  const [b1, failed] = [{ id: "b1" }, { index: 1, message: "x" }];
  const table: readonly (readonly [object, object, number])[] = [
    [request, { data: [] }, 51],
    [request, { data: [b1] }, 51],
    [request, { data: [b1], errors: [failed] }, 51],
    [request, { data: "none" }, 51],
    [request, {}, 51],
    [permissive, { data: [] }, 51],
    [permissive, { data: [b1] }, 51],
    [permissive, { data: [{}, {}, {}] }, 51],
    [permissive, { data: [b1], errors: [failed] }, 50],
    [permissive, { data: [], errors: [failed, { index: 0, message: "x" }] }, 0],
  ];
  for (const [sent, body, emails] of table) {
    upstream.forget();
    upstream.next(answer(200, body));
    const before = (await balanceOf(run, key)).spent;
    await smuggler.send(key, sent);
    const cost = Math.round(((await balanceOf(run, key)).spent - before) * 10_000);
    expect(cost, JSON.stringify(body)).toBe(emails * EACH);
  }
});
