/** What requests and answers look like. A test holds each against its schema. */

const CAP = {
  usd_cap: 50,
  spent_usd: 0,
  reserved_usd: 0,
  remaining_usd: 50,
  exceeded_by_usd: 0,
  resets_at: "2026-11-23T22:11:56.494+00:00",
};

const { usd_cap: _, ...TIGHTEST } = CAP;

export const KEY_ID = "key_lfZWyPTEPuKBj0h6";
export const API_KEY_ID = "ak_Ea9YiTX6Vm5kHb0U";

const { id, ...POLICY } = {
  id: KEY_ID,
  vendor: "stripe",
  credential: "default",
  base_url: "http://127.0.0.1:8787/stripe",
  status: "active",
  mode: "enforce",
  agent_run_label: "modal-billing/cus_A",
  metadata: {},
  allowed_endpoints: ["POST /v1/payment_intents"],
  allowed_accounts: null,
  allowed_currencies: null,
  allowed_recipients: null,
  max_recipients: null,
  max_calls_per_minute: null,
  issuer_id: "admin",
  parent_id: null,
  issued_at: "2026-11-22T22:11:56.494+00:00",
  expires_at: "2026-11-22T23:11:56.494+00:00",
  expires_in_s: 3600,
  revoked_at: null,
  daily_usd_cap: 50,
  total_usd_cap: null,
  per_call_usd_cap: null,
  ...TIGHTEST,
  caps: { daily: CAP },
};

export const KEY = { id, ...POLICY };
/** The secret is of the documents alone: its checksum is right, and no deployment knows it. */
export const ISSUED_KEY = {
  id,
  vault_key: "kbvklfZWyPTEPuKBj0h6GtRZyeyVO6Nzo468ll2fbf4VfNXOkltXkv10gz",
  ...POLICY,
};

const API_KEY_FIELDS = {
  name: "billing-jobs",
  status: "active",
  scopes: ["issue", "read"],
  allowed_vendors: null,
  allowed_credentials: null,
  allowed_endpoints: null,
  max_daily_usd_cap: 20,
  max_total_usd_cap: null,
  max_per_call_usd_cap: null,
  max_expires_in_s: 7200,
  daily_usd_cap: 30,
  total_usd_cap: null,
  issuer_id: "admin",
  issued_at: "2026-11-28T10:33:37.038+00:00",
  revoked_at: null,
  caps: { daily: { ...CAP, usd_cap: 30, remaining_usd: 30, resets_at: "2026-11-29T00:00:00.000+00:00" } },
};

export const API_KEY = { id: API_KEY_ID, ...API_KEY_FIELDS };
export const CREATED_API_KEY = {
  id: API_KEY_ID,
  api_key: "kbakEa9YiTX6Vm5kHb0UVmFzglgjefNpFEl2hODhWZXx6cJTR6rcrrcpom",
  ...API_KEY_FIELDS,
};

const CALL_ID = "call_981a61e055b7bd4a8f24eac5cd63e1d8df2d6b93";
const ATTEMPT = "att_a0YocW0bmRDGPVbD30jq";

export const AUDIT_ROW = {
  id: `${CALL_ID}#${ATTEMPT}`,
  at: "2026-11-22T22:11:56.789+00:00",
  type: "call",
  key_id: KEY_ID,
  parent_ids: [],
  issuer_id: "admin",
  credential: "default",
  agent_run_label: "modal-billing/cus_A",
  label_group: "modal-billing",
  metadata: {},
  call_label: "step-1",
  vendor: "stripe",
  method: "POST",
  path: "/v1/payment_intents",
  decision: "allowed",
  reason: null,
  would_deny: null,
  requested_usd: 10,
  reserved_usd: 10,
  cost_usd: 10,
  overrun: false,
  amount: "1000",
  currency: "usd",
  fx_rate: null,
  remaining_usd: 10.01,
  vendor_status: 200,
  vendor_request_id: "req_3mHBLoMht1i3wP",
  vendor_object_id: "pi_3YdHJmrVj6hvojMj7EC3ajBk",
  vendor_customer_id: null,
  idempotency_key: "order-1",
  replayed: false,
  vendor_ms: 5,
  overhead_ms: 19,
  source_ip: "127.0.0.1",
  user_agent: "curl/7.88.1",
  by: null,
  call_id: CALL_ID,
  attempt: ATTEMPT,
  state: "settled",
};
