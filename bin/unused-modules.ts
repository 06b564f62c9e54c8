import type { Plugin } from "esbuild";

/**
 * Packages that the SDK's clients import and a function never runs, with what stands for each in a bundle.
 *
 * A client names them when it is made, whatever it is made with: hence a stand-in and no gap. A function's requests are signed,
 * sent and read by lambda/adapters/direct-sender.ts, with credentials from the environment, so none of this is reached; what would
 * be throws and says so. A name that a new version of the SDK imports and that is missing here stops the build.
 */
const STAND_INS: Readonly<Record<string, string>> = {
  "@aws-sdk/credential-provider-node": `export const defaultProvider = () => absent("credentials that are not in the environment");`,
  "@aws-sdk/middleware-endpoint-discovery": `
    export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = {
      environmentVariableSelector: () => undefined, configFileSelector: () => undefined, default: false };
    export const resolveEndpointDiscoveryConfig = (config) => config;`,
  "@smithy/signature-v4": `
    export class SignatureV4 { constructor() { absent("the SDK's own signatures")(); } }
    export const signatureV4aContainer = {};`,
  "@smithy/core/checksum": `export class Sha256 { constructor() { absent("the SDK's own checksums")(); } }`,
  "@smithy/core/event-streams": `
    export const eventStreamSerdeProvider = absent("event streams");
    export class EventStreamSerde { constructor() { absent("event streams")(); } }`,
  "@smithy/node-http-handler": `
    export class NodeHttpHandler {
      static create() { return new NodeHttpHandler(); }
      handle() { absent("the SDK's own requests")(); }
      destroy() {}
    }
    export const streamCollector = absent("streams");`,
};

const ABSENT = `const absent = (what) => () => { throw new Error("not part of this bundle (bin/unused-modules.ts): " + what); };\n`;

/** A client reads its own version from the whole of its package.json. */
const CLIENT_MANIFEST = /[\\/]@aws-sdk[\\/]client-[a-z-]+[\\/]package\.json$/;

export const unusedModules: Plugin = {
  name: "unused-modules",
  setup(build) {
    build.onResolve({ filter: /^@(aws-sdk|smithy)\// }, ({ path, importer }) =>
      // What is ours imports what it means.
      path in STAND_INS && importer.includes("node_modules") ? { path, namespace: "unused" } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: "unused" }, ({ path }) => ({
      contents: ABSENT + STAND_INS[path],
      loader: "js",
    }));
    build.onLoad({ filter: CLIENT_MANIFEST }, async ({ path }) => {
      const { default: manifest } = await import(path, { with: { type: "json" } });
      return { contents: JSON.stringify({ version: manifest.version }), loader: "json" };
    });
  },
};
