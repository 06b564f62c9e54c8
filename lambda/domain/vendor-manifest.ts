/**
 * What is known of a vendor before any call: its names, its prices, what its keys look like and how its errors are
 * written. It is data except for `denial`, and imports no code of ours. So the stack, the local run, the rate card and
 * the redaction of secrets read it without the vendor's catalog.
 */
export interface VendorManifest {
  /** In paths, keys, rows and the configuration: small letters and digits. */
  readonly name: string;
  /** As people write it. */
  readonly title: string;
  /** The credential that a deployment has unless configured, and that a key is for unless it names one. */
  readonly defaultCredential: string;
  /** How a credential is written, for an error. */
  readonly credentialAccepted: string;
  readonly local: LocalVariables;
  readonly client: ClientVariables;
  /** Whether the vendor gives some prices only after the call, so that Keybrake asks for them later. */
  readonly tellsPricesLate: boolean;
  readonly prices: PriceDefaults;
  /** Its secrets and ids. The first that matches a token names it. */
  readonly secretShapes: readonly SecretShape[];
  /** An answer of ours in the shape that makes the vendor's SDK raise its natural exception. */
  readonly denial: (denial: DenialFacts) => {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
}

/** What a kind of secret or id looks like. */
export interface SecretShape {
  /** Completes "it looks like …". */
  readonly name: string;
  /** How a token of this kind begins, or all of it: mistyped ones too. */
  readonly token: RegExp;
  /** How it looks inside a text, with the flag `g`; absent for what is public. */
  readonly inText?: RegExp;
}

/** What the local run reads from its environment. */
export interface LocalVariables {
  /** The parts of a credential, joined with colons: all of them are set, or none. */
  readonly credential: readonly CredentialVariable[];
  /** Name of the variable with an origin that replaces the vendor's own. */
  readonly origin: string;
  /**
   * What is sent where no credential is given. It has the form of a real one, so that other servers accept it. A
   * simulator accepts only this one, which shows a call that went out with a vault key.
   */
  readonly placeholder: string;
}

/** What a program finds in its environment under `keybrake run`, so that the vendor's SDK calls Keybrake (docs/cli.md). */
export interface ClientVariables {
  /** Get the vault key. */
  readonly key: readonly string[];
  /** Get the base address, without a slash at its end. */
  readonly baseUrl: readonly string[];
  /** Get a value of their own, such as an account id that the SDK insists on. */
  readonly fixed: Readonly<Record<string, string>>;
  /** Taken away: they hold another credential of the vendor, or lead its SDK to another address. */
  readonly removed: readonly string[];
  /** A path whose GET is free and needs no object: it shows whether the vendor accepts the credential. Null: none known. */
  readonly freeRead: string | null;
}

export interface CredentialVariable {
  readonly name: string;
  /** The whole value. */
  readonly pattern: RegExp;
  /** How a value begins, so that a message can say that one is cut short; null where it may begin with any text. */
  readonly begins: RegExp | null;
  readonly accepted: string;
}

/**
 * Item -> US dollars by destination, as decimal text, for items whose price comes after the call or never. The longest
 * prefix decides, `default` where none matches; null is refused until the configuration sets a price. A default errs
 * high: it is reserved, and it is counted where the vendor never gives a price.
 */
export type PriceDefaults = Readonly<Record<string, Readonly<Record<string, string | null>>>>;

export interface DenialFacts {
  readonly status: number;
  /** Ours: a ProblemCode, or a code of the gateway. */
  readonly code: string;
  /** Whether a client may repeat the request automatically. */
  readonly repeats: boolean;
  readonly message: string;
  readonly requestId: string;
  readonly charged: string;
  readonly details: Readonly<Record<string, unknown>>;
}
