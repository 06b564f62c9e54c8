import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Login } from "../api/answers.ts";

/** Who is signed in, for everything inside the page. */
export const SignedIn = createContext<Login | null>(null);

export function useLogin(): Login {
  const login = useContext(SignedIn);
  if (login === null) throw new Error("shown without a login");
  return login;
}

export type Right = "issue" | "read" | "revoke";

/** What the login may do: the rest is not shown. */
export function useMay(right: Right): boolean {
  return may(useLogin(), right);
}

export const may = ({ scopes }: Pick<Login, "scopes">, right: Right): boolean =>
  scopes.includes("admin") || scopes.includes(right);
