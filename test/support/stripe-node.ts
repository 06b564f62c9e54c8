import { createRequire } from "node:module";

/** The versions of stripe-node that behave differently on the wire; the package behind each name is pinned in package.json. */
export const STRIPE_PACKAGES = ["stripe-12", "stripe-17", "stripe-22", "stripe"] as const;
export type StripePackage = (typeof STRIPE_PACKAGES)[number];

/** Versions from 22 on keep a path that stands behind the host, with the fetch client. */
export const keepsPrefix = (name: StripePackage): boolean => name === "stripe-22" || name === "stripe";

export type Fields = Readonly<Record<string, unknown>>;

export interface StripeObject extends Fields {
  readonly id: string;
  readonly lastResponse: {
    readonly requestId: string;
    readonly headers: Headers | Readonly<Record<string, string>>;
  };
}

/** A header of an answer, from the Node client or from the fetch client. */
export const headerOf = ({ lastResponse: { headers } }: StripeObject, name: string): string | null =>
  headers instanceof Headers ? headers.get(name) : (headers[name] ?? null);

interface StripeList {
  autoPagingToArray(options: { readonly limit: number }): Promise<StripeObject[]>;
}

interface Resource {
  create(fields: Fields, options?: Fields): Promise<StripeObject>;
  retrieve(id: string, options?: Fields): Promise<StripeObject>;
  update(id: string, fields: Fields, options?: Fields): Promise<StripeObject>;
  list(fields: Fields): StripeList;
}

interface PaymentIntents extends Resource {
  confirm(id: string, fields: Fields): Promise<StripeObject>;
  capture(id: string, fields?: Fields): Promise<StripeObject>;
  cancel(id: string): Promise<StripeObject>;
}

/** What all versions have in common, as far as the tests go. Their own types cannot stand side by side. */
export interface StripeClient {
  readonly paymentIntents: PaymentIntents;
  readonly customers: Resource & { del(id: string): Promise<StripeObject> };
  readonly refunds: Resource;
  readonly charges: Resource;
  readonly paymentLinks: Resource;
}

interface StripePackageExports {
  new (key: string, config: Fields): StripeClient;
  createFetchHttpClient(fetchInstead?: (address: string, options: RequestInit) => Promise<Response>): unknown;
}

const requireHere = createRequire(import.meta.url);

export function loadStripe(name: StripePackage): StripePackageExports {
  return requireHere(name) as StripePackageExports;
}

/** How a client is told where Keybrake is: by its host alone, with the vendor's path behind it, or by a `fetch` that adds the path. */
export type Way = "host" | "prefix" | "fetch";

export function stripeClient(
  name: StripePackage,
  way: Way,
  baseUrl: string,
  key: string,
  config: Fields = {},
): StripeClient {
  const Stripe = loadStripe(name);
  const { hostname, port, pathname } = new URL(baseUrl);
  const stage = pathname.replace(/\/$/, "");
  const address = {
    host: { host: hostname },
    prefix: { host: `${hostname}${stage}/stripe`, httpClient: Stripe.createFetchHttpClient() },
    fetch: {
      host: hostname,
      httpClient: Stripe.createFetchHttpClient((asked, options) => {
        const { pathname: path, search } = new URL(asked);
        return fetch(`${baseUrl}/stripe${path}${search}`, options);
      }),
    },
  }[way];
  return new Stripe(key, { ...address, port, protocol: "http", telemetry: false, ...config });
}

/** What the call was refused with, as its program sees it. */
export async function refusalOf(call: Promise<unknown>): Promise<Fields & { readonly message: string }> {
  const error: unknown = await call.then(
    (value) => {
      throw new Error(`it was not refused: ${JSON.stringify(value)}`);
    },
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error(`it threw no error: ${String(error)}`);
  return Object.assign(Object.create(error), { class: error.constructor.name, message: error.message });
}
