import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { vendorRegistry } from "../lambda/vendors/index.ts";

/** Guarantees the shape that docs/architecture.md draws: who may import whom, and where the world may be touched. */

const ROOT = join(import.meta.dirname, "..");

function sources(folder: string): { file: string; text: string }[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => ({ file: join(folder, name), text: readFileSync(join(ROOT, folder, name), "utf8") }));
}

/** Our own files that a source imports, from the root. */
const importsOf = ({ file, text }: { file: string; text: string }): string[] =>
  [...text.matchAll(/(?:from |import\()"(\.[^"]+)"/g)].map(([, path = ""]) =>
    normalize(join(dirname(file), path)),
  );

const folderOf = (file: string): string => {
  const [first = "", second = "", third] = relative(".", file).split("/");
  return third === undefined ? second : `${first}/${second}`;
};

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "lambda/domain": ["lambda/domain"],
  "lambda/vendors": ["lambda/vendors", "lambda/domain"],
  "lambda/ports": ["lambda/ports", "lambda/domain"],
  "lambda/app": ["lambda/app", "lambda/domain", "lambda/vendors", "lambda/ports", "at-once.ts"],
  "lambda/adapters": [
    "lambda/adapters",
    "lambda/domain",
    "lambda/ports",
    "at-once.ts",
    "audit-wire.ts",
    "layout.ts",
  ],
  "lambda/http": ["lambda/http", "lambda/app", "lambda/domain", "lambda/vendors", "audit-wire.ts"],
};

/** How a change of the Vault becomes a line: by the very reading that makes a row. */
const READING = [
  "lambda/adapters/dynamo-vault.ts",
  "lambda/adapters/vault-changes.ts",
  "lambda/app/audit/record-audit.ts",
  "lambda/domain/vault-key.ts",
  "lambda/http/request.ts",
];
const LINES = ["audit-event", "audit-fields", "balance", "money", "problem", "secrets", "time"].map(
  (name) => `lambda/domain/${name}.ts`,
);
const MORE_OF_LOCAL: Readonly<Record<string, readonly string[]>> = {
  "local/aws/audit-upgrade.ts": [
    "lambda/adapters/attributes.ts",
    "lambda/adapters/audit-items/event-item.ts",
    "lambda/audit-wire.ts",
  ],
  "local/aws/key-lists-upgrade.ts": [
    "lambda/adapters/vault-items/listed-item.ts",
    "lambda/adapters/vault-items/policy-item.ts",
  ],
  "local/events-answer.ts": [
    "lambda/adapters/vault/api-keys.ts",
    "lambda/adapters/vault/balances.ts",
    "lambda/adapters/vault/logins.ts",
    "lambda/adapters/vault/vault-table.ts",
    "lambda/domain/secrets.ts",
    "lambda/http/answers.ts",
    "lambda/http/authenticate.ts",
    "lambda/http/list-params.ts",
    "lambda/http/request.ts",
  ],
  "local/decisions.ts": READING,
  "local/decision-line.ts": LINES,
  "local/function-environment.ts": ["lambda/domain/vendor.ts"],
  "local/settings.ts": [
    "lambda/domain/secrets.ts",
    "lambda/domain/strict-json.ts",
    "lambda/domain/vendor.ts",
    "lambda/domain/vendor-manifest.ts",
  ],
  "local/vendor-targets.ts": ["lambda/domain/vendor.ts"],
};
const LIB_MAY_IMPORT: readonly string[] = [
  "lambda/environment.ts",
  "lambda/rate-card-input.ts",
  "lambda/layout.ts",
  "lambda/vendors/index.ts",
  "lambda/vendors/registry.ts",
  "lambda/vendors/configured/definition.ts",
  "lambda/vendors/configured/schema-fields.ts",
];

describe("imports go one way", () => {
  test.each(Object.entries(MAY_IMPORT))("%s imports only what lies below it", (folder, allowed) => {
    for (const source of sources(folder)) {
      for (const imported of importsOf(source))
        expect(allowed, `${source.file} imports ${imported}`).toContain(folderOf(imported));
    }
  });

  test("what is deployed and what runs meet in the names of environment variables, in the rate card, the layout and the vendors; the local run also tells what the functions write", () => {
    for (const source of sources("lambda"))
      for (const imported of importsOf(source)) expect(imported, source.file).toMatch(/^lambda\//);
    for (const source of sources("lib")) {
      for (const imported of importsOf(source)) {
        expect(imported, source.file).not.toMatch(/^local\//);
        if (imported.startsWith("lambda/")) expect(LIB_MAY_IMPORT, source.file).toContain(imported);
      }
    }
    for (const source of sources("local")) {
      for (const imported of importsOf(source))
        if (imported.startsWith("lambda/"))
          expect([...LIB_MAY_IMPORT, ...(MORE_OF_LOCAL[source.file] ?? [])], source.file).toContain(imported);
    }
  });
});

test("the command knows Keybrake by its API alone, and of the vendors what their manifests say", () => {
  for (const source of sources("cli"))
    for (const imported of importsOf(source))
      expect(imported, source.file).toMatch(
        /^cli\/|^package\.json$|^lambda\/(vendors\/index|domain\/vendor-manifest)\.ts$/,
      );
});

/** The packages that a source loads: not its types, and not what Node brings. */
const packagesOf = (text: string): string[] =>
  [...text.matchAll(/^(import|export|\}).* from "([^."][^"]*)";$/gm)]
    .map(([, , name = ""]) => /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name)
    .filter((name) => !name.startsWith("node:"));

/** The packages that these programs load, and those of what they bundle. Types are not loaded. */
function packagesBehind(programs: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const toRead = [...programs];
  for (let file = toRead.pop(); file !== undefined; file = toRead.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = readFileSync(join(ROOT, file), "utf8").replace(/^import type [^;]*;/gm, "");
    for (const name of packagesOf(text)) packages.add(name);
    toRead.push(...importsOf({ file, text }));
  }
  return packages;
}

/** Guarantees that `npm ci --omit=dev` is enough for a first try (docs/decisions/0033-what-is-installed.md). */
test("what runs on one machine needs no package of the tests", () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const functions = sources("lambda/handlers").map(({ file }) => file);

  const needed = packagesBehind(["bin/local.ts", "bin/demo.ts", "bin/cli.ts", ...functions]);

  expect([...needed].filter((name) => !(name in manifest.dependencies))).toEqual([]);
  expect(needed).toContain("stripe");
  expect(manifest.dependencies).toHaveProperty("node");
});

/** npm 12 runs no install script that is not named, and without Node's no script of this repository starts. */
test("every install script of the lock file is allowed or refused by name", () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Readonly<Record<string, { hasInstallScript?: boolean; optional?: boolean }>>;
  };
  const scripted = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.split("node_modules/").at(-1));

  expect([...new Set(scripted)].toSorted()).toEqual(expect.arrayContaining(["node"]));
  expect(Object.keys(manifest.allowScripts)).toEqual(expect.arrayContaining([...new Set(scripted)]));
});

describe("the domain", () => {
  test.each(sources("lambda/domain").map((source) => [source.file, source.text]))(
    "%s reads no clock, no chance and no environment",
    (_, text) => {
      expect(text).not.toMatch(
        /Date\.now|new Date\(\)|Math\.random|random(Bytes|Int|UUID)|process\.|\bawait\b|fetch\(|setTimeout/,
      );
    },
  );

  test.each(sources("lambda/domain").map((source) => [source.file, source.text]))(
    "%s needs nothing but Node's own pure modules",
    (_, text) => {
      for (const [, name = ""] of text.matchAll(/from "([^.][^"]*)"/g))
        expect(["node:assert", "node:crypto", "node:zlib"]).toContain(name);
    },
  );
});

describe("money", () => {
  test("is never a float: no number is made of an amount but for JSON", () => {
    for (const { file, text } of sources("lambda")) {
      if (file.endsWith("domain/money.ts") || file.endsWith("audit-wire.ts")) continue;
      expect(text, file).not.toMatch(/\bNumber\([^)]*([aA]mount|[pP]rice|[cC]ost|[cC]ap)\b/);
    }
  });

  const BALANCES = "lambda/adapters/vault/balances.ts";

  test("of a balance is written in one file only, with the client that never repeats", () => {
    for (const { file, text } of sources("lambda")) {
      const isTable = file === "lambda/adapters/vault/vault-table.ts";
      expect(text.match(/[cC]lients\.once\b/g) ?? [], file).toHaveLength(isTable ? 1 : 0);
      if (file !== BALANCES && !isTable) expect(text, file).not.toContain("updateOnce(");
      if (file !== BALANCES && !file.endsWith("balance-item.ts"))
        expect(text, file).not.toContain("balanceKey(");
    }
  });

  test("of a balance is in no write that the SDK repeats", () => {
    const writes = readFileSync(join(ROOT, BALANCES), "utf8")
      .split(/(?=table\.(?:update|updateOnce|put)\()/)
      .slice(1)
      .map((text) => [
        text.startsWith("table.updateOnce("),
        /\bt = t\b|#window|_cap = /.test(text.split("ConditionExpression")[0] ?? ""),
      ]);
    // The caps and what is left of them, the revocation, a draw, a call that is counted, a fence, a correction.
    expect(writes).toEqual([
      [true, true],
      [false, false],
      [true, true],
      [false, false],
      [false, false],
      [true, true],
    ]);
  });
});

test("a rule of one vendor is data of that vendor: nothing else asks which vendor it is", () => {
  for (const { file, text } of sources("lambda")) {
    if (file.startsWith("lambda/vendors")) continue;
    expect(text, file).not.toMatch(/vendor(Name|\.name)? === "/);
  }
});

/** Guarantees that a vendor is one folder and its name in one list. */
describe("a vendor", () => {
  const { all, names } = vendorRegistry();

  /** Where a vendor may be named: in its own folders, in the list, in that of the books, and in the demonstration, which is of one vendor. */
  const isOf = (file: string, name: string): boolean =>
    file.startsWith(`lambda/vendors/${name}/`) ||
    file.startsWith(`local/simulators/${name}/`) ||
    file === "lambda/vendors/index.ts" ||
    file === "lambda/vendors/books.ts" ||
    file === "bin/demo.ts";

  test.each(names)("%s is named nowhere else in the code, however it is written or compared", (name) => {
    for (const { file, text } of ["bin", "cli", "lambda", "lib", "local"].flatMap(sources))
      if (!isOf(file, name)) expect(wordsOf(text), file).not.toContain(name);
  });

  test("is called as its folder, and every folder is in the list", () => {
    const folders = readdirSync(join(ROOT, "lambda/vendors"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "configured")
      .map((entry) => entry.name);
    expect(folders.toSorted()).toEqual(names.toSorted());
  });

  test.each(names)("%s has a manifest that loads nothing", (name) => {
    const text = readFileSync(join(ROOT, `lambda/vendors/${name}/manifest.ts`), "utf8");
    expect(text.match(/^import .*$/gm)).toEqual([
      'import type { DenialFacts, VendorManifest } from "../../domain/vendor-manifest.ts";',
    ]);
    expect(text).not.toMatch(/\bimport\(|\brequire\(|\bprocess\b|^export .* from/m);
  });

  test.each(all)("says the same of late prices in the manifest of $name and beside it", (vendor) => {
    expect(vendor.tellsPricesLate).toBe(vendor.latePrices !== null);
  });

  test("has a simulator in the folder of its name, where it has one", () => {
    const folders = readdirSync(join(ROOT, "local/simulators"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "shared")
      .map((entry) => entry.name);
    for (const folder of folders) {
      expect(names).toContain(folder);
      expect(existsSync(join(ROOT, "local/simulators", folder, "start.ts")), folder).toBe(true);
    }
  });
});

/** A text and a pattern are kept, since a comment may seem to begin in them: an address, a path with wildcards. */
const TEXT = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/;
const PATTERN = /(?<=[(,=:[!&|?{};>]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\//;
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/.*$/;
const KEPT_OR_COMMENT = new RegExp(`(${TEXT.source}|${PATTERN.source})|${COMMENT.source}`, "gm");

/**
 * The words of the code but for its comments, in small letters: `startFooServer` and `FOO_KEY` have the word foo. Texts that
 * are added are one, and an escaped letter is that letter.
 */
function wordsOf(text: string): readonly string[] {
  const code = text.replace(KEPT_OR_COMMENT, (_, kept: string | undefined) => kept ?? "");
  const plain = code
    .replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]+)\})/gi, (_, ...hex: (string | undefined)[]) =>
      String.fromCodePoint(Number.parseInt(hex.slice(0, 3).join(""), 16)),
    )
    .replace(/(["'`])\s*\+\s*(["'`])/g, "");
  const words = plain.replace(/([a-z0-9])(?=[A-Z])/g, "$1 ").toLowerCase();
  return [...new Set(words.match(/[a-z]+/g))];
}

test.each([
  ['if (vendor.name === "foo") {}', true],
  ["switch (name) { case `foo`: }", true],
  ["prices.foo", true],
  ['prices["Foo"]', true],
  ["startFooServer()", true],
  ["const FOO_KEY = 1", true],
  ['const at = "https://api.foo.com"', true],
  ["const { foo } = vendors", true],
  ['const types = ["*/*"]; const a = foo; /* end */', true],
  ["const path = `https://a//*`; foo(); // it does", true],
  ['path.replace(/^\\//, "") === "foo"', true],
  ["path.split(/[/]*/).includes('foo'); /* end */", true],
  ['name === "\\x66oo"', true],
  ['name === "f" + "oo"', true],
  ["// foo does so\nconst a = 1", false],
  ["const half = a / b; // foo does so", false],
  ["/** Foo does so. */ const a = 1", false],
  ["const food = 1", false],
  ["const FOOS_MAX = 1", false],
])("the word foo stands in the code of %j: %s", (text, stands) => {
  expect(wordsOf(text).includes("foo")).toBe(stands);
});

test("what is sent again to a table waits by one back-off", () => {
  for (const { file, text } of sources("lambda/adapters"))
    if (!file.endsWith("back-off.ts")) expect(text, file).not.toMatch(/timers\/promises|Math\.random/);
});

test("files are named in kebab-case", () => {
  for (const folder of ["bin", "cli", "lib", "local", "lambda"]) {
    for (const { file } of sources(folder)) expect(file).toMatch(/^[a-z0-9/-]+\.ts$/);
  }
});
