import { describe, expect, test } from "vitest";
import { admit } from "../../../lambda/app/proxy/admit.ts";
import type { ProxyRequest } from "../../../lambda/app/proxy/proxy-request.ts";
import { newRow } from "../../../lambda/app/proxy/row.ts";
import { vendorRegistry } from "../../../lambda/vendors/index.ts";
import { policyOf } from "../../support/vault-facts.ts";

/** Guarantees that no request asks for another method than the one that it was priced by. */

const vendors = vendorRegistry();

const requestWith = (headers: ProxyRequest["headers"]): ProxyRequest => ({
  requestId: "request",
  token: null,
  vendorName: null,
  method: "GET",
  rawPath: "v1/charges",
  query: {},
  headers,
  body: new Uint8Array(),
  sourceIp: null,
  startedAtMs: 0,
  deadlineMs: 28_000,
});

describe.each(vendors.names)("a header that asks %s for another method", (vendor) => {
  test.each(["x-http-method-override", "x-http-method", "x-method-override"])("%s is refused", (name) => {
    for (const values of [["DELETE"], [""], []]) {
      const request = requestWith({ [name]: values });
      const row = newRow(request, policyOf("key_1", { vendor }), { vendors, ids: { random: () => "" } });

      expect(admit({ kind: "identified", request, row }, { vendors })).toMatchObject({
        kind: "denied",
        problem: { code: "ambiguous_request", message: expect.stringContaining(name) },
      });
    }
  });
});
