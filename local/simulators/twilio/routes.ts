import type { RouteTable } from "../shared/route-table.ts";
import { retrieveBalance } from "./accounts.ts";
import { createCall, listCalls, retrieveCall, updateCall } from "./calls.ts";
import type { Endpoint } from "./endpoint.ts";
import { lookUp, lookUpV1 } from "./lookups.ts";
import { createMessage, deleteMessage, listMessages, retrieveMessage, updateMessage } from "./messages.ts";
import { messagingPrices } from "./pricing.ts";
import { checkVerification, createVerification, listServices, retrieveVerification } from "./verify.ts";

/** Every endpoint of api.twilio.com, behind `/2010-04-01`, without the ending that names a format. */
export const API_ROUTES: RouteTable<Endpoint> = {
  "POST /Accounts/:account/Messages": createMessage,
  "GET /Accounts/:account/Messages": listMessages,
  "GET /Accounts/:account/Messages/:sid": retrieveMessage,
  "POST /Accounts/:account/Messages/:sid": updateMessage,
  "DELETE /Accounts/:account/Messages/:sid": deleteMessage,
  "POST /Accounts/:account/Calls": createCall,
  "GET /Accounts/:account/Calls": listCalls,
  "GET /Accounts/:account/Calls/:sid": retrieveCall,
  "POST /Accounts/:account/Calls/:sid": updateCall,
  "GET /Accounts/:account/Balance": retrieveBalance,
};

/** Every endpoint of another host, behind a first segment that is the host's name: /verify is verify.twilio.com. */
export const HOST_ROUTES: RouteTable<Endpoint> = {
  "GET /verify/v2/Services": listServices,
  "POST /verify/v2/Services/:service/Verifications": createVerification,
  "GET /verify/v2/Services/:service/Verifications/:sid": retrieveVerification,
  "POST /verify/v2/Services/:service/VerificationCheck": checkVerification,
  "GET /lookups/v2/PhoneNumbers/:number": lookUp,
  "GET /lookups/v1/PhoneNumbers/:number": lookUpV1,
  "GET /pricing/v1/Messaging/Countries/:country": messagingPrices,
};
