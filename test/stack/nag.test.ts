import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks, ServerlessChecks } from "cdk-nag";
import { expect, test } from "vitest";
import { DIST } from "../../bin/build.ts";
import { type ConfigInput, parseConfig } from "../../lib/config.ts";
import { KeybrakeStack } from "../../lib/keybrake-stack.ts";

interface Report {
  readonly pluginReports: readonly {
    readonly pluginName: string;
    readonly conclusion: string;
    readonly violations: readonly {
      readonly ruleName: string;
      readonly violatingConstructs: readonly { readonly constructPath: string }[];
    }[];
  }[];
}

/** What each rule pack says of the stack, and what it found. */
async function checked(config: ConfigInput): Promise<Record<string, readonly string[]>> {
  const outdir = await mkdtemp(join(tmpdir(), "keybrake-nag-"));
  const app = new App({ analyticsReporting: false, outdir });
  new KeybrakeStack(app, "Keybrake", { config: parseConfig(config, "the test"), bundles: DIST });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  try {
    app.synth();
  } catch (error) {
    if (!String(error).includes("Validation failed")) throw error;
  }
  const report: Report = JSON.parse(await readFile(join(outdir, "validation-report.json"), "utf8"));
  await rm(outdir, { recursive: true });
  return Object.fromEntries(
    report.pluginReports.map(({ pluginName, violations }) => [
      pluginName,
      violations.flatMap(({ ruleName, violatingConstructs }) =>
        violatingConstructs.map(({ constructPath }) => `${ruleName} ${constructPath}`),
      ),
    ]),
  );
}

/** Guarantees that nobody's review begins with a list of findings; each acknowledgement has its reason beside it in lib. */
test.each<[string, ConfigInput]>([
  ["the defaults", {}],
  [
    "everything that can be configured",
    {
      credentials: { stripe: ["live", "test"] },
      alarmEmail: "ops@example.com",
      accessLogs: "account-has-role",
      pageEmail: "pager@example.com",
      managingCidrs: ["203.0.113.0/24"],
      webAclArn:
        "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/ours/a1b2c3d4-0000-4000-8000-0123456789ab",
      kmsKeyArn: "arn:aws:kms:eu-west-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef",
      reservedConcurrency: { "manage-key": 5 },
      eventWebhook: {
        url: "https://example.com/hook",
        secretArn: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:hook-AbCdEf",
      },
      eventEmail: { address: "ops@example.com" },
      permissionsBoundaryArn: "arn:aws:iam::111122223333:policy/boundary",
      customDomain: {
        name: "keybrake.example.com",
        certificateArn: "arn:aws:acm:eu-west-1:111122223333:certificate/1234",
        hostedZone: { id: "Z0123456789ABC", name: "example.com" },
      },
    },
  ],
])("the rule packs find nothing in the stack of %s", async (_, config) => {
  expect(await checked(config)).toEqual({ AwsSolutions: [], Serverless: [] });
});
