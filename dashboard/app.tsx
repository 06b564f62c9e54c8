import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Login, Who } from "./api/answers.ts";
import { read } from "./api/client.ts";
import { Failure } from "./api/failure.ts";
import { LOGIN_ENDED } from "./api/use-poll.ts";
import { codeIn } from "./login/code.ts";
import { SignIn } from "./login/sign-in.tsx";
import { Frame } from "./page/frame.tsx";
import { SignedIn } from "./page/signed-in.ts";

type State =
  | { readonly kind: "asking" }
  | { readonly kind: "out"; readonly note: string | null; readonly code: string | null }
  | { readonly kind: "offered"; readonly login: Login; readonly code: string }
  | { readonly kind: "unknown"; readonly reason: string }
  | { readonly kind: "in"; readonly login: Login };

const ENDED = "Your login is over. Sign in again: you come back to where you were.";

/** The whole page: who is signed in decides what there is to see. */
function App() {
  const [state, setState] = useState<State>({ kind: "asking" });

  /** A code of the address is used by itself where nobody is signed in; else it is asked before it replaces that login. */
  const askWho = async () => {
    const code = codeIn(location.hash);
    if (code !== null) history.replaceState(null, "", "#overview");
    try {
      const login = await read<Who>("dashboard/login");
      if ("signed_in" in login) return setState({ kind: "out", note: null, code });
      setState(code === null ? { kind: "in", login } : { kind: "offered", login, code });
    } catch (error) {
      const isOut = error instanceof Failure && error.isLogin;
      setState(
        isOut
          ? { kind: "out", note: null, code }
          : { kind: "unknown", reason: String(error instanceof Error ? error.message : error) },
      );
    }
  };

  useEffect(() => {
    const ended = () =>
      setState((was) => (was.kind === "in" ? { kind: "out", note: ENDED, code: null } : was));
    const moved = () => {
      if (codeIn(location.hash) !== null) void askWho();
    };
    addEventListener(LOGIN_ENDED, ended);
    addEventListener("hashchange", moved);
    void askWho();
    return () => {
      removeEventListener(LOGIN_ENDED, ended);
      removeEventListener("hashchange", moved);
    };
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
    case "offered":
      return (
        <main class="sign-in">
          <h1>Use another login?</h1>
          <p>
            You are signed in as <b>{state.login.name}</b>. The address that you opened has a code for another
            login, which would replace yours. Use it only if you made it yourself.
          </p>
          <div class="buttons">
            <button type="button" class="main" onClick={() => setState({ kind: "in", login: state.login })}>
              Stay signed in
            </button>
            <button type="button" onClick={() => setState({ kind: "out", note: null, code: state.code })}>
              Use the code
            </button>
          </div>
        </main>
      );
    case "out":
      return <SignIn note={state.note} code={state.code} onIn={(login) => setState({ kind: "in", login })} />;
    case "in":
      return (
        <SignedIn.Provider value={state.login}>
          <Frame onOut={() => setState({ kind: "out", note: "You signed out.", code: null })} />
        </SignedIn.Provider>
      );
  }
}

const root = document.getElementById("app");
if (root !== null) {
  root.replaceChildren();
  render(<App />, root);
}
