import { build as esbuild, type Metafile, type Plugin } from "esbuild";

/**
 * Packages that few calls need, and what of them is used. Each lies beside the bundle in a file of its own, which is read when one
 * of its classes is first made: a call of Stripe's pays nothing for what Twilio's need.
 */
const LATER: Readonly<Record<string, readonly string[]>> = {
  "sms-segments-calculator": ["SegmentedMessage"],
};

const NAMESPACE = "later";

const fileOf = (name: string) => `${name}.js`;

export const laterModules: Plugin = {
  name: "later-modules",
  setup(build) {
    build.onResolve({ filter: /^[a-z@]/ }, ({ path }) =>
      path in LATER ? { path, namespace: NAMESPACE } : undefined,
    );
    build.onResolve({ filter: /^\.\//, namespace: NAMESPACE }, ({ path }) => ({ path, external: true }));
    build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
      contents: (LATER[path] ?? []).map((name) => classOf(name, path)).join("\n"),
      loader: "js",
    }));
  },
};

const classOf = (name: string, path: string) => `
  export class ${name} {
    constructor(...given) { return new (require("./${fileOf(path)}").${name})(...given); }
  }`;

export interface LaterFile {
  readonly name: string;
  readonly contents: Uint8Array;
}

/** The files that lie beside a bundle. `inputs`: of the bundle, as esbuild lists them. */
export function laterFiles(
  inputs: Metafile["outputs"][string]["inputs"],
  resolveDir: string,
): Promise<readonly LaterFile[]> {
  const used = Object.keys(LATER).filter((name) => `${NAMESPACE}:${name}` in inputs);
  return Promise.all(
    used.map(async (name) => {
      const { outputFiles } = await esbuild({
        stdin: { contents: `module.exports = require("${name}");`, resolveDir },
        bundle: true,
        platform: "node",
        target: "node24",
        format: "cjs",
        minify: true,
        legalComments: "none",
        logLevel: "silent",
        write: false,
      });
      const [file] = outputFiles;
      if (file === undefined) throw new Error(`${name} became no file`);
      return { name: fileOf(name), contents: file.contents };
    }),
  );
}
