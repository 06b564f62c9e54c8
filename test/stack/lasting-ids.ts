/**
 * The logical ids of what holds data or an address, as release 0.2.0 deployed them, but for the
 * Audit table, which is a new one since layout 3 (docs/deploying.md): with another id CloudFormation makes a
 * new one, which is empty, and leaves or deletes the old.
 */
export const LASTING_IDS: Readonly<Record<string, readonly string[]>> = {
  "AWS::DynamoDB::GlobalTable": ["VaultTable008FE3F5", "AuditLogTableF32DED0C"],
  "AWS::S3::Bucket": ["AuditDeadLettersAE82006B"],
  "AWS::SecretsManager::Secret": [
    "SecretsAdminApiKeyFF13AD79",
    "SecretsStripeDefault0B59E4D1",
    "SecretsTwilioDefault715E3A71",
    "SecretsResendDefaultC1F99178",
  ],
  "AWS::ApiGateway::RestApi": ["FrontDoorApi9446D656"],
};
