import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "../../bin/build.ts";
import { keepFigures, keptFigures } from "./kept.ts";
import { measured } from "./measured.ts";
import { pageWith, partsOf } from "./page.ts";
import { PRICES } from "./prices.ts";

/**
 * `npm run costs`: measures the units and bytes of each use of the product, computes dollars of them, of the template and
 * of the prices, shows them, and writes them to docs/limits.md. `--kept` computes with what was measured last.
 */
const { values } = parseArgs({ options: { kept: { type: "boolean", default: false } } });

await build();
if (!values.kept) {
  process.env["POWERTOOLS_METRICS_DISABLED"] = "true";
  console.log("measuring, about two minutes …");
  keepFigures(await measured());
}
const parts = partsOf(keptFigures());
for (const part of Object.values(parts)) console.log(`\n${part}`);
console.log("\nprices of us-east-1");
for (const { usd, per, unit, source } of Object.values(PRICES))
  console.log(`  $${usd}`.padEnd(12), `${per.toLocaleString("en-US")} ${unit}`.padEnd(54), source);

const page = join(import.meta.dirname, "..", "..", "docs", "limits.md");
writeFileSync(page, pageWith(readFileSync(page, "utf8"), parts));
process.exit(0);
