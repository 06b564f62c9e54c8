/**
 * Every function of the product, once. A name is that of its entry in lambda/handlers, of its bundle in dist and of its
 * construct in the stack; every other list of functions is derived from this one.
 *
 * - `runsOn`: a request (lib/routes.ts), the stream of the Vault table, a schedule, or an event of another function that
 *   found work for it (WAKE_EVENT of lambda/environment.ts).
 * - `everyMinutes`: its schedule, whole minutes above one, since EventBridge writes one otherwise. Those that the stream
 *   runs have one too: nobody else may write the audit log, and nobody else sees that the time of a stop is over.
 * - `asks`: the key that its callers show; `login`: an API key, once, to be known by a cookie from then on.
 */
const SERVICES = [
  { name: "issue-key", runsOn: "request", asks: "API key" },
  { name: "manage-key", runsOn: "request", asks: "API key" },
  { name: "manage-api-keys", runsOn: "request", asks: "API key" },
  { name: "list-keys", runsOn: "request", asks: "API key" },
  { name: "own-key", runsOn: "request", asks: "vault key" },
  { name: "query-audit", runsOn: "request", asks: "API key" },
  { name: "manage-stops", runsOn: "request", asks: "API key" },
  { name: "resolve-by-hand", runsOn: "request", asks: "API key" },
  { name: "query-spend", runsOn: "request", asks: "API key" },
  { name: "proxy-call", runsOn: "request", asks: "vault key" },
  { name: "record-audit", runsOn: "stream", everyMinutes: 5, asks: null },
  { name: "apply-stops", runsOn: "stream", everyMinutes: 20, asks: null },
  { name: "resolve-calls", runsOn: "wake", asks: null },
  { name: "settle-late-prices", runsOn: "schedule", everyMinutes: 6, asks: null },
  { name: "dashboard", runsOn: "request", asks: "login" },
  { name: "health", runsOn: "request", asks: null },
] as const;

type Service = (typeof SERVICES)[number];

export type FunctionName = Service["name"];
/** The names of those that answer requests. */
export type AnsweringFunction = Extract<Service, { readonly runsOn: "request" }>["name"];

export const FUNCTIONS: readonly FunctionName[] = SERVICES.map(({ name }) => name);

/** Those that run every so many minutes, whether they do other work too or not. */
export const SCHEDULED = SERVICES.filter((service) => "everyMinutes" in service);
/** Those that nobody waits for: an alarm has to tell of their failures. */
export const UNATTENDED = SERVICES.filter(({ runsOn }) => runsOn === "schedule" || runsOn === "wake");

const namesOf = (services: readonly Service[]): readonly FunctionName[] => services.map(({ name }) => name);

export const ANSWERING = namesOf(SERVICES.filter(({ runsOn }) => runsOn === "request"));
/** Those that ask for a key: these do the work of a request, and see who comes with a key that does not exist. */
export const KEYED = namesOf(SERVICES.filter(({ asks }) => asks !== null));
/** Those that issue, change, revoke and read for whoever holds an API key. */
export const MANAGING = namesOf(SERVICES.filter(({ asks }) => asks === "API key"));

/** Makes something for each function, in the order above. */
export const forEachFunction = <T>(make: (name: FunctionName) => T): Readonly<Record<FunctionName, T>> =>
  Object.fromEntries(FUNCTIONS.map((name) => [name, make(name)])) as Record<FunctionName, T>;
