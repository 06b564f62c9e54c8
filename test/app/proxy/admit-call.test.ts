import { describe, expect, test } from "vitest";
import { admit } from "../../../lambda/app/proxy/admit-call.ts";
import type { ProxyPorts } from "../../../lambda/app/proxy/proxy-ports.ts";
import type { ProxyRequest } from "../../../lambda/app/proxy/proxy-request.ts";
import { vendorRegistry } from "../../../lambda/vendors/index.ts";
import { MemoryAuditLog } from "../../support/memory-audit.ts";
import { MemoryVault } from "../../support/memory-vault.ts";
import { policyOf } from "../../support/vault-facts.ts";

/** Guarantees that no request asks for another method than the one that it was priced by. */

const unasked = (): never => {
  throw new Error("nothing may be asked");
};
const vendors = vendorRegistry();
const PORTS: ProxyPorts = {
  vendors,
  vault: new MemoryVault(),
  held: new MemoryAuditLog(),
  http: { send: unasked },
  credentials: { read: unasked, howToSet: unasked },
  clock: { now: () => 0 },
  ids: { random: unasked },
  destinationOf: unasked,
  rateCard: { rates: {}, prices: {} },
  warn: unasked,
};

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
  test.each(["x-http-method-override", "x-http-method", "x-method-override"])(
    "%s is refused",
    async (name) => {
      for (const values of [["DELETE"], [""], []]) {
        await expect(
          admit(requestWith({ [name]: values }), policyOf("key_1", { vendor }), PORTS),
        ).rejects.toMatchObject({ code: "ambiguous_request", message: expect.stringContaining(name) });
      }
    },
  );
});
