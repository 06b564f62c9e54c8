import { randomUUID } from "node:crypto";
import { fieldsOf } from "../shared/fields.ts";
import { type Endpoint, ok } from "./endpoint.ts";
import { invalid, missingField, notFound } from "./errors.ts";

/** `POST /broadcasts`: an e-mail to all contacts of a segment, not yet sent. */
export const createBroadcast: Endpoint = (account, { json }) => {
  const fields = fieldsOf(json) ?? new Map<string, unknown>();
  const segmentId = fields.get("segment_id") ?? fields.get("audience_id");
  if (typeof segmentId !== "string") throw missingField("segment_id");
  for (const name of ["from", "subject"]) if (typeof fields.get(name) !== "string") throw missingField(name);
  return () => {
    const id = randomUUID();
    account.broadcasts.set(id, { id, createdMs: account.nowMs(), segmentId, sent: false });
    return ok({ id });
  };
};

/** `POST /broadcasts/{id}/send`: to every contact, and the request does not say how many they are. */
export const sendBroadcast: Endpoint = (account, { ids: [id = ""] }) => {
  return () => {
    const broadcast = account.broadcasts.get(id);
    if (broadcast === undefined) throw notFound("Broadcast not found");
    if (broadcast.sent) throw invalid("Broadcast was sent already.");
    account.broadcasts.set(id, { ...broadcast, sent: true });
    return ok({ id });
  };
};
