import { Problem } from "../../domain/problem.ts";
import { isJsonObject } from "../../domain/strict-json.ts";
import type { Endpoint, FreeRule, PricedRule, VendorRequest } from "../../domain/vendor.ts";
import { ambiguous } from "../form.ts";
import { readJson } from "../json-body.ts";
import { readBatch, readEmail } from "./answers.ts";
import { quoteBatch, quoteEmail, unlisted } from "./emails.ts";

/** Every known endpoint of Resend: priced, free, or denied with a reason. The first entry that matches counts. */

const HOUR_MS = 3_600_000;

/**
 * Resend repeats its answer for 24 hours and does not send again. resend.com/docs/dashboard/emails/idempotency-keys,
 * read 2026-11-22.
 */
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
    `${JSON.stringify(wrong[0].slice(0, 40))}: unknown query parameter, or one that is named twice; expected ${READ_PARAMETERS.join(", ")}`,
  );
};

/** No body, or the empty object that resend-python sends with every request. */
const bodiless = ({ body }: VendorRequest): Problem | null =>
  body.length === 0 || new TextDecoder().decode(body) === "{}"
    ? null
    : ambiguous("it has a body where none is expected; leave it out");

const withoutQuery = ({ query }: VendorRequest): Problem | null =>
  Object.keys(query).length === 0
    ? null
    : ambiguous("it has a query string where none is expected; leave it out");

const read: FreeRule = { kind: "free", check: (request) => readable(request) ?? bodiless(request) };
const cancel: FreeRule = { kind: "free", check: (request) => withoutQuery(request) ?? bodiless(request) };

/**
 * Moves a scheduled e-mail to another time. It was counted when it was created. resend-python repeats its id in the
 * body.
 */
const reschedule: FreeRule = {
  kind: "free",
  check: (request) => {
    const body = readJson(request);
    if (body instanceof Problem) return body;
    if (!isJsonObject(body.value)) return new Problem("ambiguous_request", "the body must be a JSON object");
    const { value } = body;
    const problem = unlisted(value, ["scheduled_at", "id"]);
    if (problem !== null) return problem;
    if ("id" in value && value["id"] !== request.path.split("/")[2])
      return ambiguous("the body names another e-mail than the path");
    return typeof value["scheduled_at"] === "string"
      ? null
      : new Problem("ambiguous_request", "scheduled_at: expected a string, such as 2026-12-01T09:00:00Z");
  },
};

const get = (path: string): Endpoint => ({ method: "GET", path, rule: read });

/** Everything at a path and below it, except what an earlier entry allows. */
const denied = (path: string, reason: string): readonly Endpoint[] =>
  [path, `${path}/**`].map((at) => ({ method: "ANY", path: at, rule: { kind: "denied", reason } }));

const STORED_CONTACTS = "contacts are billed for as long as they are stored, so one call has no bounded cost";

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
  ...denied("/emails/{id}/share", "it creates a public link to the e-mail"),

  // What a domain shows is in the public DNS.
  get("/domains"),
  get("/domains/{id}"),
  ...denied(
    "/domains",
    "a domain decides which senders this account may use; change it in Resend's dashboard",
  ),

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
  ...denied("/segments", "a segment decides who receives broadcasts; change it in Resend's dashboard"),
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
    "everyone who sends with this account uses its templates; change them in Resend's dashboard",
  ),
  get("/suppressions"),
  get("/suppressions/{contact}"),
  ...denied(
    "/suppressions",
    "the suppression list decides who this account can reach; change it in Resend's dashboard",
  ),
  get("/usage"),

  ...denied(
    "/broadcasts",
    "a broadcast goes to a whole segment, so its cost is not known in advance; send with POST /emails or POST /emails/batch",
  ),
  ...denied("/automations", "an automation sends e-mails on its own, outside every cap"),
  ...denied("/events", "an event starts automations, which send an unknown number of e-mails"),
  ...denied("/inboxes", "an inbox sends replies and forwards to recipients that a request does not name"),
  ...denied("/api-keys", "it creates or changes credentials of this account"),
  ...denied("/oauth", "it shows or revokes access to this account"),
  ...denied(
    "/webhooks",
    "its answers hold a signing secret, and it reports what this account sends and receives",
  ),
  ...denied("/logs", "logs hold the requests and answers of everyone who uses this account"),
];
