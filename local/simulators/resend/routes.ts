import type { RouteTable } from "../shared/route-table.ts";
import { sendBatch } from "./batches.ts";
import { listDomains } from "./domains.ts";
import { cancelEmail, listEmails, rescheduleEmail, retrieveEmail, sendEmail } from "./emails.ts";
import type { Endpoint } from "./endpoint.ts";

/** Every endpoint served. What is not here is a 404 or 405, and a breach (../shared/breaches.ts). */
export const ROUTES: RouteTable<Endpoint> = {
  "POST /emails": sendEmail,
  "GET /emails": listEmails,
  "POST /emails/batch": sendBatch,
  "GET /emails/:id": retrieveEmail,
  "PATCH /emails/:id": rescheduleEmail,
  "POST /emails/:id/cancel": cancelEmail,
  "GET /domains": listDomains,
};
