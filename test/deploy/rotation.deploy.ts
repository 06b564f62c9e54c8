import { expect, test } from "vitest";
import { deploymentUnderTest } from "../support/deployed.ts";
import { OUTPUTS_VARIABLE, type Outputs, printed } from "./deployment.ts";

const outputs: Outputs = JSON.parse(process.env[OUTPUTS_VARIABLE] ?? "{}");
const command = (name: string) =>
  printed({ environment: process.env as Record<string, string> }, outputs[name] ?? "exit 3");

/** The last of all files: the others use the key that it replaces. */
test("the printed command makes a new API key, and the other one prints it", async () => {
  await command("RotateApiKeyCommand");
  const rotated = (await command("ApiKeyCommand")).trim();
  expect(rotated).toMatch(/^kb_[0-9a-f]{40}$/);
  expect(rotated).not.toBe(deploymentUnderTest()?.apiKey);
});
