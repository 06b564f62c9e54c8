import * as v from "valibot";
import type { Operation } from "./operation.ts";

/** What needs no key. */

const healthSchema = v.strictObject({ status: v.literal("ok") });
/** Of itself it says only that it is one. */
const documentSchema = v.looseObject({
  openapi: v.pipe(v.string(), v.regex(/^3\.1\.\d+$/)),
  info: v.looseObject({ title: v.string(), version: v.string() }),
  paths: v.record(v.string(), v.looseObject({})),
});

export const SERVICE: readonly Operation[] = [
  {
    method: "get",
    path: "/healthz",
    id: "getHealth",
    tag: "Service",
    summary: "Whether the front door reaches a function",
    asks: [],
    scope: null,
    answer: {
      status: 200,
      description: "It does. Nothing was read.",
      name: "Health",
      schema: healthSchema,
      examples: { ok: { summary: "It answers", value: { status: "ok" } } },
    },
    refusals: [],
  },
  {
    method: "get",
    path: "/vault/openapi.json",
    id: "getOpenApi",
    tag: "Service",
    summary: "This document",
    asks: [],
    scope: null,
    answer: {
      status: 200,
      description: "This document, with the address of this deployment as its server.",
      name: "OpenApiDocument",
      schema: documentSchema,
      examples: {
        document: {
          summary: "How it begins",
          value: { openapi: "3.1.1", info: { title: "Keybrake", version: "0.2.0" }, paths: {} },
        },
      },
    },
    refusals: [],
  },
];
