import type { RouteTable } from "../shared/route-table.ts";
import { createApiKey, listDomains } from "./account-endpoints.ts";
import { sendBatch } from "./batches.ts";
import { createBroadcast, sendBroadcast } from "./broadcasts.ts";
import { cancelEmail, listEmails, rescheduleEmail, retrieveEmail, sendEmail } from "./emails.ts";
import type { Endpoint } from "./endpoint.ts";

/** Every endpoint served. A path that is not here is a 404. */
export const ROUTES: RouteTable<Endpoint> = {
  "POST /emails": sendEmail,
  "GET /emails": listEmails,
  "POST /emails/batch": sendBatch,
  "GET /emails/:id": retrieveEmail,
  "PATCH /emails/:id": rescheduleEmail,
  "POST /emails/:id/cancel": cancelEmail,
  "GET /domains": listDomains,
  "POST /api-keys": createApiKey,
  "POST /broadcasts": createBroadcast,
  "POST /broadcasts/:id/send": sendBroadcast,
};
