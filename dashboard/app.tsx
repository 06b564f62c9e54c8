import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Login } from "./api/answers.ts";
import { read } from "./api/client.ts";
import { Failure } from "./api/failure.ts";
import { LOGIN_ENDED } from "./api/use-poll.ts";
import { codeIn } from "./login/code.ts";
import { SignIn } from "./login/sign-in.tsx";
import { Frame } from "./page/frame.tsx";
import { SignedIn } from "./page/signed-in.ts";

type State =
  | { readonly kind: "asking" }
  | { readonly kind: "out"; readonly note: string | null }
  | { readonly kind: "unknown"; readonly reason: string }
  | { readonly kind: "in"; readonly login: Login };

const ENDED = "Your login is over. Sign in again: you come back to where you were.";

/** The whole page: who is signed in decides what there is to see. */
function App() {
  const [state, setState] = useState<State>({ kind: "asking" });

  const askWho = async () => {
    try {
      setState({ kind: "in", login: await read<Login>("dashboard/login") });
    } catch (error) {
      const isOut = error instanceof Failure && error.isLogin;
      setState(
        isOut
          ? { kind: "out", note: null }
          : { kind: "unknown", reason: String(error instanceof Error ? error.message : error) },
      );
    }
  };

  useEffect(() => {
    const ended = () => setState((was) => (was.kind === "in" ? { kind: "out", note: ENDED } : was));
    addEventListener(LOGIN_ENDED, ended);
    // A one-time code is for who just made it, whoever is signed in.
    if (codeIn(location.hash) === null) void askWho();
    else setState({ kind: "out", note: null });
    return () => removeEventListener(LOGIN_ENDED, ended);
  }, []);

  switch (state.kind) {
    case "asking":
      return <p class="loading">Loading…</p>;
    case "unknown":
      return (
        <main class="sign-in">
          <h1>Keybrake</h1>
          <p class="note bad" role="alert">
            The page cannot ask who is signed in: {state.reason}.
          </p>
          <button type="button" class="main" onClick={() => void askWho()}>
            Try again
          </button>
        </main>
      );
    case "out":
      return <SignIn note={state.note} onIn={(login) => setState({ kind: "in", login })} />;
    case "in":
      return (
        <SignedIn.Provider value={state.login}>
          <Frame onOut={() => setState({ kind: "out", note: "You signed out." })} />
        </SignedIn.Provider>
      );
  }
}

const root = document.getElementById("app");
if (root !== null) {
  root.replaceChildren();
  render(<App />, root);
}
