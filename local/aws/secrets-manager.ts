import { randomUUID } from "node:crypto";
import {
  type JsonService,
  refusal,
  type ServiceAnswer,
  startJsonService,
  unknownOperation,
} from "./json-service.ts";

const ARN_PREFIX = "arn:aws:secretsmanager:us-east-1:000000000000:secret:";

export type LocalSecretsManager = JsonService;

/**
 * Answers GetSecretValue from `secrets` (name -> value, read anew on each call) as Secrets Manager does, by name or ARN.
 *
 * A secret that is empty is one without a value, which a new CfnSecret is: refused in AWS's own words, as is an unknown
 * one. Everything else is an unknown operation.
 */
export function startSecretsManager(
  secrets: ReadonlyMap<string, string>,
  accessKeyId: string,
): Promise<LocalSecretsManager> {
  const versions = new Map<string, string>();
  const versionOf = (name: string, value: string): string => {
    const version = versions.get(`${name}=${value}`) ?? randomUUID();
    versions.set(`${name}=${value}`, version);
    return version;
  };

  const answer = (operation: string | undefined, input: unknown): ServiceAnswer => {
    if (operation !== "GetSecretValue") return unknownOperation(operation);

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

  return startJsonService(accessKeyId, answer);
}

function nameIn(input: unknown): string | undefined {
  if (typeof input !== "object" || input === null || !("SecretId" in input)) return undefined;
  if (typeof input.SecretId !== "string") return undefined;
  const id = input.SecretId;
  return id.startsWith(ARN_PREFIX) ? id.slice(ARN_PREFIX.length).replace(/-local0$/, "") : id;
}
