/** An endpoint and credentials for the SDK's clients of stand-ins: never the user's own. */
export const standIn = (endpoint: string) => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});
