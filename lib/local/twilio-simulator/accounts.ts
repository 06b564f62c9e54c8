import { rfc2822 } from "./dates.ts";
import type { Endpoint } from "./endpoint.ts";

const CREATED_MS = Date.UTC(2026, 0, 1);

/** `GET Accounts/{sid}`: answers with the auth token in clear, which is why no agent may call it. */
export const retrieveAccount: Endpoint = ({ sid, authToken }) => {
  const uri = `/2010-04-01/Accounts/${sid}`;
  return () => ({
    status: 200,
    element: "Account",
    body: {
      sid,
      auth_token: authToken,
      owner_account_sid: sid,
      friendly_name: "Simulated account",
      status: "active",
      type: "Full",
      date_created: rfc2822(CREATED_MS),
      date_updated: rfc2822(CREATED_MS),
      subresource_uris: { messages: `${uri}/Messages.json`, calls: `${uri}/Calls.json` },
      uri: `${uri}.json`,
    },
  });
};
