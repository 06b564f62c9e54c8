/** The vendors' real secrets. */
export interface Credentials {
  /** The secret, or null where none is set. `fresh` goes past the cache. */
  read(credential: CredentialName & { readonly fresh: boolean }): Promise<string | null>;
  /** What an operator does to set it, in words for an error: a command, where there is one. */
  howToSet(credential: CredentialName): string;
}

export interface CredentialName {
  readonly vendor: string;
  /** As the configuration names it among the vendor's own. */
  readonly credential: string;
}
