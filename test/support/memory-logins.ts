import { FAILED_LOGINS_MAX, type Login, type LoginCode } from "../../lambda/domain/login.ts";
import type { Logins } from "../../lambda/ports/logins.ts";

/** Logins in memory. Each operation is one step, as a conditional write is. */
export class MemoryLogins implements Logins {
  readonly #logins = new Map<string, Login>();
  readonly #codes = new Map<string, LoginCode>();
  readonly #tries = new Map<string, number>();

  async read(loginId: string): Promise<Login | null> {
    return this.#logins.get(loginId) ?? null;
  }

  async start(loginId: string, login: Login): Promise<void> {
    this.#logins.set(loginId, login);
  }

  async end(loginId: string, nowMs: number): Promise<void> {
    const login = this.#logins.get(loginId);
    if (login !== undefined) this.#logins.set(loginId, { ...login, endedAtMs: login.endedAtMs ?? nowMs });
  }

  async putCode(codeId: string, code: LoginCode): Promise<void> {
    this.#codes.set(codeId, code);
  }

  async useCode(codeId: string, nowMs: number): Promise<LoginCode | null> {
    const code = this.#codes.get(codeId);
    if (code === undefined || code.endsAtMs <= nowMs) return null;
    this.#codes.delete(codeId);
    return code;
  }

  async takeTry(group: string, windowMs: number): Promise<boolean> {
    const taken = this.#tries.get(`${group} ${windowMs}`) ?? 0;
    if (taken >= FAILED_LOGINS_MAX) return false;
    this.#tries.set(`${group} ${windowMs}`, taken + 1);
    return true;
  }

  async giveTryBack(group: string, windowMs: number): Promise<void> {
    const taken = this.#tries.get(`${group} ${windowMs}`) ?? 0;
    this.#tries.set(`${group} ${windowMs}`, Math.max(0, taken - 1));
  }
}
