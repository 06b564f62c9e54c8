import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MiniStack } from "./ministack.ts";

const REPOSITORY = join(import.meta.dirname, "..", "..");
const STACK = "Keybrake";

/** The variable that hands the outputs, as JSON, to the tests. */
export const OUTPUTS_VARIABLE = "KEYBRAKE_TEST_OUTPUTS";

/** The stack's outputs, by name. */
export type Outputs = Readonly<Record<string, string>>;

/**
 * `cdk bootstrap` and `cdk deploy` of this very stack, as the README says, into an account that is empty. Throws with what
 * the CLI said where it fails.
 */
export async function deploy(account: MiniStack, folder: string, vendorOrigins: object): Promise<Outputs> {
  await cdk(account, ["bootstrap", "aws://000000000000/us-east-1"]);
  // The bootstrap bucket refuses whoever does not come by TLS, and MiniStack enforces that on its own plain HTTP.
  await printed(
    account,
    "aws s3api delete-bucket-policy --bucket cdk-hnb659fds-assets-000000000000-us-east-1",
  );
  const outputs = join(folder, "outputs.json");
  const assembly = join(folder, "cdk.out");
  const config = JSON.stringify({ stackName: STACK, vendorOrigins });
  await cdk(account, ["synth", "--quiet", "--output", assembly, "-c", `keybrake=${config}`]);
  await replaceMetricMath(join(assembly, `${STACK}.template.json`));
  await cdk(account, ["deploy", "--app", assembly, "--require-approval", "never", "--outputs-file", outputs]);
  return JSON.parse(await readFile(outputs, "utf8"))[STACK];
}

interface Template {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; Properties?: Record<string, unknown> }>
  >;
}

/** MiniStack refuses an alarm of several metrics, so such an alarm gets one that is there: it never rings here anyway. */
async function replaceMetricMath(file: string): Promise<void> {
  const template: Template = JSON.parse(await readFile(file, "utf8"));
  for (const resource of Object.values(template.Resources)) {
    const { Metrics: metrics, ...rest } = resource.Properties ?? {};
    if (resource.Type !== "AWS::CloudWatch::Alarm" || metrics === undefined) continue;
    resource.Properties = {
      ...rest,
      Namespace: "AWS/ApiGateway",
      MetricName: "Count",
      Statistic: "Sum",
      Period: 300,
    };
  }
  await writeFile(file, JSON.stringify(template));
}

const cdk = (account: MiniStack, rest: readonly string[]): Promise<string> =>
  run(account, "npx", ["cdk", ...rest, "--no-notices", "--progress", "events", "--ci"]);

/**
 * Runs a command as it is printed, in a shell, and returns what it printed. `input` comes by a pipe of the shell: what Node
 * gives a child is a socket, which /dev/stdin cannot open.
 */
export const printed = (
  account: Pick<MiniStack, "environment">,
  command: string,
  input = "",
): Promise<string> => run(account, "bash", ["-c", input === "" ? command : `cat | ${command}`], input);

function run(
  account: Pick<MiniStack, "environment">,
  command: string,
  rest: readonly string[],
  input = "",
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, rest, { cwd: REPOSITORY, env: account.environment });
    let output = "";
    let complaints = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      complaints += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ${rest.join(" ")} ended with ${code}:\n${output}\n${complaints}`));
    });
    child.stdin.end(input);
  });
}
