/**
 * `npm run test:examples`: the programs of examples/ as a user runs them, against the running product.
 *
 * They run with the real metaflow, modal, stripe and httpx, in processes of their own and off the network. What they charge is held against
 * the simulated Stripe's own books and the audit log. Says `skipped: …` where there is no Python or PyPI cannot be reached.
 */
import { join } from "node:path";
import { pytest } from "../support/pytest.ts";
import { skippedWhereUnavailable, virtualEnvironment } from "../support/python.ts";

const HERE = import.meta.dirname;
const EXAMPLES = join(HERE, "..", "..", "examples");
const CLIENTS = join(HERE, "..", "clients");

await skippedWhereUnavailable(async () => {
  const ofExamples = virtualEnvironment(
    "examples",
    join(EXAMPLES, "requirements.txt"),
    join(HERE, "requirements.txt"),
  );
  // What pickles changed with stripe 16.1, and users are on both sides of it: an environment that the clients' tests have anyway.
  const olderStripe = virtualEnvironment("newest", join(CLIENTS, "requirements-newest.txt"));
  const environments = [
    {
      bin: ofExamples,
      files: ["test_pickles.py", "test_modal.py", "test_metaflow.py", "test_as_usually_written.py"],
    },
    { bin: olderStripe, files: ["test_pickles.py"] },
  ];
  for (const { bin, files } of environments) {
    if (!(await pytest(bin, HERE, files))) process.exitCode = 1;
  }
});
