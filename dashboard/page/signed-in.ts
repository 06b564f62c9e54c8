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

/** The vendors that the login reaches. */
export function useVendors(): Login["vendors"] {
  const { vendors, allowed_vendors } = useLogin();
  return vendors.filter(({ name }) => allowed_vendors?.includes(name) !== false);
}

/** Whether the login reaches some vendors or credentials only: then sums over all runs are not for it. */
export const isLimited = ({
  allowed_vendors,
  allowed_credentials,
}: Pick<Login, "allowed_vendors" | "allowed_credentials">): boolean =>
  allowed_vendors !== null || allowed_credentials !== null;

export type Right = "issue" | "read" | "revoke";

/** What the login may do: the rest is not shown. */
export function useMay(right: Right): boolean {
  return may(useLogin(), right);
}

const may = ({ scopes }: Pick<Login, "scopes">, right: Right): boolean =>
  scopes.includes("admin") || scopes.includes(right);
