/**
 * `node bin/build.ts`: bundles every function of lib/services.ts to dist/<name>/index.js, as Lambda and the local run
 * load them.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build as esbuild } from "esbuild";
import { FUNCTIONS, type FunctionName } from "../lib/services.ts";
import { laterFiles, laterModules } from "./later-modules.ts";
import { pageFiles, removeOthers } from "./page.ts";
import { unusedModules } from "./unused-modules.ts";

const REPOSITORY = join(import.meta.dirname, "..");

/** Where the bundles lie unless told otherwise. */
export const DIST = join(REPOSITORY, "dist");

export interface BuildOptions {
  /** Folder with one <name>.ts per function; lambda/handlers of this repository unless told. */
  readonly entryDirectory?: string;
  /** Folder that gets <name>/index.js; dist of this repository unless told. */
  readonly outDirectory?: string;
  /** Names of the functions to bundle; all of them unless told. */
  readonly functions?: readonly string[];
}

/**
 * Bundles the functions; throws when one of them has no entry or does not compile.
 *
 * CommonJS, SDK included, `mainFields: ["module", "main"]`: an ESM bundle pays about 40 ms more at its start, since an
 * import of node:http loads undici (measured 2026-11). No source maps: they would travel with every deployment and nothing reads them. Files are renamed into place, so that two builds at
 * once cannot spoil each other.
 */
export async function build(options: BuildOptions = {}): Promise<void> {
  const entryDirectory = options.entryDirectory ?? join(REPOSITORY, "lambda", "handlers");
  const outDirectory = options.outDirectory ?? DIST;
  const functions = options.functions ?? FUNCTIONS;

  const result = await esbuild({
    entryPoints: functions.map((name) => ({
      in: join(entryDirectory, `${name}.ts`),
      out: join(name, "index"),
    })),
    outdir: outDirectory,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    mainFields: ["module", "main"],
    minify: true,
    sourcemap: false,
    legalComments: "none",
    logLevel: "silent",
    write: false,
    absWorkingDir: REPOSITORY,
    metafile: true,
    plugins: [unusedModules, laterModules],
  });

  const bundles = result.outputFiles.map(({ path, contents }) => put(path, contents));
  const beside = Object.entries(result.metafile.outputs).map(async ([path, { inputs }]) => {
    const files = await laterFiles(inputs, REPOSITORY);
    await Promise.all(
      files.map(({ name, contents }) => put(join(REPOSITORY, dirname(path), name), contents)),
    );
  });
  const page = functions.includes(DASHBOARD) ? putPage(join(outDirectory, DASHBOARD, "page")) : null;
  // Our package is of type "module"; the bundles are CommonJS.
  await Promise.all([
    ...bundles,
    ...beside,
    page,
    ...(await dataFiles(entryDirectory, functions)).map(({ name, path, contents }) =>
      put(join(outDirectory, name, path), contents),
    ),
    put(join(outDirectory, "package.json"), '{"type":"commonjs"}\n'),
  ]);
}

/** The function that serves the dashboard's page: the page's files lie in its bundle. */
const DASHBOARD: FunctionName = "dashboard";

async function putPage(folder: string): Promise<void> {
  const files = await pageFiles();
  await Promise.all(files.map(({ name, contents }) => put(join(folder, name), contents)));
  await removeOthers(folder, files);
}

/** What lies beside an entry as `<name>.<file>.json` lies in the folder of its bundle, which reads it when it needs it. */
async function dataFiles(entryDirectory: string, functions: readonly string[]) {
  const files = (await readdir(entryDirectory)).flatMap((file) => {
    const [, name = "", path = ""] = /^([a-z-]+)\.([a-z-]+\.json)$/.exec(file) ?? [];
    return functions.includes(name) ? [{ file, name, path }] : [];
  });
  return Promise.all(
    files.map(async ({ file, name, path }) => {
      const text = await readFile(join(entryDirectory, file), "utf8");
      return { name, path, contents: JSON.stringify(JSON.parse(text)) };
    }),
  );
}

async function put(path: string, contents: string | Uint8Array): Promise<void> {
  const unfinished = `${path}.${randomUUID()}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(unfinished, contents);
  await rename(unfinished, path);
}

if (import.meta.main) await build();
