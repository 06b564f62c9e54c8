import { devNull } from "node:os";

/**
 * Sets the environment of this process for local functions and returns what puts the old one back.
 *
 * Every AWS variable of the user is taken out first: profiles, keys, roles, endpoints and configuration files. A local
 * run must never act in a real account, whatever the shell was set up for.
 */
export function enterEnvironment(values: Readonly<Record<string, string>>): () => void {
  const saved = { ...process.env };
  for (const name of Object.keys(process.env)) {
    if (name.startsWith("AWS_")) delete process.env[name];
  }
  Object.assign(process.env, {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
    ...values,
  });

  return () => {
    for (const name of Object.keys(process.env)) {
      if (!(name in saved)) delete process.env[name];
    }
    Object.assign(process.env, saved);
  };
}
