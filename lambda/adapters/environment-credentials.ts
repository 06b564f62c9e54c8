import type { SigningCredentials } from "./aws-signature.ts";

/**
 * The credentials of the function's role, which Lambda hands over in the environment, as does the local run. There is no other
 * place to look: profiles, single sign-on and the addresses of machines and containers are of no use to a function.
 *
 * Throws a CredentialsProviderError where there are none, as the SDK does: then nothing was sent.
 */
export function environmentCredentials(): SigningCredentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  if (!accessKeyId || !secretAccessKey)
    throw Object.assign(new Error("the environment has no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"), {
      name: "CredentialsProviderError",
    });
  return { accessKeyId, secretAccessKey, sessionToken: process.env["AWS_SESSION_TOKEN"] || undefined };
}

/**
 * The same for a client of the SDK. It would keep credentials that never end; these end at once, so that it asks again for each
 * request and a changed environment counts.
 */
export const environmentProvider = async () => {
  const { sessionToken, ...pair } = environmentCredentials();
  return { ...pair, ...(sessionToken !== undefined && { sessionToken }), expiration: new Date() };
};
