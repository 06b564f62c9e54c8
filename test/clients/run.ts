/**
 * `npm run test:clients`: the real Python clients, oldest and newest, against the running product.
 *
 * Makes one virtual environment per version under .venv/, starts the product for each and runs pytest in it. Where
 * there is no Python or PyPI cannot be reached it says `skipped: …`, since `npm test` must not need either.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pytest } from "../support/pytest.ts";
import { skippedWhereUnavailable, virtualEnvironment } from "../support/python.ts";

const HERE = import.meta.dirname;

const EVERYWHERE = ["test_stripe.py", "test_twilio.py", "test_resend.py", "test_books.py"];

const ENVIRONMENTS = [
  { name: "newest", files: [...EVERYWHERE, "test_stripe_client.py", "test_httpx.py"] },
  { name: "oldest", files: EVERYWHERE },
] as const;

await skippedWhereUnavailable(async () => {
  for (const { name, files } of ENVIRONMENTS) {
    const requirements = join(HERE, `requirements-${name}.txt`);
    const bin = virtualEnvironment(name, requirements);
    console.log(`\n${name}: ${readFileSync(requirements, "utf8").trim().replaceAll("\n", ", ")}`);
    if (!(await pytest(bin, HERE, files))) process.exitCode = 1;
  }
});
