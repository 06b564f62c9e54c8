import { Stack, Validations } from "aws-cdk-lib";
import { CfnSecret, Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import { ENV } from "../lambda/environment.ts";
import { type Config, credentialsOf } from "./config.ts";
import type { ServiceFunction } from "./service-function.ts";

export interface CredentialSecret {
  readonly vendor: string;
  readonly name: string;
  readonly secret: CfnSecret;
}

const API_KEY_LENGTH = 40;

/**
 * The admin API key, generated, and a secret for each vendor's credential, without a value: nobody but the operator ever
 * has the value, and until it is set calls are answered 503 with the command that sets it.
 */
export class VendorSecrets extends Construct {
  readonly adminApiKey: Secret;
  readonly credentials: readonly CredentialSecret[];

  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    this.adminApiKey = new Secret(this, "AdminApiKey", {
      description: "Keybrake: the admin API key (KEYBRAKE_API_KEY), which issues and revokes vault keys",
      generateSecretString: { excludePunctuation: true, passwordLength: API_KEY_LENGTH },
    });
    this.credentials = credentialsOf(config).map(({ vendor, name }) => ({
      vendor,
      name,
      // `Secret` would generate a value, and a generated value is not a vendor's secret.
      secret: new CfnSecret(this, `${pascal(vendor)}${pascal(name)}`, {
        description: `Keybrake: the credential "${name}" of ${vendor}`,
      }),
    }));
    Validations.of(this).acknowledge({
      id: "AwsSolutions::AwsSolutions-SMG4",
      reason:
        "a vendor's credential is made at the vendor, and callers hold the admin API key: both are rotated by the commands of the outputs",
    });
  }

  grantReadAdminApiKey(service: ServiceFunction): void {
    service.allow(["secretsmanager:GetSecretValue"], [this.adminApiKey.secretArn]);
    service.tell(ENV.adminKeySecret, this.adminApiKey.secretArn);
  }

  /** The credentials themselves. */
  grantReadCredentials(service: ServiceFunction): void {
    service.allow(
      ["secretsmanager:GetSecretValue"],
      this.credentials.map(({ secret }) => secret.ref),
    );
    this.tellNames(service);
  }

  /** Which credentials there are: enough to refuse a key for another one. */
  tellNames(service: ServiceFunction): void {
    const ids: Record<string, Record<string, string>> = {};
    for (const { vendor, name, secret } of this.credentials)
      ids[vendor] = { ...ids[vendor], [name]: secret.ref };
    service.tell(ENV.credentialSecrets, Stack.of(this).toJsonString(ids));
  }
}

/** `my-live` as a part of a construct's id: `MyLive`. */
export const pascal = (name: string): string =>
  name
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
