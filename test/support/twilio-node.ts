import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createRequire } from "node:module";
import { manifest } from "../../lambda/vendors/twilio/manifest.ts";
import { at, listAt, numberAt, textAt } from "./json.ts";

/** The versions of twilio-node that are in wide use; the package behind each name is pinned in package.json. */
export const TWILIO_PACKAGES = ["twilio-4", "twilio-5", "twilio"] as const;
export type TwilioPackage = (typeof TWILIO_PACKAGES)[number];

/** How a client is told where Keybrake is: domain by domain, or by an HTTP client for all of them (docs/vendors/twilio.md). */
export const WAYS = ["baseUrl", "ProxyClient"] as const;
export type Way = (typeof WAYS)[number];

/** The account as clients may write it, whoever's it is. */
export const PLACEHOLDER_SID = "AC00000000000000000000000000000000";
/** The account of the simulated Twilio in a local run. */
export const REAL_SID = "AC0123456789abcdef0123456789abcdef";
export const VERIFY_SERVICE = "VA11111111111111111111111111111111";

export type Fields = Readonly<Record<string, unknown>>;

export interface TwilioObject extends Fields {
  readonly sid: string;
}

interface TwilioPage {
  readonly instances: readonly TwilioObject[];
  readonly nextPageUrl?: string;
  nextPage(): Promise<TwilioPage | undefined>;
}

interface Listed {
  list(fields?: Fields): Promise<readonly TwilioObject[]>;
  page(fields?: Fields): Promise<TwilioPage>;
}

interface Resource extends Listed {
  create(fields: Fields): Promise<TwilioObject>;
  (
    sid: string,
  ): { fetch(fields?: Fields): Promise<TwilioObject>; update(fields: Fields): Promise<TwilioObject> };
}

interface VerifyService {
  readonly verifications: Resource;
  readonly verificationChecks: { create(fields: Fields): Promise<TwilioObject> };
}

/** What all versions have in common, as far as the tests go. Their own types cannot stand side by side. */
export interface TwilioClient {
  readonly messages: Resource;
  readonly calls: Resource;
  readonly incomingPhoneNumbers: Resource;
  readonly keys: Resource;
  readonly api: { baseUrl: string };
  readonly verify: { baseUrl: string; v2: { services: Listed & ((sid: string) => VerifyService) } };
  readonly lookups: {
    baseUrl: string;
    v2: { phoneNumbers(number: string): { fetch(fields?: Fields): Promise<Fields> } };
  };
}

interface RequestOptions {
  readonly uri: string;
}

interface TwilioPackageExports {
  (accountSid: string, authToken: string, options?: Fields): TwilioClient;
  readonly RequestClient: new (options?: Fields) => { request(options: RequestOptions): Promise<unknown> };
}

const requireHere = createRequire(import.meta.url);

function loadTwilio(name: TwilioPackage): TwilioPackageExports {
  return requireHere(name) as TwilioPackageExports;
}

export const versionOf = (name: TwilioPackage): string =>
  textAt(requireHere(`${name}/package.json`), "version");

interface ClientOptions {
  readonly accountSid?: string;
  readonly autoRetry?: boolean;
  /** What stands behind Keybrake's address; nothing for the root. */
  readonly under?: string;
}

export function twilioClient(
  name: TwilioPackage,
  way: Way,
  baseUrl: string,
  token: string,
  { accountSid = PLACEHOLDER_SID, autoRetry = false, under = "/twilio" }: ClientOptions = {},
): TwilioClient {
  const twilio = loadTwilio(name);
  const base = `${baseUrl}${under}`;
  if (way === "ProxyClient") {
    class ProxyClient extends twilio.RequestClient {
      override request(options: RequestOptions): Promise<unknown> {
        if (options.uri.startsWith(`${base}/`)) return super.request(options);
        const { hostname, pathname, search } = new URL(options.uri);
        const uri = `${base}/${hostname.split(".")[0]}${pathname}${search}`;
        return super.request({ ...options, uri });
      }
    }
    return twilio(accountSid, token, { httpClient: new ProxyClient({ autoRetry }) });
  }
  const client = twilio(accountSid, token, { autoRetry });
  client.api.baseUrl = base;
  client.verify.baseUrl = `${base}/verify`;
  client.lookups.baseUrl = `${base}/lookups`;
  return client;
}

/** What a RestException has, as a program sees it. */
export interface Refusal {
  readonly class: string;
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly moreInfo: string;
  readonly details: Fields | undefined;
}

/** What the call was refused with. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  const error: unknown = await call.then(
    (value) => {
      throw new Error(`it was not refused: ${JSON.stringify(value)}`);
    },
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error(`it threw no error: ${String(error)}`);
  const { status, code, moreInfo, details } = error as Error & Refusal;
  return { class: error.constructor.name, message: error.message, status, code, moreInfo, details };
}

/** 201, or the status of the refusal, once either is certain: a 503 of the ledger asks to be repeated, and charged nothing. */
export async function decided(send: () => Promise<unknown>): Promise<number> {
  for (;;) {
    const refusal = await send().then(
      () => null,
      (error: unknown) => refusalOf(Promise.reject(error)),
    );
    if (refusal === null) return 201;
    const { keybrake_code: code, charged } = refusal.details ?? {};
    if (code !== "ledger_unavailable" || charged !== "no") return refusal.status;
  }
}

/** Where the HTTP requests of this process went while `work` ran, Keybrake's own among them: `host:port`, each as often. */
export async function hostsDuring(work: () => Promise<unknown>): Promise<readonly string[]> {
  const hosts: string[] = [];
  const note = (message: unknown) => {
    const request = at(message, "request");
    if (typeof request === "object" && request !== null && "getHeader" in request)
      hosts.push(String((request as { getHeader(name: string): unknown }).getHeader("host")));
  };
  subscribe("http.client.request.created", note);
  try {
    await work();
  } finally {
    unsubscribe("http.client.request.created", note);
  }
  return hosts;
}

/** How many requests `work` sent to Keybrake. */
export async function sentDuring(
  to: { readonly baseUrl: string },
  work: () => Promise<unknown>,
): Promise<number> {
  const { host } = new URL(to.baseUrl);
  return (await hostsDuring(work)).filter((each) => each === host).length;
}

/** An entry of the simulated Twilio's books. */
export interface Charge {
  readonly id: string;
  readonly kind: string;
  readonly to: string;
  readonly count: number;
  readonly microUsd: number;
  readonly final: boolean;
}

/** The simulated Twilio's own side. */
export interface TwilioBooks {
  /** What it charged for whatever went to one number or address. */
  chargesTo(to: string): Promise<readonly Charge[]>;
  spentMicroUsd(): Promise<number>;
  /** Ends messages and calls, so that their prices become known. */
  deliver(order?: Fields): Promise<void>;
  /** Sends a code by a Verify service, as the account's holder would past Keybrake: it is listed from then on. */
  useService(sid: string): Promise<void>;
}

export function twilioBooksAt(origin: string): TwilioBooks {
  const asked = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const response = await fetch(`${origin}${path}`, init);
    if (!response.ok) throw new Error(`the simulator answered ${response.status}: ${await response.text()}`);
    return response.json();
  };
  const charges = async () =>
    listAt(await asked("/books"), "entries").map(
      (entry): Charge => ({
        id: textAt(entry, "id"),
        kind: textAt(entry, "kind"),
        to: textAt(entry, "to"),
        count: numberAt(entry, "count"),
        microUsd: numberAt(entry, "cost_micro_usd"),
        final: at(entry, "final") === true,
      }),
    );
  return {
    chargesTo: async (to) => (await charges()).filter((charge) => charge.to === to),
    spentMicroUsd: async () => numberAt(await asked("/books"), "spent_micro_usd"),
    deliver: async (order = {}) => {
      await asked("/deliver", { method: "POST", body: JSON.stringify(order) });
    },
    useService: async (sid) => {
      const credential = Buffer.from(manifest.local.placeholder).toString("base64");
      await asked(`/verify/v2/Services/${sid}/Verifications`, {
        method: "POST",
        headers: { Authorization: `Basic ${credential}` },
        body: new URLSearchParams({ To: "holder@example.org", Channel: "email" }),
      });
    },
  };
}
