import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Problem } from "../../../lambda/domain/problem.ts";
import type { Quote, Vendor, VendorOutcome, VendorRequest } from "../../../lambda/domain/vendor.ts";
import { endpointOf } from "../../../lambda/vendors/catalog-entry.ts";
import { type DefinitionInput, parseDefinitions } from "../../../lambda/vendors/configured/definition.ts";
import { configuredVendor } from "../../../lambda/vendors/configured/vendor.ts";
import { DEFAULT_RATE_CARD } from "../../support/rate-card.ts";
import { UNLIMITED } from "../../support/unlimited.ts";

const EXAMPLES = join(import.meta.dirname, "..", "..", "..", "examples", "vendors");
const BUILT_IN = ["stripe", "twilio", "resend"];
export const RULES = { builtIn: BUILT_IN, loopback: false };

/** The definition of `examples/vendors/<name>.json`, as it stands there. */
export const exampleOf = (name: string): DefinitionInput =>
  JSON.parse(readFileSync(join(EXAMPLES, `${name}.json`), "utf8"));

/** A definition of one vendor with these endpoints. */
export const definitionWith = (
  endpoints: DefinitionInput["endpoints"],
  others: Partial<DefinitionInput> = {},
): DefinitionInput => ({
  name: "example",
  origin: "https://api.example.com",
  credential: { send: "bearer" },
  endpoints,
  ...others,
});

export function vendorOf(definition: DefinitionInput): Vendor {
  const [parsed] = parseDefinitions([definition], RULES);
  if (parsed === undefined) throw new Error("there is no definition");
  return configuredVendor(parsed);
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly query?: VendorRequest["query"];
  readonly headers?: VendorRequest["headers"];
  readonly type?: string | null;
  readonly body?: string | Uint8Array;
}

const bytes = (body: string | Uint8Array): Uint8Array =>
  typeof body === "string" ? new TextEncoder().encode(body) : body;

const requestOf = ({
  method = "POST",
  path = "/things",
  query = {},
  headers = {},
  type = "application/json",
  body = "",
}: Asked): VendorRequest => ({
  method,
  path,
  query,
  headers: { ...(type !== null && { "content-type": [type] }), ...headers },
  body: bytes(body),
});

const KNOWN = { object: null, found: null, rateCard: DEFAULT_RATE_CARD, limits: UNLIMITED };

/** What a request is quoted at, `"free"`, or the Problem that refuses it. Throws where the endpoint is not listed. */
export function quoted(vendor: Vendor, asked: Asked): Quote | Problem | "free" {
  const request = requestOf(asked);
  const rule = endpointOf(vendor, request.method, request.path)?.rule;
  if (rule === undefined || rule.kind === "denied") throw new Error(`${request.path} is not listed`);
  return rule.kind === "free" ? (rule.check(request, UNLIMITED) ?? "free") : rule.quote(request, KNOWN);
}

/** Micro-dollars that a request is quoted at, or the code that refuses it. */
export function priceOf(vendor: Vendor, asked: Asked): bigint | string {
  const quote = quoted(vendor, asked);
  if (quote === "free") return 0n;
  return quote instanceof Problem ? quote.code : quote.amount;
}

/** What an answer to a request that can be quoted says of the money. */
export function reading(
  vendor: Vendor,
  asked: Asked,
  status: number,
  body: string | Uint8Array,
  headers: VendorRequest["headers"] = {},
): VendorOutcome {
  const request = requestOf(asked);
  const rule = endpointOf(vendor, request.method, request.path)?.rule;
  if (rule?.kind !== "priced") throw new Error(`${request.path} has no price`);
  const quote = rule.quote(request, KNOWN);
  if (quote instanceof Problem) throw quote;
  return rule.read({ status, headers, body: bytes(body) }, quote, KNOWN, request);
}
