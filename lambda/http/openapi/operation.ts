import type { GenericSchema } from "valibot";
import type { Scope } from "../../domain/api-key.ts";
import type { ProblemCode } from "../../domain/problem.ts";

/** One operation of our own API, as its table says it; document.ts makes the OpenAPI document of all of them. */

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: true;
  readonly description: string;
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

/** Name -> what is sent or answered. */
export type Examples = Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;

/** A schema of its own name in the document. */
export interface Named {
  readonly name: string;
  readonly schema: GenericSchema;
}

export interface Answer extends Named {
  readonly status: 200 | 201;
  readonly description: string;
  readonly examples: Examples;
  /** Content types beside JSON, with their schema. */
  readonly otherTypes?: Readonly<Record<string, JsonSchema>>;
  /** Headers beside those of every answer. */
  readonly headers?: Readonly<Record<string, JsonSchema>>;
  readonly links?: Readonly<Record<string, JsonSchema>>;
}

/** The key that a caller shows; either where there are both. */
export type Asks = "API key" | "vault key";

export interface Operation {
  readonly method: "get" | "post" | "patch" | "delete";
  readonly path: string;
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  /** Empty: it needs no key. */
  readonly asks: readonly Asks[];
  /** What an API key has to have. */
  readonly scope: Scope | null;
  readonly parameters?: readonly Parameter[];
  readonly body?: Named & { readonly required: boolean; readonly examples: Examples };
  readonly answer: Answer;
  /** With another status. */
  readonly otherAnswer?: Answer;
  /** Beside those that every operation has which asks for such a key. */
  readonly refusals: readonly ProblemCode[];
}

export const TAGS = {
  "Vault keys": "What agents hold: one vendor, caps in dollars, an end.",
  "Own key": "What a vault key may do about itself.",
  "API keys": "What issues, reads and revokes vault keys, within scopes and ceilings.",
  Stops: "Standing orders that no key of a run is issued, and that those which exist are revoked.",
  Calls: "What nobody knows of a call, until somebody says it.",
  "Audit log": "One row for each attempt of a call and each change of a key.",
  Dashboard: "How people sign in to the page at `/dashboard`.",
  Service: "Whether it answers, and how.",
} as const;
export type Tag = keyof typeof TAGS;

/** A link to another operation about the answered object. */
export const linkTo = (operationId: string, parameters: Readonly<Record<string, string>>) => ({
  [operationId]: { operationId, parameters },
});

/** The parameters of every list. */
export const pageParameters = (limitDefault: number, limitMax: number): readonly Parameter[] => [
  {
    name: "limit",
    in: "query",
    description: "How many a page has at most.",
    schema: { type: "integer", minimum: 1, maximum: limitMax, default: limitDefault },
  },
  {
    name: "cursor",
    in: "query",
    description: "The `next_cursor` of an answer with the same filters.",
    schema: { type: "string", minLength: 1 },
  },
];
