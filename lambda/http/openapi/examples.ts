import examples from "./examples.json" with { type: "json" };
import type { Examples } from "./operation.ts";

/**
 * What requests and answers look like, for the document: examples.json, since an example names a vendor, and code does not. Secrets in
 * it are of the documents alone: their checksums are right, and no deployment knows them.
 */

export const BODIES: Readonly<Record<keyof typeof examples.bodies, Examples>> = examples.bodies;
export const ANSWERS: Readonly<Record<keyof typeof examples.answers, Examples>> = examples.answers;
export const PARAMETERS = examples.parameters;
