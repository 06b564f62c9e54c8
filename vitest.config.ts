import { defineConfig } from "vitest/config";

/**
 * What takes long: a vendor more in a copy of the product, calls and records that are tried again and again, processes that are killed and
 * started again, runs that storm against a stop, calls by chance, servers of others, the product broken on purpose, the model of the
 * protocol, and everything that starts a process for each line of a table.
 */
const LONG = [
  "test/app/proxy/repeated-call.test.ts",
  "test/cli/{api-keys,completion,dashboard,doctor,exit-codes,lists,run,stops,tail,terminal}.test.ts",
  "test/costs/units.test.ts",
  "test/docs/{cli,emergency}.test.ts",
  "test/e2e/another-dynamodb.test.ts",
  "test/e2e/batch-of-children.test.ts",
  "test/e2e/faults.test.ts",
  "test/e2e/fourth-vendor.test.ts",
  "test/e2e/independent-upstreams.test.ts",
  "test/e2e/{lists,openapi,resend,stops,twilio,wrong-keys}.test.ts",
  "test/e2e/many-keys.test.ts",
  "test/e2e/quotes.test.ts",
  "test/e2e/restart.test.ts",
  "test/e2e/stopped-storms.test.ts",
  "test/handlers/record-audit.test.ts",
  "test/large-log/large-log.test.ts",
  "test/local/aws/audit-upgrade.test.ts",
  "test/local/local-cli.test.ts",
  "test/local/npm-watch.test.ts",
  "test/model/model.test.ts",
  "test/simulation/broken.test.ts",
  "test/stack/{grants,nag}.test.ts",
];

/**
 * `npm test` and `npm run test:long` need nothing but npm. Tests that start the whole product share one build of it.
 */
export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    globalSetup: ["test/global-setup.ts"],
    projects: [
      { extends: true, test: { name: "usual", include: ["test/**/*.test.ts"], exclude: LONG } },
      // Starts and builds of the whole product: a busy machine takes several times as long as a quiet one.
      { extends: true, test: { name: "long", include: LONG, testTimeout: 120_000, hookTimeout: 120_000 } },
    ],
  },
});
