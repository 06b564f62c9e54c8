/**
 * The names of the environment variables that our functions read, once for the writer and the reader.
 *
 * Whoever starts a function (the local run, the CDK stack) sets exactly these.
 */
export const ENV = {
  /** Name of the table of keys, balances and calls. */
  vaultTable: "KEYBRAKE_VAULT_TABLE",
  /** Name of the table of audit events and totals. */
  auditTable: "KEYBRAKE_AUDIT_TABLE",
  /** Name or ARN of the secret that holds the admin API key. */
  adminKeySecret: "KEYBRAKE_ADMIN_KEY_SECRET",
  /** JSON: vendor -> credential name -> name or ARN of its secret, e.g. `{"stripe":{"default":"keybrake/stripe/default"}}`. */
  credentialSecrets: "KEYBRAKE_CREDENTIAL_SECRETS",
  /** JSON: vendor -> origin that replaces the vendor's own, e.g. `{"stripe":"http://127.0.0.1:12111"}`. */
  vendorOrigins: "KEYBRAKE_VENDOR_ORIGINS",
  /** JSON: the definitions of vendors in the configuration, as lambda/vendors/configured reads them; absent: none. */
  vendors: "KEYBRAKE_VENDORS",
  /** JSON: rates and prices of the configuration, as lambda/rate-card-input.ts reads them; absent: the defaults. */
  rateCard: "KEYBRAKE_TERMS",
  /** Days that audit events are kept. */
  auditRetentionDays: "KEYBRAKE_AUDIT_RETENTION_DAYS",
  /** Seconds after which an attempt without outcome is looked at: told as open, and finished on evidence. */
  resolveAfterS: "KEYBRAKE_RESOLVE_AFTER_S",
  /** Name or ARN of the event bus that is told what happens. */
  eventBus: "KEYBRAKE_EVENT_BUS",
  /** Where people and clients reach the API, for what events say: `https://…/prod`. */
  baseUrl: "KEYBRAKE_BASE_URL",
  /** Whole dollars a minute above which a run is told of; absent: none is. */
  spendRateUsd: "KEYBRAKE_SPEND_RATE_USD",
  /** A hint that is added to the refusal of an unknown API key; absent for none. */
  apiKeyHint: "KEYBRAKE_API_KEY_HINT",
  /** A hint that is added to the refusal of an unknown vault key; absent for none. */
  vaultKeyHint: "KEYBRAKE_VAULT_KEY_HINT",
  /** JSON: vendor -> how its credential is set, for a person who runs this on one machine; absent: by a command of AWS. */
  credentialHints: "KEYBRAKE_CREDENTIAL_HINTS",
  /** Milliseconds that one DynamoDB request may take. */
  dynamodbTimeoutMs: "KEYBRAKE_DYNAMODB_TIMEOUT_MS",
  /** `off`: transactions carry no token (adapters/dynamo-clients.ts); absent: they do. */
  requestTokens: "KEYBRAKE_REQUEST_TOKENS",
} as const;

/** The names of our metrics, once for the functions that count and for the alarms. Each is a number of things, by stack. */
export const METRICS = {
  namespace: "Keybrake",
  /** The name of the stack, as POWERTOOLS_SERVICE_NAME tells it. */
  dimension: "service",
  /** Requests with a vault key or an API key that does not exist. They are in no row of the audit log. */
  unknownKey: "UnknownKey",
  /** Calls that cost more than was reserved. */
  overrun: "Overrun",
  /** Attempts that ended without an answer that shows whether the vendor charged. */
  unresolved: "Unresolved",
  /** Batches of changes of which one could not be recorded; it comes again. */
  auditFailure: "AuditFailure",
  /** Events that the event bus did not take; they are kept and sent again. */
  eventFailure: "EventFailure",
  /** Denied calls, each by the stack and by `reason`: a code of lambda/domain/problem.ts. */
  denied: "Denied",
  reason: "reason",
  /** Calls whose final price is due and was not asked for, after a run of the schedule; nothing where there is none. */
  latePricesOverdue: "LatePricesOverdue",
  /** Seconds for which the oldest of them has been due. */
  latePricesOldestS: "LatePricesOldestSeconds",
} as const;

/**
 * The event that runs the resolver, on the event bus: who sends it, and what it is called. Its source is not that of what happens
 * (announcement-wire.ts), so nobody is told of it.
 */
export const WAKE_EVENT = { source: "keybrake.work", type: "calls.due" } as const;
