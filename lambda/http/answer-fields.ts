import * as v from "valibot";

/** What the fields of answers look like. No function reads these: the OpenAPI document and its test are made of them. */

export const text = v.string();
/** Decimal USD; below zero where a cap was lowered below the spend, or where a price came out lower. */
export const usd = v.number();
export const usdOrNone = v.nullable(usd);
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const time = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}\+00:00$/),
  v.metadata({ format: "date-time" }),
);
export const timeOrNone = v.nullable(time);
export const textsOrNone = v.nullable(v.array(text));
export const keyId = v.pipe(v.string(), v.regex(/^key_[A-Za-z0-9]{16}$/));
export const apiKeyId = v.pipe(v.string(), v.regex(/^ak_[A-Za-z0-9]{16}$/));
/** `admin`, or the id of an API key or of a vault key. */
export const actor = v.pipe(v.string(), v.regex(/^(admin|(ak|key)_[A-Za-z0-9]{16})$/));
export const texts = v.record(v.string(), v.string());

/** A page of a list. */
export const pageOf = <T extends v.GenericSchema>(item: T) =>
  v.strictObject({ data: v.array(item), next_cursor: v.nullable(text) });
