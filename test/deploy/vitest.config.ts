import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** In this order, one after another: they share a deployment that begins without a credential. */
const FILES = [
  "test/deploy/first-hour.deploy.ts",
  "test/deploy/stripe-node.deploy.ts",
  "test/deploy/audit-queries.deploy.ts",
  "test/e2e/api.test.ts",
  "test/e2e/money.test.ts",
  "test/e2e/sdk.test.ts",
  "test/deploy/emergency.deploy.ts",
  "test/deploy/rotation.deploy.ts",
];

class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => FILES.findIndex((file) => moduleId.endsWith(file));
    return files.sort((one, other) => place(one) - place(other));
  }
}

/** The tests that `npm run test:deploy` runs against the deployment. */
export default defineConfig({
  test: {
    root: new URL("../..", import.meta.url).pathname,
    include: FILES,
    setupFiles: ["test/deploy/skip.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    sequence: { sequencer: InOrder },
  },
});
