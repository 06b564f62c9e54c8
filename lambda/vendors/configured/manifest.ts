import type { DenialFacts, VendorManifest } from "../../domain/vendor-manifest.ts";
import type { Definition } from "./definition.ts";

/** What the built-in vendors say in their manifests, as far as a definition tells it. */
export const manifestOf = (
  { name, title = name }: Pick<Definition, "name" | "title">,
  credentialAccepted: string,
): VendorManifest => ({
  name,
  title,
  defaultCredential: "default",
  credentialAccepted,
  local: {
    credential: [
      {
        name: `KEYBRAKE_${name.toUpperCase()}_SECRET`,
        pattern: /^[\x21-\x7e]{1,500}$/,
        begins: null,
        accepted: credentialAccepted,
      },
    ],
    origin: `KEYBRAKE_${name.toUpperCase()}_ORIGIN`,
    placeholder: `placeholder-for-${name}`,
  },
  client: { key: [`${name.toUpperCase()}_API_KEY`], baseUrl: [], fixed: {}, removed: [], freeRead: null },
  tellsPricesLate: false,
  // Its prices stand beside its endpoints.
  prices: {},
  secretShapes: [],
  denial,
});

/** One plain shape, as our own API answers: an API that is configured has no SDK whose exceptions are known here. */
function denial({ status, code, message, requestId, charged, details }: DenialFacts) {
  return {
    headers: { "Request-Id": requestId },
    body: JSON.stringify({ error: { ...details, code, message, status, request_id: requestId, charged } }),
  };
}
