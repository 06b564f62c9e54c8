import * as v from "valibot";
import { microUsd } from "../../domain/money.ts";
import { type Item, itemOf, plainOf, plainValue } from "../attributes.ts";

/**
 * The items of the Vault table, one file for each kind: how it is written, and read back by a parser that throws on what
 * it does not know.
 *
 * Money is whole micro-dollars, times are milliseconds, `ttl` is seconds. Keys of every kind stand in docs/data.md.
 */
export type { Item };

/** An item as plain values; every number is a bigint. */
export const read = (item: Item): unknown => plainOf(item, BigInt);

/** The same of one attribute. */
export const readValue = (value: Item[string]): unknown => plainValue(value, BigInt);

/** Plain values as attributes; what is undefined is left out. */
export const written = itemOf;

export const money = v.pipe(v.bigint(), v.transform(microUsd));
export const whole = v.pipe(v.bigint(), v.transform(Number));
export const orNull = <T extends v.GenericSchema>(schema: T) => v.optional(v.nullable(schema), null);

/** A key and the window of it that a draw was taken from. */
export const keyWindow = v.object({ key_id: v.string(), w: whole });
