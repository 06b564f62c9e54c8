import { allowsAccount, type CallLimits } from "../../domain/call-limits.ts";
import { Problem } from "../../domain/problem.ts";
import type { FreeRule, VendorRequest } from "../../domain/vendor.ts";
import { isField, parseForm } from "../form.ts";
import { creditIn, expandProblem, unlisted } from "./pricing.ts";
import { READ_PARAMS } from "./reads.ts";

/**
 * What is free: reads, and writes that move and commit no money. Parameters that are not listed are refused here too.
 */

/** `fields`: the parameters of a POST that are sent to Stripe, or null where none of them can cost anything. */
export const free = (fields: readonly string[] | null): FreeRule => ({
  kind: "free",
  check: (request, limits) => {
    if (request.method !== "POST") return readable(request, limits);
    const form = parseForm(request);
    return form instanceof Problem ? form : (unlisted(form, fields, limits) ?? creditIn(form));
  },
});

/** Reads of another account, below its id, where the key allows that account. */
export const freeForAccount: FreeRule = {
  kind: "free",
  check: (request, limits) => notAllowed(request, limits) ?? readable(request, limits),
};

function notAllowed({ path }: VendorRequest, limits: CallLimits): Problem | null {
  const account = path.split("/")[3] ?? "";
  if (allowsAccount(limits, account)) return null;
  return new Problem(
    "account_not_allowed",
    "this path shows accounts that this vault key does not allow; name one that it allows, or issue a key with that account in allowed_accounts",
  );
}

/** A query that only reads: Stripe's older clients could name another method, account or key in it. */
function readable(request: VendorRequest, limits: CallLimits): Problem | null {
  for (const [name, values] of Object.entries(request.query)) {
    const field = name.split("[", 1)[0] ?? name;
    if (!isField(name) || request.method !== "GET" || !READ_PARAMS.includes(field)) return unreadable(name);
    if (field !== "expand") continue;
    for (const value of values) {
      const problem = expandProblem(value, limits);
      if (problem !== null) return problem;
    }
  }
  const { method, body } = request;
  return body.length === 0
    ? null
    : new Problem("ambiguous_request", `a ${method} takes no body; leave it out`);
}

const unreadable = (name: string) =>
  new Problem(
    "ambiguous_request",
    `${JSON.stringify(name.slice(0, 40))}: unknown query parameter; leave it out, or send it in the body of a POST`,
  );

const PART =
  /^content-disposition: ?form-data; ?name="(file|purpose|expand\[\d*\])"(; ?filename="[^"\\]*")?$/i;

/**
 * From the header's name to the end of its line and of its continuation lines. The expression never backtracks, because
 * a file may have megabytes.
 */
const NAMED_LINES = /content-disposition[^\r\n]*((\r\n|\r|\n)[ \t][^\r\n]*)*/gi;

/** A file: its name, its purpose and its bytes, as a client sends them from a form. */
export const upload: FreeRule = {
  kind: "free",
  check: ({ headers, query, body }) => {
    const types = headers["content-type"] ?? [];
    const isMultipart =
      types.length === 1 &&
      /^multipart\/form-data; ?boundary="?[\w'()+,./:=? -]{1,70}"?$/i.test(types[0] ?? "");
    if (!isMultipart || Object.keys(query).length > 0 || (headers["content-encoding"] ?? []).length > 0)
      return new Problem(
        "ambiguous_request",
        "send a file as multipart/form-data with a boundary, uncompressed and without a query string",
      );
    const text = Buffer.from(body).toString("latin1");
    const parts = text.match(NAMED_LINES)?.filter((lines) => lines.includes(":")) ?? [];
    return parts.every((part) => PART.test(part)) && !text.includes("file_link_data")
      ? null
      : new Problem(
          "endpoint_not_priced",
          "expected only the parts file, purpose and expand, in their plain form; file_link_data would make the file public",
        );
  },
};
