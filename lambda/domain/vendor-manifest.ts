/**
 * What is known of a vendor before any call: its names, its prices, what its keys look like and how its errors are written.
 * Data, but for `denial`, and no code of ours behind it: the stack, the local run, the rate card and the redaction of
 * secrets read it without the vendor's catalog.
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
  /** Whether it tells some prices only after the call, so that it is asked for them later. */
  readonly tellsPricesLate: boolean;
  readonly prices: PriceDefaults;
  /** Its secrets and ids, the first that fits a token names it. */
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
  /** How one stands in a text, with the flag `g`; absent for what may be read by everybody. */
  readonly inText?: RegExp;
}

/** What the local run reads from its environment. */
export interface LocalVariables {
  /** The parts of a credential, joined with colons: all of them are set, or none. */
  readonly credential: readonly CredentialVariable[];
  /** Holds an origin in the place of the vendor's own. */
  readonly origin: string;
  /**
   * What is sent where no credential is given: the form of the real thing, so that other servers take it. A simulator takes
   * it alone, so that a call which went out with a vault key shows.
   */
  readonly placeholder: string;
}

export interface CredentialVariable {
  readonly name: string;
  /** All of a value that can be one. */
  readonly pattern: RegExp;
  /** How one begins, so that one that is cut short is called that; null where any text may begin one. */
  readonly begins: RegExp | null;
  readonly accepted: string;
}

/**
 * What is paid for -> US dollars by destination, as decimal text: what is priced later than the call, or not told at all. The
 * longest prefix decides, `default` where none fits; null is refused until the configuration sets a price. A default errs
 * high: it is what is reserved and, where the vendor never tells its price, what is counted.
 */
export type PriceDefaults = Readonly<Record<string, Readonly<Record<string, string | null>>>>;

export interface DenialFacts {
  readonly status: number;
  /** Ours: a ProblemCode, or a code of the gateway. */
  readonly code: string;
  /** Whether a client may repeat the request by itself. */
  readonly repeats: boolean;
  readonly message: string;
  readonly requestId: string;
  readonly charged: string;
  readonly details: Readonly<Record<string, unknown>>;
}
