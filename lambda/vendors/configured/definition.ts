import * as v from "valibot";
import { OUR_SEGMENTS } from "../registry.ts";
import { priceInUsd, UNITS } from "./decimal.ts";
import { endpointProblem } from "./endpoints.ts";
import { folded } from "./names.ts";
import { originProblem } from "./origin.ts";
import { text, whole } from "./schema-fields.ts";

/**
 * The definition of a vendor as an operator writes it: data that becomes a `Vendor` (vendor.ts). Whatever is not listed here
 * is refused, so that a misspelt bound cannot leave a price without one.
 *
 * Read by the configuration of the deployment and by the local run, which check it, and by the functions that use it.
 */

const HEADER = /^(?!constructor$)[A-Za-z][A-Za-z0-9-]{0,63}$/i;

const isObject = (input: unknown): input is object => typeof input === "object" && input !== null;

/** Names that a record loses here, since every object of JavaScript has them: what they limit would not be limited. */
const LOST_NAMES = ["__proto__", "constructor", "prototype"];

const namedObject = v.check<unknown, string>(
  (input) => !isObject(input) || !LOST_NAMES.some((name) => Object.hasOwn(input, name)),
  `expected other names than ${LOST_NAMES.join(", ")}`,
);

/** An object whose unknown fields are refused with the names of the known ones, and whose missing ones say what they take. */
const fieldsOf = <E extends v.ObjectEntries>(entries: E) => {
  const accepted = `expected an object with ${Object.keys(entries).join(", ")}`;
  return v.strictObject(entries, ({ received, path }) => {
    const missing = received === "undefined" ? entries[String(path?.at(-1)?.key)] : undefined;
    return (missing && v.safeParse(missing, undefined).issues?.[0]?.message) ?? accepted;
  });
};

const PRICE_ACCEPTED = "expected more than 0 dollars with at most six places, such as 0.04";
const usd = v.pipe(
  v.union([v.number(), v.string()], PRICE_ACCEPTED),
  v.check((value) => priceInUsd(value) !== null, PRICE_ACCEPTED),
);

/** A field of JSON, with dots before what is inside: `options.count`. */
const jsonField = text(
  /^[$_]?[A-Za-z][A-Za-z0-9_-]{0,59}(\.[A-Za-z0-9_-]{1,60}){0,5}$/,
  "a field of JSON such as n, or options.count for one inside of another",
);
/** A field of an answer may stand in a list, whose places are counted from 0: `data.0.price`. */
const answerField = text(
  /^[$_]?[A-Za-z][A-Za-z0-9_-]{0,59}(\.[A-Za-z0-9_-]{1,60}){0,5}$/,
  "a field of the answer such as price, or data.0.price for one inside of others",
);
const formField = text(
  /^[$_]?[A-Za-z][A-Za-z0-9_-]{0,59}(\[[A-Za-z0-9_-]{0,60}\]){0,5}$/,
  "a field of a form such as n, or options[count]",
);
const queryParameter = text(
  /^[$_]?[A-Za-z][A-Za-z0-9_-]{0,59}$/,
  "the name of a query parameter such as limit",
);

/** Where a number stands: in the JSON or the form of the body, or in the query. */
const place = {
  json: v.optional(jsonField),
  form: v.optional(formField),
  query: v.optional(queryParameter),
};

const inOnePlace = <
  T extends { readonly json?: unknown; readonly form?: unknown; readonly query?: unknown },
>() =>
  v.check<T, string>(
    ({ json, form, query }) => [json, form, query].filter((name) => name !== undefined).length === 1,
    "expected exactly one of json, form and query",
  );

const COUNT_MAX = 1_000_000;

const times = v.pipe(
  fieldsOf({
    ...place,
    /** `number`: the value itself. `list`: how many entries it has. */
    is: v.optional(v.picklist(["number", "list"], "expected number or list"), "number"),
    /**
     * `single`: an entry that a server could split, such as a text with a comma, is refused. `any`: the entries are texts that
     * are never split, such as prompts.
     */
    entries: v.optional(v.picklist(["single", "any"], "expected single or any")),
    /** More are refused. It must be there: without it nothing bounds the price. */
    max: whole(1, COUNT_MAX),
    /** What the API takes where the field is absent; without it an absent field is refused. */
    default: v.optional(whole(1, COUNT_MAX)),
  }),
  inOnePlace(),
  v.check(({ max, default: usual = 1 }) => usual <= max, "expected a default that is not above max"),
  v.check(({ is, query }) => is !== "list" || query === undefined, "expected a list in json or form"),
  v.check(
    ({ is, form }) => is === "list" || form?.endsWith("[]") !== true,
    "expected a field of a form without [] at its end, which is a list",
  ),
  v.check(({ is, entries }) => is === "list" || entries === undefined, "expected entries only of a list"),
);

const unit = v.picklist(UNITS, `expected ${UNITS.join(", ")}`);

const pricePerCount = fieldsOf({ usd, times });

const requestAmount = fieldsOf({
  amount: v.pipe(
    fieldsOf({
      ...place,
      unit,
      /** Whether JSON writes it as a number or as text, `"12.50"`. */
      as: v.optional(v.picklist(["number", "text"], "expected number or text"), "number"),
      max_usd: v.optional(usd),
    }),
    inOnePlace(),
    v.check(
      ({ form }) => form?.endsWith("[]") !== true,
      "expected a field of a form without [] at its end, which is a list",
    ),
  ),
});

const answerAmount = fieldsOf({
  /** What the answer names is what the call cost; `max_usd` is reserved before, and must be there. */
  answer: fieldsOf({ field: answerField, unit, max_usd: usd }),
});

type PriceSchema = v.GenericSchema<
  | "free"
  | v.InferInput<typeof usd>
  | v.InferInput<typeof pricePerCount>
  | v.InferInput<typeof requestAmount>
  | v.InferInput<typeof answerAmount>,
  | "free"
  | v.InferOutput<typeof usd>
  | v.InferOutput<typeof pricePerCount>
  | v.InferOutput<typeof requestAmount>
  | v.InferOutput<typeof answerAmount>
>;

const SCALAR_PRICE_ACCEPTED =
  'expected "free", dollars such as 0.01, {"usd": 0.04, "times": {…}}, {"amount": {…}} or {"answer": {…}}';
const scalarPrice = v.pipe(
  v.union([v.number(), v.string()], SCALAR_PRICE_ACCEPTED),
  v.check((value) => value === "free" || priceInUsd(value) !== null, SCALAR_PRICE_ACCEPTED),
);

/** Which of the kinds is meant is told by the fields, so that an error is about that kind alone. */
const price: PriceSchema = v.lazy((input): PriceSchema => {
  if (!isObject(input)) return scalarPrice as PriceSchema;
  if ("amount" in input) return requestAmount;
  return "answer" in input ? answerAmount : pricePerCount;
});

const refusable = v.pipe(
  v.array(whole(400, 499), "expected a list of statuses such as [404]"),
  v.check((all) => new Set(all).size === all.length, "expected each status only once"),
);

const NAMES_ACCEPTED = "expected a list of names";
const names = v.pipe(
  v.array(
    text(/^[$_]?[A-Za-z][A-Za-z0-9_.-]{0,59}$/, "the name of a field or parameter, such as prompt"),
    NAMES_ACCEPTED,
  ),
  v.maxLength(100, "expected at most 100 names"),
  v.check(
    (all) => new Set(all.map(folded)).size === all.length,
    "expected each name only once, in one spelling",
  ),
);

const endpointFields = {
  price,
  /** The only fields that a body may have; all unless given. */
  fields: v.optional(names),
  /** Field of the body -> the only values that it may have, where it is there. */
  values: v.optional(
    v.pipe(
      v.unknown(),
      namedObject,
      v.record(
        jsonField,
        v.pipe(
          v.array(v.union([v.string(), v.number(), v.boolean()], "expected strings, numbers, true or false")),
          v.minLength(1, "expected at least one value"),
          v.maxLength(50, "expected at most 50 values"),
        ),
        "expected an object of lists of values",
      ),
    ),
  ),
  /** The only parameters that a query may have: unless given, none of a POST, PUT or PATCH that has a price, and all of any other call. */
  query: v.optional(names),
  object_id: v.optional(answerField),
  /** The API answers a repeat under one idempotency key as it answered the first, and bills nothing again: no failure either. */
  idempotent: v.optional(v.boolean("expected true or false")),
  charged_on: v.optional(
    v.pipe(
      refusable,
      // After a 401 a call is sent once more with a credential that was renewed.
      v.check(
        (all) => !all.includes(401),
        "expected any status but 401, after which a call may be sent again",
      ),
    ),
  ),
  not_charged_on: v.optional(refusable),
};

const describedEndpoint = v.pipe(
  fieldsOf(endpointFields),
  v.check(
    ({ price: amount, object_id, idempotent, charged_on, not_charged_on }) =>
      amount !== "free" ||
      [object_id, idempotent, charged_on, not_charged_on].every((field) => field === undefined),
    "expected object_id, idempotent, charged_on and not_charged_on only where a call has a price",
  ),
  v.check(
    ({ idempotent, object_id }) => idempotent !== true || object_id !== undefined,
    "expected idempotent only with object_id, which tells a repeat from another execution",
  ),
  v.check(
    ({ charged_on = [], not_charged_on = [] }) =>
      !charged_on.some((status) => not_charged_on.includes(status)),
    "expected a status in one of charged_on and not_charged_on",
  ),
);

type EndpointInput = v.InferInput<typeof describedEndpoint> | "free" | v.InferInput<typeof usd>;
export type EndpointDefinition = v.InferOutput<typeof describedEndpoint>;

/** `"free"` and a price in dollars stand for an endpoint that has nothing else to say. */
const endpoint: v.GenericSchema<EndpointInput, EndpointDefinition> = v.lazy((input) =>
  isObject(input)
    ? describedEndpoint
    : v.pipe(
        scalarPrice,
        v.transform((value): EndpointDefinition => ({ price: value })),
      ),
) as v.GenericSchema<EndpointInput, EndpointDefinition>;

/** How the credential is sent. A vault key is taken in the same place, so that unmodified clients work. */
const credential = v.variant(
  "send",
  [
    fieldsOf({ send: v.literal("bearer") }),
    /** The secret is `user:password`; or a password alone, where `user` is given; or a user alone. */
    fieldsOf({
      send: v.literal("basic"),
      user: v.optional(text(/^[\x21-\x39\x3b-\x7e]{1,100}$/, "a user without spaces and colons")),
    }),
    fieldsOf({
      send: v.literal("header"),
      name: v.pipe(
        text(HEADER, "the name of a header such as X-Api-Key"),
        v.check((name) => !NOT_FOR_CREDENTIALS.test(name), "expected a header of the API's own"),
      ),
      /** As it is written, with the space behind it: `"Token "`. */
      prefix: v.optional(
        text(/^[\x21-\x7e]{1,30} ?$/, 'what stands before the credential, with its space, such as "Token "'),
      ),
    }),
    fieldsOf({ send: v.literal("query"), name: queryParameter }),
  ],
  "expected an object with send: bearer, basic, header or query",
);
export type CredentialDefinition = v.InferOutput<typeof credential>;

/** Headers of a connection, of a body and of ours. */
const NOT_PASSED =
  /^(host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept-encoding|cookie|forwarded|via|x-forwarded-.*|x-amz.*|x-http-method.*|x-method-override|keybrake-.*)$/i;
const NOT_FOR_CREDENTIALS = new RegExp(`${NOT_PASSED.source}|^(accept|user-agent|range)$`, "i");
const ALWAYS_FORWARDED = ["accept", "content-type", "user-agent"];

const forwardedHeader = v.pipe(
  text(HEADER, "the name of a header"),
  v.check(
    (name) => !NOT_PASSED.test(name) && !/^(authorization|range)$/i.test(name),
    "expected a header of the API's own, none of a connection, a body or a credential",
  ),
);

const HOUR_MS = 3_600_000;
const idempotency = fieldsOf({
  header: v.optional(forwardedHeader, "Idempotency-Key"),
  /**
   * For so long the API answers a repeat as it answered the first. Keybrake stops an hour before. No more than the record of
   * a call is kept (domain/call/retention.ts): without it a repeat would be counted again.
   */
  hours: whole(2, 48),
});

const ENDPOINTS_MAX = 50;

const RESERVED = new Set([...OUR_SEGMENTS, "api", "aws", "constructor", "keybrake"].toSorted());

const NAME_ACCEPTED =
  "a name of 2 to 30 small letters and digits that begins with a letter, such as images; it becomes a path";

/** `builtIn`: names of vendors that are there without a definition. `loopback`: whether a server on this machine may stand for one. */
export interface DefinitionRules {
  readonly builtIn: readonly string[];
  readonly loopback: boolean;
}

const definition = ({ builtIn, loopback }: DefinitionRules) =>
  v.pipe(
    fieldsOf({
      name: v.pipe(
        text(/^[a-z][a-z0-9]{1,29}$/, NAME_ACCEPTED),
        v.check(
          (name) => !RESERVED.has(name) && !builtIn.includes(name),
          `it is taken; expected any name but ${[...RESERVED, ...builtIn].join(", ")}`,
        ),
      ),
      /** For a person; the name unless given. */
      title: v.optional(text(/^[\x20-\x7e]{1,40}$/, "a title of at most 40 characters of ASCII")),
      origin: v.pipe(
        v.string(`expected ${originProblemAccepted(loopback)}`),
        v.rawCheck(({ dataset, addIssue }) => {
          const problem = dataset.typed ? originProblem(dataset.value, loopback) : null;
          if (problem !== null) addIssue({ message: problem });
        }),
      ),
      credential,
      idempotency: v.optional(idempotency),
      forwarded_headers: v.optional(
        v.pipe(
          v.array(forwardedHeader, "expected a list of names of headers"),
          v.maxLength(20, "expected at most 20 headers"),
        ),
        [],
      ),
      /** The header of an answer with the id that the API's support asks for. */
      request_id_header: v.optional(text(HEADER, "the name of a header"), "X-Request-Id"),
      /** Placeholder of a path -> `any` where it may be a word; else it has a digit, as ids do. */
      placeholders: v.optional(
        v.pipe(
          v.unknown(),
          namedObject,
          v.record(
            text(/^[a-z][a-z0-9_]{0,29}$/, "the name of a placeholder, without braces"),
            v.picklist(["id", "any"], "expected id or any"),
            "expected an object of placeholders",
          ),
        ),
        {},
      ),
      endpoints: v.pipe(
        v.record(v.string(), endpoint, 'expected an object such as {"POST /v1/images": 0.04}'),
        v.check((all) => {
          const count = Object.keys(all).length;
          return count > 0 && count <= ENDPOINTS_MAX;
        }, `expected 1 to ${ENDPOINTS_MAX} endpoints`),
        v.rawCheck(({ dataset, addIssue }) => {
          if (!dataset.typed) return;
          const { value: input } = dataset;
          for (const [key, value] of Object.entries(input)) {
            const message = endpointProblem(key, Object.keys(input));
            if (message !== null)
              addIssue({ message, path: [{ type: "object", origin: "key", input, key, value }] });
          }
        }),
      ),
    }),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      for (const [path, message] of contradictions(dataset.value)) {
        const at = path.map(
          (key) => ({ type: "object", origin: "value", input: {}, key, value: key }) as const,
        );
        const [first, ...rest] = at;
        if (first !== undefined) addIssue({ message, path: [first, ...rest] });
      }
    }),
  );

const originProblemAccepted = (loopback: boolean): string =>
  originProblem("", loopback)?.split("expected ")[1] ?? "";

export type Definition = v.InferOutput<ReturnType<typeof definition>>;
export type DefinitionInput = v.InferInput<ReturnType<typeof definition>>;

/** What only two fields together show to be wrong: where, and why. */
function* contradictions(given: Definition): Generator<readonly [readonly string[], string]> {
  const own = credentialHeader(given.credential);
  const forwarded = given.forwarded_headers.map((name) => name.toLowerCase());
  const at = forwarded.findIndex(
    (name, index) =>
      name === own ||
      ALWAYS_FORWARDED.includes(name) ||
      forwarded.indexOf(name) !== index ||
      name === given.idempotency?.header.toLowerCase(),
  );
  if (at >= 0)
    yield [
      ["forwarded_headers", `${at}`],
      "it is forwarded already, repeated, or the header of the credential; expected another header, once",
    ];
  const known = given.idempotency?.header.toLowerCase() ?? "";
  if (known === own || ALWAYS_FORWARDED.includes(known))
    yield [["idempotency", "header"], "it has another meaning already; expected a header of its own"];
  for (const [key, { price: amount, idempotent, query, fields, values }] of Object.entries(given.endpoints)) {
    const field = (name: string) => ["endpoints", key, name];
    const [method = ""] = key.split(" ");
    const hasBody = !BODILESS.has(method);
    if (idempotent === true && given.idempotency === undefined)
      yield [
        field("idempotent"),
        "it needs idempotency of the vendor, which says the header and for how long",
      ];
    const where = placeOf(amount);
    const list = isListPrice(amount) ? folded((where?.json ?? where?.form ?? "").replace(/\[\]$/, "")) : null;
    if (list !== null && Object.keys(values ?? {}).some((name) => folded(name) === list))
      yield [field("values"), "it names the list that the price counts; expected other fields"];
    if (where !== null && !hasBody && where.query === undefined)
      yield [field("price"), `a ${method} has no body; expected a number in the query`];
    if (where !== null && hasBody && where.query !== undefined)
      yield [field("price"), `a ${method} has its number in the body; expected json or form`];
    if (!hasBody && (fields !== undefined || values !== undefined))
      yield [field(fields === undefined ? "values" : "fields"), `a ${method} has no body; leave it out`];
    const named = credentialParameter(given.credential);
    const clash = [...(query ?? []), ...(where?.query === undefined ? [] : [where.query])].find(
      (name) => named !== null && folded(name) === folded(named),
    );
    if (clash !== undefined)
      yield [field(where?.query === clash ? "price" : "query"), "it names the parameter of the credential"];
  }
}

/** Methods whose requests have no body here. */
export const BODILESS: ReadonlySet<string> = new Set(["GET", "DELETE"]);

const isListPrice = (amount: EndpointDefinition["price"]): boolean =>
  typeof amount === "object" && "times" in amount && amount.times.is === "list";

/** Where the number stands that a price is made of, or null where no number of the request is. */
export function placeOf(amount: EndpointDefinition["price"]): {
  readonly json?: string | undefined;
  readonly form?: string | undefined;
  readonly query?: string | undefined;
} | null {
  if (typeof amount !== "object") return null;
  if ("times" in amount) return amount.times;
  return "amount" in amount ? amount.amount : null;
}

/** Lower-case name of the header that carries the credential; null where it is in the query. */
const credentialHeader = (given: CredentialDefinition): string | null => {
  if (given.send === "query") return null;
  return given.send === "header" ? given.name.toLowerCase() : "authorization";
};

export const credentialParameter = (given: CredentialDefinition): string | null =>
  given.send === "query" ? given.name : null;

const DEFINITIONS_MAX = 10;

/** The schema of a list of definitions. */
export const definitionsSchema = (rules: DefinitionRules) =>
  v.pipe(
    v.array(definition(rules), "expected a list of definitions of vendors"),
    v.maxLength(DEFINITIONS_MAX, `expected at most ${DEFINITIONS_MAX} vendors`),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const { value: input } = dataset;
      for (const [key, value] of input.entries())
        if (input.findIndex(({ name }) => name === value.name) !== key)
          addIssue({
            message: "another vendor has this name; expected one of its own",
            path: [
              { type: "array", origin: "value", input, key, value },
              { type: "object", origin: "value", input: value, key: "name", value: value.name },
            ],
          });
    }),
  );

/** Checks what was written by hand. Throws an Error whose message names the first wrong field. */
export function parseDefinitions(input: unknown, rules: DefinitionRules): readonly Definition[] {
  const parsed = v.safeParse(definitionsSchema(rules), input, { abortPipeEarly: true });
  if (parsed.success) return parsed.output;
  throw new Error(definitionFault(parsed.issues[0]));
}

/** What one issue says: the field, what is there, and what would be accepted. */
function definitionFault(issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? []).map(({ key }) => String(key).slice(0, 60)).join(".");
  return `${path === "" ? "vendors" : path}: ${definitionProblem(issue)}`;
}

export function definitionProblem({
  type,
  expected,
  received,
  input,
  message,
}: v.BaseIssue<unknown>): string {
  if (type === "strict_object" && expected === "never") return `unknown field; ${message}`;
  if (received === "undefined") return `it is missing; ${message}`;
  if (type === "raw_check" || isObject(input)) return message;
  return `got ${typeof input === "string" ? JSON.stringify(input.slice(0, 30)) : received}; ${message}`;
}

export const windowMsOf = ({ hours }: NonNullable<Definition["idempotency"]>): number => hours * HOUR_MS;
