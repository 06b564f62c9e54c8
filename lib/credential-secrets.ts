import { Stack, Validations } from "aws-cdk-lib";
import { CfnSecret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import { ENV } from "../lambda/environment.ts";
import type { VendorRegistry } from "../lambda/vendors/registry.ts";
import { type Config, credentialsOf } from "./config.ts";
import { pascal, type ServiceFunction } from "./service-function.ts";

export interface CredentialSecret {
  /** Part of the names of what belongs to it: `StripeDefault`. */
  readonly id: string;
  readonly vendor: string;
  readonly name: string;
  readonly arn: string;
}

const API_KEY_LENGTH = 40;

/**
 * The admin API key, generated, and a secret for each vendor's credential, without a value: nobody but the operator ever
 * has the value, and until it is set calls are answered 503 with the command that sets it.
 */
export class CredentialSecrets extends Construct {
  readonly adminApiKeyArn: string;
  readonly credentials: readonly CredentialSecret[];

  constructor(scope: Construct, id: string, config: Config, vendors: VendorRegistry) {
    super(scope, id);
    const encrypted = config.kmsKeyArn === undefined ? {} : { kmsKeyId: config.kmsKeyArn };
    this.adminApiKeyArn = new CfnSecret(this, "AdminApiKey", {
      description: "Keybrake: the admin API key (KEYBRAKE_API_KEY), which issues and revokes vault keys",
      generateSecretString: { excludePunctuation: true, passwordLength: API_KEY_LENGTH },
      ...encrypted,
    }).attrId;
    this.credentials = credentialsOf(config, vendors.names).map(({ vendor, name }) => ({
      id: `${pascal(vendor)}${pascal(name)}`,
      vendor,
      name,
      // `Secret` would generate a value, and a generated value is not a vendor's secret.
      arn: new CfnSecret(this, `${pascal(vendor)}${pascal(name)}`, {
        description: `Keybrake: the credential "${name}" of ${vendor}`,
        ...encrypted,
      }).attrId,
    }));
    Validations.of(this).acknowledge({
      id: "AwsSolutions::AwsSolutions-SMG4",
      reason:
        "a vendor's credential is made at the vendor, and callers hold the admin API key: both are rotated by the commands of the outputs",
    });
  }

  /** The admin API key, to compare with. */
  grantReadAdminApiKey(service: ServiceFunction): void {
    service.allow(["secretsmanager:GetSecretValue"], [this.adminApiKeyArn]);
    service.allowKey(["secretsmanager"], ["Decrypt"]);
    service.setEnvironment(ENV.adminKeySecret, this.adminApiKeyArn);
  }

  /** The credentials themselves, of these vendors alone if given; nothing where none of them has one. */
  grantReadCredentials(service: ServiceFunction, vendors?: readonly string[]): void {
    const arns = this.#credentialsOf(vendors).map(({ arn }) => arn);
    if (arns.length > 0) {
      service.allow(["secretsmanager:GetSecretValue"], arns);
      service.allowKey(["secretsmanager"], ["Decrypt"]);
    }
    this.setCredentialNames(service, vendors);
  }

  /** Which credentials there are: enough to refuse a key for another one. */
  setCredentialNames(service: ServiceFunction, vendors?: readonly string[]): void {
    const ids: Record<string, Record<string, string>> = {};
    for (const { vendor, name, arn } of this.#credentialsOf(vendors))
      ids[vendor] = { ...ids[vendor], [name]: arn };
    service.setEnvironment(ENV.credentialSecrets, Stack.of(this).toJsonString(ids));
  }

  #credentialsOf(vendors?: readonly string[]): readonly CredentialSecret[] {
    return this.credentials.filter(({ vendor }) => vendors?.includes(vendor) ?? true);
  }
}
