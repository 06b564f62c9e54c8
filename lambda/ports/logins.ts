import type { Login, LoginCode } from "../domain/login.ts";

/** Logins of the dashboard, by the SHA-256 of their secrets. */
export interface ReadLogins {
  /** Strongly consistent, so that one that ended is refused at once. Null for one that does not exist. */
  read(loginId: string): Promise<Login | null>;
}

export interface Logins extends ReadLogins {
  start(loginId: string, login: Login): Promise<void>;
  /** Ends it; one that does not exist stays so. */
  end(loginId: string, nowMs: number): Promise<void>;
  putCode(codeId: string, code: LoginCode): Promise<void>;
  /** The code, to the first who asks before its end; null to everybody else. */
  useCode(codeId: string, nowMs: number): Promise<LoginCode | null>;
  /** Takes one of the attempts of this group of addresses in this window. False where none is left. */
  takeTry(group: string, windowMs: number): Promise<boolean>;
  /** Gives it back: the attempt succeeded. */
  giveTryBack(group: string, windowMs: number): Promise<void>;
}
