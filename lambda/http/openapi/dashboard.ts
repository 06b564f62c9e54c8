import { loginCodeSchema, loginSchema, signedOutSchema, whoSchema } from "../login-answer-schema.ts";
import { loginBody } from "../login-bodies.ts";
import { ANSWERS, BODIES } from "./examples.ts";
import type { Operation, Parameter } from "./operation.ts";

/** How people sign in to the dashboard. */

const mark: Parameter = {
  name: "Keybrake-Dashboard",
  in: "header",
  required: true,
  description: "The mark of the dashboard's page. A page of another origin cannot send it.",
  schema: { type: "string", const: "1" },
  example: "1",
};

const SET_COOKIE = { "Set-Cookie": { description: "The login, or its end.", schema: { type: "string" } } };

export const DASHBOARD: readonly Operation[] = [
  {
    method: "post",
    path: "/dashboard/login",
    id: "signIn",
    tag: "Dashboard",
    summary: "Sign in",
    description:
      "With `api_key` or with `code`. The answer has a cookie that lasts twelve hours and may what the API key may. It is HttpOnly, Secure and SameSite=Strict, and is refused from any page but the dashboard's. After ten wrong guesses of the admin API key from one address in ten minutes, further ones are refused.",
    asks: [],
    scope: null,
    parameters: [mark],
    body: { name: "SignIn", schema: loginBody, required: true, examples: BODIES.signIn },
    answer: {
      status: 200,
      description: "Who signed in, and until when.",
      name: "Login",
      schema: loginSchema,
      examples: ANSWERS.login,
      headers: SET_COOKIE,
    },
    refusals: [
      "api_key_invalid",
      "key_revoked",
      "code_invalid",
      "cross_site",
      "invalid_request",
      "unsupported_media_type",
      "too_many_logins",
      "ledger_unavailable",
      "secrets_unavailable",
      "internal",
    ],
  },
  {
    method: "get",
    path: "/dashboard/login",
    id: "getLogin",
    tag: "Dashboard",
    summary: "Who is signed in",
    description:
      "The API key behind the login, or the one that is sent, and its scopes. The page of the dashboard gets `signed_in: false` before anybody signed in with its browser; a program without a key gets 401.",
    asks: ["API key"],
    scope: null,
    answer: {
      status: 200,
      description: "Who it is. `ends_at` is `null` where an API key was sent.",
      name: "Who",
      schema: whoSchema,
      examples: { ...ANSWERS.login, ...ANSWERS.signedOut },
    },
    refusals: ["ledger_unavailable"],
  },
  {
    method: "delete",
    path: "/dashboard/login",
    id: "signOut",
    tag: "Dashboard",
    summary: "Sign out",
    description: "Ends the login of the cookie for everybody who has it. Without a login it is 200 too.",
    asks: [],
    scope: null,
    parameters: [mark],
    answer: {
      status: 200,
      description: "Nobody is signed in.",
      name: "SignedOut",
      schema: signedOutSchema,
      examples: ANSWERS.signedOut,
      headers: SET_COOKIE,
    },
    refusals: ["cross_site", "ledger_unavailable", "internal"],
  },
  {
    method: "post",
    path: "/dashboard/codes",
    id: "createLoginCode",
    tag: "Dashboard",
    summary: "Make a code to sign in with",
    description: "It serves once and for a minute. A login makes none: it would outlast its twelve hours.",
    asks: ["API key"],
    scope: null,
    answer: {
      status: 201,
      description: "The code, and the dashboard's address with it.",
      name: "LoginCode",
      schema: loginCodeSchema,
      examples: ANSWERS.loginCode,
    },
    refusals: ["ledger_unavailable"],
  },
];
