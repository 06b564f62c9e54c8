import { nowS } from "./account.ts";
import { refuseUnpayable } from "./currencies.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest } from "./errors.ts";
import { newId } from "./ids.ts";
import { recurringIn, unitAmountIn } from "./line-prices.ts";
import type { Price } from "./objects.ts";
import { ofType } from "./others.ts";
import {
  amount,
  currency,
  flag,
  hash,
  integer,
  metadata,
  names,
  oneOf,
  refuseUnknown,
  required,
  text,
} from "./params.ts";
import { existing, type Kind, keep, listKind, retrieveEndpoint } from "./shelves.ts";

/** Products, prices and coupons: what is sold and at what price. None of them moves money. */

const PRODUCT = names(
  "name active default_price_data description id images marketing_features metadata package_dimensions shippable " +
    "statement_descriptor tax_code tax_details type unit_label url",
);
const PRICE = names(
  "currency active billing_scheme currency_options custom_unit_amount lookup_key metadata nickname product " +
    "product_data recurring tax_behavior tiers tiers_mode transfer_lookup_key transform_quantity unit_amount " +
    "unit_amount_decimal",
);
const COUPON = names(
  "amount_off applies_to currency currency_options duration duration_in_months id max_redemptions metadata name " +
    "percent_off redeem_by",
);

const PRICES: Kind<Price> = { noun: "price", shelf: ({ prices }) => prices };

export const products = ofType("product", "/v1/products");
export const coupons = ofType("coupon", "/v1/coupons");

export const createProduct: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, PRODUCT);
  const id = text(params, "id");
  const described = {
    active: flag(params, "active") ?? true,
    description: text(params, "description") ?? null,
    metadata: metadata(params, {}),
    name: required(text(params, "name"), "name"),
    statement_descriptor: text(params, "statement_descriptor") ?? null,
    unit_label: text(params, "unit_label") ?? null,
    url: text(params, "url") ?? null,
  };

  return () => {
    const made = nowS(account);
    return keep(account.others, account, request, {
      ...NEW_PRODUCT,
      ...described,
      id: id ?? newId.product(),
      created: made,
      updated: made,
    });
  };
};

/** A price of one unit. Tiers are accepted and forgotten. */
export const createPrice: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, PRICE);
  const unit = required(currency(params, "currency"), "currency");
  const unitAmount = required(unitAmountIn(params), "unit_amount");
  const product = text(params, "product");
  if (product === undefined && hash(params, "product_data") === undefined) required(product, "product");
  const recurring = recurringIn(params);
  const described = {
    active: flag(params, "active") ?? true,
    lookup_key: text(params, "lookup_key") ?? null,
    metadata: metadata(params, {}),
    nickname: text(params, "nickname") ?? null,
  };
  const isWhole = /^-?\d+$/.test(unitAmount);
  if (isWhole) refuseUnpayable(Number(unitAmount), unit, "unit_amount");

  return () => {
    if (product !== undefined) existing(account.others, "product", product, "product");
    const price: Price = {
      ...NEW_PRICE,
      ...described,
      id: newId.of("price"),
      created: nowS(account),
      currency: unit,
      product: product ?? newId.product(),
      recurring,
      type: recurring === null ? "one_time" : "recurring",
      unit_amount: isWhole ? Number(unitAmount) : null,
      unit_amount_decimal: unitAmount,
    };
    return keep(account.prices, account, request, price);
  };
};

export const retrievePrice: Endpoint = retrieveEndpoint(PRICES);
export const listPrices: Endpoint = listKind("/v1/prices", PRICES, ["currency", "product", "type"]);

export const createCoupon: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, COUPON);
  const amountOff = amount(params, "amount_off") ?? null;
  const percentOff = text(params, "percent_off");
  if (amountOff === null && percentOff === undefined)
    throw invalidRequest("Must provide percent_off or amount_off.");
  const id = text(params, "id");
  const described = {
    amount_off: amountOff,
    currency: currency(params, "currency") ?? null,
    duration: oneOf(params, "duration", ["forever", "once", "repeating"]) ?? "once",
    duration_in_months: integer(params, "duration_in_months") ?? null,
    max_redemptions: integer(params, "max_redemptions") ?? null,
    metadata: metadata(params, {}),
    name: text(params, "name") ?? null,
    percent_off: percentOff === undefined ? null : Number(percentOff),
    redeem_by: integer(params, "redeem_by") ?? null,
  };

  return () =>
    keep(account.others, account, request, {
      object: "coupon",
      ...described,
      id: id ?? newId.coupon(),
      created: nowS(account),
      livemode: false,
      times_redeemed: 0,
      valid: true,
    });
};

const NEW_PRODUCT = {
  object: "product",
  default_price: null,
  images: [],
  livemode: false,
  marketing_features: [],
  package_dimensions: null,
  shippable: null,
  tax_code: null,
  tax_details: null,
  type: "service",
} as const;

const NEW_PRICE = {
  object: "price",
  billing_scheme: "per_unit",
  custom_unit_amount: null,
  livemode: false,
  tax_behavior: "unspecified",
  tiers_mode: null,
  transform_quantity: null,
} as const;
