/**
 * `npm run test:clients`: the real Python clients, oldest and newest, against the running product.
 *
 * Makes one virtual environment per version under .venv/, starts the product for each and runs pytest in it; then a client
 * in Go; then the dashboard in Chromium. Where one of these is missing, or its packages cannot be reached, it says `skipped: …`,
 * since `npm test` must not need any.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { browserTests } from "../browser/browser-tests.ts";
import { everyDenial } from "../support/denials.ts";
import { pytest } from "../support/pytest.ts";
import { skippedWhereUnavailable, virtualEnvironment } from "../support/python.ts";
import { goClients } from "./go.ts";

const HERE = import.meta.dirname;

const EVERYWHERE = [
  "test_run.py",
  "test_stripe.py",
  "test_twilio.py",
  "test_resend.py",
  "test_books.py",
  "test_wrong_keys.py",
];

const ENVIRONMENTS = [
  { name: "newest", files: [...EVERYWHERE, "test_stripe_client.py", "test_httpx.py", "test_retries.py"] },
  { name: "oldest", files: EVERYWHERE },
] as const;

const folder = mkdtempSync(join(tmpdir(), "keybrake-"));
const denials = join(folder, "denials.json");
writeFileSync(denials, JSON.stringify(await everyDenial()));

await skippedWhereUnavailable(async () => {
  for (const { name, files } of ENVIRONMENTS) {
    const requirements = join(HERE, `requirements-${name}.txt`);
    const bin = virtualEnvironment(name, requirements);
    console.log(`\n${name}: ${readFileSync(requirements, "utf8").trim().replaceAll("\n", ", ")}`);
    if (!(await pytest(bin, HERE, files, { KEYBRAKE_DENIALS: denials }))) process.exitCode = 1;
  }
});
await skippedWhereUnavailable(async () => {
  if (!goClients(denials)) process.exitCode = 1;
});
await skippedWhereUnavailable(async () => {
  if (!browserTests()) process.exitCode = 1;
});
rmSync(folder, { recursive: true });
