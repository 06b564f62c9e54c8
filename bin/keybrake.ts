/**
 * The CDK app: reads the configuration, bundles the functions, and makes one KeybrakeStack. cdk.json runs it.
 */
import { App } from "aws-cdk-lib";
import { ConfigError } from "../lib/config.ts";
import { readConfig } from "../lib/config-source.ts";
import { KeybrakeStack } from "../lib/keybrake-stack.ts";
import { build, DIST } from "./build.ts";

try {
  const app = new App({ analyticsReporting: false });
  const config = await readConfig(app.node.tryGetContext("keybrake"));
  await build();
  new KeybrakeStack(app, config.stackName, { config, bundles: DIST });
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
