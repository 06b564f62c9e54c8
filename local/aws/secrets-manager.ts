import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { listen } from "../listen.ts";

const ARN_PREFIX = "arn:aws:secretsmanager:us-east-1:000000000000:secret:";

export interface LocalSecretsManager {
  readonly endpoint: string;
  close(): Promise<void>;
}

/**
 * Answers GetSecretValue from `secrets` (name -> value, read anew on each call) as Secrets Manager does, by name or ARN.
 *
 * A secret that is empty is one without a value, which a new CfnSecret is: refused in AWS's own words, as is an unknown
 * one. Everything else is an unknown operation.
 *
 * It answers only requests signed with `accessKeyId`, which is new in every run and known to its functions alone: other
 * users of the machine and pages in a browser reach the port too. The signature itself is not checked.
 */
export async function startSecretsManager(
  secrets: ReadonlyMap<string, string>,
  accessKeyId: string,
): Promise<LocalSecretsManager> {
  const versions = new Map<string, string>();
  const versionOf = (name: string, value: string): string => {
    const version = versions.get(`${name}=${value}`) ?? randomUUID();
    versions.set(`${name}=${value}`, version);
    return version;
  };

  const answer = (operation: string | undefined, input: unknown): Answer => {
    if (operation !== "GetSecretValue")
      return refusal("UnknownOperationException", `no operation ${operation} here`);

    const name = nameIn(input);
    const value = name === undefined ? undefined : secrets.get(name);
    if (name === undefined || value === undefined) {
      return refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
    }
    if (value === "") {
      return refusal(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
      );
    }
    return {
      status: 200,
      body: {
        ARN: `${ARN_PREFIX}${name}-local0`,
        Name: name,
        SecretString: value,
        VersionId: versionOf(name, value),
        VersionStages: ["AWSCURRENT"],
      },
    };
  };

  const server = createServer(async (incoming, outgoing) => {
    const target = incoming.headers["x-amz-target"];
    const operation = typeof target === "string" ? target.split(".")[1] : undefined;
    const input = await jsonOf(incoming);
    const { status, body } = isSignedWith(accessKeyId, incoming)
      ? answer(operation, input)
      : refusal("UnrecognizedClientException", "The security token included in the request is invalid.");
    outgoing.writeHead(status, { "Content-Type": "application/x-amz-json-1.1" });
    outgoing.end(JSON.stringify(body));
  });

  return {
    endpoint: `http://127.0.0.1:${await listen(server, 0)}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function isSignedWith(accessKeyId: string, { headers }: IncomingMessage): boolean {
  const [, given = ""] = /\bCredential=([^/,\s]+)\//.exec(headers.authorization ?? "") ?? [];
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(accessKeyId));
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, string | readonly string[]>>;
}

function refusal(type: string, message: string): Answer {
  return { status: 400, body: { __type: type, Message: message } };
}

function nameIn(input: unknown): string | undefined {
  if (typeof input !== "object" || input === null || !("SecretId" in input)) return undefined;
  if (typeof input.SecretId !== "string") return undefined;
  const id = input.SecretId;
  return id.startsWith(ARN_PREFIX) ? id.slice(ARN_PREFIX.length).replace(/-local0$/, "") : id;
}

async function jsonOf(incoming: IncomingMessage): Promise<unknown> {
  try {
    let text = "";
    for await (const chunk of incoming) text += String(chunk);
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
