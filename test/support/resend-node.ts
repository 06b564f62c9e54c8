import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createRequire } from "node:module";
import { at, listAt, numberAt, textAt } from "./json.ts";

/** The versions of resend-node that behave differently on the wire; the package behind each name is pinned in package.json. */
export const RESEND_PACKAGES = ["resend-2", "resend-4", "resend-6", "resend"] as const;
export type ResendPackage = (typeof RESEND_PACKAGES)[number];

/** From 6.38 on it is an option, and a batch can be permissive. */
export const isNewest = (name: ResendPackage): boolean => name === "resend";

/** Version 2 has no option for it; its requests carry headers that a program sets on the client. */
export const hasIdempotencyKeys = (name: ResendPackage): boolean => name !== "resend-2";

export type Fields = Readonly<Record<string, unknown>>;

/** What every method resolves with, whatever happened. */
export interface Answered {
  readonly data: Fields | null;
  readonly error: Fields | null;
}

interface Sends {
  send(payload: Fields, options?: Fields): Promise<Answered>;
}

/** What all versions have in common, as far as the tests go. Their own types cannot stand side by side. */
export interface ResendClient {
  readonly emails: Sends & {
    get(id: string): Promise<Answered>;
    update(payload: Fields): Promise<Answered>;
    cancel(id: string): Promise<Answered>;
  };
  readonly batch: { send(payload: readonly Fields[], options?: Fields): Promise<Answered> };
  readonly apiKeys: { create(payload: Fields): Promise<Answered>; list(): Promise<Answered> };
  readonly broadcasts: { create(payload: Fields): Promise<Answered>; send(id: string): Promise<Answered> };
  readonly contacts: { create(payload: Fields): Promise<Answered> };
  readonly domains: { list(): Promise<Answered>; create(payload: Fields): Promise<Answered> };
}

interface ResendPackageExports {
  readonly Resend: new (key: string, options?: Fields) => ResendClient;
}

const requireHere = createRequire(import.meta.url);

/** The package, loaded anew while RESEND_BASE_URL leads to Keybrake: older versions read it once, when they are imported. */
function loadResend(name: ResendPackage, baseUrl: string): ResendPackageExports {
  const path = requireHere.resolve(name);
  delete requireHere.cache[path];
  const before = process.env["RESEND_BASE_URL"];
  process.env["RESEND_BASE_URL"] = baseUrl;
  try {
    return requireHere(path) as ResendPackageExports;
  } finally {
    if (before === undefined) delete process.env["RESEND_BASE_URL"];
    else process.env["RESEND_BASE_URL"] = before;
  }
}

/**
 * A client as docs/vendors/resend.md makes it: by the option where there is one, else by the environment. `under`: what stands
 * behind Keybrake's address; nothing for the root.
 */
export function resendClient(
  name: ResendPackage,
  to: { readonly baseUrl: string },
  token: string,
  under = "/resend",
): ResendClient {
  const baseUrl = `${to.baseUrl}${under}`;
  if (isNewest(name)) {
    const { Resend } = requireHere(name) as ResendPackageExports;
    return new Resend(token, { baseUrl });
  }
  const { Resend } = loadResend(name, baseUrl);
  return new Resend(token);
}

/** Where requests by `fetch` went while `work` ran: `http://host:port`, each as often. */
export async function fetchesDuring(work: () => Promise<unknown>): Promise<readonly string[]> {
  const origins: string[] = [];
  const note = (message: unknown) => {
    origins.push(
      String(at(message, "request") && (message as { request: { origin: unknown } }).request.origin),
    );
  };
  subscribe("undici:request:create", note);
  try {
    await work();
  } finally {
    unsubscribe("undici:request:create", note);
  }
  return origins;
}

/** An e-mail in the simulated Resend's books. */
export interface Sent {
  readonly id: string;
  readonly to: readonly unknown[];
  readonly count: number;
  readonly microUsd: number;
  readonly status: string;
}

/** What the simulated Resend sent to whom, by its own books: e-mails that one address is the first recipient of. */
export async function sentTo(origin: string, first: string): Promise<readonly Sent[]> {
  const response = await fetch(`${origin}/books`);
  return listAt(await response.json(), "entries")
    .map((entry) => ({
      id: textAt(entry, "id"),
      to: listAt(entry, "to"),
      count: numberAt(entry, "count"),
      microUsd: numberAt(entry, "cost_micro_usd"),
      status: textAt(entry, "status"),
    }))
    .filter(({ to }) => to[0] === first);
}
