import { useEffect, useId, useState } from "preact/hooks";
import type { Login } from "../api/answers.ts";
import { send } from "../api/client.ts";
import { Failure } from "../api/failure.ts";
import { type Credential, credentialsOf } from "./code.ts";

/** For a reader: what the API says to a program about headers helps nobody here. */
const WORDS: Readonly<Record<string, string>> = {
  api_key_invalid: "This API key is not known here. Look whether all of it was copied.",
  key_revoked: "This API key was revoked. Sign in with another one.",
  code_invalid:
    "This code was used, is over or is not known: a code serves once, and for a minute. Make another one.",
};

const wordsOf = (error: unknown): string =>
  (error instanceof Failure ? WORDS[error.code] : undefined) ??
  (error instanceof Error ? `Not signed in: ${error.message}.` : String(error));

/** The sign-in page: an API key is exchanged for a login, and is kept nowhere in the browser. */
export function SignIn({
  note,
  code,
  onIn,
}: {
  readonly note: string | null;
  /** A one-time code to begin with. */
  readonly code: string | null;
  readonly onIn: (login: Login) => void;
}) {
  const [typed, setTyped] = useState("");
  const [failure, setFailure] = useState<string | null>(null);
  const [isAsking, setIsAsking] = useState(false);
  const id = useId();

  const signIn = async (credentials: readonly Credential[]) => {
    setIsAsking(true);
    setFailure(null);
    for (const credential of credentials)
      try {
        return onIn(await send<Login>("POST", "dashboard/login", credential));
      } catch (error) {
        setFailure(wordsOf(error));
        if (!(error instanceof Failure && error.isLogin)) break;
      }
    setIsAsking(false);
  };

  useEffect(() => {
    if (code !== null) void signIn([{ code }]);
  }, [code]);

  return (
    <main class="sign-in">
      <h1>Keybrake</h1>
      {note !== null && <p class="note">{note}</p>}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void signIn(credentialsOf(typed));
        }}
      >
        {/* Password managers file what they keep under a name. */}
        <input type="text" name="username" autocomplete="username" value="keybrake" readOnly hidden />
        <label for={id}>API key or one-time code</label>
        <input
          id={id}
          type="password"
          autocomplete="current-password"
          required
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
          aria-describedby={`${id}-help`}
        />
        <button type="submit" class="main" disabled={isAsking}>
          {isAsking ? "Signing in…" : "Sign in"}
        </button>
        {failure !== null && (
          <p class="note bad" role="alert">
            {failure}
          </p>
        )}
        <p id={`${id}-help`} class="quiet">
          The key is exchanged for a login of 12 hours and is not kept in this browser. Without a key at hand:{" "}
          <code>npx keybrake dashboard</code> opens this page signed in.
        </p>
      </form>
    </main>
  );
}
