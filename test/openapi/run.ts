/**
 * `npm run test:openapi`: Schemathesis makes requests of the OpenAPI document that the running product serves, and holds the answers
 * against it. Says `skipped: …` where there is no Python or PyPI cannot be reached.
 */
import { join } from "node:path";
import { pytest } from "../support/pytest.ts";
import { skippedWhereUnavailable, virtualEnvironment } from "../support/python.ts";

const HERE = import.meta.dirname;

await skippedWhereUnavailable(async () => {
  const bin = virtualEnvironment("openapi", join(HERE, "requirements.txt"));
  if (!(await pytest(bin, HERE, ["test_schemathesis.py"]))) process.exitCode = 1;
});
