import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { rateLimited, reservationProblem } from "../../lambda/app/proxy/denial-messages.ts";
import type { Reservation } from "../../lambda/app/proxy/draw-chain.ts";
import { ALL_SPENT, type Balance, UNCAPPED, WINDOW_MS } from "../../lambda/domain/balance.ts";
import { minuteAt } from "../../lambda/domain/call-rate.ts";
import { microUsd } from "../../lambda/domain/money.ts";
import { Problem, type ProblemCode, STATUS_BY_CODE } from "../../lambda/domain/problem.ts";
import { problemAnswer } from "../../lambda/http/answers.ts";
import { denialAnswer } from "../../lambda/http/proxy-answer.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { GATEWAY_RESPONSE_TYPES, gatewayResponseOf } from "../../lib/gateway-responses.ts";

/** Every refusal that can leave the product, as bytes, for clients that repeat by themselves. */

/** The bound of docs/decisions/0028-retry-after.md, and the longest wait for a rate, in seconds. */
export const RETRY_AFTER_S_MAX = 600;
export const RATE_RETRY_AFTER_S_MAX = 60;

const NOW_MS = 1_790_000_000_000;
export const usd = (dollars: number) => microUsd(BigInt(dollars) * 1_000_000n);

/** A key with $4 of a daily cap of $10 left, as a call meets it `untilResetS` seconds before its window ends. */
export const balanceBefore = (untilResetS: number, change: Partial<Balance> = {}): Balance => ({
  keyId: "key_1",
  issuedAtMs: NOW_MS + untilResetS * 1000 - WINDOW_MS,
  caps: { daily: usd(10), total: UNCAPPED, perCall: UNCAPPED },
  leftByWindow: { 0: usd(4) },
  leftInTotal: UNCAPPED,
  expiresAtMs: NOW_MS + 30 * WINDOW_MS,
  revokedAtMs: null,
  fenceMs: 0,
  writes: 1,
  minuteCalls: null,
  ...change,
});

/** What a call of `dollars` is refused with by the first of these members of a chain. */
export function refusalBy(
  balances: readonly Balance[],
  dollars: number,
  change: Partial<Reservation> = {},
): Promise<Problem> {
  const refusals = balances.map((balance) => ({
    keyId: balance.keyId,
    reason:
      usd(dollars) > balance.caps.perCall
        ? ("per_call_cap" as const)
        : usd(dollars) > (balance.leftByWindow[0] ?? balance.caps.daily)
          ? ("daily_cap" as const)
          : ("total_cap" as const),
    balance,
    count: null,
  }));
  const reservation = {
    drawn: [],
    ambiguous: [],
    leaf: null,
    refusal: refusals[0] ?? null,
    refusals,
    drawnUntilMs: Number.MAX_VALUE,
    wouldRefuse: [],
    uncounted: [],
    ...change,
  };
  const spending = { spent: async () => ALL_SPENT };
  return reservationProblem(
    reservation,
    { requested: usd(dollars), explanation: null, nowMs: NOW_MS },
    spending,
  );
}

/** What a call that takes nothing is refused with by keys whose minute began just now, each of a rate of one call. */
export function rateRefusal(balances: readonly Balance[]): Problem {
  const minuteOf = (balance: Balance) => minuteAt(balance.issuedAtMs, NOW_MS);
  const refusals = balances.map((balance) => ({
    keyId: balance.keyId,
    reason: "rate" as const,
    balance: { ...balance, minuteCalls: { minute: minuteOf(balance), calls: 1 } },
    count: { minute: minuteOf(balance), max: 1 },
  }));
  const problem = rateLimited(refusals, NOW_MS);
  if (problem === null) throw new Error("no rate refused");
  return problem;
}

export const inSeconds = (seconds: number): number => NOW_MS + seconds * 1000;

export interface Denial {
  readonly name: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Every code in every shape, caps in all their states, our own API's errors, and the gateway's answers. */
export async function everyDenial(): Promise<readonly Denial[]> {
  const total = { caps: { ...balanceBefore(300).caps, total: usd(10) }, leftInTotal: usd(1) };
  const caps: Readonly<Record<string, Problem>> = {
    "window-ends-in-ten-minutes": await refusalBy([balanceBefore(RETRY_AFTER_S_MAX)], 5),
    "window-ends-in-a-day": await refusalBy([balanceBefore(86_400)], 5),
    "above-the-whole-cap": await refusalBy([balanceBefore(300)], 11),
    "total-cap": await refusalBy([balanceBefore(300, total)], 3),
    "minute-ends-in-a-minute": rateRefusal([balanceBefore(86_400)]),
  };
  const problems = [
    ...(Object.keys(STATUS_BY_CODE) as ProblemCode[]).map((code) => [code, new Problem(code, "no")] as const),
    ...Object.entries(caps),
  ];
  const vendors = vendorRegistry();
  const answers = problems.flatMap(([name, problem]) => [
    ...[...vendors.names, null].map((spoken) => ({
      name: `${name}-${spoken ?? "root"}`,
      answer: denialAnswer(problem, { facts: null, requestId: "req_1", spoken }, vendors),
    })),
    { name: `${name}-own-api`, answer: problemAnswer(problem, "req_1", vendors.secrets) },
  ]);
  return [
    ...answers.map(({ name, answer: { statusCode, headers, body } }) => ({
      name,
      status: statusCode,
      headers: Object.fromEntries(
        Object.entries(headers ?? {}).map(([header, value]) => [header, `${value}`]),
      ),
      body,
    })),
    ...GATEWAY_RESPONSE_TYPES.map((type) => {
      const { status, headers, template } = gatewayResponseOf(type);
      return { name: type.toLowerCase(), status, headers, body: template };
    }),
  ];
}

/** A server that answers each path with the refusal of that name, and `/` with the names of all. */
export async function serveDenials(): Promise<{
  readonly origin: string;
  readonly names: readonly string[];
  close(): Promise<void>;
}> {
  const denials = new Map((await everyDenial()).map((denial) => [`/${denial.name}`, denial]));
  const names = [...denials.values()].map(({ name }) => name);
  const server = createServer((request, response) => {
    const denial = denials.get(request.url ?? "");
    request.resume();
    request.on("end", () => {
      if (denial === undefined) response.end(JSON.stringify(names));
      else response.writeHead(denial.status, denial.headers).end(denial.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    names,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
