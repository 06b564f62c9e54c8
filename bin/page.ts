import { readdir, readFile, rm } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build as esbuild, type Metafile } from "esbuild";

/** The sources of the dashboard's page. */
const SOURCES = join(import.meta.dirname, "..", "dashboard");

/** The document of the page; everything else is named by it, or by what it names. */
const DOCUMENT = "index.html";

/** `src="./app.tsx"`: a file beside the document that a browser is to load. */
const REFERENCE = /(\b(?:src|href)=")\.\/([^"]+)(")/g;

/** Types of files that a browser can take compressed with profit. */
const COMPRESSED = new Set([".html", ".js", ".css", ".svg", ".json"]);

export interface PageFile {
  readonly name: string;
  readonly contents: Uint8Array;
}

/**
 * The files of the dashboard's page, built from dashboard/: its document, what the document names with `./`, and the parts
 * that are loaded later (`import()`). Every name but the document's has a hash of the contents, so a browser may keep the
 * file for ever. Beside each file lie `<name>.br` and `<name>.gz`, where that is shorter.
 *
 * The document refers to its files as `dashboard/<name>`: it is served at `/dashboard` without a slash at the end, so this is
 * right under any stage and any domain.
 */
export async function pageFiles(sources: string = SOURCES): Promise<readonly PageFile[]> {
  const document = await readFile(join(sources, DOCUMENT), "utf8");
  const named = [...new Set([...document.matchAll(REFERENCE)].map(([, , file = ""]) => file))];
  const { outputFiles, metafile } = await esbuild({
    entryPoints: named.map((file) => join(sources, file)),
    outdir: "/",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: ["es2022"],
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    loader: { ".svg": "copy", ".png": "copy", ".ico": "copy", ".woff2": "copy" },
    jsx: "automatic",
    jsxImportSource: "preact",
    define: { "process.env.NODE_ENV": '"production"' },
    minify: true,
    sourcemap: false,
    legalComments: "none",
    logLevel: "silent",
    write: false,
    metafile: true,
    absWorkingDir: sources,
  });
  const built = Object.entries(metafile.outputs).flatMap(([path, { entryPoint, inputs }]) => {
    const source = entryPoint ?? (Object.keys(inputs).length === 1 ? Object.keys(inputs)[0] : undefined);
    return source === undefined ? [] : [[source, basename(path)] as const];
  });
  const nameOf = new Map(built);
  const preloaded = preloads(metafile, new Set(named.map((file) => nameOf.get(file) ?? "")));
  const html = document
    .replace("</head>", `${preloaded}</head>`)
    .replace(REFERENCE, (_, before: string, file: string, after: string) => {
      const name = nameOf.get(file);
      if (name === undefined) throw new Error(`dashboard/${DOCUMENT} names ./${file}, which was not built`);
      return `${before}dashboard/${name}${after}`;
    });
  const files = [
    { name: DOCUMENT, contents: Buffer.from(html.replace(/>\s+</g, "><")) },
    ...outputFiles.map(({ path, contents }) => ({ name: basename(path), contents })),
  ];
  return files.flatMap((file) => [file, ...compressed(file)]);
}

/** Tells the browser of the parts that a script begins with, which it would else find only when it has the script. */
function preloads({ outputs }: Metafile, entries: ReadonlySet<string>): string {
  const parts = Object.entries(outputs).flatMap(([path, { imports }]) =>
    entries.has(basename(path)) ? imports.filter(({ kind }) => kind === "import-statement") : [],
  );
  return parts.map(({ path }) => `<link rel="modulepreload" href="dashboard/${basename(path)}">`).join("");
}

function compressed({ name, contents }: PageFile): readonly PageFile[] {
  if (!COMPRESSED.has(extname(name))) return [];
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  return [
    { name: `${name}.br`, contents: brotliCompressSync(contents, { params }) },
    { name: `${name}.gz`, contents: gzipSync(contents, { level: 9 }) },
  ].filter((shorter) => shorter.contents.length < contents.length);
}

/** Removes what an earlier build left in the folder: it would be deployed, and be served. */
export async function removeOthers(folder: string, files: readonly PageFile[]): Promise<void> {
  const kept = new Set(files.map(({ name }) => name));
  const others = (await readdir(folder)).filter((name) => !kept.has(name) && !isUnfinished(name));
  await Promise.all(others.map((name) => rm(join(folder, name), { force: true })));
}

/** A file that another build is writing. */
const isUnfinished = (name: string): boolean => /\.[0-9a-f-]{36}$/.test(name);
