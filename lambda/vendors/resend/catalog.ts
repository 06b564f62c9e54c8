import { Problem } from "../../domain/problem.ts";
import { isJsonObject } from "../../domain/strict-json.ts";
import type { Endpoint, FreeRule, PricedRule, VendorRequest } from "../../domain/vendor.ts";
import { ambiguous } from "../form.ts";
import { readJson } from "../json-body.ts";
import { readBatch, readEmail } from "./answers.ts";
import { quoteBatch, quoteEmail, unlisted } from "./emails.ts";

/** Every endpoint of Resend that is known: priced, free, or denied for a reason. The first entry that fits counts. */

const HOUR_MS = 3_600_000;

/** Answered again for 24 hours without sending again. resend.com/docs/dashboard/emails/idempotency-keys, read 2026-11-22. */
const KEPT_24_HOURS = { windowMs: 24 * HOUR_MS, rerunsFailures: false };

const send = (quote: PricedRule["quote"], read: PricedRule["read"]): PricedRule => ({
  kind: "priced",
  idempotency: KEPT_24_HOURS,
  quote,
  read,
});

/** The parameters of queries that only read. */
const READ_PARAMETERS = [
  "after",
  "before",
  "broadcast_id",
  "dimensions",
  "domain_id",
  "email_id",
  "end_date",
  "granularity",
  "html_format",
  "limit",
  "metrics",
  "origin",
  "segment_id",
  "start_date",
  "status",
  "timezone",
] as const;

const readable = ({ query }: VendorRequest): Problem | null => {
  const parameters: readonly string[] = READ_PARAMETERS;
  const wrong = Object.entries(query).find(
    ([name, values]) => !parameters.includes(name) || values.length !== 1,
  );
  if (wrong === undefined) return null;
  return new Problem(
    "ambiguous_request",
    `${JSON.stringify(wrong[0].slice(0, 40))} is no parameter of a query that is known here, or stands there twice; accepted are ${READ_PARAMETERS.join(", ")}`,
  );
};

/** No body, or the empty object that resend-python sends with everything. */
const bodiless = ({ body }: VendorRequest): Problem | null =>
  body.length === 0 || new TextDecoder().decode(body) === "{}"
    ? null
    : ambiguous("it has a body where none is expected; leave it out");

const withoutQuery = ({ query }: VendorRequest): Problem | null =>
  Object.keys(query).length === 0 ? null : ambiguous("it has a query where none is expected; leave it out");

const read: FreeRule = { kind: "free", check: (request) => readable(request) ?? bodiless(request) };
const cancel: FreeRule = { kind: "free", check: (request) => withoutQuery(request) ?? bodiless(request) };

/** Moves a scheduled e-mail to another time: it was counted when it was made. resend-python repeats its id in the body. */
const reschedule: FreeRule = {
  kind: "free",
  check: (request) => {
    const body = readJson(request);
    if (body instanceof Problem) return body;
    if (!isJsonObject(body.value)) return ambiguous("its body is no object");
    const { value } = body;
    const problem = unlisted(value, ["scheduled_at", "id"]);
    if (problem !== null) return problem;
    if ("id" in value && value["id"] !== request.path.split("/")[2])
      return ambiguous("its body names another e-mail than its path");
    return typeof value["scheduled_at"] === "string" ? null : ambiguous("scheduled_at is no text");
  },
};

const get = (path: string): Endpoint => ({ method: "GET", path, rule: read });

/** Everything at a path and below it, but for what an earlier entry allows. */
const denied = (path: string, reason: string): readonly Endpoint[] =>
  [path, `${path}/**`].map((at) => ({ method: "ANY", path: at, rule: { kind: "denied", reason } }));

const STORED_CONTACTS =
  "contacts are billed for as long as they are stored, which no price of one call bounds";

export const catalog: readonly Endpoint[] = [
  { method: "POST", path: "/emails", rule: send(quoteEmail, readEmail) },
  { method: "POST", path: "/emails/batch", rule: send(quoteBatch, readBatch) },
  get("/emails"),
  get("/emails/metrics"),
  get("/emails/receiving"),
  get("/emails/receiving/{id}"),
  get("/emails/receiving/{id}/attachments"),
  get("/emails/receiving/{id}/attachments/{id}"),
  get("/emails/{id}"),
  get("/emails/{id}/attachments"),
  get("/emails/{id}/attachments/{id}"),
  { method: "PATCH", path: "/emails/{id}", rule: reschedule },
  { method: "POST", path: "/emails/{id}/cancel", rule: cancel },
  ...denied("/emails/{id}/share", "it makes a link under which anybody can read the e-mail"),

  // What a domain shows are records that stand in the public DNS.
  get("/domains"),
  get("/domains/{id}"),
  ...denied("/domains", "a domain decides in whose name this account sends; change it in Resend's dashboard"),

  get("/contacts"),
  get("/contacts/imports"),
  get("/contacts/imports/{id}"),
  get("/contacts/{contact}"),
  get("/contacts/{contact}/segments"),
  get("/contacts/{contact}/topics"),
  ...denied("/contacts", STORED_CONTACTS),
  get("/audiences"),
  get("/audiences/{id}"),
  get("/audiences/{id}/contacts"),
  get("/audiences/{id}/contacts/{contact}"),
  ...denied("/audiences", STORED_CONTACTS),
  get("/segments"),
  get("/segments/{id}"),
  get("/segments/{id}/contacts"),
  ...denied("/segments", "a segment decides whom broadcasts reach; change it in Resend's dashboard"),
  get("/contact-properties"),
  get("/contact-properties/{id}"),
  ...denied(
    "/contact-properties",
    "a property belongs to every stored contact; change it in Resend's dashboard",
  ),
  get("/topics"),
  get("/topics/{id}"),
  ...denied("/topics", "a topic decides which e-mails contacts get; change it in Resend's dashboard"),
  get("/templates"),
  get("/templates/{template}"),
  ...denied(
    "/templates",
    "a template is what others send with this account too; change it in Resend's dashboard",
  ),
  get("/suppressions"),
  get("/suppressions/{contact}"),
  ...denied("/suppressions", "it decides whom this account can reach; change it in Resend's dashboard"),
  get("/usage"),

  ...denied(
    "/broadcasts",
    "a broadcast goes to a whole segment, so what it costs is not known before; send with POST /emails or POST /emails/batch",
  ),
  ...denied("/automations", "an automation sends e-mails by itself, past every cap"),
  ...denied("/events", "an event starts automations, and how many e-mails they send is not known here"),
  ...denied("/inboxes", "an inbox sends replies and forwards to recipients that a request does not name"),
  ...denied("/api-keys", "it makes or changes credentials of this account"),
  ...denied("/oauth", "it shows or ends who may act for this account"),
  ...denied(
    "/webhooks",
    "its answers hold a signing secret, and it tells others what this account sends and receives",
  ),
  ...denied("/logs", "a log holds the requests and answers of everybody who uses this account"),
];
