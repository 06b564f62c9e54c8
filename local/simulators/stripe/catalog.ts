import { nowS } from "./account.ts";
import { refuseUnpayable } from "./currencies.ts";
import type { Endpoint } from "./endpoint.ts";
import { newId } from "./ids.ts";
import { recurringIn, unitAmountIn } from "./line-prices.ts";
import type { Price } from "./objects.ts";
import { ofType } from "./others.ts";
import { currency, flag, hash, metadata, names, refuseUnknown, required, text } from "./params.ts";
import { existing, type Kind, keep, listKind, retrieveEndpoint } from "./shelves.ts";

/** Products and prices: what is sold and for how much. Neither moves money. */

const PRODUCT = names(
  "name active default_price_data description id images marketing_features metadata package_dimensions shippable " +
    "statement_descriptor tax_code tax_details type unit_label url",
);
const PRICE = names(
  "currency active billing_scheme currency_options custom_unit_amount lookup_key metadata nickname product " +
    "product_data recurring tax_behavior tiers tiers_mode transfer_lookup_key transform_quantity unit_amount " +
    "unit_amount_decimal",
);

const PRICES: Kind<Price> = { noun: "price", shelf: ({ prices }) => prices };

export const products = ofType("product", "/v1/products");

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
